"""What every pane draws: lines of spans, each with a tone (a meaning, not a colour). Knows no terminal and no theme."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Tone(StrEnum):
    """What a piece of text means; the theme gives it a colour. Meaning never stands in the colour alone."""

    PLAIN = "plain"
    DIM = "dim"
    FAINT = "faint"  # rules and empty parts of bars
    STRONG = "strong"
    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    ACCENT = "accent"
    INFO = "info"
    HEADING = "heading"
    OK_AREA = "ok-area"  # what a curve fills: large, so it is quieter than text of the same meaning
    INFO_AREA = "info-area"
    DOCKER = "docker"  # the engines have hues of their own, so that no badge looks like a warning
    PODMAN = "podman"
    CLUSTER = "cluster"


class Span(NamedTuple):
    """A piece of text with one tone. The text is inert and has no newline."""

    text: str
    tone: Tone = Tone.PLAIN


Line: TypeAlias = tuple[Span, ...]
"""One line, or one cell of a table."""

BLANK: Line = ()


def line(*parts: str | Span | tuple[str, Tone]) -> Line:
    """A line of the parts given; bare strings are plain, empty parts are left out."""
    spans: list[Span] = []
    for part in parts:
        span = Span(part) if isinstance(part, str) else Span(*part)
        if span.text:
            spans.append(span)
    return tuple(spans)


def plain(spans: Iterable[Span]) -> str:
    """The text alone."""
    return "".join(span.text for span in spans)
