"""One row, header or group header as spans of exactly one line: pure. Knows no terminal."""

from __future__ import annotations

from collections.abc import Sequence

from widgets.line import BLANK, Line, Span, Tone
from widgets.table_layout import Slot
from widgets.table_rows import Row
from widgets.text import cut_line, fit_line, line_width

CURSOR = "▌"
MARK = "✓"
# What is quiet is raised on the cursor's background, to be read there as well; a stale row has one quiet tone.
_AT_CURSOR: dict[Tone, Tone] = {Tone.DIM: Tone.PLAIN, Tone.FAINT: Tone.DIM}
_STALE: dict[Tone, Tone] = {tone: Tone.DIM for tone in Tone if tone is not Tone.FAINT}


def row_line(row: Row, slots: Sequence[Slot], width: int, *, at_cursor: bool, marked: bool) -> Line:
    """A row under its columns; cursor and mark stand as signs at its left, so that they show without colour."""
    spans: list[Span] = []
    x = 2
    cells = row.cells
    for slot in slots:
        cell = cells[slot.index] if slot.index < len(cells) else BLANK
        spans.append(Span(" " * (slot.x - x)))
        spans.extend(fit_line(cell, slot.width, slot.column.align, slot.column.cut))
        x = slot.x + slot.width
    tones = _STALE if row.stale else _AT_CURSOR if at_cursor else None
    if tones is not None:
        spans = [Span(text, tones.get(tone, tone)) for text, tone in spans]
    signs = (Span(CURSOR if at_cursor else " ", Tone.INFO), Span(MARK if marked else " ", Tone.ACCENT))
    return fit_line((*signs, *spans), width)


def heading_line(row: Row, width: int, *, at_cursor: bool = False) -> Line:
    """A group's header with a rule to the right edge; under the cursor it says what can be done to the group."""
    title, *more = row.cells or (BLANK,)
    said = more[0] if more and at_cursor else BLANK
    spans = cut_line((*title, *said), max(0, width - 4))
    rule = Span(" " + "─" * max(0, width - line_width(spans) - 4), Tone.FAINT)
    signs = (Span(CURSOR, Tone.INFO), Span(" ")) if at_cursor else (Span("  "),)
    return fit_line((*signs, *spans, rule), width)


def header_line(
    slots: Sequence[Slot], width: int, sort: tuple[str, bool] | None, more: tuple[bool, bool] = (False, False)
) -> Line:
    """The columns' titles. sort: (column, descending), marked by an arrow. more: columns hidden at the left, right."""
    spans: list[Span] = []
    x = 0
    for slot in slots:
        spans.append(Span(" " * (slot.x - x)))
        title, tone = slot.column.title, Tone.HEADING
        if sort is not None and sort[0] == slot.column.key:
            # The arrow stands at the side where it does not move the title away from its numbers.
            arrow = "▼" if sort[1] else "▲"
            title = f"{arrow}{title}" if slot.column.align == "right" else f"{title}{arrow}"
            tone = Tone.STRONG
        spans.extend(fit_line((Span(title, tone),), slot.width, slot.column.align))
        x = slot.x + slot.width
    left, right = Span("◂" if more[0] else "", Tone.INFO), Span("▸" if more[1] else "", Tone.INFO)
    return (*fit_line((left, *_shifted(spans, len(left.text))), width - len(right.text)), right)


def _shifted(spans: Sequence[Span], cells: int) -> Sequence[Span]:
    """The spans with so many cells of the blank at their left taken away."""
    first, *rest = spans or [Span("")]
    return (Span(first.text[cells:], first.tone), *rest)
