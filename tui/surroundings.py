"""What the terminal around us can do, read from the environment: characters, clipboard. Draws nothing."""

from __future__ import annotations

import locale
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backends.services.doctor import Diagnosis

MIN_COLUMNS, MIN_LINES = 40, 12
"""Below that nothing useful can be shown."""


def plain_borders(environ: Mapping[str, str], encoding: str | None = None) -> bool:
    """Whether borders and signs are to be ASCII: the locale says that it is not UTF-8, or TRANSHIP_ASCII is set.

    Where no locale is set, as in many containers, nothing is said of the terminal: those of today are UTF-8.
    """
    asked = environ.get("TRANSHIP_ASCII", "")
    if asked:
        return asked != "0"
    name = encoding if encoding is not None else locale_encoding(environ)
    return name.lower().replace("-", "").replace("_", "") != "utf8"


def locale_encoding(environ: Mapping[str, str]) -> str:
    """The terminal's encoding as the locale says it: Python says UTF-8 also where LANG is C (PEP 538, 540)."""
    name = next((environ[key] for key in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(key)), "")
    if not name:
        return "utf-8"
    base, _, charset = name.partition("@")[0].partition(".")
    if charset:
        return charset
    return "ascii" if base in {"C", "POSIX"} else locale.getpreferredencoding(do_setlocale=False)


def examine_terminal(environ: Mapping[str, str]) -> list[Diagnosis]:
    """What of the terminal keeps the screen from being as it could be."""
    from backends.services.doctor import Diagnosis, Level

    found = []
    if plain_borders(environ):
        sentence = f"the locale's characters are {locale_encoding(environ)}: borders and signs are plain ASCII"
        found.append(Diagnosis("terminal", Level.NOTE, sentence, "`export LANG=C.UTF-8` where the terminal is UTF-8"))
    if environ.get("TERM", "dumb") in {"dumb", ""}:
        hint = "`export TERM=xterm-256color` where the terminal is one"
        found.append(Diagnosis("terminal", Level.NOTE, "TERM says that it can do nothing: no screen, plain text", hint))
    if environ.get("TMUX"):
        hint = "`tmux set -s set-clipboard on` where what is copied does not arrive"
        found.append(Diagnosis("terminal", Level.NOTE, "inside tmux the clipboard is tmux's to pass on (OSC 52)", hint))
    elif environ.get("STY"):
        found.append(Diagnosis("terminal", Level.NOTE, "GNU screen does not pass the clipboard on (OSC 52)"))
    return found


def too_small(columns: int, lines: int) -> str:
    """What to say in place of a screen that has no room; "" where it has."""
    if columns >= MIN_COLUMNS and lines >= MIN_LINES:
        return ""
    return f"Tranship needs {MIN_COLUMNS}×{MIN_LINES} characters; here are {columns}×{lines}."
