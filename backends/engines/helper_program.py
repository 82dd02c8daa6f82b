"""What both engines' helper containers share where they run a program: its input, its end. Speaks to no engine."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager

from backends.model.container import LogStream
from backends.model.errors import BackendError, Conflict, Unsupported
from backends.model.ids import EngineId
from backends.model.labels import HELPER_LABEL, HELPER_STARTED_LABEL
from backends.owner import started_ticks

_STDIN = ".tranship-stdin"
STDIN_PATH = f"/{_STDIN}"
WITH_STDIN = ("sh", "-c", f'exec "$@" </{_STDIN}', "sh")
"""A program's input lies in a file of the helper: so no connection has to be taken over for it."""

_COMPLAINT_BYTES = 4096
_NO_PROGRAM = 127
"""A shell's exit code for it. Source: POSIX.1-2017, "Exit Status for Commands"."""

_MISSING = ("executable file not found", "is not in its image", "no such file or directory", "not found in $path")


def helper_labels() -> dict[str, str]:
    """By which a helper is known as this process's own."""
    return {HELPER_LABEL: str(os.getpid()), HELPER_STARTED_LABEL: started_ticks()}


def file_tar(name: str, data: bytes, *, mode: int) -> bytes:
    """An archive of one file, without padding: Podman stops reading at the end mark."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        head = tarfile.TarInfo(name)
        head.size, head.mode = len(data), mode
        tar.addfile(head, io.BytesIO(data))
        end = tar.offset
    return out.getvalue()[: end + 1024]


def stdin_tar(data: bytes) -> bytes:
    """The archive that lays a program's input into a helper's root."""
    return file_tar(_STDIN, data, mode=0o600)


async def output_of(
    pieces: AsyncIterator[tuple[LogStream, bytes]], complaint: bytearray
) -> AsyncGenerator[bytes, None]:
    """The standard output of a program; the beginning of what it complains of is put into `complaint`."""
    async for stream, piece in pieces:
        if stream is LogStream.STDERR:
            complaint += piece[: max(0, _COMPLAINT_BYTES - len(complaint))]
        else:
            yield piece


@contextmanager
def needs(program: str, image: str) -> Iterator[None]:
    """Turns an engine's refusal to start a program that the image lacks into Unsupported."""
    try:
        yield
    except BackendError as error:
        said = f"{error.title} {error.detail}".lower()
        if any(words in said for words in _MISSING):
            raise Unsupported(
                f"The image {image} has no {program}", detail=error.detail or error.title, engine=error.engine
            ) from error
        raise


def ended(code: int, complaint: bytes, program: str, image: str, engine: EngineId) -> None:
    """Raises Unsupported where the program was not found, Conflict where it failed, with what it said."""
    said = complaint.decode("utf-8", "replace").strip()
    if code == _NO_PROGRAM:
        raise Unsupported(f"The image {image} lacks a program", detail=said or program, engine=engine)
    if code:
        detail = said or f"exit code {code}"
        raise Conflict(f"{program} of the image {image} failed in a helper container", detail=detail, engine=engine)


__all__ = ["STDIN_PATH", "WITH_STDIN", "ended", "file_tar", "needs", "output_of", "stdin_tar"]
