"""Files copied between containers and this machine, and from container to container. Overwrites nothing unasked.

What comes out is unpacked by `unpacking`. What goes in belongs to root there unless another owner is asked for, as
`docker cp` has it.
"""

from __future__ import annotations

import asyncio
import os
import posixpath
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from backends.migration.progress import Meter, metered
from backends.migration.unbroken import ended, unbroken
from backends.model.container import Container
from backends.model.errors import Conflict, Denied, NotFound
from backends.model.files import FileKind
from backends.services.browse import absolute, kind_at
from backends.services.creating import Stays
from backends.services.fleet import Fleet
from backends.services.unpacking import PIECE_BYTES, Copied, Report, local_target, received
from backends.tar import reroot


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something goes in a container: the folder that is there, and the name in it."""

    folder: str
    name: str

    @property
    def path(self) -> str:
        return posixpath.join(self.folder, self.name)


# -- out -----------------------------------------------------------------------------------------
async def copy_out(
    fleet: Fleet, row: Container, path: str, destination: Path, report: Report, *, overwrite: bool = False
) -> Copied:
    """Copy a file or folder of a container to this machine; it appears when it is complete.

    Raises what `local_target` and `received` raise, and the engine's own errors.
    """
    top, engine = absolute(path), fleet.engine(row.key.engine)
    name = posixpath.basename(top) or row.name
    target = await asyncio.to_thread(local_target, destination, name, overwrite=overwrite)
    with fleet.operations.beside(
        "container.copy_out", row.key, row.name, changes=False, plan={"from": top, "to": str(target)}
    ):
        try:
            stream = engine.read_files(row.key.id, top)
            return await received(stream, target, report, whole=top == "/", overwrite=overwrite)
        except NotFound as error:
            await engine.inspect_container(row.key.id)  # it is there, and so it is the path that is not
            raise NotFound(f"there is no {top} in {row.name}", engine=engine.id) from error


# -- in ------------------------------------------------------------------------------------------
async def container_place(
    fleet: Fleet, row: Container, path: str, name: str, *, folder: bool, overwrite: bool
) -> _Place:
    """Where a copy goes in a container: into a folder that is there, else under that name.

    name, folder: of what is copied. Raises Conflict where something is there (overwrite: of another kind).
    """
    engine, top = fleet.engine(row.key.engine), absolute(path)
    kind = await kind_at(engine, row.key.id, top)
    if kind in {FileKind.FOLDER, FileKind.LINK} or path.endswith("/"):
        place = _Place(top, name)
        kind = await kind_at(engine, row.key.id, place.path) if kind is not None else None
    else:
        place = _Place(*posixpath.split(top))
    if kind is None:
        return place
    if not overwrite:
        raise Conflict(
            f"{place.path} exists already in {row.name}",
            hint="choose another name, or say that it is to be overwritten",
            engine=engine.id,
        )
    if folder != (kind is FileKind.FOLDER):
        is_now = "a folder" if kind is FileKind.FOLDER else "no folder"
        raise Conflict(
            f"{place.path} is {is_now} in {row.name}, and is not overwritten", hint="remove it first", engine=engine.id
        )
    return place


@asynccontextmanager
async def _half_told(row: Container, place: _Place) -> AsyncIterator[None]:
    """Raises Stays for a cancellation that comes when some of the copy may be there."""
    try:
        yield
    except asyncio.CancelledError as cut:
        title = f"the copy was called off: {place.path} in {row.name} may be there in part"
        hint = "copy it again and overwrite it, or remove it there"
        raise Stays(Conflict(title, hint=hint, engine=row.key.engine)) from cut


async def copy_in(
    fleet: Fleet,
    row: Container,
    source: Path,
    path: str,
    report: Report,
    *,
    overwrite: bool = False,
    owner: tuple[int, int] = (0, 0),
) -> Copied:
    """Copy a file or folder of this machine into a container, running or not. owner: user and group there.

    Raises what `container_place` raises, NotFound or Denied where the source cannot be read, the engine's own errors.
    """
    packing = _Packing(source, owner)
    total = await asyncio.to_thread(packing.look)
    with fleet.operations.beside("container.copy_in", row.key, row.name, plan={"from": str(source), "to": path}):
        place = await container_place(fleet, row, path, packing.name, folder=packing.folder, overwrite=overwrite)
        meter = Meter(total or None)
        async with (
            aclosing(_packed(packing, place.name)) as pieces,
            aclosing(metered(pieces, meter, report)) as stream,
            _half_told(row, place),
        ):
            await fleet.engine(row.key.engine).write_files(row.key.id, place.folder, stream)
    return Copied(place.path, meter.done_bytes, packing.files, tuple(packing.notes))


class _Packing:
    """A file or folder of this machine as a tar, written to a pipe by a thread. Every method blocks."""

    def __init__(self, source: Path, owner: tuple[int, int]) -> None:
        self.source = source
        self.name = ""
        self.folder = False
        self.files = 0
        self.notes: list[str] = []
        self._owner = owner

    def look(self) -> int:
        """The bytes of its files. Raises NotFound, Denied."""
        try:
            self.name = self.source.absolute().name
            self.source = self.source.resolve(strict=True)  # a link that was named stands for its target
            self.name = self.name or self.source.name
            self.folder = self.source.is_dir()
            if not self.folder:
                return self.source.stat().st_size
            found = 0
            for folder, _, names in os.walk(self.source, onerror=_raise):
                for name in names:
                    found += os.lstat(os.path.join(folder, name)).st_size
            return found
        except FileNotFoundError as error:
            raise NotFound(f"there is no {self.source} on this machine") from error
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
            raise Denied(f"{self.source} cannot be read", detail=str(error)) from error

    def run(self, descriptor: int, name: str) -> None:
        """All of it, under that name. Raises OSError."""
        with (
            os.fdopen(descriptor, "wb") as pipe,
            tarfile.open(fileobj=pipe, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            tar.add(self.source, arcname=name, filter=self._owned)

    def _owned(self, member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
            self.notes.append(f"left out: {member.name}, which is no file, folder or link")
            return None
        member.uid, member.gid = self._owner
        member.uname = member.gname = ""
        self.files += not member.isdir()
        return member


def _raise(error: OSError) -> None:
    raise error


async def _packed(packing: _Packing, name: str) -> AsyncGenerator[bytes, None]:
    reading, writing = os.pipe()
    thread = asyncio.create_task(asyncio.to_thread(packing.run, writing, name), name="pack")
    try:
        while piece := await unbroken(asyncio.to_thread(os.read, reading, PIECE_BYTES)):
            yield piece
        try:
            await thread
        except OSError as error:
            raise Denied(f"{packing.source} cannot be read", detail=str(error)) from error
    finally:
        os.close(reading)  # a thread that is left early finds its pipe closed
        await ended(thread)


# -- across --------------------------------------------------------------------------------------
async def copy_across(
    fleet: Fleet, source: Container, path: str, target: Container, to: str, report: Report, *, overwrite: bool = False
) -> Copied:
    """Copy from one container to another, of whichever engines, owners and modes as they are; nothing is kept here.

    Raises NotFound where there is no such path, Conflict for a whole root.
    """
    engine, top = fleet.engine(source.key.engine), absolute(path)
    kind = await kind_at(engine, source.key.id, top)
    if kind is None:
        raise NotFound(f"there is no {top} in {source.name}", engine=engine.id)
    if top == "/":
        raise Conflict("a whole root is not copied", hint="name a folder in it", engine=engine.id)
    plan = {"from": f"{source.name} on {source.key.engine}:{top}", "to": to}
    with fleet.operations.beside("container.copy_in", target.key, target.name, plan=plan):
        folder = kind is FileKind.FOLDER
        place = await container_place(fleet, target, to, posixpath.basename(top), folder=folder, overwrite=overwrite)
        meter = Meter(None)
        async with engine.read_files(source.key.id, top) as chunks, _half_told(target, place):
            moved = reroot(metered(chunks, meter, report), place.name, strip=1, engine=engine.id)
            await fleet.engine(target.key.engine).write_files(target.key.id, place.folder, moved)
    return Copied(place.path, meter.done_bytes)


__all__ = ["Copied", "container_place", "copy_across", "copy_in", "copy_out", "local_target"]
