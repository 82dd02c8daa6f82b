"""A person's terminal joined to a program in a container: keys in, output out, sizes as they change. Draws nothing.

The terminal is put back as it was, however the session ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import termios
import tty
from collections.abc import AsyncIterator, Iterator

from backends.engine import Session
from backends.model.container import LogStream
from backends.model.errors import BackendError
from backends.model.session import TerminalSize
from tui.signals import SIGNAL_BASE

_READ_BYTES = 64 << 10


def terminal_size(terminal: int) -> TerminalSize | None:
    """The size of a terminal; None where it is none, or has none."""
    try:
        columns, rows = os.get_terminal_size(terminal)
    except OSError:
        return None
    return TerminalSize(rows, columns) if rows and columns else None


async def converse(session: Session, *, stdin: int | None = 0, stdout: int = 1, stderr: int = 2) -> int | None:
    """Talk until the program ends or is detached from; returns its exit code, None where it was detached from.

    stdin: the descriptor that is read, None = nothing is; a terminal is in raw mode meanwhile where the program has
    one too. Raises the session's errors, with the terminal put back.
    """
    keys = stdin if session.tty and stdin is not None and os.isatty(stdin) else None
    with _raw_mode(keys) if keys is not None else contextlib.nullcontext():
        async with _sizes_told(session, keys if keys is not None else stdout if session.tty else None):
            return await _talk(session, stdin, stdout, stderr)


async def _talk(session: Session, stdin: int | None, stdout: int, stderr: int) -> int | None:
    listening = asyncio.create_task(_listen(session, stdout, stderr), name="output")
    feeding = asyncio.create_task(_feed(session, stdin), name="input") if stdin is not None else None
    tasks = [task for task in (listening, feeding) if task is not None]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if feeding is not None and feeding.done():
            feeding.result()  # where it failed there is nothing to wait for
        return await listening
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _listen(session: Session, stdout: int, stderr: int) -> int | None:
    async for stream, piece in session.output():
        try:
            await asyncio.to_thread(_write, stderr if stream is LogStream.STDERR else stdout, piece)
        except BrokenPipeError:  # nobody reads any more, as in `… | head`: end as a program of this machine would
            return SIGNAL_BASE + signal.SIGPIPE
    return await session.exit_code()


async def _feed(session: Session, stdin: int) -> None:
    async for data in _typed(stdin):
        try:
            await session.send(data)
        except BackendError:
            return  # the connection is gone: the output's end says so
    await session.close_input()


async def _typed(stdin: int) -> AsyncIterator[bytes]:
    """What comes in, until its end. A selector takes no file, disk, nor device as /dev/null: a thread reads them."""
    kind = os.fstat(stdin).st_mode
    if stat.S_ISREG(kind) or stat.S_ISBLK(kind) or (stat.S_ISCHR(kind) and not os.isatty(stdin)):
        while data := await asyncio.to_thread(os.read, stdin, _READ_BYTES):
            yield data
        return
    loop = asyncio.get_running_loop()
    while True:
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(stdin, _settle, ready)
        try:
            await ready
        finally:
            loop.remove_reader(stdin)
        try:
            data = os.read(stdin, _READ_BYTES)
        except OSError:  # its terminal went away
            return
        if not data:
            return
        yield data


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


@contextlib.contextmanager
def _raw_mode(terminal: int) -> Iterator[None]:
    before = termios.tcgetattr(terminal)
    tty.setraw(terminal)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal itself may be gone
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


@contextlib.asynccontextmanager
async def _sizes_told(session: Session, terminal: int | None) -> AsyncIterator[None]:
    """Tell the program of each new size of the terminal."""
    if terminal is None:
        yield
        return
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGWINCH, changed.set)

    async def tell() -> None:
        while True:
            await changed.wait()
            changed.clear()
            size = terminal_size(terminal)
            if size is not None:
                with contextlib.suppress(BackendError):  # a program that has just ended has no size
                    await session.resize(size)

    telling = asyncio.create_task(tell(), name="sizes")
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)
        telling.cancel()
        await asyncio.wait([telling])


__all__ = ["converse", "terminal_size"]
