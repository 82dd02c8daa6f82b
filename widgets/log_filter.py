"""Which log lines are wanted: by a regular expression, by how grave they are. Pure; knows no widget."""

from __future__ import annotations

from dataclasses import dataclass

from backends.model.expression import Expression
from backends.model.log_level import LogLevel
from widgets.sgr import LONGEST, plain_text, visible_part

LEVELS: tuple[LogLevel | None, ...] = (None, LogLevel.INFO, LogLevel.WARNING, LogLevel.ERROR)
"""The levels that a key turns through; None = all lines."""


def searched(text: str) -> str:
    """The text of a line as it is searched: without escapes, cut to what is drawn."""
    text = visible_part(text)[:LONGEST]
    return plain_text(text) if "\x1b" in text or "\t" in text else text


@dataclass(frozen=True, slots=True)
class LogFilter:
    """pattern: lines in which it is found; None = all. level: lines that are at least so grave; None = all.

    A line that names no level counts as information.
    """

    pattern: Expression | None = None
    level: LogLevel | None = None

    @property
    def all(self) -> bool:
        """Whether it lets every line pass."""
        return self.pattern is None and self.level is None

    def passes(self, text: str, level: LogLevel | None) -> bool:
        """Whether a line is wanted. level: as `level_of` says."""
        if self.level is not None and (LogLevel.INFO if level is None else level) < self.level:
            return False
        return self.pattern is None or self.pattern.found_in(searched(text))

    @property
    def given_up(self) -> bool:
        """Whether its expression took too long for a line: no further one passes."""
        return self.pattern is not None and self.pattern.too_slow

    @property
    def words(self) -> str:
        """What it lets pass, for a title; "" where all."""
        parts = []
        if self.pattern is not None:
            slow = "given up, too slow: " if self.given_up else ""
            parts.append(f"{slow}“{self.pattern.pattern}”")
        if self.level is not None:
            parts.append(f"{self.level.name.lower()} and worse" if self.level < LogLevel.FATAL else "fatal")
        return ", ".join(parts)


def pattern_of(text: str) -> Expression | None:
    """A regular expression from what was typed, small letters for both cases; None for "". Raises BadPattern."""
    return Expression(text, smart_case=True) if text else None


__all__ = ["LEVELS", "LogFilter", "pattern_of", "searched"]
