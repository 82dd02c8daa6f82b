"""What of a recipe the engine or its machine cannot give, found before it is made. Pure: facts come from outside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from backends.model.capabilities import Capability, EngineInfo
from backends.model.container import Container, MountKind, Port
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.plan import Finding, Severity
from backends.model.run_words import size_text
from backends.model.workload import RestartName, WorkloadSpec

PRIVILEGED_PORTS = 1024
"""Ports below need a right that a rootless engine lacks. Source: Linux, net.ipv4.ip_unprivileged_port_start."""

_EVERY_ADDRESS = frozenset({"", "0.0.0.0", "::"})
_MOST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding, and the field of the draft that it is about ("" = none alone), and which of its texts."""

    finding: Finding
    field: str = ""
    place: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What was looked at on the engine and its machine.

    image_here: whether the engine has the image, None where it was not asked. image_on: engines that have it.
    listening: ports on which something of the engine's machine listens, () where that cannot be seen from here.
    missing: host paths that are not there.
    """

    image_here: bool | None = None
    image_on: tuple[str, ...] = ()
    listening: frozenset[int] = frozenset()
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a container is to be made. neighbours: containers of the same machine. replaced: one that goes away."""

    engine: EngineId
    info: EngineInfo
    neighbours: tuple[Container, ...] = ()
    facts: Facts = field(default_factory=Facts)
    replaced: ContainerKey | None = None


def ground_of(view: FleetView, engine: EngineId, facts: Facts, replaced: ContainerKey | None = None) -> Ground | None:
    """The ground of a view; None where the engine was never reached."""
    known = view.engines.get(engine)
    if known is None or known.info is None:
        return None
    here = {one.id for one in view.engines.values() if one.info is not None and one.info.local and known.info.local}
    near = tuple(one for one in view.containers.values() if one.key.engine == engine or one.key.engine in here)
    return Ground(engine, known.info, near, facts, replaced)


def taken_ports(ground: Ground) -> dict[tuple[int, str], str]:
    """Ports of the machine that are taken, with who has each."""
    taken = {(port, "tcp"): "a program of the machine" for port in ground.facts.listening}
    for one in ground.neighbours:
        if one.state.alive and one.key != ground.replaced:
            for port in one.ports:
                if port.host_port:
                    taken[(port.host_port, port.protocol)] = f"{one.name} on {one.key.engine}"
    if ground.replaced is not None:  # its own listener goes with it
        for one in ground.neighbours:
            if one.key == ground.replaced:
                for port in one.ports:
                    if taken.get((port.host_port or 0, port.protocol)) == "a program of the machine":
                        del taken[(port.host_port or 0, port.protocol)]
    return taken


def free_port(wanted: int, protocol: str, taken: Mapping[tuple[int, str], str]) -> int:
    """The port, or the next one above that nobody has; 0 (any) where there is none."""
    lowest = wanted if wanted < PRIVILEGED_PORTS else max(wanted, PRIVILEGED_PORTS)
    return next((port for port in range(lowest, _MOST_PORT + 1) if (port, protocol) not in taken), 0)


def free_name(wanted: str, names: Iterable[str]) -> str:
    """The name, or the same with the first number behind it that makes it free."""
    used = set(names)
    if wanted not in used:
        return wanted
    stem = re.sub(r"-\d{1,4}\Z", "", wanted)
    return next(name for number in range(2, len(used) + 3) if (name := f"{stem}-{number}") not in used)


def check(spec: WorkloadSpec, ground: Ground) -> list[Remark]:
    """All that is to be said, in the order of the form. The request for GPUs is judged by `backends.giving`."""
    return [
        *_image(spec, ground),
        *_name(spec, ground),
        *_memory(spec, ground),
        *_limits(spec, ground),
        *_ports(spec, ground),
        *_mounts(spec, ground),
        *_restart(spec, ground),
        *_health(spec, ground),
    ]


def _remark(kind: Severity, field: str, title: str, detail: str = "", remedy: str = "", place: int = 0) -> Remark:
    return Remark(Finding(kind, title, detail, remedy), field, place)


def _image(spec: WorkloadSpec, ground: Ground) -> Iterator[Remark]:
    if ground.facts.image_here is not False:
        return
    remedy = f"tranship pull {spec.image} --engine {ground.engine}"
    if ground.facts.image_on:
        remedy = (
            f"tranship image copy {spec.image} --from {ground.facts.image_on[0]} --to {ground.engine}; or: {remedy}"
        )
    yield _remark(Severity.BLOCK, "image", f"{ground.engine} has no image {spec.image}", "", remedy)


def _name(spec: WorkloadSpec, ground: Ground) -> Iterator[Remark]:
    names = [one.name for one in ground.neighbours if one.key.engine == ground.engine and one.key != ground.replaced]
    if spec.name in names:
        remedy = f"call it {free_name(spec.name, names)}, or remove the other one"
        yield _remark(Severity.BLOCK, "name", f"{spec.name} is there already on {ground.engine}", "", remedy)


