"""What stands in a folder of a container, running or not, or of a volume. Reads no file's content, changes nothing.

In a running container its own find and stat tell it at once. Else, and where it has none, the engine's tar of the
folder does: it is read to its end, which takes as long as reading all that lies below.
"""

from __future__ import annotations

import posixpath
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeAlias

from backends.engine import ByteStream, Engine
from backends.model.container import ContainerState, LogStream
from backends.model.errors import Conflict, NotFound, Protocol, Unsupported
from backends.model.files import FileEntry, FileKind, Folder
from backends.model.ids import EngineId
from backends.model.session import ExecSpec
from backends.services.programs import heard
from backends.tar.header import DIRECTORY, REGULAR, SYMLINK, Member
from backends.tar.walk import Walk

Report: TypeAlias = Callable[[int], object]
"""Told how many bytes of a tar were read so far."""

_SCRIPT = r"""
cd -- "$2" || exit 3
command -v find >/dev/null && command -v stat >/dev/null || exit 127
find . ! -name . -prune -exec stat -c "$1|%f|%u|%g|%s|%Y|%n" {} +
"""
_COLUMNS = 6
_NOT_OPENED, _NO_PROGRAM = 3, 127
_KINDS = {0o12: FileKind.LINK, 0o10: FileKind.FILE, 0o4: FileKind.FOLDER}
"""S_IFMT >> 12. Source: inode(7)."""
_IMAGES_TRIED = 8
"""Each costs a helper container, about half a second."""
_TAR_KINDS = {REGULAR: FileKind.FILE, DIRECTORY: FileKind.FOLDER, SYMLINK: FileKind.LINK, b"1": FileKind.FILE}


def absolute(path: str) -> str:
    """A path from "/", without "." and ".."; POSIX lets two slashes at the front stand, and nobody means them."""
    return "/" + posixpath.normpath(f"/{path}").lstrip("/")


async def container_folder(
    engine: Engine, container: str, path: str, *, report: Report = lambda _bytes: None
) -> Folder:
    """A folder of a container. path: absolute. NotFound where nothing is there, Conflict where it is no folder."""
    top = absolute(path)
    if (await engine.inspect_container(container)).state is ContainerState.RUNNING:
        with suppress(Unsupported):  # it has no such programs: its tar tells
            return Folder(top, await _told_inside(engine, container, top))
    return Folder(top, await _told_by_tar(engine.read_files(container, top), top, report))


class VolumeBrowser:
    """Looks into volumes by way of images of their engines; remembers which image of an engine will do."""

    def __init__(self) -> None:
        self._images: dict[EngineId, str] = {}

    async def folder(self, engine: Engine, volume: str, path: str, *, report: Report = lambda _bytes: None) -> Folder:
        """A folder of a volume. path: as if the volume were "/". NotFound where no folder is there.

        Unsupported where no image of the engine will do.
        """
        top = absolute(path)
        images = await self.images(engine)
        for image in images:
            with suppress(Unsupported):  # it has no such programs
                entries = await _told_in_volume(engine, volume, top, image)
                self._images[engine.id] = image
                return Folder(top, entries)
        for image in images:
            try:
                stream = engine.export_volume(volume, via_image=image)
                return Folder(top, await _told_by_tar(stream, top, report, whole=True))
            except Unsupported as error:
                refusal = error
        raise refusal

    async def images(self, engine: Engine) -> list[str]:
        """Ids of images that volumes may be read by way of, the likeliest first. Unsupported where there is none."""
        known = self._images.get(engine.id)
        named = [image for image in await engine.list_images() if image.tags]
        ids = [image.key.id for image in sorted(named, key=lambda image: image.size_bytes)]
        if known in ids:
            ids.remove(known)
            ids.insert(0, known)
        if not ids:
            raise Unsupported(
                "a volume is read by way of an image, and there is none",
                hint=f"pull a small image such as busybox into {engine.id}",
                engine=engine.id,
            )
        return ids[:_IMAGES_TRIED]


async def _told_in_volume(engine: Engine, volume: str, top: str, image: str) -> tuple[FileEntry, ...]:
    mark = secrets.token_hex(6)
    argv = ["sh", "-c", _SCRIPT, "sh", mark, f".{top}"]
    try:
        async with engine.run_in_volume(volume, argv, via_image=image) as said:
            return _entries(b"".join([piece async for piece in said]), mark)
    except Conflict as error:
        raise NotFound(f"{top} cannot be opened in {volume}", detail=error.detail, engine=engine.id) from error


async def _told_inside(engine: Engine, container: str, top: str) -> tuple[FileEntry, ...]:
    mark = secrets.token_hex(6)
    told = bytearray()

    def hear(stream: LogStream, piece: bytes) -> None:
        if stream is not LogStream.STDERR:
            told.extend(piece)

    spec = ExecSpec(("sh", "-c", _SCRIPT, "sh", mark, top), stdin=False, user="0")
    async with engine.open_exec(container, spec) as session:
        done = await heard(session, hear)
    complaint = done.stderr.decode("utf-8", "replace").strip()
    if done.exit_code == _NOT_OPENED:
        raise NotFound(f"{top} cannot be opened as a folder", detail=complaint, engine=engine.id)
    if done.exit_code in {126, _NO_PROGRAM}:
        raise Unsupported("the container has no find and stat", detail=complaint, engine=engine.id)
    return _entries(bytes(told), mark)


