"""A regular expression that a person typed, searched with in bounded time. Pure.

By the library `regex`, which takes what `re` takes and knows a time limit: some expressions need longer than anybody
lives for one line, and `re` gives nobody else a turn meanwhile.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from backends.model.errors import Refused

if TYPE_CHECKING:
    from regex import Pattern

LINE_S = 0.05
"""For one line; nearly all take some millionths of a second."""


class BadPattern(ValueError):
    """What was typed is no regular expression; says why."""


class Expression:
    """pattern: as typed. too_slow: a line took longer than LINE_S, and since then nothing is found."""

    def __init__(self, pattern: str, *, smart_case: bool = False) -> None:
        """smart_case: small letters stand for both cases. Raises BadPattern."""
        import regex  # 15 ms, and nothing needs it before somebody has typed an expression

        self.pattern = pattern
        self.too_slow = False
        any_case = smart_case and pattern == pattern.lower()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # what "[[" may mean one day is no concern of who types
                self._compiled: Pattern[str] = regex.compile(pattern, regex.IGNORECASE if any_case else 0)
        except (regex.error, OverflowError, RecursionError) as error:
            raise BadPattern(f"“{pattern}” is no regular expression: {error}") from error

    def found_in(self, line: str) -> bool:
        """Whether it is found in a line."""
        if self.too_slow:
            return False
        try:
            return self._compiled.search(line, timeout=LINE_S) is not None
        except TimeoutError:
            self.too_slow = True
            return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self._compiled == other._compiled

    def __hash__(self) -> int:
        return hash(self._compiled)


def refuse_slow(expression: Expression | None) -> None:
    """For who prints lines, and could not say why no more of them come. Raises Refused where it is too slow."""
    if expression is not None and expression.too_slow:
        title = f"“{expression.pattern}” takes too long for a line"
        raise Refused(title, hint="write it without repetitions of what is repeated already, as in (a+)+")


__all__ = ["BadPattern", "Expression", "refuse_slow"]
