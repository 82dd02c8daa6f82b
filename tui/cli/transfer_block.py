"""Pulls and pushes on stderr: a living block of lines on a terminal, a few plain lines elsewhere. Never on stdout."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Callable, Sequence
from typing import TextIO

from backends.model.events import Phase
from backends.model.transfer_state import TransferState
from tui.cli.progress import REDRAW_S, SPARSE_S
from widgets.line import plain
from widgets.text import cut_end
from widgets.transfer_lines import head_line, note_lines, transfer_lines

_UP = "\x1b[{}F"  # to the first column, so many lines up (ECMA-48 CPL)
_ERASE_BELOW = "\x1b[J"  # ECMA-48 ED
_LOG_WIDTH = 120  # cells of a line where there is no terminal


class TransferBlock:
    """Shows transfers until `close`. living: the stream is a terminal that takes escapes. clock: monotonic seconds."""

    def __init__(self, stream: TextIO, *, living: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._living = living
        self._clock = clock
        self._drawn = 0
        self._told: dict[int, tuple[Phase, str, float]] = {}

    async def follow(self, states: Callable[[], Sequence[TransferState]]) -> None:
        """Show them again and again, until cancelled."""
        while True:
            self.show(states())
            await asyncio.sleep(REDRAW_S)

    def show(self, states: Sequence[TransferState]) -> None:
        """Show them as they are. What nobody can read any more is left unsaid."""
        with contextlib.suppress(OSError):
            if self._living:
                self._draw(states)
            else:
                self._log(states)

    def _draw(self, states: Sequence[TransferState]) -> None:
        size = shutil.get_terminal_size()
        width, left = size.columns - 1, size.lines - 1
        lines: list[str] = []
        for at, state in enumerate(states):
            share = max(1, left // (len(states) - at))
            made = [cut_end(plain(one), width) for one in transfer_lines(state, width, share, failure=False)]
            lines += made
            left = max(0, left - len(made))
        lines = lines[: size.lines - 1]
        up = _UP.format(self._drawn) if self._drawn else "\r"
        self._stream.write(up + _ERASE_BELOW + "".join(f"{one}\n" for one in lines))
        self._stream.flush()
        self._drawn = len(lines)

    def _log(self, states: Sequence[TransferState]) -> None:
        for at, state in enumerate(states):
            phase, name, told_at = self._told.get(at, (None, "", float("-inf")))
            moved_on = (phase, name) != (state.phase, state.name)
            if moved_on or (state.under_way and self._clock() - told_at >= SPARSE_S):
                self._told[at] = (state.phase, state.name, self._clock())
                lines = [head_line(state, _LOG_WIDTH)]
                if moved_on:
                    lines += note_lines(state, _LOG_WIDTH, failure=False)
                self._stream.writelines(f"{plain(one)}\n" for one in lines if plain(one).strip())
        self._stream.flush()

    def close(self, states: Sequence[TransferState]) -> None:
        """Leave them as they ended."""
        self.show(states)
        self._drawn = 0


__all__ = ["TransferBlock"]
