"""How grave a log line is, as its own words say. Pure; reads at most the line's first part."""

from __future__ import annotations

import re
from enum import IntEnum

_LOOKED_AT = 240  # characters in which a line names its level


class LogLevel(IntEnum):
    """Ordered: a filter asks for "at least"."""

    TRACE = 0
    DEBUG = 1
    INFO = 2
    WARNING = 3
    ERROR = 4
    FATAL = 5


_WORDS = {
    "trace": LogLevel.TRACE,
    "debug": LogLevel.DEBUG,
    "dbg": LogLevel.DEBUG,
    "info": LogLevel.INFO,
    "notice": LogLevel.INFO,
    "log": LogLevel.INFO,  # PostgreSQL
    "warn": LogLevel.WARNING,
    "warning": LogLevel.WARNING,
    "error": LogLevel.ERROR,
    "err": LogLevel.ERROR,
    "exception": LogLevel.ERROR,
    "critical": LogLevel.FATAL,
    "crit": LogLevel.FATAL,
    "alert": LogLevel.FATAL,
    "emerg": LogLevel.FATAL,
    "fatal": LogLevel.FATAL,
    "panic": LogLevel.FATAL,
}
_LETTERS = {
    "T": LogLevel.TRACE,
    "D": LogLevel.DEBUG,
    "I": LogLevel.INFO,
    "W": LogLevel.WARNING,
    "E": LogLevel.ERROR,
    "C": LogLevel.FATAL,
    "F": LogLevel.FATAL,
}
_ALTERNATIVES = "|".join(sorted(_WORDS, key=len, reverse=True))
# In capitals anywhere; in small letters only where something marks it as a level: "level=warn", '"level":"warn"',
# "[warn]", "warning:" at the start. So "no error was found" is none.
_CAPITALS = re.compile(rf"(?<![A-Za-z0-9_/-])({_ALTERNATIVES.upper()})(?![A-Za-z0-9_/-])")
_MARKED = re.compile(
    rf"(?:(?:\blevel|\blvl|\bseverity|\blevelname)\"?\s*[=:]\s*\"?|\[\s*)({_ALTERNATIVES})\b", re.IGNORECASE
)
_FIRST = re.compile(rf"\s*(?:[\w./-]+: )?({_ALTERNATIVES})(?=[:\s]\s*)", re.IGNORECASE)
# glog and Kubernetes ("E1128 02:10:11"), Jupyter and Tornado ("[W 2026-11-28 …]", "[I ServerApp]").
_LETTERED = re.compile(r"(?:([IWEF])\d{4} \d\d:)|(?:\[([TDIWECF]) )")
_PYTHON = re.compile(r"Traceback \(most recent call last\)|[A-Za-z_][\w.]*(?:Error|Exception|Interrupt)\b(?::|$)")


def level_of(text: str, before: LogLevel | None = None) -> LogLevel | None:
    """The level that a line names; None where it names none.

    before: of the line above it; an indented line that names none goes on with what that one said (a traceback).
    """
    part = text[:_LOOKED_AT]
    if found := _MARKED.search(part) or _FIRST.match(part):
        return _WORDS[found[1].lower()]
    if found := _LETTERED.match(part):
        return _LETTERS[found[1] or found[2]]
    if found := _CAPITALS.search(part):
        return _WORDS[found[1].lower()]
    if _PYTHON.match(part):
        return LogLevel.ERROR
    return before if part[:1] in {" ", "\t"} else None
