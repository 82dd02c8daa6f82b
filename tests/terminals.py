"""Programs on a terminal of their own. Holds no test."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
from collections.abc import Mapping, Sequence

TIMEOUT_S = 60


def on_terminal(
    argv: Sequence[str], *, env: Mapping[str, str] | None = None, stdout: int | None = None
) -> tuple[int, str]:
    """Run a program to its end on a terminal; returns its exit code and what was on the terminal.

    stdout: where its standard output goes, None = to the terminal as the rest.
    """
    terminal, inner = pty.openpty()
    process = subprocess.Popen(argv, env=env, stdin=inner, stdout=inner if stdout is None else stdout, stderr=inner)
    os.close(inner)
    seen = b""
    with contextlib.suppress(OSError):  # EIO: the program closed its end
        while select.select([terminal], [], [], TIMEOUT_S)[0]:
            seen += os.read(terminal, 65536)
    os.close(terminal)
    return process.wait(timeout=TIMEOUT_S), seen.decode().replace("\r\n", "\n")
