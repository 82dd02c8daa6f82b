"""Key to screen: how long from a key until the cursor stands elsewhere, in a real pty with live containers."""

from __future__ import annotations

import os
import re
import select
import statistics
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from benchmarks.first_frame import open_pty

PRESSES = 80
PAUSE_S = 0.12
DOWN, UP = b"\x1b[B", b"\x1b[A"
# A cursor move to a row, then only colours, then the table's cursor sign.
SIGN = re.compile(rb"\x1b\[(\d+);\d+H(?:\x1b\[[0-9;]*m|\x1b\[\?\d+[hl])*\xe2\x96\x8c")


@dataclass(frozen=True)
class Latency:
    """Milliseconds from writing the key to reading the bytes that draw the cursor on another row."""

    p50_ms: float
    p95_ms: float
    worst_ms: float


class Screen(threading.Thread):
    """Reads everything that the program draws, and notes when the cursor sign appeared on which row."""

    def __init__(self, ours: int) -> None:
        super().__init__(daemon=True)
        self._ours, self._tail = ours, b""
        self.row, self.at = 0, 0.0
        self.moved = threading.Event()

    def run(self) -> None:
        """Until the program's end of the terminal closes."""
        while True:
            try:
                chunk = os.read(self._ours, 65536)
            except OSError:
                return
            now = time.perf_counter()
            seen = self._tail + chunk
            for found in SIGN.finditer(seen):
                row = int(found[1])
                if row != self.row:
                    self.row, self.at = row, now
                    self.moved.set()
            self._tail = seen[-64:]


def measure(
    environ: dict[str, str], around: Callable[[], AbstractContextManager[object]] = nullcontext, settle_s: float = 8.0
) -> Latency:
    """Run Tranship on the engines that `environ` names; press down and up alternately. Raises TimeoutError if stuck.

    around: what goes on while keys are pressed; entered when the screen has settled.
    """
    environ = {**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    ours, child = open_pty([os.path.join(os.path.dirname(sys.executable), "tranship")], environ, size=(50, 200))
    screen = Screen(ours)
    screen.start()
    try:
        time.sleep(settle_s)
        with around():
            took = _pressed(ours, screen)
    finally:
        child.kill()
        child.wait()
        select.select([], [], [], 0.1)
        os.close(ours)
    cuts = statistics.quantiles(took, n=20)
    return Latency(statistics.median(took), cuts[18], max(took))


def _pressed(ours: int, screen: Screen) -> list[float]:
    took: list[float] = []
    for number in range(PRESSES):
        screen.moved.clear()
        begin = time.perf_counter()
        os.write(ours, DOWN if number % 2 == 0 else UP)
        if not screen.moved.wait(5):
            raise TimeoutError(f"the cursor did not move within 5 s of key {number}")
        took.append(1000 * (screen.at - begin))
        time.sleep(PAUSE_S)
    return took
