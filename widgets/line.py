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
    DOCKER = "docker"  # the engines have hues of their own, so that no badge looks like a warning
    PODMAN = "podman"


class Span(NamedTuple):
    """A piece of text with one tone. The text is inert and has no newline."""

    text: str
    tone: Tone = Tone.PLAIN


Line: TypeAlias = tuple[Span, ...]
"""One line, or one cell of a table."""

BLANK: Line = ()


def line(*parts: str | Span | tuple[str, Tone]) -> Line:
    """A line of the parts given; bare strings are plain, empty parts are left out."""
    spans = (Span(part) if isinstance(part, str) else Span(*part) for part in parts)
    return tuple(span for span in spans if span.text)


def toned(spans: Iterable[Span], tone: Tone) -> Line:
    """The same text, all in one tone."""
    return tuple(Span(span.text, tone) for span in spans)


def plain(spans: Iterable[Span]) -> str:
    """The text alone."""
    return "".join(span.text for span in spans)
