"""Which lines of a log are shown, and on which rows: the filter and the wrapping. Pure; knows no widget."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable

Height = Callable[[int], int]
"""The rows that a line takes, by its number; 0 = it is not shown."""


class LogLayout:
    """Rows from 0 down, the lines on them by number. height: None = every line is shown, on one row.

    plain: no line takes more than one row, and none is hidden: then nothing is kept of them at all.
    """

    def __init__(self, height: Height | None, first: int) -> None:
        self._height = height
        self._first = self._end = first
        self._shown: list[int] = []
        self._ends: list[int] = []  # rows up to the end of each line shown, from an origin that never moves
        self._base = 0  # the origin of the first row
        self._low = 0  # entries of these lists before it are of lines that were dropped

    @property
    def rows(self) -> int:
        """How many rows there are."""
        if self._height is None:
            return self._end - self._first
        return self._ends[-1] - self._base if len(self._ends) > self._low else 0

    @property
    def lines(self) -> int:
        """How many lines are shown."""
        return self.rows if self._height is None else len(self._shown) - self._low

    def shown_since(self, number: int) -> int:
        """How many lines are shown from this number on."""
        if self._height is None:
            return max(0, self._end - max(number, self._first))
        return len(self._shown) - bisect_left(self._shown, number, lo=self._low)

    def extend(self, end: int) -> None:
        """Lines were added at the end, up to before this number."""
        if self._height is not None:
            bottom = self._ends[-1] if len(self._ends) > self._low else self._base
            for number in range(self._end, end):
                rows = self._height(number)
                if rows:
                    bottom += rows
                    self._shown.append(number)
                    self._ends.append(bottom)
        self._end = max(end, self._end)

    def grow_up(self, first: int) -> int:
        """Lines were put above, from this number on; returns the rows that they take."""
        before = self.rows
        if self._height is not None:
            heights = [(number, rows) for number in range(first, self._first) if (rows := self._height(number))]
            top = self._base - sum(rows for _, rows in heights)
            ends, at = [], top
            for _, rows in heights:
                at += rows
                ends.append(at)
            self._shown[: self._low] = [number for number, _ in heights]
            self._ends[: self._low] = ends
            self._low, self._base = 0, top
        self._first = min(first, self._first)
        return self.rows - before

    def drop(self, first: int) -> int:
        """Lines before this number are gone; returns the rows that went."""
        if first <= self._first:
            return 0
        before = self.rows
        if self._height is not None:
            low = bisect_left(self._shown, first, lo=self._low)
            if low > self._low:
                self._base = self._ends[low - 1]
                self._low = low
            if self._low > 10_000 and self._low * 2 > len(self._shown):
                del self._shown[: self._low], self._ends[: self._low]
                self._low = 0
        self._first = first
        self._end = max(self._end, first)
        return before - self.rows

    def at(self, row: int) -> tuple[int, int] | None:
        """(number of the line, which of its rows) on a row; None where there is none."""
        if not 0 <= row < self.rows:
            return None
        if self._height is None:
            return self._first + row, 0
        place = bisect_right(self._ends, row + self._base, lo=self._low)
        above = self._ends[place - 1] if place > self._low else self._base
        return self._shown[place], row + self._base - above

    def row_of(self, number: int) -> int:
        """The first row of a line, or of the next one shown where it is not."""
        if self._height is None:
            return min(max(0, number - self._first), max(0, self.rows - 1))
        place = bisect_left(self._shown, number, lo=self._low)
        return (self._ends[place - 1] if place > self._low else self._base) - self._base

    def numbers(self, start: int, stop: int) -> Iterable[int]:
        """Numbers of the lines shown from start to before stop."""
        if self._height is None:
            return range(max(start, self._first), min(stop, self._end))
        low = bisect_left(self._shown, start, lo=self._low)
        return self._shown[low : bisect_left(self._shown, stop, lo=low)]
