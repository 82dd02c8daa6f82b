"""A table for rows that change several times a second: line API, keyed cursor, marks. Knows no model.

It draws an immutable snapshot of rows; only the lines that really changed are drawn again, and lines out of sight cost
nothing (DECISIONS 1: a DataTable answers keys ten times slower here).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from widgets.line import Line, Span, Tone, line
from widgets.line_view import LineView
from widgets.palette import Palette, cursor_style, mark_style, strip_of
from widgets.table_draw import header_line, heading_line, row_line
from widgets.table_layout import Column, Slot, column_at, lay_out, pages
from widgets.table_rows import Row, index_of, looks_same, marked_all, nearest_survivor, step
from widgets.text import fit_line

HEADER_LINES = 1
_CACHED_LINES = 512  # strips kept: more than any screen has lines


@dataclass(frozen=True, slots=True)
class _Look:
    """Styles resolved once per theme, size and focus."""

    palette: Palette
    cursor: Style
    mark: Style


class LiveTable(LineView):
    """Rows under a fixed header. Feed it by `show_rows`; it never asks for data by itself."""

    # The moves are done before the next key is looked at (priority): of keys that arrive at once, as over a slow link,
    # “down, d” must ask about the row below.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, priority=True, id="table.up"),
        Binding("down,j", "move(1)", "Down", show=False, priority=True, id="table.down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, priority=True, id="table.page-up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, priority=True, id="table.page-down"),
        Binding("home,g", "first", "First", show=False, priority=True, id="table.first"),
        Binding("end,G", "last", "Last", show=False, priority=True, id="table.last"),
        Binding("left", "turn(-1)", "Columns left", show=False, id="table.left"),
        Binding("right", "turn(1)", "Columns right", show=False, id="table.right"),
        Binding("space", "mark", "Mark", show=False, priority=True, id="table.mark"),
        Binding("asterisk", "mark_all", "Mark all", show=False, priority=True, id="table.mark-all"),
        Binding("enter", "select", "Open", show=False, id="table.select"),
    ]

    class Told(Message):
        """What all its messages share."""

        def __init__(self, table: LiveTable) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> LiveTable:
            """The table, so that `@on` can filter by selector."""
            return self.table

    class RowHighlighted(Told):
        """The cursor is on another row; key is None where the table is empty."""

        def __init__(self, table: LiveTable, key: Hashable | None) -> None:
            super().__init__(table)
            self.key = key

    class RowSelected(RowHighlighted):
        """Enter or a double click on a row."""

    class MarksChanged(Told):
        """Rows were marked or unmarked."""

        def __init__(self, table: LiveTable, keys: tuple[Hashable, ...]) -> None:
            super().__init__(table)
            self.keys = keys

    class HeaderSelected(Told):
        """A click on the header of a sortable column; column: its key."""

        def __init__(self, table: LiveTable, column: str) -> None:
            super().__init__(table)
            self.column = column

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str = "Nothing to show",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._columns = tuple(columns)
        self._empty: tuple[Line, ...] = (line((empty, Tone.DIM)),)
        self._rows: tuple[Row, ...] = ()
        self._index = index_of(())
        self._position = -1
        self._cursor: Hashable | None = None
        self._marks: dict[Hashable, None] = {}
        self._sort: tuple[str, bool] | None = None
        self._slots: tuple[Slot, ...] = ()
        self._page, self._more = 0, (False, False)  # columns further left, further right
        self._look: _Look | None = None
        self._strips: LRUCache[tuple[Hashable, bool, bool], tuple[Row, Strip]] = LRUCache(_CACHED_LINES)

    # -- what is shown -----------------------------------------------------------------------------
    def show_rows(self, rows: Sequence[Row], *, empty: Sequence[Line] | None = None) -> None:
        """Take a new snapshot. The cursor stays on its key; where that is gone it goes to the nearest neighbour.

        empty: what to say where there are no rows.
        """
        old, old_empty, old_cursor = self._rows, self._empty, self._cursor
        self._rows = tuple(rows)
        self._index = index_of(self._rows)
        if empty is not None:
            self._empty = tuple(empty)
        self._forget_marks()
        was_seen = self._in_sight(self._position)
        self._keep_cursor(old)
        if len(old) != len(self._rows):
            self.virtual_size = Size(self._width, len(self._rows) + HEADER_LINES)
        if not old or not self._rows:
            if old or self._rows or old_empty != self._empty:
                self.refresh()
        else:
            self._refresh_changed(old)
            if self._cursor != old_cursor:
                self._refresh_row(self._position)
        if was_seen:
            self._reveal()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns from now on; rows of the next `show_rows` have one cell for each."""
        if tuple(columns) != self._columns:
            self._columns = tuple(columns)
            self._forget_layout()

    def set_sort(self, column: str, descending: bool) -> None:
        """Mark a column's header as the one that the rows are sorted by (the rows come sorted)."""
        if (column, descending) != self._sort:
            self._sort = (column, descending)
            self.refresh(Region(0, 0, self._width, HEADER_LINES))

    @property
    def rows(self) -> tuple[Row, ...]:
        """The snapshot that is drawn."""
        return self._rows

    @property
    def cursor_key(self) -> Hashable | None:
        """The key of the row under the cursor, None where there is no row."""
        return self._cursor

    @property
    def marked_keys(self) -> tuple[Hashable, ...]:
        """Marked rows, in the order in which they were marked."""
        return tuple(self._marks)

    def move_to(self, key: Hashable) -> None:
        """Put the cursor on a row; a key that is not there is ignored."""
        if key in self._index:
            self._go(self._index[key])

    def toggle_mark(self) -> None:
        """Mark or unmark the row under the cursor."""
        if self._cursor is None or self._rows[self._position].heading:
            return
        if self._cursor in self._marks:
            del self._marks[self._cursor]
        else:
            self._marks[self._cursor] = None
        self._refresh_row(self._position)
        self.post_message(self.MarksChanged(self, self.marked_keys))

    def action_mark_all(self, *, invert: bool = False) -> None:
        """Mark all rows, or none where all are marked. invert: those that are not marked, instead of those that are."""
        self._marks = marked_all(self._rows, self._marks, invert=invert)
        self.refresh()
        self.post_message(self.MarksChanged(self, self.marked_keys))

    def clear_marks(self) -> None:
        """Unmark all."""
        if self._marks:
            self._marks.clear()
            self.refresh()
            self.post_message(self.MarksChanged(self, ()))

    # -- cursor ------------------------------------------------------------------------------------
    def _keep_cursor(self, old: Sequence[Row]) -> None:
        key = self._cursor
        if key is None or key not in self._index:
            key = nearest_survivor(old, self._position, self._index)
        self._position = self._index[key] if key is not None else -1
        if key != self._cursor:
            self._cursor = key
            self.post_message(self.RowHighlighted(self, key))

    def _forget_marks(self) -> None:
        gone = [key for key in self._marks if key not in self._index]
        for key in gone:
            del self._marks[key]
        if gone:
            self.post_message(self.MarksChanged(self, self.marked_keys))

    def _go(self, position: int) -> None:
        if not 0 <= position < len(self._rows) or not self._rows[position].selectable:
            return
        if position != self._position:
            self._refresh_row(self._position)
            self._position, self._cursor = position, self._rows[position].key
            self._refresh_row(position)
            self.post_message(self.RowHighlighted(self, self._cursor))
        self._reveal()

    def _page_lines(self) -> int:
        return max(1, self.size.height - HEADER_LINES)

    def _in_sight(self, position: int) -> bool:
        return 0 <= position - self.scroll_offset.y < self._page_lines()

    def _reveal(self) -> None:
        """Scroll as little as needed to show the cursor, and the group header right above it."""
        if self._position < 0 or not self.is_mounted:
            return
        top = self._position - (1 if self._position and self._rows[self._position - 1].heading else 0)
        offset = self.scroll_offset.y
        if top < offset:
            self.scroll_to(y=top, animate=False, immediate=True)
        elif self._position - offset >= self._page_lines():
            self.scroll_to(y=self._position - self._page_lines() + 1, animate=False, immediate=True)

    def action_move(self, by: int) -> None:
        """Cursor up or down by so many rows."""
        self._go(step(self._rows, self._position, by))

    def action_page(self, by: int) -> None:
        """Cursor up or down by screens."""
        self._go(step(self._rows, self._position, by * max(1, self._page_lines() - 1)))

    def action_first(self) -> None:
        """Cursor to the first row."""
        self._go(step(self._rows, 0, 0))

    def action_last(self) -> None:
        """Cursor to the last row."""
        self._go(step(self._rows, len(self._rows), 0))

    def action_turn(self, by: int) -> None:
        """Show the columns that did not fit, page by page."""
        self._page = max(0, self._page + by)
        self._forget_layout()

    def action_mark(self) -> None:
        """Mark the row and go on to the next, so that a run of rows is marked by holding the key."""
        self.toggle_mark()
        self.action_move(1)

    def action_select(self) -> None:
        """Tell that the row under the cursor was chosen."""
        if self._cursor is not None:
            self.post_message(self.RowSelected(self, self._cursor))

    def on_click(self, event: events.Click) -> None:
        """A click on the header sorts, on a row moves the cursor, a double click chooses."""
        spot = event.get_content_offset(self)
        if spot is None:
            return
        if spot.y < HEADER_LINES:
            column = column_at(self._laid_out(), spot.x)
            if column is not None and column.sortable:
                self.post_message(self.HeaderSelected(self, column.key))
            return
        position = spot.y - HEADER_LINES + self.scroll_offset.y
        self._go(position)
        if event.chain == 2 and position == self._position:
            self.action_select()

    # -- drawing -----------------------------------------------------------------------------------
    def _forget_layout(self) -> None:
        self._slots = ()
        self._palette = self._look = None
        self._strips.clear()
        self.refresh()

    def on_resize(self) -> None:
        """Widths changed: lay out again."""
        self.virtual_size = Size(self._width, len(self._rows) + HEADER_LINES)
        self._forget_layout()
        self._reveal()

    def on_focus(self) -> None:
        """The cursor is drawn stronger with the focus."""
        self._forget_layout()

    def on_blur(self) -> None:
        """The cursor is drawn quieter without the focus."""
        self._forget_layout()

    def _forget_styles(self) -> None:
        self._forget_layout()

    def _width_changed(self) -> None:
        self._forget_layout()

    def _laid_out(self) -> tuple[Slot, ...]:
        if not self._slots:
            every = pages(self._columns, self._width)
            self._page = min(self._page, len(every) - 1)
            self._more = (self._page > 0, self._page < len(every) - 1)
            self._slots = lay_out(self._columns, self._width, self._page)
        return self._slots

    def _looked_up(self) -> _Look:
        if self._look is None:
            focused = self.has_focus
            self._look = _Look(self.palette, cursor_style(self, focused=focused), mark_style(self))
        return self._look

    def _refresh_row(self, position: int) -> None:
        if self._in_sight(position):
            self.refresh(Region(0, position - self.scroll_offset.y + HEADER_LINES, self._width, 1))

    def _refresh_changed(self, old: Sequence[Row]) -> None:
        """Draw again the lines in sight whose row differs from the one that stood there."""
        first, width = self.scroll_offset.y, self._width
        regions = []
        for y in range(self._page_lines()):
            position = first + y
            before = old[position] if position < len(old) else None
            after = self._rows[position] if position < len(self._rows) else None
            # The cursor moves with its key, so equal rows are drawn alike.
            if before is not after and before != after and not looks_same(before, after):
                regions.append(Region(0, y + HEADER_LINES, width, 1))
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """One line of the widget, counted from its top; the first is the header."""
        width, look = self._width, self._looked_up()
        if y < HEADER_LINES:
            return strip_of(header_line(self._laid_out(), width, self._sort, self._more), look.palette, width, None)
        position = y - HEADER_LINES + self.scroll_offset.y
        if position >= len(self._rows):
            return self._below(position, look.palette, width)
        row = self._rows[position]
        at_cursor, marked = position == self._position, row.key in self._marks
        name = (row.key, at_cursor, marked)
        cached = self._strips.get(name)
        if cached is not None and (cached[0] is row or cached[0] == row):
            return cached[1]
        if row.heading:
            spans = heading_line(row, width, at_cursor=at_cursor)
            strip = strip_of(spans, look.palette, width, look.cursor if at_cursor else None)
        else:
            spans = row_line(row, self._laid_out(), width, at_cursor=at_cursor, marked=marked)
            strip = strip_of(spans, look.palette, width, look.cursor if at_cursor else look.mark if marked else None)
        self._strips[name] = (row, strip)
        return strip

    def _below(self, position: int, palette: Palette, width: int) -> Strip:
        """A line below the last row: blank, or a line of what is said where there are no rows."""
        said = position - 1  # one blank line under the header
        if self._rows or not 0 <= said < len(self._empty):
            return Strip.blank(width, palette[Tone.PLAIN])
        return strip_of(fit_line((Span("   "), *self._empty[said]), width), palette, width, None)


__all__ = ["Column", "LiveTable", "Row"]
