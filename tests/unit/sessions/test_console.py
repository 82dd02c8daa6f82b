"""A terminal joined to a program: raw while it goes on, put back however it ends."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import termios
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from backends.model.container import LogStream
from backends.model.errors import Unreachable, Unsupported
from backends.model.session import TerminalSize
from tui.console import converse, terminal_size


class Program:
    """A session whose end the test decides. lost: how it breaks off. ends_at: what it ends at when it is typed."""

    def __init__(
        self, *, tty: bool = True, lost: Exception | None = None, code: int | None = 0, ends_at: bytes = b"\x04"
    ) -> None:
        self.ends_at = ends_at
        self.tty, self._lost, self._code = tty, lost, code
        self.given = b""
        self.input_ended = asyncio.Event()
        self.sizes: asyncio.Queue[TerminalSize] = asyncio.Queue()
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def output(self) -> AsyncIterator[tuple[LogStream, bytes]]:
        yield (LogStream.TTY if self.tty else LogStream.STDOUT), b"hello"
        self.begun.set()
        await self.go_on.wait()
        if self._lost is not None:
            raise self._lost

    async def send(self, data: bytes) -> None:
        self.given += data
        if self.ends_at in data:
            self.go_on.set()

    async def close_input(self) -> None:
        self.input_ended.set()
        if isinstance(self._lost, Unsupported):
            raise self._lost

    async def resize(self, size: TerminalSize) -> None:
        self.sizes.put_nowait(size)

    async def exit_code(self) -> int | None:
        return self._code


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends of a terminal: the person's, the program's."""
    outer, inner = pty.openpty()
    termios.tcsetwinsize(inner, (30, 100))
    yield outer, inner
    os.close(outer)
    os.close(inner)


def _mode(terminal: int) -> list[Any]:
    return termios.tcgetattr(terminal)


async def test_keys_go_in_as_they_are_and_sizes_are_told(terminal: tuple[int, int]) -> None:
    outer, inner = terminal
    before, program = _mode(inner), Program(code=7)
    talk = asyncio.create_task(converse(program, stdin=inner, stdout=inner))
    await program.begun.wait()
    assert _mode(inner) != before
    assert os.read(outer, 5) == b"hello"
    termios.tcsetwinsize(inner, (41, 120))
    os.kill(os.getpid(), signal.SIGWINCH)
    async with asyncio.timeout(10):
        assert await program.sizes.get() == TerminalSize(41, 120)
        os.write(outer, b"ls\x03\x1a\x04")
        assert await talk == 7
    assert program.given == b"ls\x03\x1a\x04"
    assert _mode(inner) == before
    assert terminal_size(inner) == TerminalSize(41, 120)


@pytest.mark.parametrize("how", ["lost", "cancelled", "hung up"])
async def test_the_terminal_is_put_back_when_it_breaks(terminal: tuple[int, int], how: str) -> None:
    _, inner = terminal
    before, program = _mode(inner), Program(lost=Unreachable("gone") if how == "lost" else None)
    talk = asyncio.create_task(converse(program, stdin=inner, stdout=inner))
    await program.begun.wait()
    if how == "cancelled":
        talk.cancel()
        with pytest.raises(asyncio.CancelledError):
            await talk
    else:
        program.go_on.set()
        if how == "lost":
            with pytest.raises(Unreachable):
                await talk
        else:
            assert await talk == 0
    assert _mode(inner) == before


async def test_the_end_of_a_pipe_is_the_end_of_the_input(terminal: tuple[int, int]) -> None:
    _, inner = terminal
    reading, writing = os.pipe()
    program = Program(tty=False, code=3)
    talk = asyncio.create_task(converse(program, stdin=reading, stdout=inner))
    os.write(writing, b"some")
    os.close(writing)
    async with asyncio.timeout(10):
        await program.input_ended.wait()
        program.go_on.set()
        assert await talk == 3
    assert program.given == b"some"
    os.close(reading)


async def test_an_input_that_cannot_be_ended_is_said_and_does_not_hang(terminal: tuple[int, int]) -> None:
    _, inner = terminal
    nothing = os.open(os.devnull, os.O_RDONLY)
    with pytest.raises(Unsupported):
        async with asyncio.timeout(10):
            await converse(Program(tty=False, lost=Unsupported("over TLS")), stdin=nothing, stdout=inner)
    os.close(nothing)


async def test_a_device_that_no_selector_takes_is_read(terminal: tuple[int, int]) -> None:
    _, inner = terminal
    zeros = os.open("/dev/zero", os.O_RDONLY)
    program = Program(tty=False, ends_at=b"\x00")
    async with asyncio.timeout(10):
        assert await converse(program, stdin=zeros, stdout=inner) == 0
    os.close(zeros)
