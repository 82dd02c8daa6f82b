"""Sessions of the demo: a small shell of its own, its few programs, and a workload's talk. Touches no terminal."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from backends.engines.demo_shell import NOT_FOUND, NoSuchProgram, Place, run
from backends.model.container import ExecResult, LogLine, LogStream
from backends.model.errors import BackendError
from backends.model.session import DETACH_BYTES, ExecSpec, TerminalSize

_SHELLS = frozenset({"sh", "ash", "bash"})
_READERS = frozenset({"cat"})
"""Programs that read their input where they are given no name."""
_ERASE, _END, _STOP = b"\x7f", b"\x04", b"\x03"


class DemoSession:
    """See backends.engine.Session. This one says only what it is told to say."""

    def __init__(self, *, tty: bool, size: TerminalSize | None) -> None:
        self._tty = tty
        self.size = size or TerminalSize(24, 80)
        self._said: asyncio.Queue[tuple[LogStream, bytes] | BackendError | None] = asyncio.Queue()
        self._code: int | None = None
        self._over = False
        self._last = b""

    @property
    def tty(self) -> bool:
        """It has a terminal."""
        return self._tty

    def say(self, data: bytes, stream: LogStream = LogStream.STDOUT) -> None:
        """Its program says something."""
        if data and not self._over:
            shown = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") if self._tty else data
            self._said.put_nowait((LogStream.TTY if self._tty else stream, shown))

    def end(self, code: int | None) -> None:
        """Its program has ended; None = it was detached from."""
        if not self._over:
            self._over, self._code = True, code
            self._said.put_nowait(None)

    def break_off(self, error: BackendError) -> None:
        """The engine is gone."""
        self._over = True
        self._said.put_nowait(error)

    async def output(self) -> AsyncIterator[tuple[LogStream, bytes]]:
        """What it says."""
        while (said := await self._said.get()) is not None:
            if isinstance(said, BackendError):
                raise said
            yield said

    async def send(self, data: bytes) -> None:
        """Take input, until the detach keys."""
        seen = self._last + data
        if self._tty and DETACH_BYTES in seen:
            self.end(None)
        self._last = seen[-1:]
        if not self._over:
            self.take(data)
        await asyncio.sleep(0)

    def take(self, data: bytes) -> None:
        """Input for the program; this one takes none."""

    async def close_input(self) -> None:
        """No more input."""
        self.closed()
        await asyncio.sleep(0)

    def closed(self) -> None:
        """The input has ended."""

    async def resize(self, size: TerminalSize) -> None:
        """Another size."""
        self.size = size
        await asyncio.sleep(0)

    async def exit_code(self) -> int | None:
        """How it ended."""
        await asyncio.sleep(0)
        return self._code


class _ProgramSession(DemoSession):
    """One program, run when its input is there."""

    def __init__(self, spec: ExecSpec, place: Place) -> None:
        super().__init__(tty=spec.tty, size=spec.size)
        self._argv, self._place, self._input = spec.argv, place, b""
        if not spec.stdin or len(spec.argv) > 1 or posixpath.basename(spec.argv[0]) not in _READERS:
            self._go()

    def take(self, data: bytes) -> None:
        self._input += data
        if self._tty and _END in self._input:
            self._input = self._input.partition(_END)[0]
            self._go()

    def closed(self) -> None:
        if not self._over:
            self._go()

    def _go(self) -> None:
        done = ran(self._argv, replace(self._place, stdin=self._input), self.size)
        self.say(done.stdout)
        self.say(done.stderr, LogStream.STDERR)
        self.end(done.exit_code)


class _ShellSession(DemoSession):
    """A shell, line by line."""

    def __init__(self, spec: ExecSpec, place: Place) -> None:
        super().__init__(tty=spec.tty, size=spec.size)
        self._place, self._line, self._status = place, b"", 0
        self._prompt()
        if not spec.stdin:
            self.end(0)

    def _prompt(self) -> None:
        if self._tty:
            self.say(f"root@{self._place.hostname}:{self._place.folder}# ".encode())

    def take(self, data: bytes) -> None:
        for byte in (data[at : at + 1] for at in range(len(data))):
            if self._over:
                return
            if self._tty and byte == _END:
                if not self._line:
                    self.say(b"exit\n")
                    self.end(self._status)
            elif self._tty and byte == _STOP:
                self.say(b"^C\n")
                self._line = b""
                self._prompt()
            elif self._tty and byte in {_ERASE, b"\b"}:
                if self._line:
                    self._line = self._line[:-1]
                    self.say(b"\b \b")
            elif byte in {b"\r", b"\n"}:
                if self._tty:
                    self.say(b"\n")
                self._run()
            else:
                self._line += byte
                if self._tty:
                    self.say(byte)

    def _run(self) -> None:
        words, self._line = self._line.decode("utf-8", "replace").strip(), b""
        match words.split():
            case ["exit"]:
                self.end(self._status)
                return
            case ["exit", number] if number.isdecimal():
                self.end(int(number) & 0xFF)
                return
            case ["cd", *rest] if len(rest) < 2:
                self._enter(rest[0] if rest else "/")
            case [_, *_]:
                done = ran(("sh", "-c", words) if words != "stty size" else ("stty", "size"), self._place, self.size)
                self.say(done.stdout)
                self.say(done.stderr, LogStream.STDERR)
                self._status = done.exit_code
        self._prompt()

    def _enter(self, word: str) -> None:
        path = self._place.path(word)
        entry = self._place.files.get(path)
        if entry is None or not entry.head.isdir():
            self.say(f"sh: cd: can't cd to {word}\n".encode(), LogStream.STDERR)
            self._status = 1
        else:
            self._place, self._status = replace(self._place, folder=path), 0

    def closed(self) -> None:
        if self._line:
            self._run()
        self.end(self._status)


def ran(argv: tuple[str, ...], place: Place, size: TerminalSize) -> ExecResult:
    """A program run to its end; one that is not there ends with 127, as in a shell."""
    if argv == ("stty", "size"):
        return ExecResult(0, f"{size.rows} {size.columns}\n".encode(), b"")
    try:
        return run(argv, place)
    except NoSuchProgram as unknown:
        return ExecResult(NOT_FOUND, f'exec: "{unknown}": executable file not found in $PATH\n'.encode(), b"")


def session_of(spec: ExecSpec, place: Place) -> DemoSession:
    """The session of a program."""
    shell = len(spec.argv) == 1 and posixpath.basename(spec.argv[0]) in _SHELLS
    return _ShellSession(spec, place) if shell else _ProgramSession(spec, place)


async def listening(session: DemoSession, lines: AsyncIterator[LogLine], ended: Callable[[], int]) -> None:
    """Let a session say what a workload says, until that ends. ended: its exit code then."""
    try:
        async for line in lines:
            session.say(line.text.encode("utf-8", "replace") + b"\n", line.stream)
    except BackendError as error:
        session.break_off(error)
    else:
        session.end(ended())


__all__ = ["DemoSession", "listening", "session_of"]
