"""What can be told of a Containerfile by its text alone: its instructions with their lines. Pure; builds nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HERE = re.compile(r"\d*<<-?([\"']?)([A-Za-z_][A-Za-z0-9_.-]*)\1(?=\s|$)")
_ESCAPE = re.compile(r"#\s*escape\s*=\s*(\S)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Instruction:
    """line: the first one, from 1. text: in one line, each space once; here: the words that end its here-documents."""

    line: int
    text: str
    here: tuple[str, ...] = ()


def instructions(text: str) -> tuple[Instruction, ...]:
    """All of them, comments left out, lines that go on put together.

    Source: docs.docker.com/reference/dockerfile ("Format", "Here-documents").
    """
    return tuple(_read(text.splitlines()))


def _read(lines: list[str]) -> Iterator[Instruction]:
    escape, at = _escape_of(lines), 0
    while at < len(lines):
        first = at + 1
        parts: list[str] = []
        goes_on = True
        while goes_on and at < len(lines):
            words = lines[at].strip()
            at += 1
            if words.startswith("#") or not words:
                goes_on = bool(parts)  # comments between the lines of one instruction are no part of it
                continue
            goes_on = words.endswith(escape)
            parts.append(words.removesuffix(escape).strip())
        whole = " ".join(" ".join(parts).split())
        if not whole:
            continue
        here = tuple(found[2] for found in _HERE.finditer(whole)) if _takes_documents(whole) else ()
        for word in here:
            while at < len(lines) and lines[at].lstrip("\t") != word:
                at += 1
            at += 1
        yield Instruction(first, whole, here)


def _takes_documents(text: str) -> bool:
    return text.split(maxsplit=1)[0].upper() in {"RUN", "COPY", "ADD"}


def _escape_of(lines: list[str]) -> str:
    for line in lines:
        if not line.startswith("#"):
            break
        found = _ESCAPE.match(line)
        if found is not None:
            return found[1]
    return "\\"


def line_of(text: str, instruction: str) -> int | None:
    """The line of a step as a builder names it; None where none or several fit."""
    wanted = " ".join(instruction.split())
    found = [one.line for one in instructions(text) if one.text == wanted]
    return found[0] if len(found) == 1 else None


def stages(text: str) -> tuple[str, ...]:
    """The names of its stages, in order; those without a name are left out."""
    names = []
    for one in instructions(text):
        words = one.text.split()
        if words[0].upper() == "FROM" and len(words) >= 4 and words[-2].upper() == "AS":
            names.append(words[-1])
    return tuple(names)


__all__ = ["Instruction", "instructions", "line_of", "stages"]
