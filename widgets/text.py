"""Pure work on text from outside: make it inert, measure it in cells, cut and pad it. Knows no model and no theme."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from rich.cells import cell_len

from widgets.line import Line, Span, Tone, plain

ELLIPSIS = "…"
_SLACK = 16  # characters beyond the cells asked for that are looked at: room for combining ones
Align = Literal["left", "right"]
Cut = Literal["end", "middle"]

# ECMA-48 sequences: CSI; the string kinds (OSC, DCS, SOS, PM, APC) up to their terminator or the end; the rest.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)?"
    r"|\x1b[ -/]*[0-~]?"
)
# C0 and C1 controls, DEL, line separators; then what reorders or hides text: zero-width, bidi controls, soft hyphen,
# variation selectors (they change a cell's width in some terminals), interlinear and tag characters, surrogates.
_HARMFUL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_STAND_IN = "\ufffd"
_SAFE = re.compile(r"[ -~]*\Z")


def inert(text: str) -> str:
    """The text without anything that a terminal would obey: escapes go, newlines and tabs become spaces.

    Characters that hide or reorder text go too, so that two different names never look the same by trickery.
    """
    if _SAFE.match(text):
        return text
    text = _ESCAPES.sub("", text)
    text = text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ").replace("\t", " ")
    return _HARMFUL.sub("", text)


def harmless(text: str) -> str:
    """The text as many cells wide, each character that hides, reorders or is obeyed replaced where it takes a cell."""
    return _HARMFUL.sub(lambda found: _STAND_IN * cell_len(found.group()), text)


def width_of(text: str) -> int:
    """Cells that the text takes; wide characters (CJK, emoji) take two."""
    return len(text) if text.isascii() else cell_len(text)


def take_cells(text: str, cells: int) -> str:
    """The longest beginning that takes at most so many cells."""
    if cells <= 0:
        return ""
    if text.isascii():
        return text[:cells]
    # Measured as a whole, as the terminal library does: the cells of a cluster are not the sum of its characters'.
    end = min(len(text), cells + _SLACK)
    while end and (excess := cell_len(text[:end]) - cells) > 0:
        end -= (excess + 1) // 2  # no character takes more than two cells: at least so many are too many
    return text[:end]


def take_cells_end(text: str, cells: int) -> str:
    """The longest end that takes at most so many cells."""
    if cells <= 0:
        return ""
    if text.isascii():
        return text[-cells:]
    start = max(0, len(text) - cells - _SLACK)
    while start < len(text) and (excess := cell_len(text[start:]) - cells) > 0:
        start += (excess + 1) // 2
    return text[start:]


def cut_end(text: str, cells: int) -> str:
    """The text in at most so many cells, "…" in place of its end."""
    if width_of(text) <= cells:
        return text
    return take_cells(text, cells - 1).rstrip() + ELLIPSIS if cells > 0 else ""


def cut_middle(text: str, cells: int) -> str:
    """The text in at most so many cells, "…" in its middle: a long name is told by its two ends."""
    if width_of(text) <= cells:
        return text
    if cells < 5:
        return cut_end(text, cells)
    tail = (cells - 1) // 2
    return take_cells(text, cells - 1 - tail) + ELLIPSIS + take_cells_end(text, tail)


def pad(text: str, cells: int, align: Align = "left") -> str:
    """The text filled with spaces to so many cells (never cut)."""
    room = " " * (cells - width_of(text))
    return text + room if align == "left" else room + text


def line_width(spans: Sequence[Span]) -> int:
    """Cells that the spans take together."""
    return sum(width_of(span.text) for span in spans)


def cut_line(spans: Line, cells: int, cut: Cut = "end") -> Line:
    """The spans in at most so many cells. A single span may be cut in its middle, several are cut at the end."""
    if line_width(spans) <= cells:
        return spans
    if len(spans) == 1 and cut == "middle":
        return (Span(cut_middle(spans[0].text, cells), spans[0].tone),)
    kept: list[Span] = []
    room = cells
    for span in spans:
        taken = width_of(span.text)
        if taken >= room:
            # Whatever is left does not fit: the mark of the cut stands in the last span that shows.
            kept.append(Span(take_cells(span.text, room - 1).rstrip() + ELLIPSIS if room > 0 else "", span.tone))
            break
        kept.append(span)
        room -= taken
    return tuple(span for span in kept if span.text)


def fit_line(spans: Line, cells: int, align: Align = "left", cut: Cut = "end") -> Line:
    """The spans in exactly so many cells: cut where too long, padded where too short."""
    if cells <= 0:
        return ()
    room = cells - line_width(spans)
    if room < 0:
        spans = cut_line(spans, cells, cut)
        room = cells - line_width(spans)
    if room <= 0:
        return spans
    space = Span(" " * room)
    return (*spans, space) if align == "left" else (space, *spans)


def wrap(text: str, cells: int) -> list[str]:
    """The text in lines of at most so many cells, broken at spaces where there are any; at least one line."""
    lines: list[str] = []
    current = ""
    for word in text.split():
        candidate = f"{current} {word}" if current else word
        if width_of(candidate) <= cells:
            current = candidate
            continue
        if current:
            lines.append(current)
        *broken, current = _broken(word, cells)
        lines += broken
    return [*lines, current] if current or not lines else lines


def _broken(word: str, cells: int) -> list[str]:
    """A word in parts of at most so many cells; each looks at no more of it than may fit: a word may be a megabyte."""
    if cells <= 0:
        return [word]
    parts, start = [], 0
    while len(word) - start > cells + _SLACK or width_of(word[start:]) > cells:
        head = take_cells(word[start : start + cells + _SLACK], cells) or word[start]
        parts.append(head)
        start += len(head)
    return [*parts, word[start:]]


_SIGNS = frozenset({"· ", "✓ ", "✕ ", "▲ ", "▸ ", "→ "})
"""With what a sentence of a list begins: its further lines stand below its words."""


def paragraph(text: str, tone: Tone, cells: int, *, indent: str = "  ") -> list[Line]:
    """Foreign text as indented lines of one tone, wrapped to the width."""
    room, text = max(8, cells - 2 * len(indent)), inert(text)
    sign, words = (text[:2], text[2:]) if text[:2] in _SIGNS else ("", text)
    parts = wrap(words, room - len(sign))
    return [(Span(f"{indent}{' ' * len(sign) if at else sign}{part}", tone),) for at, part in enumerate(parts)]


__all__ = [
    "ELLIPSIS",
    "Align",
    "Cut",
    "cut_end",
    "cut_line",
    "cut_middle",
    "fit_line",
    "harmless",
    "inert",
    "line_width",
    "pad",
    "paragraph",
    "plain",
    "take_cells",
    "take_cells_end",
    "width_of",
    "wrap",
]
