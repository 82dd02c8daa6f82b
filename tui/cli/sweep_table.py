"""The table of a sweep on stderr: drawn again in place on a terminal, a line for each ended run elsewhere."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from types import TracebackType

from backends.model.sweep import SweepRow
from backends.model.sweep_board import SweepBoard
from tui.cli.output import may_style, say
from widgets.sweep_lines import run_text, table

REDRAW_S = 0.2
MOST_LINES = 20


class SweepTable:
    """A context manager. board: kept up by `take`."""

    def __init__(self, board: SweepBoard) -> None:
        self._board = board
        self._living = may_style(sys.stderr)
        self._drawn = 0
        self._ticking: asyncio.Task[None] | None = None

    def __enter__(self) -> SweepTable:
        if self._living:
            self._ticking = asyncio.create_task(self._tick(), name="draw the sweep")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            self._draw()

    def take(self, row: SweepRow) -> None:
        """A run is otherwise than before."""
        self._board.take(row)
        if not self._living and row.state.over:
            say(run_text(row, time.monotonic()))

    async def _tick(self) -> None:
        while True:
            self._draw()
            await asyncio.sleep(REDRAW_S)

    def _draw(self) -> None:
        size = shutil.get_terminal_size()
        height = min(MOST_LINES, max(2, size.lines - 2))
        lines = table(self._board, time.monotonic(), size.columns - 1, height)
        # To the first line drawn before (ECMA-48 CUU), and erase from there (ED).
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        try:
            sys.stderr.write(f"\r{up}\x1b[J" + "".join(f"{text}\n" for text in lines))
            sys.stderr.flush()
        except OSError:
            self._living = False  # its terminal went away: nobody is left to be told
        self._drawn = len(lines)
