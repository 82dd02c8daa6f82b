"""`python benchmarks/terminal_bytes.py [--seconds S] [PROGRAM …]`: what Tranship writes to a terminal when nobody acts.

Bytes per second of a terminal of 200×50, and what could flicker in them: the screen cleared, the cursor shown.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

COLUMNS, ROWS = 200, 50
SETTLING_S = 12.0  # until lists and readings are there
_FLICKERS = {"screen cleared": rb"\x1b\[[23]?J", "cursor shown": rb"\x1b\[\?25h", "frames": rb"\x1b\[\?2026h"}


def _read(terminal: int, until_s: float) -> bytes:
    """All that comes until then (monotonic). The program is told, when it asks, that frames may be drawn at once."""
    got = bytearray()
    while (left := until_s - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            part = os.read(terminal, 1 << 16)
            if b"\x1b[?2026$p" in part:
                os.write(terminal, b"\x1b[?2026;2$y")
            got += part
    return bytes(got)


def written(program: list[str], seconds: float) -> bytes:
    """What the program wrote in so many seconds, after it has settled."""
    process, terminal = pty.fork()
    if not process:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.execvp(program[0], program)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    try:
        _read(terminal, time.monotonic() + SETTLING_S)
        return _read(terminal, time.monotonic() + seconds)
    finally:
        os.kill(process, signal.SIGTERM)
        # It says good-bye on the terminal; who does not read that keeps it from ending.
        while not os.waitpid(process, os.WNOHANG)[0]:
            try:
                _read(terminal, time.monotonic() + 0.1)
            except OSError:  # it has closed its side: Linux's way to say so
                time.sleep(0.01)


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("program", nargs="*", default=[str(Path(sys.executable).parent / "tranship")])
    chosen = parser.parse_args()
    got = written(chosen.program, chosen.seconds)
    sys.stdout.write(f"{len(got) / chosen.seconds:,.0f} B/s at {COLUMNS}×{ROWS}\n")
    for name, sign in _FLICKERS.items():
        sys.stdout.write(f"{name}: {len(re.findall(sign, got))}\n")


if __name__ == "__main__":
    main()
