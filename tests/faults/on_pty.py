"""The screen on a terminal of its own, which can be resized, hung up, and read. Holds no test."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from tests.e2e.cli import PROGRAM

DEADLINE_S = 40.0
_POLL_S = 0.01


class OnPty:
    """The program without a command, started on a terminal of 120×36. argv: its options."""

    def __init__(self, environ: Mapping[str, str], *argv: str) -> None:
        self._environ = {**environ, "TERM": "xterm-256color"}
        for name in ("COLUMNS", "LINES"):
            self._environ.pop(name, None)
        self._argv = argv
        self._seen = bytearray()
        self._hung_up = threading.Event()

    def __enter__(self) -> Self:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (36, 120))
        leader = ["setsid", "--ctty", "--wait", PROGRAM, *self._argv]
        self.process = subprocess.Popen(leader, env=self._environ, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def _read(self) -> None:
        """Until it is hung up; a terminal that this reads is not closed by another thread."""
        while not self._hung_up.is_set():
            if select.select([self._ours], [], [], _POLL_S)[0]:
                try:
                    self._seen += os.read(self._ours, 65536)
                except OSError:  # the program has closed its end
                    return

    @property
    def said(self) -> str:
        """All that it wrote so far."""
        return bytes(self._seen).decode(errors="replace")

    def wait(self, what: str, *, after: int = 0) -> int:
        """Wait until it has written that, past so many letters; returns how many there are."""
        end = time.monotonic() + DEADLINE_S
        while what not in self.said[after:]:
            assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.said[-800:]!r}"
            assert time.monotonic() < end, f"never written: {what}; last {self.said[-400:]!r}"
            time.sleep(_POLL_S)
        return len(self.said)

    def type(self, text: str) -> None:
        """Type it."""
        os.write(self._ours, text.encode())

    def resize(self, columns: int, rows: int) -> None:
        """As a window does whose corner is dragged."""
        termios.tcsetwinsize(self._ours, (rows, columns))

    def hang_up(self) -> None:
        """Close the terminal."""
        if not self._hung_up.is_set():
            self._hung_up.set()
            self._reader.join()
            os.close(self._ours)

    def send(self, *numbers: signal.Signals) -> None:
        """Send the program itself signals, at once."""
        pid = self._program()
        for number in numbers:
            os.kill(pid, number)

    def _program(self) -> int:
        """`setsid` waits for its child, the program."""
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(children) as file:
            found = file.read().split()
        return int(found[0]) if found else self.process.pid

    def ends(self) -> int:
        """Wait for its end; its exit code."""
        return self.process.wait(timeout=DEADLINE_S)
