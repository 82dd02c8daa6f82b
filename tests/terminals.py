"""Programs on a terminal of their own. Holds no test."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence

TIMEOUT_S = 120

Act = Callable[[int, "subprocess.Popen[bytes]"], object]
"""What is done on the terminal (its descriptor: write what is typed, close it to hang up) and to the program on it."""


def on_terminal(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdout: int | None = None,
    when: str = "",
    act: Act = lambda _terminal, _program: None,
) -> tuple[int, str]:
    """Run a program to its end on a terminal of 100×30; returns its exit code and all that was on the terminal.

    stdout: where its standard output goes, None = to the terminal as the rest. act: done once, when these words are
    on the terminal.
    """
    terminal, inner = pty.openpty()
    termios.tcsetwinsize(inner, (30, 100))
    leader = ["setsid", "--ctty", *argv]  # the terminal is its own: it is told when that hangs up
    program = subprocess.Popen(leader, env=env, stdin=inner, stdout=inner if stdout is None else stdout, stderr=inner)
    os.close(inner)
    seen, done = b"", False
    with contextlib.suppress(OSError):  # EIO: the program closed its end; EBADF: the act closed ours
        while select.select([terminal], [], [], TIMEOUT_S)[0]:
            seen += os.read(terminal, 65536)
            if not done and when and when.encode() in seen:
                done = True
                act(terminal, program)
    with contextlib.suppress(OSError):  # closed already
        os.close(terminal)
    return program.wait(timeout=TIMEOUT_S), seen.decode(errors="replace").replace("\r\n", "\n")
