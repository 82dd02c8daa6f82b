"""What stands in the way of a move, or should be known before it. Pure: facts in, findings out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from backends.migration.facts import SourceFacts, TargetFacts, same_host, same_image
from backends.migration.fields import OURS, SECRET, Choice, describe_port
from backends.migration.gpus import GpuMove
from backends.model.container import ContainerState, MountKind, Port
from backends.model.ids import EngineKind
from backends.model.plan import FieldPlan, Finding, ImageAction, ImageMove, Severity, Verdict
from backends.model.workload import RestartName, WorkloadSpec

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
"""Names of containers that both engines accept. Source: moby daemon/names, podman libpod/define (same pattern)."""

PRIVILEGED_PORTS = 1024
"""Ports below need a right that a rootless engine lacks. Source: Linux, net.ipv4.ip_unprivileged_port_start."""

ENGINE_SOCKETS = ("docker.sock", "podman.sock")
_EVERY_ADDRESS = frozenset({"", "0.0.0.0", "::"})
_ARCHES: Mapping[str, str] = {"x86_64": "amd64", "aarch64": "arm64"}


def _block(title: str, detail: str = "", remedy: str = "") -> Finding:
    return Finding(Severity.BLOCK, title, detail, remedy)


def _warn(title: str, detail: str = "", remedy: str = "") -> Finding:
    return Finding(Severity.WARN, title, detail, remedy)


def _note(title: str, detail: str = "", remedy: str = "") -> Finding:
    return Finding(Severity.NOTE, title, detail, remedy)


def source_state(source: SourceFacts, target: TargetFacts) -> Iterator[Finding]:
    """Whether the source can be moved at all."""
    state = source.container.state
    if source.engine == target.engine:
        yield _block("source and target are the same engine", str(target.engine), "choose another target engine")
    if state in {ContainerState.REMOVING, ContainerState.STOPPING, ContainerState.DEAD, ContainerState.UNKNOWN}:
        yield _block(f"the source is {state}", "", "wait until it runs or has stopped, then plan again")
    if state is ContainerState.PAUSED:
        yield _note("the source is paused", "It is thawed in order to be stopped; the copy runs and is not paused.")
    if (
        any(entry.path.endswith("AutoRemove") and entry.value == "true" for entry in source.spec.unmapped)
        and state.alive
    ):
        yield _block(
            "the source was made with --rm: stopping it would delete it",
            "A move stops the source and keeps it, so that nothing is lost if a step fails.",
            "make the source again without --rm",
        )


def names(name: str, target: TargetFacts) -> Iterator[Finding]:
    """Whether the copy's name is good and free."""
    if not NAME.fullmatch(name):
        yield _block(f"the name {name!r} is not one that engines accept", "", "choose another with --name")
    taken = next((other for other in target.containers if other.name == name), None)
    if taken is not None:
        yield _block(
            f"{target.engine} already has a container named {name}",
            f"id {taken.key.short}, {taken.state}",
            "choose another name with --name, or rename or remove that container",
        )


def _clash(wanted: Port, other: Port) -> bool:
    if not wanted.host_port or wanted.host_port != other.host_port or wanted.protocol != other.protocol:
        return False
    return wanted.host_ip == other.host_ip or bool({wanted.host_ip, other.host_ip} & _EVERY_ADDRESS)


def ports(source: SourceFacts, target: TargetFacts) -> Iterator[Finding]:
    """Published ports that the target cannot or may not be able to give."""
    running = source.container.state.alive
    for port in source.spec.ports:
        holder = next(
            (other for other in target.containers if other.state.alive and any(_clash(port, p) for p in other.ports)),
            None,
        )
        if holder is not None:
            make = _block if running else _warn
            yield make(
                f"port {port.host_port}/{port.protocol} is taken on {target.engine}",
                f"container {holder.name} publishes it",
                f"stop {holder.name}, or publish one of the two elsewhere",
            )
        if target.info.rootless and port.host_port and port.host_port < PRIVILEGED_PORTS:
            yield _warn(
                f"{describe_port(port)}: a rootless engine may not publish ports below {PRIVILEGED_PORTS}",
                "Where it is refused, the start fails and everything is put back.",
                "lower net.ipv4.ip_unprivileged_port_start on the target's host",
            )


def image(source: SourceFacts, target: TargetFacts, move: ImageMove) -> Iterator[Finding]:
    """What to know about the image."""
    facts, reference = source.image, source.spec.image
    here, there = _ARCHES.get(facts.architecture, facts.architecture), _ARCHES.get(target.info.arch, target.info.arch)
    if here and there and here != there:
        yield _block(
            f"the image is for {here}, the target runs {there}", reference, f"move an image built for {there} instead"
        )
    if move.tag and source.tag_id and source.tag_id != facts.key.id:
        yield _warn(
            f"{reference} names another image by now",
            f"What the source runs ({facts.key.short}) is moved, not what the name stands for ({source.tag_id[:12]}).",
        )
    if not move.tag and target.by_tag is not None and not same_image(facts, target.by_tag):
        yield _warn(
            f"{target.engine} has another image named {reference}",
            f"It ({target.by_tag.key.short}) stays; the copy is created from the image's id {facts.key.short}.",
        )
    present = target.by_id if move.action is ImageAction.TAG else target.by_tag
    if move.action is not ImageAction.SHIP and present and not (facts.config_digest and present.config_digest):
        yield _warn(
            "the image on the target is taken for the same by its layers alone",
            "One of the engines does not tell the digest of the image's configuration.",
        )
    if source.digests and move.action is ImageAction.SHIP:
        yield _note(
            "the registry's digest is not kept by an image archive",
            f"The source's image is {', '.join(source.digests)}; the copy is compared by its layers and configuration.",
        )


