"""Time to the first frame in a real pty: Tranship against a bare Textual app and a bare interpreter."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence

from benchmarks.bench import alternate

ROUNDS = 7
SIZE = (40, 140)
BARE = (
    "from textual.app import App\nfrom textual.widgets import Static\n"
    "class Bare(App):\n    def compose(self):\n        yield Static('FIRST-FRAME')\nBare().run()"
)


def open_pty(
    argv: Sequence[str], environ: dict[str, str], size: tuple[int, int] = SIZE
) -> tuple[int, subprocess.Popen[bytes]]:
    """Start a program on a pseudo-terminal of `size` (rows, columns); returns our end and the process."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    child = subprocess.Popen(
        argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True, preexec_fn=_take_terminal
    )
    os.close(theirs)
    return ours, child


def _take_terminal() -> None:
    """In the child: the terminal is its controlling one, as a shell gives it (some open /dev/tty)."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def until(ours: int, mark: bytes, deadline_s: float = 30.0) -> float:
    """Seconds (perf_counter) at which the mark has come; raises TimeoutError with what came instead."""
    end, seen = time.monotonic() + deadline_s, b""
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.5)[0]:
            seen += os.read(ours, 65536)
            if mark in seen:
                return time.perf_counter()
    raise TimeoutError(f"{mark!r} did not come; last: {seen[-400:]!r}")


def _start(argv: Sequence[str], mark: bytes, environ: dict[str, str]) -> float:
    begin = time.perf_counter()
    ours, child = open_pty(argv, environ)
    try:
        return 1000 * (until(ours, mark) - begin)
    finally:
        child.kill()
        child.wait()
        os.close(ours)


def measure(environ: dict[str, str]) -> dict[str, float]:
    """Median milliseconds from the start of the process to the first frame (or line) on the terminal."""
    environ = {**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    tranship = os.path.join(os.path.dirname(sys.executable), "tranship")
    return alternate(
        {
            "tranship, both engines": lambda: _start([tranship], b"Tranship", environ),
            "tranship --demo": lambda: _start([tranship, "--demo"], b"Tranship", environ),
            "bare Textual app": lambda: _start([sys.executable, "-c", BARE], b"FIRST-FRAME", environ),
            "bare Python": lambda: _start([sys.executable, "-c", "print('FIRST-FRAME')"], b"FIRST-FRAME", environ),
        },
        ROUNDS,
    )
