"""A table whose columns are no wider than what stands in them, so that a name and its numbers are read as one line.

Knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from widgets.line import Line
from widgets.live_table import LiveTable
from widgets.table_layout import Column
from widgets.table_rows import Row
from widgets.text import line_width

MEASURED_ROWS = 300  # of more rows the cells are not built only to be measured


class FittedTable(LiveTable):
    """As LiveTable; its flexible columns grow to their longest text only, and never shrink again while it lives."""

    def __init__(self, columns: Sequence[Column], *, empty: str = "Nothing to show", id: str | None = None) -> None:
        super().__init__(columns, empty=empty, id=id)
        self._wished = tuple(columns)
        self._cells: dict[str, int] = {}

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns from now on; the widths that their texts had so far stay."""
        self._wished = tuple(columns)
        super().set_columns(self._fitted())

    def show_rows(self, rows: Sequence[Row], *, empty: Sequence[Line] | None = None) -> None:
        """Take a new snapshot, and measure it."""
        if len(rows) <= MEASURED_ROWS:
            for cells in (row.cells for row in rows if not row.heading):
                for place, column in enumerate(self._wished):
                    if column.flex:
                        wide = line_width(cells[place if column.cell is None else column.cell])
                        self._cells[column.key] = max(self._cells.get(column.key, 0), wide)
        else:
            self._cells.clear()
        super().set_columns(self._fitted())
        super().show_rows(rows, empty=empty)

    def _fitted(self) -> tuple[Column, ...]:
        return tuple(self._fit(column) for column in self._wished)

    def _fit(self, column: Column) -> Column:
        cells = self._cells.get(column.key, 0)
        if not column.flex or not cells:
            return column
        most = max(column.width, cells)
        return replace(column, most=min(most, column.most) if column.most else most)


__all__ = ["MEASURED_ROWS", "FittedTable"]
