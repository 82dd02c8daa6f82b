"""A stream of tar from an engine unpacked on this machine: whole, in its place, or not at all. Asks no engine itself.

It is unpacked beside its place in a hidden folder, by Python's "data" filter: no name and no link of a hostile archive
leads outside of it, owners are the user's own, and no setuid bit comes along.
"""

from __future__ import annotations

import asyncio
import os
import posixpath
import shutil
import tarfile
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from backends.engine import ByteStream
from backends.migration.progress import Flow, Meter, metered
from backends.migration.unbroken import ended, unbroken
from backends.model.errors import Conflict, Denied, NotFound, Protocol, Unsupported
from backends.new_file import disk, hidden, refuse_existing
from backends.streams import batches

PIECE_BYTES = 1 << 20
_NOTED = 5  # entries left out that are named
_WHAT = "the copy"

Report: TypeAlias = Callable[[Flow], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied. target: where it is now. files: how many, 0 where nobody counted. notes: what to know of it."""

    target: str
    moved_bytes: int
    files: int = 0
    notes: tuple[str, ...] = ()


def local_target(destination: Path, name: str, *, overwrite: bool) -> Path:
    """Where a copy goes: into a folder that is there, else under that name. Blocks: call it in a thread.

    Raises NotFound where its folder is not there, Conflict where something is (overwrite: where it is no file).
    """
    try:
        place = destination.absolute()
    except OSError as error:
        hint = "write the whole path, or cd to one that is there"
        raise NotFound("the current folder is no more", hint=hint) from error
    target = place / name if place.is_dir() else place
    if not target.parent.is_dir():
        raise NotFound(f"there is no folder {target.parent}", hint="make it first, or choose another place")
    if not overwrite:
        refuse_existing(target)
    elif target.is_dir():
        raise Conflict(
            f"{target} is a folder, which is not overwritten", hint="remove it first, or choose another name"
        )
    return target


async def received(
    stream: ByteStream, target: Path, report: Report, *, whole: bool, overwrite: bool, below: tuple[str, ...] = ()
) -> Copied:
    """Unpack what is sent to `target`, where it appears when it is complete.

    whole: it is a root, which has no name of its own in the archive. below: of the archive only what is at this path,
    in parts, and under it. Raises Unsupported where this Python cannot, Denied where it cannot be written, Protocol
    for what is no archive, Conflict where nothing of it may be unpacked or something is there (overwrite: not that),
    NotFound where nothing is at `below`, and what the stream raises.
    """
    if not hasattr(tarfile, "data_filter"):
        raise Unsupported("this Python cannot unpack archives safely", hint="use Python 3.11.4 or later")
    part = hidden(target)
    with disk(target, _WHAT):
        await unbroken(asyncio.to_thread(part.mkdir, 0o700))
    try:
        meter, unpacking = Meter(None), _Unpacking(below)
        async with stream as chunks, aclosing(metered(chunks, meter, report)) as pieces:
            await _unpack(unpacking, pieces, part, target)
        if not unpacking.found and not (whole and not unpacking.notes):  # an empty volume is a root without a member
            if below and not unpacking.notes:
                raise NotFound(f"there is no /{'/'.join(below)}")
            raise Conflict("nothing of it can be copied safely", detail="; ".join(unpacking.told()))
        await unbroken(asyncio.to_thread(_settle, part, target, whole=whole, overwrite=overwrite))
    finally:
        await unbroken(asyncio.to_thread(shutil.rmtree, part, ignore_errors=True))
    return Copied(str(target), meter.done_bytes, unpacking.files, unpacking.told())


class _Unpacking:
    """An archive unpacked in a thread, from a pipe that the event loop fills."""

    def __init__(self, below: tuple[str, ...]) -> None:
        self._below = below
        self.files = 0
        self.found = False
        self.notes: list[str] = []

    def run(self, descriptor: int, part: Path) -> None:
        """To its end. Raises OSError and tarfile.TarError."""
        with os.fdopen(descriptor, "rb", buffering=PIECE_BYTES) as pipe, tarfile.open(fileobj=pipe, mode="r|") as tar:
            tar.errorlevel = 1
            for member in tar:
                if not self._wanted(member):
                    continue
                try:
                    tar.extract(member, part, filter="data")
                except (tarfile.FilterError, tarfile.ExtractError) as error:
                    self.notes.append(f"{member.name}: {error}")
                else:
                    self.found = True
                    self.files += not member.isdir()
            while pipe.read(PIECE_BYTES):  # padding behind the end
                pass

    def _wanted(self, member: tarfile.TarInfo) -> bool:
        """Whether it is below; its name then begins with the last part of that, as does a hard link's target."""
        depth = len(self._below)
        if not depth:
            return True
        parts = _parts(member.name)
        if parts[:depth] != self._below:
            return False
        member.name = posixpath.join(*parts[depth - 1 :])
        target = _parts(member.linkname)
        if member.islnk() and target[:depth] == self._below:
            member.linkname = posixpath.join(*target[depth - 1 :])
        return True

    def told(self) -> tuple[str, ...]:
        """What was left out, in a few lines."""
        more = len(self.notes) - _NOTED
        lines = [f"left out: {note}" for note in self.notes[:_NOTED]]
        return (*lines, f"and {more} more left out") if more > 0 else tuple(lines)


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part for part in name.split("/") if part not in {"", "."})


async def _unpack(unpacking: _Unpacking, stream: AsyncGenerator[bytes, None], part: Path, target: Path) -> None:
    reading, writing = os.pipe()
    thread = asyncio.create_task(asyncio.to_thread(unpacking.run, reading, part), name="unpack")
    try:
        try:
            async for piece in batches(stream, PIECE_BYTES):
                await unbroken(asyncio.to_thread(_write, writing, piece))
        except BrokenPipeError:
            pass  # the thread has ended before: its own error is raised below
    finally:
        os.close(writing)
        await ended(thread)
    try:
        thread.result()
    except tarfile.TarError as error:
        raise Protocol("the engine's archive cannot be read", detail=str(error)) from error
    except OSError as error:
        hint = f"make room in {target.parent}, or choose another place"
        raise Denied(f"{_WHAT} cannot be written", detail=str(error), hint=hint) from error


def _write(descriptor: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]


def _settle(part: Path, target: Path, *, whole: bool, overwrite: bool) -> None:
    """Put what was unpacked in its place."""
    if not overwrite:
        refuse_existing(target)
    with disk(target, _WHAT):
        if whole:
            part.chmod(0o755)
            part.rename(target)
        else:
            next(part.iterdir()).replace(target)


__all__ = ["PIECE_BYTES", "Copied", "Report", "local_target", "received"]
