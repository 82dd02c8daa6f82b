"""Columns as data, and how they share a width: pure. Knows no rows and no theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from widgets.text import Align, Cut

GUTTER = 3  # cells at the left of each row: cursor, mark, space
MARGIN = 1  # cells kept free at the right
GAP = 2  # cells between columns; 1 where the table is narrow, but never between texts that would read as one
NARROW = 100  # below this width the gap is 1


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    width: least cells, and all it gets unless flex. flex: its share of the room left over (0 = fixed).
    most: no wider than this (0 = no bound). priority: the greatest go first where the room is short; 0 = never hidden.
    fixed: stands on every page, where columns that do not fit are turned to page by page.
    cell: which cell of a row it shows, None = that of its own place.
    """

    key: str
    title: str
    width: int
    flex: int = 0
    most: int = 0
    align: Align = "left"
    cut: Cut = "end"
    priority: int = 0
    sortable: bool = True
    fixed: bool = False
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A column as it is drawn: from cell x, so many cells wide; index: of its cell in each row."""

    column: Column
    index: int
    x: int
    width: int


def pages(columns: Sequence[Column], width: int) -> list[list[int]]:
    """Which columns stand together, by index: the most important that fit, then those left over; at least one page."""
    found: list[list[int]] = []
    left = list(range(len(columns)))
    while not found or any(not columns[index].fixed for index in left):
        shown = list(left)
        while _taken([columns[index] for index in shown], width) > width:
            hideable = [index for index in shown if columns[index].priority]
            if not hideable:
                break
            shown.remove(max(hideable, key=lambda index: (columns[index].priority, index)))
        if found and all(columns[index].fixed for index in shown):
            break  # too narrow for any of those left over
        found.append(shown)
        left = [index for index in left if columns[index].fixed or index not in shown]
    return found


def _taken(columns: Sequence[Column], width: int) -> int:
    return GUTTER + MARGIN + sum(column.width for column in columns) + sum(_gaps(columns, width))


def _gaps(columns: Sequence[Column], width: int) -> list[int]:
    """Cells between each column and the next. What ends at the right beside what begins at the left: "OWN  USED BY"."""
    return [
        1 if width < NARROW and (one.align == other.align or one.align == "left") else GAP
        for one, other in pairwise(columns)
    ]


def lay_out(columns: Sequence[Column], width: int, page: int = 0) -> tuple[Slot, ...]:
    """The columns of a page (see `pages`), left to right, the room left over shared among the flexible ones."""
    every = pages(columns, width)
    shown = every[min(page, len(every) - 1)]
    grown = _grow([columns[index] for index in shown], max(0, width - _taken([columns[i] for i in shown], width)))
    slots: list[Slot] = []
    x = GUTTER
    for index, gap in zip(shown, [*_gaps([columns[index] for index in shown], width), 0], strict=True):
        column = columns[index]
        cells = max(0, min(grown[column.key], width - MARGIN - x))
        slots.append(Slot(column, index if column.cell is None else column.cell, x, cells))
        x += cells + gap
    return tuple(slots)


def _grow(columns: Sequence[Column], room: int) -> Mapping[str, int]:
    """Each column's width after the room was handed out cell by cell in the ratio of flex, up to `most`."""
    widths = {column.key: column.width for column in columns}
    while room > 0:
        growing = [c for c in columns if c.flex and (not c.most or widths[c.key] < c.most)]
        if not growing:
            break
        # The one that has the least of its due gets the next cell: even growth without rounding losses.
        column = min(growing, key=lambda c: (widths[c.key] - c.width + 1) / c.flex)
        widths[column.key] += 1
        room -= 1
    return widths


def column_at(slots: Sequence[Slot], x: int) -> Column | None:
    """The column drawn at cell x (its gap at the right included), None beside them."""
    found: Column | None = None
    for slot in slots:
        if x >= slot.x:
            found = slot.column
    return found if x >= GUTTER else None
