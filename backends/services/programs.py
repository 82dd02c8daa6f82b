"""What a program in a container says, gathered while it goes on. Shows nothing."""

from __future__ import annotations

from collections.abc import Callable

from backends.engine import Session
from backends.model.container import ExecResult, LogStream

KEPT_BYTES = 1 << 20
"""Of each stream."""


async def heard(
    session: Session, said: Callable[[LogStream, bytes], object] = lambda _stream, _piece: None
) -> ExecResult:
    """Listen to its end; the first MiB of each stream is kept. said: takes all of it as it comes.

    The exit code is that of a program that runs to its end: whoever uses this does not detach.
    """
    out, err = bytearray(), bytearray()
    async for stream, piece in session.output():
        said(stream, piece)
        kept = err if stream is LogStream.STDERR else out
        kept += piece[: max(0, KEPT_BYTES - len(kept))]
    code = await session.exit_code()
    return ExecResult(-1 if code is None else code, bytes(out), bytes(err))


__all__ = ["KEPT_BYTES", "heard"]
