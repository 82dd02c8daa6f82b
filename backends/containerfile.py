"""What can be told of a Containerfile by its text alone: its instructions with their lines. Pure; builds nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_HERE = re.compile(r"\d*<<-?([\"']?)([A-Za-z_][A-Za-z0-9_.-]*)\1(?=\s|$)")
_VARIABLE = re.compile(r"\$\{[^}]*\}|\$\w+")
_ESCAPE = re.compile(r"#\s*escape\s*=\s*(\S)", re.IGNORECASE)


_NEWER = re.compile(
    r"RUN\s+(?:--\S+\s+)*--(?:mount|network|security|device)\b|"
    r"(?:COPY|ADD)\s+(?:--\S+\s+)*--(?:chmod|link|parents|exclude|checksum|keep-git-dir|unpack)\b|"
    r"ARG\s+(?:.*\s)?(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)\b",
    re.IGNORECASE,
)
"""Source: docs.docker.com/reference/dockerfile: options, and ARGs that have values by themselves, of BuildKit only."""


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
    return tuple(_read([line.removesuffix("\r") for line in text.split("\n")]))


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


def beyond_classic(instruction: Instruction) -> bool:
    """Whether Docker's classic builder does not know it (RUN --mount), or does something else without a word: it runs
    nothing of a here-document, and TARGETARCH is empty there.
    """
    return bool(instruction.here) or _NEWER.match(instruction.text) is not None


def written(texts: Iterable[str], shown: str) -> str | None:
    """The instruction as it stands in the file, of which a builder shows this: with values in place of variables."""
    wanted = " ".join(shown.split())
    return next((text for text in texts if _fits(text, wanted)), None)


def _fits(text: str, shown: str) -> bool:
    first, *rest = _VARIABLE.split(text)
    if not rest:
        return text == shown
    *between, last = rest
    if not (shown.startswith(first) and shown.endswith(last)):
        return False
    at = len(first)
    for piece in between:
        found = shown.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return at <= len(shown) - len(last)


def line_of(text: str, instruction: str) -> int | None:
    """The line of a step as a builder names it; None where none or several fit."""
    wanted = " ".join(instruction.split())
    found = [one.line for one in instructions(text) if one.text == wanted]
    return found[0] if len(found) == 1 else None


def stages(text: str) -> tuple[str, ...]:
    """The names of its stages, in order; those without a name are left out."""
    return tuple(name for name in stage_names(one.text for one in instructions(text)) if name)


def stage_names(texts: Iterable[str]) -> list[str]:
    """Of each stage, "" for one without a name. texts: of the instructions."""
    named = []
    for text in texts:
        words = text.split()
        if words[0].upper() == "FROM":
            named.append(words[-1] if len(words) >= 4 and words[-2].upper() == "AS" else "")
    return named


def base_images(texts: Iterable[str]) -> tuple[str, ...]:
    """The images that FROM names, stages and names with variables left out. texts: of the instructions."""
    found: dict[str, None] = {}
    stages: set[str] = set()
    for text in texts:
        words = [word for word in text.split() if not word.startswith("--")]
        if len(words) < 2 or words[0].upper() != "FROM":
            continue
        if words[1].lower() not in stages and "$" not in words[1] and words[1] != "scratch":
            found[words[1]] = None
        stages |= {words[-1].lower()} if len(words) >= 4 else set()
    return tuple(found)


__all__ = [
    "Instruction",
    "base_images",
    "beyond_classic",
    "instructions",
    "line_of",
    "stage_names",
    "stages",
    "written",
]
