"""Which columns a person wants, and in which order: pure. Knows no rows, no file and no terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from widgets.table_layout import Column

ALWAYS = frozenset({"name"})
"""Columns that cannot be hidden: without them no row can be told from another."""


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """order: keys of columns, left to right; those not named stand where they usually do. hidden: not shown."""

    order: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()

    def turned(self, key: str) -> ColumnChoice:
        """Shown where it was hidden, hidden where it was shown; one of ALWAYS stays."""
        return self if key in ALWAYS else replace(self, hidden=self.hidden ^ {key})

    def moved(self, usual: Sequence[str], key: str, by: int) -> ColumnChoice:
        """The column `by` places further right, stopped at the ends. usual: all keys, as they stand by themselves."""
        keys = in_order(self, usual)
        place = keys.index(key)
        keys.insert(min(len(keys) - 1, max(0, place + by)), keys.pop(place))
        return replace(self, order=() if keys == list(usual) else tuple(keys))


USUAL = ColumnChoice()


def in_order(choice: ColumnChoice, usual: Sequence[str]) -> list[str]:
    """All keys of `usual`, the hidden too, in the order chosen; one that the choice does not name comes after the one
    that it usually follows."""
    keys = [key for key in dict.fromkeys(choice.order) if key in usual]
    for place, key in enumerate(usual):
        if key not in keys:
            keys.insert(keys.index(usual[place - 1]) + 1 if place else 0, key)
    return keys


def arranged(columns: Sequence[Column], choice: ColumnChoice) -> tuple[Column, ...]:
    """The columns to show. Each still shows its own cell of the rows, which have one for every column in `columns`."""
    if choice == USUAL:
        return tuple(columns)
    by_key = {column.key: replace(column, cell=place) for place, column in enumerate(columns)}
    hidden = choice.hidden - ALWAYS
    return tuple(by_key[key] for key in in_order(choice, list(by_key)) if key not in hidden)


__all__ = ["ALWAYS", "USUAL", "ColumnChoice", "arranged", "in_order"]
