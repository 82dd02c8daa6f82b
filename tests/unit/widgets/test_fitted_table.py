"""A fitted table's columns: as wide as their longest text so far, and not measured where there are many rows."""

from __future__ import annotations

from collections.abc import Sequence

from widgets.fitted_table import MEASURED_ROWS, FittedTable
from widgets.line import line
from widgets.table_layout import Column, lay_out
from widgets.table_rows import Row

COLUMNS = (
    Column("name", "NAME", 8, flex=1, most=40),
    Column("size", "SIZE", 6, align="right"),
    Column("about", "ABOUT", 8, flex=1),
)


def rows(*names: str) -> list[Row]:
    """A row for each name."""
    return [Row(name, (line(name), line("1 B"), line("short"))) for name in names]


def widths(table: FittedTable, shown: Sequence[Row]) -> list[int]:
    """How wide the columns are when these rows are shown in 120 cells."""
    table.show_rows(shown)
    return [slot.width for slot in lay_out(table._columns, 120)]


def test_columns_grow_to_their_longest_text_and_do_not_jump_back() -> None:
    table = FittedTable(COLUMNS)
    assert widths(table, [Row("group", (line("a heading of any length"), line("")), heading=True)]) == [40, 6, 66]
    assert widths(table, rows("a", "twelve cells")) == [12, 6, 8]
    assert widths(table, rows("a")) == [12, 6, 8]
    assert widths(table, rows("x" * 60)) == [40, 6, 8]


def test_other_columns_keep_what_was_measured() -> None:
    table = FittedTable(COLUMNS)
    widths(table, rows("twelve cells"))
    table.set_columns((COLUMNS[0], COLUMNS[2]))
    assert [slot.width for slot in lay_out(table._columns, 120)] == [12, 8]


def test_a_long_list_is_not_measured() -> None:
    table = FittedTable(COLUMNS)
    assert widths(table, rows(*map(str, range(MEASURED_ROWS + 1)))) == [40, 6, 66]