def _entries(told: bytes, mark: str) -> tuple[FileEntry, ...]:
    """Rows of `_SCRIPT`. A name may hold newlines: a row goes to the next mark, which nobody could foresee.

    Raises Unsupported where a row is none: the container's stat is another program than it seems.
    """
    try:
        return in_order(_entry(part.removesuffix(b"\n")) for part in told.split(f"{mark}|".encode())[1:])
    except ValueError as error:
        raise Unsupported("its stat does not tell what it was asked for", detail=str(error)) from error


def _entry(row: bytes) -> FileEntry:
    mode, uid, gid, size, mtime, name = row.split(b"|", _COLUMNS - 1)
    bits = int(mode, 16)
    return FileEntry(
        name.removeprefix(b"./").decode("utf-8", "surrogateescape"),
        _KINDS.get(bits >> 12, FileKind.OTHER),
        int(size),
        bits & 0o7777,
        int(uid),
        int(gid),
        _moment(int(mtime)),
    )


def in_order(entries: Iterable[FileEntry]) -> tuple[FileEntry, ...]:
    """Folders first, then by name."""
    return tuple(sorted(entries, key=lambda entry: (entry.kind is not FileKind.FOLDER, entry.name)))


def _moment(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):  # before the year 1 or after 9999
        return None


class _Listing(Walk):
    """Gathers the members right below a folder of a tar. base: that folder as the tar names it, parts of a path."""

    def __init__(self, base: tuple[bytes, ...]) -> None:
        super().__init__()
        self._base = base
        self.found: dict[str, FileEntry] = {}
        self.top: FileKind | None = None

    def begin(self, member: Member) -> None:
        parts = tuple(part for part in member.name.split(b"/") if part not in {b"", b"."})
        kind = _TAR_KINDS.get(member.kind, FileKind.OTHER)
        if parts == self._base:
            self.top = kind
        depth = len(self._base)
        if len(parts) <= depth or parts[:depth] != self._base:
            return
        name = parts[depth].decode("utf-8", "surrogateescape")
        if len(parts) > depth + 1:
            self.found.setdefault(name, FileEntry(name, FileKind.FOLDER))
            return
        target = member.link.decode("utf-8", "surrogateescape") if kind is FileKind.LINK else ""
        at = _moment(member.mtime_ns // 10**9)
        self.found[name] = FileEntry(name, kind, member.size, member.mode & 0o7777, member.uid, member.gid, at, target)

    def content(self, piece: memoryview) -> None:
        """It is not kept."""

    def end(self) -> None:
        """Nothing of it is kept."""


async def _told_by_tar(stream: ByteStream, top: str, report: Report, *, whole: bool = False) -> tuple[FileEntry, ...]:
    """whole: the tar is of all above too, its names relative to "/"; else it begins with the folder's own name."""
    own = [part.encode("utf-8", "surrogateescape") for part in top.split("/") if part]
    walk = _Listing(tuple(own if whole else own[-1:]))
    count = 0
    async with stream as chunks:
        async for chunk in chunks:
            walk.feed(chunk)
            count += len(chunk)
            report(count)
    if walk.top is None and (own or not walk.found):
        if not own:
            return ()
        raise NotFound(f"there is no {top}")
    if walk.top not in {None, FileKind.FOLDER}:
        raise Conflict(f"{top} is no folder")
    return in_order(walk.found.values())


async def kind_at(engine: Engine, container: str, path: str) -> FileKind | None:
    """What is at a path of a container, links not followed; None where nothing is. Reads no more than it must."""
    top = absolute(path)
    if top == "/":
        return FileKind.FOLDER
    first = _First()
    try:
        async with engine.read_files(container, top) as chunks:
            await first.read(chunks)
    except NotFound:
        await engine.inspect_container(container)  # of the container, or of the path
        return None
    return first.kind


class _First(Walk):
    """What a tar's first member is."""

    def __init__(self) -> None:
        super().__init__()
        self.kind: FileKind | None = None

    async def read(self, chunks: AsyncIterator[bytes]) -> None:
        """As far as it takes."""
        async for chunk in chunks:
            self.feed(chunk)
            if self.kind is not None:
                return
        raise Protocol("the engine's archive is empty")

    def begin(self, member: Member) -> None:
        if self.kind is None:
            self.kind = _TAR_KINDS.get(member.kind, FileKind.OTHER)

    def content(self, piece: memoryview) -> None:
        """It is not kept."""

    def end(self) -> None:
        """Nothing of it is kept."""


__all__ = ["VolumeBrowser", "absolute", "container_folder", "in_order", "kind_at"]
