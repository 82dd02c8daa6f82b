"""Columns as data, and how they share a width: pure. Knows no rows and no theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from widgets.text import Align, Cut

GUTTER = 3  # cells at the left of each row: cursor, mark, space
MARGIN = 1  # cells kept free at the right
GAP = 2  # cells between columns; 1 where the table is narrow
NARROW = 100  # below this width the gap is 1


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    width: least cells, and all it gets unless flex. flex: its share of the room left over (0 = fixed).
    most: no wider than this (0 = no bound). priority: the greatest go first where the room is short; 0 = never hidden.
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


@dataclass(frozen=True, slots=True)
class Slot:
    """A column as it is drawn: from cell x, so many cells wide; index: of its cell in each row."""

    column: Column
    index: int
    x: int
    width: int


def lay_out(columns: Sequence[Column], width: int) -> tuple[Slot, ...]:
    """The columns that fit into the width, left to right, the room left over shared among the flexible ones."""
    gap = 1 if width < NARROW else GAP
    shown = list(enumerate(columns))

    def taken() -> int:
        return GUTTER + MARGIN + sum(column.width for _, column in shown) + gap * max(0, len(shown) - 1)

    while taken() > width:
        hideable = [entry for entry in shown if entry[1].priority]
        if not hideable:
            break
        shown.remove(max(hideable, key=lambda entry: (entry[1].priority, entry[0])))
    grown = _grow([column for _, column in shown], max(0, width - taken()))
    slots: list[Slot] = []
    x = GUTTER
    for index, column in shown:
        cells = max(0, min(grown[column.key], width - MARGIN - x))
        slots.append(Slot(column, index, x, cells))
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
