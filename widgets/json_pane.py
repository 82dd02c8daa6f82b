"""JSON that folds, with a cursor; searched. Takes a value, asks nobody."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from widgets.json_fold import JsonFold, Mask, Path
from widgets.line import Line
from widgets.lines_pane import LinesPane
from widgets.palette import cursor_style, strip_of
from widgets.text import fit_line


class JsonPane(LinesPane):
    """Rows of a JsonFold."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Up", show=False, id="json.up"),
        Binding("down,j", "cursor(1)", "Down", show=False, id="json.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="json.page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="json.page-down"),
        Binding("home,g", "edge(False)", "Top", show=False, id="json.top"),
        Binding("end,G", "edge(True)", "End", show=False, id="json.end"),
        Binding("enter,space", "turn", "Open or fold", show=False, id="json.turn"),
        Binding("right,l", "open(True)", "Open", show=False, id="json.open"),
        Binding("left,h", "open(False)", "Fold", show=False, id="json.fold"),
        Binding("plus", "all(True)", "Open all", show=False, id="json.open-all"),
        Binding("minus", "all(False)", "Fold all", show=False, id="json.fold-all"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._fold: JsonFold | None = None
        self._at = 0
        self._found: list[Path] = []

    def show_value(self, value: object, mask: Mask) -> None:
        """Show a value; where one is shown already, a newer one of the same thing: folds and cursor stay."""
        if self._fold is None:
            self._fold = JsonFold(value, mask)
        else:
            self._fold.set_value(value)
        self._redraw()

    def set_mask(self, mask: Mask) -> None:
        """Hide other things."""
        if self._fold is not None:
            self._fold.set_mask(mask)
            self._redraw()

    def search(self, text: str) -> int:
        """Open what holds the text and go to the first; returns how many hold it."""
        if self._fold is None:
            return 0
        self._found = self._fold.find(text)
        self._redraw()
        if self._found:
            self._go_to(self._found[0])
        return len(self._found)

    def next_match(self, by: int = 1) -> None:
        """Go to the next one found, or with -1 to the one before; round at the ends."""
        if self._fold is None or not self._found:
            return
        rows = self._fold.rows()
        places = {row.path: n for n, row in enumerate(rows)}
        numbers = [places[path] for path in self._found if path in places]
        beyond = [n for n in numbers if (n > self._at if by > 0 else n < self._at)]
        if numbers:
            self._move_to((beyond or numbers)[0 if by > 0 else -1])

    def _go_to(self, path: Path) -> None:
        if self._fold is not None:
            place = next((n for n, row in enumerate(self._fold.rows()) if row.path == path), None)
            if place is not None:
                self._move_to(place)

    def _redraw(self) -> None:
        rows = self._fold.rows() if self._fold is not None else []
        self._at = min(self._at, max(0, len(rows) - 1))
        self.show_lines([row.shown for row in rows])
        self.refresh()

    def _move_to(self, place: int) -> None:
        count = len(self.lines)
        self._at = min(max(0, place), max(0, count - 1))
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= self._at < top + height:
            self.scroll_to(y=max(0, self._at - height // 2), animate=False)
        self.refresh()

    # -- keys ------------------------------------------------------------------------------------
    def action_cursor(self, by: int) -> None:
        """Up or down."""
        self._move_to(self._at + by)

    def action_page(self, by: int) -> None:
        """A page up or down."""
        self._move_to(self._at + by * max(1, self.size.height - 1))

    def action_edge(self, end: bool) -> None:
        """To the first or the last row."""
        self._move_to(len(self.lines) if end else 0)

    def action_turn(self) -> None:
        """Open what is folded, fold what is open."""
        if self._fold is not None and self._fold.rows():
            row = self._fold.rows()[self._at]
            if row.holds:
                self._fold.set_open(row.path, not row.open)
                self._redraw()

    def action_open(self, opened: bool) -> None:
        """Open; or fold, and from what cannot be folded go to what it is a part of."""
        if self._fold is None or not self._fold.rows():
            return
        row = self._fold.rows()[self._at]
        if row.holds and row.open != opened:
            self._fold.set_open(row.path, opened)
            self._redraw()
        elif not opened and len(row.path) > 1:
            self._go_to(row.path[:-1])

    def action_all(self, opened: bool) -> None:
        """Open or fold all."""
        if self._fold is not None:
            self._fold.set_all(opened)
            self._redraw()

    def on_click(self, event: events.Click) -> None:
        """A click goes there; on the row under the cursor it opens or folds."""
        place = self.scroll_offset.y + event.y
        if place == self._at:
            self.action_turn()
        elif place < len(self.lines):
            self._move_to(place)

    def render_line(self, y: int) -> Strip:
        """One line of the widget, the cursor's marked."""
        place = self.scroll_offset.y + y
        if place != self._at or place >= len(self.lines):
            return super().render_line(y)
        shown: Line = fit_line(self.lines[place], self._width)
        return strip_of(shown, self.palette, self._width, cursor_style(self, focused=self.has_focus))
