"""Images out to files and in from them, as the engines' own `save` and `load` have it. Keeps nothing in memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from io import FileIO
from pathlib import Path
from typing import IO

from backends.migration.progress import Flow, Meter, metered
from backends.migration.unbroken import unbroken
from backends.model.errors import BackendError, Denied, NotFound
from backends.model.ids import ContainerKey, EngineId
from backends.model.image_sharing import ImageShare
from backends.new_file import disk, hidden, refuse_existing, settle
from backends.services.fleet import Fleet
from backends.streams import batches

PIECE_BYTES = 1 << 20
"""Bytes that go to a thread at once."""
_WHAT = "the image"

Report = Callable[[Flow], None]


async def save_image(fleet: Fleet, share: ImageShare, name: str, path: Path, report: Report) -> int:
    """Write an image to a file as its engine saves it (docker-archive); returns the bytes.

    name: the one that it gets in the file, "" = none. The file has the mode that the user's umask gives, and appears
    only when it is complete. Raises Conflict where it exists, Denied where it cannot be written, and the engine's own.
    """
    engine = fleet.engine(share.image.key.engine)
    key = ContainerKey(engine.id, share.image.key.id)
    target = _Target(path)
    try:
        with fleet.operations.beside("image.save", key, share.name, changes=False, plan={"to": str(path)}):
            await unbroken(asyncio.to_thread(target.open))
            meter = Meter(share.image.size_bytes or None)
            async with (
                engine.export_image(name or share.image.key.id) as chunks,
                aclosing(metered(chunks, meter, report)) as stream,
            ):
                async for piece in batches(stream, PIECE_BYTES):
                    await unbroken(asyncio.to_thread(target.write, piece))
            report(meter.flow())
            await unbroken(asyncio.to_thread(target.finish))
    finally:
        await unbroken(asyncio.to_thread(target.discard))
    return meter.done_bytes


async def load_image(fleet: Fleet, engine_id: EngineId, path: Path, report: Report) -> tuple[str, ...]:
    """Load a file into an engine's store; returns the names, or ids, that the engine says it loaded.

    Names in the file leave the images that had them there, as with the engine's own `load`. Raises NotFound or Denied
    where the file cannot be read, Protocol where the engine does not understand it.
    """
    file, size = await asyncio.to_thread(_opened, path)
    try:
        with fleet.operations.track("image.load", ContainerKey(engine_id, f"file:{path.name}"), path.name) as tracked:
            meter = Meter(size)
            async with aclosing(metered(_read(file), meter, report)) as stream:
                loaded = await fleet.engine(engine_id).import_image(stream)
            report(meter.flow())
            tracked.done(f"{', '.join(loaded) or 'nothing'} loaded from {path.name}")
            return loaded
    finally:
        await unbroken(asyncio.to_thread(file.close))


class _Target:
    """A hidden file beside `path` that becomes it when all is written. Every method may block."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = hidden(path)
        self._file: FileIO | None = None

    def open(self) -> None:
        """Make the hidden file; Conflict where `path` is there already."""
        refuse_existing(self._path)
        with disk(self._path, _WHAT):
            descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._file = FileIO(descriptor, "wb")

    def write(self, content: bytes) -> None:
        """All of it."""
        assert self._file is not None
        view = memoryview(content)
        with disk(self._path, _WHAT):
            while view:
                view = view[self._file.write(view) :]

    def finish(self) -> None:
        """It is complete. Another file that came meanwhile is not overwritten."""
        assert self._file is not None
        with disk(self._path, _WHAT):
            os.fsync(self._file.fileno())
            settle(self._part, self._path)

    def discard(self) -> None:
        """Close it, and take the hidden name away where it is there yet."""
        if self._file is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)


def _opened(path: Path) -> tuple[IO[bytes], int | None]:
    """The file, and its size where it has one (a pipe has none)."""
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {path}") from error
    except OSError as error:
        raise _unreadable(error) from error
    return file, os.fstat(file.fileno()).st_size or None


def _unreadable(error: OSError) -> BackendError:
    return Denied("the file cannot be read", detail=str(error), hint="look at its mode, and that it is a file")


async def _read(file: IO[bytes]) -> AsyncGenerator[bytes, None]:
    while True:
        try:
            piece = await unbroken(asyncio.to_thread(file.read, PIECE_BYTES))
        except OSError as error:
            raise _unreadable(error) from error
        if not piece:
            return
        yield piece


__all__ = ["load_image", "save_image"]