def _content(source: SourceFacts, target: TargetFacts) -> Iterator[Finding]:
    """What of the files in volumes can be read and carried."""
    if source.unreadable is not None:
        yield _block(*source.unreadable)
    yield _note(
        "of the files in volumes, extended attributes, ACLs and sockets are not carried",
        "Content, names, owners, modes, times in seconds, symbolic and hard links, pipes and devices are, and are"
        " compared. The holes of sparse files become zeros that take room.",
    )
    if target.info.rootless and not source.info.rootless:
        yield _note(
            "a rootless engine has no owners beyond its subordinate ids, and makes no device files",
            "Where a volume has such files, its copy fails, and everything is put back.",
        )


def mounts(source: SourceFacts, target: TargetFacts, renamed: bool, volumes: Mapping[str, Choice]) -> Iterator[Finding]:
    """Volumes that clash, binds that mean something else on the target."""
    for name, choice in volumes.items():
        volume = source.volumes.get(name)
        if choice.value in target.volumes:
            yield _block(
                f"{target.engine} already has a volume named {name}",
                "Nothing is ever written into a volume that was there before.",
                "give the copy another name with --name (its volumes get new names then), or remove that volume",
            )
        elif renamed and name in target.volumes:
            yield _warn(
                f"{target.engine} already has a volume named {name}",
                f"It stays as it is; the data goes to a new volume, {choice.value}.",
            )
        if volume is not None and (volume.driver != "local" or volume.driver_options):
            yield _warn(
                f"volume {name} has a driver or options of its own",
                "Its files are copied into a plain volume of the target; the storage behind it stays with the source.",
            )
        if sharers := source.sharers.get(name):
            yield _warn(
                f"volume {name} is also mounted by {', '.join(sharers)}, which keeps running",
                "What is written during the copy may be missing in it, and afterwards there are two separate copies.",
                f"stop {', '.join(sharers)} before the move",
            )
    if volumes:
        yield from _content(source, target)
    binds = [mount for mount in source.spec.mounts if mount.kind is MountKind.BIND]
    for bind in binds:
        if not same_host(source.info, target.info):
            yield _warn(
                f"{bind.source} is a path of the source's host",
                f"The copy mounts that path of {target.engine}'s host; the files in it are not carried.",
                "put the files there first",
            )
        if bind.source.endswith(ENGINE_SOCKETS):
            yield _warn(f"{bind.source} is the socket of an engine", "The copy would still talk to that engine.")
    if binds and target.info.rootless and not source.info.rootless:
        yield _warn(
            "the copy sees bound files with other owners",
            "A rootless engine maps owners: files of users without a mapping appear as nobody and may be refused.",
        )


def gpu(move: GpuMove | None, target: TargetFacts) -> Iterator[Finding]:
    """Whether the target can give the GPUs."""
    if move is None:
        return
    if move.request is None:
        yield _warn("the copy gets no GPU", move.reason)
    elif move.missing:
        yield _block(
            f"{target.engine} does not know {', '.join(move.missing)}",
            f"It knows {', '.join(target.info.cdi_devices)}.",
            "write its CDI specification anew (nvidia-ctk cdi generate)",
        )
    elif move.unknown and move.request.cdi_devices:
        yield _warn(
            f"{target.engine} does not tell which CDI devices it has",
            f"Where {', '.join(move.request.cdi_devices)} is missing, the start fails and everything is put back.",
        )


def settings(spec: WorkloadSpec, fields: Iterable[FieldPlan], target: TargetFacts, no_limits: str) -> Iterator[Finding]:
    """What to know about the rest of the recipe."""
    dropped = [
        entry.field for entry in fields if entry.verdict is Verdict.DROPPED and f"labels.{OURS}" not in entry.field
    ]
    if dropped:
        said = "1 setting is" if len(dropped) == 1 else f"{len(dropped)} settings are"
        yield _warn(f"{said} not carried", ", ".join(dropped))
    if no_limits and (spec.memory_bytes or spec.cpus_nano):
        yield _warn("the copy runs without memory and CPU limits", no_limits)
    if spec.restart.name is not RestartName.NO and target.engine.kind is EngineKind.PODMAN:
        yield _warn(
            f"restart policy {spec.restart.name}: Podman has no daemon that starts the copy at boot",
            "",
            "systemctl enable podman-restart.service"
            + (" --user, and loginctl enable-linger" if target.info.rootless else ""),
        )
    secrets = sorted(key for key in spec.env if SECRET.search(key))
    if secrets:
        yield _note("secrets in the environment are carried in clear text", ", ".join(secrets))
    if any(key.startswith("com.docker.compose.") for key in spec.labels):
        yield _note(
            "the source belongs to a Compose project",
            "Its labels are carried, so Compose will take the copy for its own.",
        )
