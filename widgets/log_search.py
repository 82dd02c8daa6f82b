"""Searching a log that grows at both ends: which lines hold the text, and which of them one is at. Knows no widget."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Callable

from widgets.log_filter import searched
from widgets.log_store import LogStore

SLICE = 1_000  # lines looked at before other work gets its turn: about 2 ms


class LogSearch:
    """needle: in small letters, "" = no search. found: numbers of lines that hold it; at: the one last gone to."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self.needle = ""
        self.found: list[int] = []
        self.at: int | None = None

    async def run(self, text: str) -> None:
        """Search all lines kept; a later search takes the place of an earlier one."""
        self.needle = needle = text.lower()
        self.found, self.at = [], None
        start = self._store.first
        end = self._store.end if needle else start
        while start < end and self.needle is needle:
            start = max(start, self._store.first)
            stop = min(start + SLICE, end)
            numbers = [number for number in range(start, stop) if self.holds(number)]
            place = bisect_left(self.found, start)
            self.found[place:place] = numbers
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

    def extend(self, first_new: int) -> None:
        """Lines came at the end from this number on, and some may have gone at the front."""
        if self.needle:
            first = self._store.first
            self.found.extend(n for n in range(max(first_new, first), self._store.end) if self.holds(n))
            del self.found[: bisect_left(self.found, first)]

    def grow_up(self, count: int) -> None:
        """So many lines were put above."""
        if self.needle:
            first = self._store.first
            self.found[:0] = [number for number in range(first, first + count) if self.holds(number)]

    def shown(self, passes: Callable[[int], bool]) -> list[int]:
        """Lines found that are shown."""
        return [number for number in self.found if passes(number)]

    def below(self, top: int, passes: Callable[[int], bool]) -> int | None:
        """Go to the next line found below; from the last one to the first. top: the first line in sight."""
        found = self.shown(passes)
        if found:
            here = self.at if self.at is not None else top - 1
            self.at = found[bisect_right(found, here) % len(found)]
        return self.at if found else None

    def above(self, top: int, passes: Callable[[int], bool]) -> int | None:
        """Go to the next line found above; from the first one to the last."""
        found = self.shown(passes)
        if found:
            here = self.at if self.at is not None else top
            self.at = found[bisect_left(found, here) - 1]
        return self.at if found else None