def _memory(spec: WorkloadSpec, ground: Ground) -> Iterator[Remark]:
    info, shm = ground.info, spec.namespaces.shm_bytes
    if info.memory_bytes and spec.memory_bytes > info.memory_bytes:
        has = f"the machine has {size_text(info.memory_bytes >> 20 << 20)}"
        yield _remark(Severity.WARN, "memory", f"{size_text(spec.memory_bytes)} is more than there is: {has}")
    if shm and spec.memory_bytes and shm > spec.memory_bytes:
        title = "the shared memory is larger than the memory limit, which counts it"
        yield _remark(Severity.WARN, "shm_size", title, "", "raise the memory limit, or lower the shared memory")
    elif shm and info.memory_bytes and shm > info.memory_bytes:
        has = f"the machine has {size_text(info.memory_bytes >> 20 << 20)}"
        yield _remark(
            Severity.WARN, "shm_size", f"{size_text(shm)} of shared memory, and {has}", "", "take half of that"
        )
    if info.cpus and spec.cpus_nano > info.cpus * 10**9:
        title = f"{spec.cpus_nano / 10**9:g} CPUs, and the machine has {info.cpus}"
        yield _remark(Severity.BLOCK, "cpus", title, "", f"say at most {info.cpus}, or nothing for no limit")


def _limits(spec: WorkloadSpec, ground: Ground) -> Iterator[Remark]:
    asked = {"memory": spec.memory_bytes, "cpus": spec.cpus_nano, "pids": spec.resources.pids_limit}
    why = ground.info.capabilities.why_not(Capability.RESOURCE_LIMITS)
    for name, value in asked.items():
        if value and why:
            remedy = "use a rootful engine, or a machine with cgroup v2"
            yield _remark(Severity.WARN, name, f"{ground.engine} does not hold it to this limit: {why}", "", remedy)


def _ports(spec: WorkloadSpec, ground: Ground) -> Iterator[Remark]:
    taken = taken_ports(ground)
    for place, port in enumerate(one for one in spec.ports if one.host_port is not None):
        if not port.host_port:
            continue
        holder = taken.get((port.host_port, port.protocol), "")
        if holder and _clash(port, ground):
            other = free_port(port.host_port, port.protocol, taken)
            remedy = f"port {other} is free" if other else "choose another port"
            yield _remark(Severity.BLOCK, "ports", f"port {port.host_port} is taken by {holder}", "", remedy, place)
        elif ground.info.rootless and port.host_port < PRIVILEGED_PORTS:
            title = f"a rootless engine may not publish port {port.host_port}, below {PRIVILEGED_PORTS}"
            remedy = f"publish {port.host_port + 8000}, or lower net.ipv4.ip_unprivileged_port_start"
            yield _remark(Severity.WARN, "ports", title, "", remedy, place)


def _clash(wanted: Port, ground: Ground) -> bool:
    """Whether whoever has the port has it on the same address."""
    held = [
        port
        for one in ground.neighbours
        if one.state.alive and one.key != ground.replaced
        for port in one.ports
        if port.host_port == wanted.host_port and port.protocol == wanted.protocol
    ]
    if not held:
        return True  # a program, whose address is not looked at
    return any(wanted.host_ip == port.host_ip or bool({wanted.host_ip, port.host_ip} & _EVERY_ADDRESS) for port in held)


def _mounts(spec: WorkloadSpec, ground: Ground) -> Iterator[Remark]:
    for place, mount in enumerate(spec.mounts):
        if mount.kind is MountKind.BIND and not mount.create_source and mount.source in ground.facts.missing:
            title = f"{mount.source} is not there on the engine's machine"
            yield _remark(Severity.BLOCK, "mounts", title, "", f"mkdir -p {mount.source}", place)


def _restart(spec: WorkloadSpec, ground: Ground) -> Iterator[Remark]:
    lasting = spec.restart.name in {RestartName.ALWAYS, RestartName.UNLESS_STOPPED}
    if lasting and ground.engine.kind is EngineKind.PODMAN:
        user = "--user " if ground.info.rootless else ""
        title = "Podman starts it again after a reboot only with its restart service"
        yield _remark(Severity.NOTE, "restart", title, "", f"systemctl {user}enable podman-restart.service")


def _health(spec: WorkloadSpec, ground: Ground) -> Iterator[Remark]:
    why = ground.info.capabilities.why_not(Capability.HEALTHCHECK)
    if spec.health is not None and spec.health.test != ("NONE",) and why:
        title = f"{ground.engine} does not check the health by itself: {why}"
        yield _remark(Severity.NOTE, "health", title, "", f"podman healthcheck run {spec.name}")


__all__ = [
    "Facts", "Ground", "Remark", "check", "free_name", "free_port", "ground_of", "taken_ports",
]  # fmt: skip
