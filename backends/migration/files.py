"""Carries single files and folders from a container into its copy, outside volumes, and compares them afterwards."""

from __future__ import annotations

import posixpath
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from backends.engine import Engine
from backends.migration.manifest import FileFacts, Manifest, ManifestTap, differences
from backends.migration.origin import Origin, watched
from backends.migration.progress import Flow, Meter, metered
from backends.model.container import ChangedPath, ChangeKind
from backends.model.errors import BackendError, Protocol
from backends.model.plan import Check

BLOCK = 512
END = bytes(2 * BLOCK)
"""Of a tar archive. Source: POSIX.1-2001, pax, "ustar Interchange Format"."""

_EXTENSIONS = b"xgLK"  # headers that say something of the member that follows
_DIRECTORY = b"5"
SHOWN = 5
ARGUMENTS = 200
"""Paths for one `rm`: an argument list has a limit of its own (Linux: 128 KiB each, 2 MiB together)."""


@dataclass(frozen=True, slots=True)
class Carried:
    """One path to carry. alone: of a folder only itself (owner, mode, time), not what is in it."""

    path: str
    alone: bool


def to_carry(changed: Iterable[ChangedPath], mounted: Sequence[str]) -> list[Carried]:
    """What has to be carried, parents first. mounted: paths where something is mounted, which is not carried here.

    A folder that is new comes whole, so what is below it is not named again; unless something is mounted below it:
    then it comes alone. One that was there comes alone: what has changed in it is named itself.
    """
    wanted: list[Carried] = []
    whole = ""
    for entry in sorted(changed, key=in_tree):
        if entry.kind is ChangeKind.DELETED or any(below(entry.path, mount) for mount in mounted):
            continue
        if whole and below(entry.path, whole):
            continue
        alone = entry.kind is ChangeKind.CHANGED or any(below(mount, entry.path) for mount in mounted)
        wanted.append(Carried(entry.path, alone))
        whole = whole if alone else entry.path
    return wanted


def to_delete(changed: Iterable[ChangedPath], mounted: Sequence[str]) -> list[str]:
    """The paths that the source has deleted, the uppermost of each folder."""
    gone: list[str] = []
    for entry in sorted(changed, key=in_tree):
        if entry.kind is not ChangeKind.DELETED or any(below(entry.path, mount) for mount in mounted):
            continue
        if not gone or not below(entry.path, gone[-1]):
            gone.append(entry.path)
    return gone


def in_tree(entry: ChangedPath) -> list[str]:
    """Its place where all that is below a folder comes right behind it: "/a" is before "/a/x", "/a/x" before "/a-b"."""
    return entry.path.split("/")


def below(path: str, folder: str) -> bool:
    """Whether path is that folder or something in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _size(header: bytes) -> int:
    field = header[124:136]
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    try:
        return int(field.rstrip(b"\0 ") or b"0", 8)
    except ValueError as error:
        raise Protocol("a tar header has no size", detail=repr(field)) from error


async def members(chunks: AsyncIterator[bytes], alone: bool) -> AsyncGenerator[bytes, None]:
    """The archive itself; where its first member is a folder and `alone` is True, only that one.

    Raises Protocol where it was cut short.
    """
    held, at = bytearray(), 0
    async for chunk in chunks:
        held += chunk
        while len(held) >= at + BLOCK:
            header = bytes(held[at : at + BLOCK])
            kind = header[156:157]
            at += BLOCK
            if kind in {bytes([letter]) for letter in _EXTENSIONS}:
                at += -(-_size(header) // BLOCK) * BLOCK
                continue
            if alone and kind == _DIRECTORY:
                yield bytes(held[:at]) + END
                return
            yield bytes(held)
            async for rest in chunks:
                yield rest
            return
    if held.strip(b"\0"):
        raise Protocol("an archive of files was cut short", detail=f"after {len(held)} bytes")


async def carry(
    source: Engine,
    target: Engine,
    containers: tuple[str, str],
    wanted: Sequence[Carried],
    report: Callable[[Flow], None],
) -> tuple[Check, int]:
    """Copy paths from one container into another and read them back; returns the comparison, and the bytes.

    containers: ids on the source and on the target; neither has to run. Folders that come alone are written again at
    the end, deepest first: what was laid into them has changed their times.
    """
    meter = Meter(None)
    sent: dict[str, Manifest] = {}
    for one in wanted:
        sent[one.path] = await _copy(source, target, containers, one, meter, report)
    for one in reversed(wanted):
        if one.alone and any(facts.kind == _DIRECTORY.decode() for facts in sent[one.path].files.values()):
            await _copy(source, target, containers, one, meter, report)
    report(meter.flow())
    wrong: list[str] = []
    for one in wanted:
        got = await _manifest(target, containers[1], one)
        wrong += [f"{one.path}: {line}" for line in differences(_comparable(sent[one.path]), _comparable(got))]
    said = f"{len(wanted)} paths, {sum(manifest.content_bytes for manifest in sent.values())} bytes"
    more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    return Check("files outside volumes", not wrong, said, "; ".join(wrong[:SHOWN]) + more or said), meter.done_bytes


def _comparable(manifest: Manifest) -> Manifest:
    """Without attributes: `docker cp` and `podman cp` do not carry all of them."""
    return Manifest({path: _plain(facts) for path, facts in manifest.files.items()})


def _plain(facts: FileFacts) -> FileFacts:
    return replace(facts, extra=b"")


async def _copy(
    source: Engine,
    target: Engine,
    containers: tuple[str, str],
    one: Carried,
    meter: Meter,
    report: Callable[[Flow], None],
) -> Manifest:
    origin = Origin()
    async with (
        ManifestTap() as tap,
        source.read_files(containers[0], one.path) as chunks,
        aclosing(watched(chunks, origin)) as sent,
        aclosing(members(sent, one.alone)) as wanted,
        aclosing(metered(wanted, meter, report, tap.feed)) as stream,
    ):
        with origin:
            await target.write_files(containers[1], posixpath.dirname(one.path) or "/", stream)
        async for _ in stream:  # what stands after the tar's end is of no interest to the receiver
            pass
        return await tap.finish()


async def _manifest(engine: Engine, container: str, one: Carried) -> Manifest:
    async with (
        ManifestTap() as tap,
        engine.read_files(container, one.path) as chunks,
        aclosing(members(chunks, one.alone)) as stream,
    ):
        async for chunk in stream:
            await tap.feed(chunk)
        return await tap.finish()


async def delete(target: Engine, container: str, paths: Sequence[str]) -> str:
    """Delete paths in a running container by its own `rm`; returns what to know about it, for people."""
    for start in range(0, len(paths), ARGUMENTS):
        argv = ["rm", "-rf", "--", *paths[start : start + ARGUMENTS]]
        try:
            result = await target.execute(container, argv)
        except BackendError as error:
            return f"{named(paths)} of the image, which the source had deleted, could not be deleted: {error}"
        if result.exit_code:
            words = result.stderr.decode("utf-8", "replace").strip()
            return f"{named(paths)} of the image, which the source had deleted, could not be deleted: {words}"
    return f"{named(paths)} of the image, which the source had deleted, went right after the copy's start"


def named(paths: Sequence[str]) -> str:
    """Some of them, for people."""
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(paths[:SHOWN]) + more
