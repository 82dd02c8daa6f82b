"""Rows as immutable data, and where the cursor goes when they change: pure. Knows no widths and no theme."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from widgets.line import Line


class LazyCells(NamedTuple):
    """Cells that are built only when their row is drawn. Two are equal where their sources are.

    looks: of a source, all that its cells show, made faster than they are, to be compared; None = only they tell.
    """

    build: Callable[[Any], tuple[Line, ...]]
    source: object
    looks: Callable[[Any], object] | None = None


class Row(NamedTuple):
    """One row. key: opaque and unique; content: one cell per column, or how to build them. stale: drawn quiet.

    heading: a group's header, drawn from its first cell over the whole width; its second says what can be done, where
    the cursor stands on it. open: the cursor may stand on this header, as on a row.
    """

    key: Hashable
    content: tuple[Line, ...] | LazyCells
    stale: bool = False
    heading: bool = False
    open: bool = False

    @property
    def selectable(self) -> bool:
        """Whether the cursor may stand on it."""
        return self.open or not self.heading

    @property
    def cells(self) -> tuple[Line, ...]:
        """The cells, built now where they are lazy."""
        content = self.content
        return content.build(content.source) if isinstance(content, LazyCells) else content


def looks_same(one: Row | None, other: Row | None) -> bool:
    """Whether both are drawn alike, though what they are made of differs: a reading of 0.01 % more, say."""
    if one is None or other is None:
        return one is other
    if (one.key, one.stale, one.heading) != (other.key, other.stale, other.heading):
        return False
    a, b = one.content, other.content
    if isinstance(a, LazyCells) and isinstance(b, LazyCells) and a.looks is not None and a.looks is b.looks:
        return a.looks(a.source) == a.looks(b.source)
    return one.cells == other.cells


def index_of(rows: Sequence[Row]) -> Mapping[Hashable, int]:
    """Where each selectable row stands."""
    return {row.key: index for index, row in enumerate(rows) if row.selectable}


def marked_all(rows: Sequence[Row], marks: Mapping[Hashable, None], *, invert: bool = False) -> dict[Hashable, None]:
    """The marks after all were marked, or none where all were; invert: those that were not, instead of those that were.

    marks: in the order in which they were made. Headers are never marked.
    """
    others = dict.fromkeys(row.key for row in rows if not row.heading and row.key not in marks)
    return others if invert or not others else {**marks, **others}


def nearest_survivor(old: Sequence[Row], position: int, index: Mapping[Hashable, int]) -> Hashable | None:
    """The key, still there, of the old row nearest to the position: below first, then above; None if none is left."""
    for distance in range(1, len(old) + 1):
        for candidate in (position + distance, position - distance):
            if 0 <= candidate < len(old) and old[candidate].key in index:
                return old[candidate].key
    return next(iter(index), None)


def step(rows: Sequence[Row], position: int, by: int) -> int:
    """The selectable row that lies `by` selectable rows from the position, stopped at the ends; -1 if there is none."""
    choices = [index for index, row in enumerate(rows) if row.selectable]
    if not choices:
        return -1
    here = next((order for order, index in enumerate(choices) if index >= position), len(choices) - 1)
    return choices[min(len(choices) - 1, max(0, here + by))]
