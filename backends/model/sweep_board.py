"""A sweep as it stands, kept up by its rows as they come. Data only; belongs to one thread."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Sequence

from backends.model.sweep import SweepRow, SweepRun, SweepState

KEPT = 1_000
"""Ended runs that are at hand to be shown, the newest; all are in the file of results."""


class SweepBoard:
    """runs: all of them. done: ids of those that an earlier sweep did, which are skipped.

    rows: the newest of each run that has begun or is over, by number. changes: how often a row came.
    """

    def __init__(self, runs: Sequence[SweepRun], done: Collection[str] = ()) -> None:
        skipped = [one for one in runs if one.id in done]
        self.total = len(runs)
        self.rows = {one.number: SweepRow(one, SweepState.SKIPPED) for one in skipped}
        self.counts = Counter({SweepState.WAITING: len(runs) - len(skipped), SweepState.SKIPPED: len(skipped)})
        self.changes = 0
        self._running: dict[int, SweepRow] = {}
        self._ended: deque[SweepRow] = deque(maxlen=KEPT)
        self._bad: deque[SweepRow] = deque(maxlen=KEPT)

    def take(self, row: SweepRow) -> None:
        """A run is otherwise than before."""
        number = row.run.number
        before = self.rows.get(number)
        self.counts[before.state if before is not None else SweepState.WAITING] -= 1
        self.counts[row.state] += 1
        self.rows[number] = row
        self.changes += 1
        if not row.state.over:
            self._running[number] = row
            return
        self._running.pop(number, None)
        self._ended.append(row)
        if row.state is not SweepState.DONE:
            self._bad.append(row)

    def settle(self) -> None:
        """The sweep has ended: those that ran and came to no end wait again, for the next one."""
        for row in self.running:
            self.counts[SweepState.RUNNING] -= 1
            self.counts[SweepState.WAITING] += 1
            del self.rows[row.run.number]
        self._running.clear()
        self.changes += 1

    @property
    def over(self) -> int:
        """So many runs need nothing more, also those that were skipped."""
        return sum(count for state, count in self.counts.items() if state.over)

    @property
    def running(self) -> list[SweepRow]:
        """Those that run, in the order in which they began."""
        return list(self._running.values())

    @property
    def ended(self) -> list[SweepRow]:
        """The last that ended, the newest last."""
        return list(self._ended)

    @property
    def bad(self) -> list[SweepRow]:
        """The last that failed or were killed, the newest last."""
        return list(self._bad)


__all__ = ["KEPT", "SweepBoard"]
