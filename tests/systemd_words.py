"""A command line as systemd reads it, for what Podman's generator writes. No test.

Source: systemd.syntax(7), "Quoting"; systemd.service(5), "Command lines"; systemd.unit(5), "Specifiers".
"""

from __future__ import annotations

import re

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "s": " ", "\\": "\\"}
_OWN = {"%t": "/run", "%N": "unit", "%n": "unit.service", "%%": "%"}


def command_words(line: str) -> list[str]:
    """The words of ExecStart=, specifiers and dollars put in. Raises ValueError for one that would be a variable."""
    return [_expanded(word) for word in _split(line)]


def _split(line: str) -> list[str]:
    words: list[str] = []
    word: list[str] | None = None
    quote, at = "", 0
    while at < len(line):
        one = line[at]
        at += 1
        if one == "\\":
            text, at = _escape(line, at)
            word = [*(word or []), text]
        elif quote:
            if one == quote:
                quote = ""
            else:
                word = [*(word or []), one]
        elif one in "\"'":
            quote, word = one, word or []
        elif one in " \t\n\r":  # WHITESPACE, systemd's src/basic/string-util.h
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            word = [*(word or []), one]
    if quote:
        raise ValueError(f"a quote without an end: {line!r}")
    return words if word is None else [*words, "".join(word)]


def _escape(line: str, at: int) -> tuple[str, int]:
    """The character of an escape behind the backslash, and what follows it."""
    for kind, size, base in (("x", 2, 16), ("u", 4, 16), ("U", 8, 16)):
        if line[at] == kind:
            return chr(int(line[at + 1 : at + 1 + size], base)), at + 1 + size
    if line[at] in "01234567":
        return chr(int(line[at : at + 3], 8)), at + 3
    return _ESCAPES.get(line[at], line[at]), at + 1


def _expanded(word: str) -> str:
    word = re.sub("%.", lambda found: _OWN[found.group()], word)
    if re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", word.replace("$$", "")):
        raise ValueError(f"systemd would put in a variable: {word!r}")
    return word.replace("$$", "$")


__all__ = ["command_words"]
