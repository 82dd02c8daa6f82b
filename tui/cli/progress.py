"""Progress of a migration on stderr: one living line on a terminal, a few plain lines elsewhere. Never on stdout."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable
from typing import TextIO

from backends.model.events import Phase
from backends.model.plan import StepProgress
from widgets.format import bytes_text, clock_text, rate_text
from widgets.text import cut_end, cut_middle, inert, width_of

REDRAW_S = 0.1
SPARSE_S = 10.0
"""Seconds between two lines of one step where there is no terminal: a log should not fill with them."""
_LEAST_TITLE = 16  # cells; with fewer the title says nothing
_ERASE = "\r\x1b[K"  # back to the first column, erase to the end of the line (ECMA-48 EL)


class ProgressLines:
    """Writes progress to a stream; call it with each step's progress, and `close` at the end.

    living: the stream is a terminal that takes escapes. clock: monotonic seconds.
    """

    def __init__(self, stream: TextIO, *, living: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._living = living
        self._clock = clock
        self._written_at = float("-inf")
        self._drawn = False

    def __call__(self, progress: StepProgress) -> None:
        """Show where it is."""
        if progress.phase is Phase.PROGRESS and not progress.undoing:
            now = self._clock()
            if now - self._written_at < (REDRAW_S if self._living else SPARSE_S):
                return
            self._written_at = now
        elif progress.phase is Phase.STARTED:
            self._written_at = self._clock() if not self._living else float("-inf")
        cells = shutil.get_terminal_size().columns - 1 if self._living else None
        self._write(text_of(progress, cells), lasting=progress.phase in {Phase.DONE, Phase.FAILED} or progress.undoing)

    def close(self) -> None:
        """Take the living line away."""
        if self._drawn:
            self._drawn = False
            with contextlib.suppress(OSError):  # as in _write
                self._stream.write(_ERASE)
                self._stream.flush()

    def _write(self, text: str, *, lasting: bool) -> None:
        """What nobody can read any more is left unsaid: a terminal that went away must not end what is being undone."""
        with contextlib.suppress(OSError):
            self._put(text, lasting=lasting)

    def _put(self, text: str, *, lasting: bool) -> None:
        if not self._living:
            self._stream.write(f"{text}\n")
        else:
            line = cut_end(text, shutil.get_terminal_size().columns - 1)
            self._stream.write(_ERASE + line + ("\n" if lasting else ""))
            self._drawn = not lasting
        self._stream.flush()


def text_of(progress: StepProgress, cells: int | None = None) -> str:
    """One line, inert: "[2/6] Ship the image: 40% of 1.2 GiB, 85 MiB/s, 0:09 left".

    cells: where there are no more, the title is cut in its middle, and not how far it is at the end.
    """
    head = f"[{progress.index + 1}/{progress.count}] {'undo: ' if progress.undoing else ''}{progress.step.title}"
    facts = _counts(progress)
    if progress.step.skip:
        facts = [f"skipped, {progress.step.skip}"]
    elif progress.note and progress.note != progress.step.title:
        facts = [progress.note, *facts]
    if progress.phase is Phase.FAILED:
        facts.append("FAILED")
    elif progress.phase is Phase.DONE and not progress.step.skip:
        facts.append("done")
    head, tail = inert(head), inert(f": {', '.join(facts)}") if facts else ""
    room = cells - width_of(tail) if cells is not None else width_of(head)
    return (cut_middle(head, room) if _LEAST_TITLE <= room < width_of(head) else head) + tail


def _counts(progress: StepProgress) -> list[str]:
    if progress.done_bytes is None:
        return []
    if progress.total_bytes and progress.phase is not Phase.DONE:
        # The total is an estimate: what goes beyond it is not shown as more than all.
        share = min(99, progress.done_bytes * 100 // progress.total_bytes)
        counts = [f"{share}% of {bytes_text(progress.total_bytes)}"]
    else:
        counts = [bytes_text(progress.done_bytes)]
    if progress.bytes_per_s is not None:
        counts.append(rate_text(progress.bytes_per_s))
    if progress.eta_s is not None and progress.phase is Phase.PROGRESS:
        counts.append(f"{clock_text(progress.eta_s)} left")
    return counts
