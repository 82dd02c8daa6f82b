"""The lines of a log that are kept: bounded in number and in size, extended at both ends. Pure; knows no widget."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.container import LogLine
from backends.model.log_level import LogLevel, level_of

MAX_LINES = 100_000
MAX_CHARACTERS = 64 << 20
Entry = LogLine | str
"""A line of a log, or a note of our own."""


class LogStore:
    """Lines by number: the first that ever came is 0, older ones that are put above it have negative numbers.

    Beyond a bound the oldest go. sources: which log a line is of, by a small number (0 for notes).
    """

    def __init__(self, max_lines: int = MAX_LINES, max_characters: int = MAX_CHARACTERS) -> None:
        self.max_lines, self.max_characters = max(1, max_lines), max_characters
        self.first = 0
        self.dropped = 0
        self.entries: list[Entry] = []
        self._sources: list[int] = []
        self._levels: list[LogLevel | None] = []
        self._characters = 0

    @property
    def end(self) -> int:
        """The number behind the last line's."""
        return self.first + len(self.entries)

    @property
    def room(self) -> int:
        """Lines that may be put above."""
        return self.max_lines - len(self.entries) if self._characters < self.max_characters else 0

    def entry(self, number: int) -> Entry:
        """The line of a number."""
        return self.entries[number - self.first]

    def source(self, number: int) -> int:
        """Which log it is of."""
        return self._sources[number - self.first]

    def level(self, number: int) -> LogLevel | None:
        """The level that it names."""
        return self._levels[number - self.first]

    def append(self, entries: Sequence[Entry], sources: Sequence[int]) -> None:
        """Add lines at the end; beyond the bounds the oldest go."""
        surplus = max(0, len(entries) - self.max_lines)
        if surplus:
            self.dropped += surplus
            entries, sources = entries[surplus:], sources[surplus:]
        self._add(len(self.entries), entries, sources)
        self.first += surplus
        self._bound()

    def prepend(self, entries: Sequence[Entry], sources: Sequence[int]) -> int:
        """Put older lines above, as many of the newest of them as there is room for; returns how many."""
        room = min(self.room, len(entries))
        if room <= 0:
            return 0
        self._add(0, entries[-room:], sources[-room:])
        self.first -= room
        return room

    def clear(self) -> None:
        """Forget all."""
        self.entries.clear()
        self._sources.clear()
        self._levels.clear()
        self.first = self.dropped = self._characters = 0

    def _add(self, place: int, entries: Sequence[Entry], sources: Sequence[int]) -> None:
        levels: list[LogLevel | None] = []
        before: dict[int, LogLevel | None] = {}  # a line goes on with what the one above it of the same log said
        for entry, source in zip(entries, sources, strict=True):
            if isinstance(entry, str):
                levels.append(LogLevel.FATAL)  # a note of ours passes every filter of levels
                continue
            if source not in before and place:
                before[source] = self._last_level(source)
            before[source] = level = level_of(entry.text, before.get(source))
            levels.append(level)
        self.entries[place:place] = entries
        self._sources[place:place] = sources
        self._levels[place:place] = levels
        self._characters += sum(map(_size, entries))

    def _last_level(self, source: int) -> LogLevel | None:
        for number in range(len(self.entries) - 1, max(-1, len(self.entries) - 50), -1):
            if self._sources[number] == source and not isinstance(self.entries[number], str):
                return self._levels[number]
        return None

    def _bound(self) -> None:
        surplus = max(0, len(self.entries) - self.max_lines)
        size = self._characters - sum(map(_size, self.entries[:surplus]))
        while size > self.max_characters and surplus < len(self.entries) - 1:
            size -= _size(self.entries[surplus])
            surplus += 1
        if surplus:
            del self.entries[:surplus], self._sources[:surplus], self._levels[:surplus]
            self.first += surplus
            self.dropped += surplus
        self._characters = size


def _size(entry: Entry) -> int:
    return len(entry) if isinstance(entry, str) else len(entry.text)
