"""Searching a log that grows at both ends: which lines shown hold the text, which one is at. Knows no widget."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Callable

from widgets.log_filter import searched
from widgets.log_store import LogStore

SLICE = 1_000  # lines looked at before other work gets its turn: about 2 ms


class LogSearch:
    """needle: in small letters, "" = no search. found: numbers of lines that hold it; at: the one last gone to.

    passes: whether a line is shown; the others are not found. Where that changes, `again` has to be awaited.
    """

    def __init__(self, store: LogStore, passes: Callable[[int], bool]) -> None:
        self._store, self._passes = store, passes
        self.needle = ""
        self.found: list[int] = []
        self.at: int | None = None

    async def run(self, text: str) -> None:
        """Search all lines kept; a later search takes the place of an earlier one."""
        self.at = None
        await self._look_through(text.lower())

    async def again(self) -> None:
        """Search for the same again: other lines are shown now."""
        await self._look_through(self.needle)

    async def _look_through(self, needle: str) -> None:
        found: list[int] = []
        self.needle, self.found = needle, found
        start = self._store.first
        end = self._store.end if needle else start
        while start < end and self.found is found:
            start = max(start, self._store.first)
            stop = min(start + SLICE, end)
            numbers = [number for number in range(start, stop) if self._finds(number)]
            place = bisect_left(found, start)
            found[place:place] = numbers
            start = stop
            await asyncio.sleep(0)

    def clear(self) -> None:
        """No search."""
        self.needle, self.found, self.at = "", [], None

    def holds(self, number: int) -> bool:
        """Whether a line holds the text; never without a search."""
        if not self.needle:
            return False
        entry = self._store.entry(number)
        return self.needle in (entry if isinstance(entry, str) else searched(entry.text)).lower()

    def _finds(self, number: int) -> bool:
        return self.holds(number) and self._passes(number)

    def extend(self, first_new: int) -> None:
        """Lines came at the end from this number on, and some may have gone at the front."""
        if self.needle:
            first = self._store.first
            self.found.extend(n for n in range(max(first_new, first), self._store.end) if self._finds(n))
            del self.found[: bisect_left(self.found, first)]

    def grow_up(self, count: int) -> None:
        """So many lines were put above."""
        if self.needle:
            first = self._store.first
            self.found[:0] = [number for number in range(first, first + count) if self._finds(number)]

    def below(self, top: int) -> int | None:
        """Go to the next line found below; from the last one to the first. top: the first line in sight."""
        if not self.found:
            return None
        here = self.at if self.at is not None else top - 1
        self.at = self.found[bisect_right(self.found, here) % len(self.found)]
        return self.at

    def above(self, top: int) -> int | None:
        """Go to the next line found above; from the first one to the last."""
        if not self.found:
            return None
        here = self.at if self.at is not None else top
        self.at = self.found[bisect_left(self.found, here) - 1]
        return self.at
