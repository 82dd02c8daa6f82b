"""Findings about volumes, binds and room for them. Pure: facts in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backends.migration.checks import block, note, warn
from backends.migration.facts import SourceFacts, TargetFacts, same_host
from backends.migration.show import size
from backends.migration.table import Choice
from backends.model.container import MountKind
from backends.model.ids import EngineKind
from backends.model.plan import Choices, Finding, ImageAction, ImageMove, ImageWay, VolumeChoice
from backends.model.workload import MountSpec

ENGINE_SOCKETS = ("docker.sock", "podman.sock")
TIGHT = 1.1
"""How much more room than the data there should be: file systems keep some for themselves (ext4: 5 %)."""


def _content(source: SourceFacts, target: TargetFacts) -> Iterator[Finding]:
    """What of the files in volumes can be read and carried."""
    if source.unreadable is not None:
        yield block(*source.unreadable)
    if target.bare_store and source.has_tar is False:
        yield block(
            f"{target.engine} has no image with tar, and the source's image has none either",
            "Podman writes a volume by the programs of an image in its store.",
            f"pull an image that has tar and chown into {target.engine}, such as busybox",
        )
    yield note(
        "of the files in volumes, ACLs and sockets are not carried",
        "Content, names, owners, modes, times, symbolic and hard links, pipes and devices are, and are compared.",
    )
    if target.info.rootless and not source.info.rootless:
        yield note(
            "a rootless engine has no owners beyond its subordinate ids, and makes no device files",
            "Where a volume has such files, its copy fails, and everything is put back.",
        )


def _owners(volume: str, ids: frozenset[int], target: TargetFacts) -> Iterator[Finding]:
    """Owners that a rootless target does not have at all."""
    ranges = target.info.id_ranges
    lacking = [number for number in ids if not any(first <= number < first + count for first, count in ranges)]
    if target.info.rootless and ranges and lacking:
        last = max(first + count for first, count in ranges) - 1
        yield block(
            f"volume {volume} has files of the user or group {max(lacking)}, which {target.engine} does not have",
            f"A rootless engine has the ids that its user was given: up to {last}.",
            "give its user more in /etc/subuid and /etc/subgid, then podman system migrate",
        )


def volumes(
    source: SourceFacts, target: TargetFacts, renamed: bool, named: Mapping[str, Choice], choices: Choices
) -> Iterator[Finding]:
    """Volumes that clash or are used by others. named: per volume, the name of its copy."""
    for name, choice in named.items():
        volume = source.volumes.get(name)
        if choice.value in target.volumes:
            yield block(
                f"{target.engine} already has a volume named {name}",
                "Nothing is ever written into a volume that was there before.",
                "give the copy another name with --name (its volumes get new names then), or remove that volume",
            )
        elif renamed and name in target.volumes:
            yield warn(
                f"{target.engine} already has a volume named {name}",
                f"It stays as it is; the data goes to a new volume, {choice.value}.",
            )
        if volume is not None and (volume.driver != "local" or volume.driver_options):
            yield warn(
                f"volume {name} has a driver or options of its own",
                "Its files are copied into a plain volume of the target; the storage behind it stays with the source.",
            )
        if (sharers := source.sharers.get(name)) and choices.for_volume(name) is VolumeChoice.COPY:
            yield warn(
                f"volume {name} is also mounted by {', '.join(sharers)}, which keeps running",
                "What is written during the copy may be missing in it, and afterwards there are two separate copies.",
                f"stop {', '.join(sharers)} before the move",
            )
        held = source.held.get(name)
        if held is not None and held.hole_bytes and choices.for_volume(name) is VolumeChoice.COPY:
            yield note(
                f"{name} has files with holes: {size(held.hole_bytes)} that take no disk",
                "They are filled on the way, and made again where the copy's image has fallocate (util-linux).",
            )
        if held is not None and choices.for_volume(name) is VolumeChoice.COPY and not source.info.rootless:
            yield from _owners(name, held.ids, target)
    anonymous = [mount for mount in source.spec.mounts if mount.kind is MountKind.VOLUME and mount.anonymous]
    if found := [f"{mount.destination} in {named[mount.source].value}" for mount in anonymous if mount.source in named]:
        yield note("anonymous volumes get names", ", ".join(found))
    if any(choices.for_volume(name) is VolumeChoice.COPY for name in named):
        yield from _content(source, target)


def _bind(bind: MountSpec, source: SourceFacts, target: TargetFacts) -> Iterator[Finding]:
    if not same_host(source.info, target.info):
        yield warn(
            f"{bind.source} is a path of the source's host",
            f"The copy mounts that path of {target.engine}'s host; the files in it are not carried.",
            "put the files there first",
        )
    fact = target.binds.get(bind.source)
    if fact is not None and not fact.exists and not (bind.create_source and target.engine.kind is EngineKind.DOCKER):
        yield block(
            f"{bind.source} does not exist",
            f"{target.engine} mounts only what is there.",
            f"make it: mkdir -p {bind.source}",
        )
    elif fact is not None and target.info.rootless and not fact.open_to_all:
        yield warn(
            f"{bind.source} is not readable by everyone",
            f"{target.engine} has only the rights of its user.",
            "give that user the right to read it",
        )
    if bind.source.endswith(ENGINE_SOCKETS):
        yield warn(f"{bind.source} is the socket of an engine", "The copy would still talk to that engine.")


def binds(source: SourceFacts, target: TargetFacts) -> Iterator[Finding]:
    """Binds that mean something else on the target."""
    spec = source.spec
    found = [mount for mount in spec.mounts if mount.kind is MountKind.BIND]
    for bind in found:
        yield from _bind(bind, source, target)
    if found and target.info.rootless and not source.info.rootless:
        yield warn(
            "the copy sees bound files with other owners",
            "A rootless engine maps owners: files of users without a mapping appear as nobody and may be refused.",
        )
    unlabelled = [bind.source for bind in found if not bind.relabel]
    free = spec.security.privileged or "disable" in spec.security.selinux
    if target.info.selinux and not source.info.selinux and unlabelled and not free:
        yield warn(
            "SELinux of the target's host may refuse bound files",
            ", ".join(unlabelled),
            "mount them with z, or with --security-opt label=disable",
        )


def room(source: SourceFacts, target: TargetFacts, move: ImageMove, choices: Choices) -> Iterator[Finding]:
    """Whether image and volumes fit, in the target's storage and where it unpacks archives."""
    travels = move.action is ImageAction.SHIP or bool(move.commit)
    whole = source.image.size_bytes if travels else 0
    image = whole if move.missing_bytes is None or move.commit else move.missing_bytes if travels else 0
    copied = {
        name: held.disk_bytes + held.hole_bytes
        for name, held in source.held.items()
        if choices.for_volume(name) is VolumeChoice.COPY
    }
    needed = image + sum(copied.values())
    there = target.room
    sizes = ", ".join(
        [f"image {size(image)}"] * bool(image) + [f"{name} {size(copied[name])}" for name in sorted(copied)]
    )
    yield from _fits(needed, there.free_bytes, there.graph_root or "its storage", sizes, target)
    if travels and move.way is ImageWay.ARCHIVE and there.temp_dir:
        yield from _fits(whole, there.temp_free_bytes, there.temp_dir, "the image's archive is unpacked there", target)


def _fits(needed: int, free: int | None, where: str, what: str, target: TargetFacts) -> Iterator[Finding]:
    if free is None or not needed:
        return
    remedy = f"make room in {where}"
    if needed > free:
        yield block(f"{target.engine} has no room: {size(needed)} for {size(free)} free in {where}", what, remedy)
    elif needed * TIGHT > free:
        yield warn(f"{target.engine} has little room: {size(needed)} for {size(free)} free in {where}", what, remedy)
