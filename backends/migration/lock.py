"""One move of a container at a time, across processes: a file lock, which ends with the process. Asks no engine."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from backends.migration.journal import folder_of
from backends.migration.unbroken import unbroken
from backends.model.errors import Conflict, Denied
from backends.private_folder import private_folder

_ATTEMPTS = 50
"""A file that its holder removes while we open it is opened anew; so often in a row it cannot happen by chance."""


def _path(state_dir: Path, engine: str, container: str) -> Path:
    """engine: its name; container: the full id. Names may hold any character, so a digest of both is the file's."""
    digest = hashlib.sha256(f"{engine}\0{container}".encode("utf-8", "surrogateescape")).hexdigest()
    return folder_of(state_dir) / f"{digest[:32]}.lock"


def _take(path: Path) -> int | None:
    """The open file that holds the lock, None where another has it."""
    private_folder(path.parent)
    for _ in range(_ATTEMPTS):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:  # removed between the two looks
            os.close(descriptor)
            continue
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
    return None


def _release(path: Path, descriptor: int) -> None:
    try:
        path.unlink(missing_ok=True)  # while it is still locked: nobody else can hold this file
    finally:
        os.close(descriptor)


@asynccontextmanager
async def only_one(state_dir: Path, engine: str, container: str, name: str) -> AsyncIterator[None]:
    """Hold the lock of a container. engine, container: whose move it is; name: for people.

    Raises Conflict where a move of it is under way (in this process or another), Denied where the file cannot be made.
    """
    path = _path(state_dir, engine, container)
    taken: list[int | None] = []

    async def take() -> None:
        taken.append(await asyncio.to_thread(_take, path))

    try:
        try:
            await unbroken(take())
        except OSError as error:
            hint = f"make room in {path.parent}"
            raise Denied("the journal of the move cannot be written", detail=str(error), hint=hint) from error
        if taken[0] is None:
            raise Conflict(f"a move of {name} is under way already", hint="wait until it is over, or stop it")
        yield
    finally:
        if taken and taken[0] is not None:
            await unbroken(asyncio.to_thread(_release, path, taken[0]))
