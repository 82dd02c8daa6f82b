"""Proves that the copy equals its source: what the target says of it, field by field. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from backends.engine import Engine
from backends.migration import gpus
from backends.migration.fields import OURS, describe_port, describe_restart, shown
from backends.migration.manifest import Manifest, differences
from backends.model.container import Container, ContainerState, Port
from backends.model.image import ImageFacts
from backends.model.plan import Check, Plan
from backends.model.workload import GpuRequest, MountSpec, WorkloadSpec

POLL_S = 0.1
SHOWN_DIFFERENCES = 5


_PLAIN = ("name", "command", "entrypoint", "user", "workdir", "hostname", "tty", "stdin_open")


def _plain(name: str, wanted: object, seen: object) -> Check:
    return Check(name, wanted == seen, *("-" if value is None else str(value) for value in (wanted, seen)))


def _mapping(subject: str, wanted: Mapping[str, str], seen: Mapping[str, str]) -> list[Check]:
    """One check where all is equal, else one for each key that differs; secrets masked."""
    if wanted == seen:
        return [Check(subject, True, f"{len(wanted)} equal", f"{len(seen)} equal")]
    return [
        Check(
            f"{subject}.{key}",
            False,
            shown(key, wanted[key]) if key in wanted else "(not set)",
            shown(key, seen[key]) if key in seen else "(not set)",
        )
        for key in sorted(wanted.keys() | seen.keys())
        if wanted.get(key) != seen.get(key)
    ]


_Published = tuple[int, str, str, int | None]


def _port(port: Port) -> _Published:
    return port.container_port, port.protocol, "" if port.host_ip in {"0.0.0.0", "::"} else port.host_ip, port.host_port


def _same_ports(wanted: Sequence[Port], seen: Sequence[Port]) -> bool:
    """Whether they are the same; for "any free port" (0) an engine may tell the port that it chose (Podman does)."""
    left = sorted(map(_port, seen), key=repr)
    for port in sorted(map(_port, wanted), key=lambda port: not port[3]):  # those with a number of their own first
        found = next((other for other in left if other == port), None)
        if found is None and port[3] == 0:
            found = next((other for other in left if other[:3] == port[:3] and other[3]), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def _mount(mount: MountSpec) -> tuple[str, str, str, bool]:
    source = f"{mount.source}/{mount.subpath}" if mount.subpath else mount.source
    return str(mount.kind), source, mount.destination, mount.read_only


def _gpu(request: GpuRequest | None) -> tuple[str, ...]:
    return tuple(sorted(gpus.cdi_names(request))) if request else ()


def compare_specs(wanted: WorkloadSpec, seen: WorkloadSpec) -> list[Check]:
    """The recipe that was asked for against the one that the target reads back.

    Not compared: the image (by its facts instead), labels of Tranship's own, whether a volume is anonymous.
    """
    checks = [_plain(name, getattr(wanted, name), getattr(seen, name)) for name in _PLAIN]
    checks += _mapping("env", wanted.env, seen.env)
    ours, theirs = ({k: v for k, v in spec.labels.items() if not k.startswith(OURS)} for spec in (wanted, seen))
    checks += _mapping("labels", ours, theirs)
    mounts = [sorted(map(_mount, spec.mounts)) for spec in (wanted, seen)]
    checks += [
        Check(
            "ports",
            _same_ports(wanted.ports, seen.ports),
            *("; ".join(map(describe_port, s.ports)) or "-" for s in (wanted, seen)),
        ),
        Check("mounts", mounts[0] == mounts[1], *(_mounts_text(found) for found in mounts)),
        Check("restart", wanted.restart == seen.restart, *(describe_restart(s.restart) for s in (wanted, seen))),
        Check("memory", wanted.memory_bytes == seen.memory_bytes, str(wanted.memory_bytes), str(seen.memory_bytes)),
        Check("cpus", wanted.cpus_nano == seen.cpus_nano, f"{wanted.cpus_nano / 1e9:g}", f"{seen.cpus_nano / 1e9:g}"),
        Check("gpu", _gpu(wanted.gpu) == _gpu(seen.gpu), *(", ".join(_gpu(s.gpu)) or "-" for s in (wanted, seen))),
    ]
    return checks


def _mounts_text(found: list[tuple[str, str, str, bool]]) -> str:
    return (
        "; ".join(f"{kind} {source} -> {to}" + (" (read-only)" if ro else "") for kind, source, to, ro in found) or "-"
    )


def compare_images(source: ImageFacts, target: ImageFacts) -> list[Check]:
    """Layers, platform and, where both engines tell it, configuration."""
    checks = [
        Check("image layers", source.diff_ids == target.diff_ids, *(_layers(facts) for facts in (source, target))),
        Check(
            "image platform",
            (source.os, source.architecture) == (target.os, target.architecture),
            *(f"{facts.os}/{facts.architecture}" for facts in (source, target)),
        ),
    ]
    if source.config_digest and target.config_digest:
        same = source.config_digest == target.config_digest
        checks.append(Check("image configuration", same, source.config_digest, target.config_digest))
    return checks


def _layers(facts: ImageFacts) -> str:
    return f"{len(facts.diff_ids)} layers, top {facts.diff_ids[-1][:19] if facts.diff_ids else '-'}"


def compare_volumes(name: str, source: Manifest, target: Manifest) -> Check:
    """The content of a volume and of its copy; where they differ, the first differences."""
    if source.files == target.files:
        return Check(f"volume {name}", True, str(source), str(target))
    found = differences(source, target)
    more = f"; and {len(found) - SHOWN_DIFFERENCES} more" if len(found) > SHOWN_DIFFERENCES else ""
    return Check(f"volume {name}", False, str(source), "; ".join(found[:SHOWN_DIFFERENCES]) + more)


async def _keeps_running(target: Engine, container: str, watch_s: float, clock: Callable[[], float]) -> Container:
    """Look at it until it has run for watch_s, or has stopped."""
    until = clock() + watch_s
    while True:
        seen = await target.inspect_container(container)
        if not seen.state.alive or clock() >= until:
            return seen
        await asyncio.sleep(min(POLL_S, max(0.0, until - clock())))


async def verify(plan: Plan, target: Engine, container: str, landed: ImageFacts, watch_s: float) -> tuple[Check, ...]:
    """Every comparison of the copy with what was planned, besides the volumes' content.

    container: the copy's id. landed: the image that the target had after the image step.
    watch_s: for how long the copy must keep running, where the source ran.
    """
    spec = await target.workload_spec(container)
    loop = asyncio.get_running_loop()
    if plan.source_running:
        seen = await _keeps_running(target, container, watch_s, loop.time)
        running = seen.state.alive and seen.state is not ContainerState.RESTARTING
    else:
        seen = await target.inspect_container(container)
        running = seen.state.alive
    state = str(seen.state) + (
        f" with exit code {seen.exit_code}" if seen.exit_code is not None and not running else ""
    )
    images = compare_images(plan.image.facts, landed) if plan.image is not None else []
    of_the_image = Check("image of the copy", seen.image_id == landed.key.id, landed.key.short, seen.image_id[:12])
    return (
        *images,
        of_the_image,
        *compare_specs(plan.spec, spec),
        Check("state", running == plan.source_running, "running" if plan.source_running else "not running", state),
    )
