"""A screen that lists what all engines have of a kind, told anew as long as it is open. Knows no kind of thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.worker import Worker

from backends.model.fleet import FleetView
from backends.model.ids import EngineId
from tui.screens.base import SubScreen
from widgets.container_sort import Sort
from widgets.dialogs import ConfirmDialog
from widgets.filter_line import FilterLine
from widgets.live_table import LiveTable

Item = TypeVar("Item")


class ListScreen(SubScreen, Generic[Item]):
    """A table of items with marks, filter and sort, and below it a part about the one under the cursor.

    AUTO_FOCUS is the table's selector, PART the other part's; WORD: what one item is called.
    """

    PART: ClassVar[str]
    WORD: ClassVar[str]

    def __init__(self, sort: Sort) -> None:
        """sort: at first."""
        super().__init__()
        self._view = FleetView()
        self._filter = ""
        self._sort = sort
        self._worker: Worker[None] | None = None

    # -- what each has of its own ----------------------------------------------------------------
    def follow(self) -> Worker[None]:
        """Begin to be told."""
        raise NotImplementedError

    def _draw(self) -> None:
        """Show what is known now."""
        raise NotImplementedError

    def _by_key(self) -> Mapping[object, Item]:
        """All items, by the keys of their rows."""
        raise NotImplementedError

    def _sortable(self) -> Sequence[str]:
        """Columns that the list may be sorted by, in order."""
        raise NotImplementedError

    # -- being told ------------------------------------------------------------------------------
    def on_mount(self) -> None:
        """Begin to look."""
        self.show_modes()
        self.show_view(self.tranship.view)

    def on_unmount(self) -> None:
        """Look no more."""
        if self._worker is not None:
            self._worker.cancel()

    def show_view(self, view: FleetView) -> None:
        """Take the newest view: what is done stands in it. The engines may come after the screen."""
        before, self._view = self._view, view
        if self._worker is None and view.engines:
            self._worker = self.follow()
        if before.engines is not view.engines or before.operations != view.operations:
            self._draw()

    def on_screen_resume(self) -> None:
        """In sight again: what came meanwhile was not drawn."""
        self._draw()

    def on_resize(self) -> None:
        """Another width has other words."""
        self.show_modes()

    # -- which -----------------------------------------------------------------------------------
    @property
    def table(self) -> LiveTable:
        """The list."""
        return self.query_one(str(self.AUTO_FOCUS), LiveTable)

    def _chosen(self) -> Item | None:
        """The item under the cursor."""
        return self._by_key().get(self.table.cursor_key)

    def _one(self) -> Item | None:
        """The item under the cursor; where there is none it is said."""
        chosen = self._chosen()
        if chosen is None:
            self.tranship.refuse(f"No {self.WORD} is selected.")
        return chosen

    def _marked(self) -> list[Item]:
        known = self._by_key()
        return [known[key] for key in self.table.marked_keys if key in known]

    def _targets(self) -> list[Item]:
        """What an action is for: the marked ones, else the one under the cursor; where there is none it is said."""
        marked = self._marked()
        return marked or [one for one in (self._one(),) if one is not None]

    # -- actions ---------------------------------------------------------------------------------
    def _acts(self, scope: str) -> Mapping[str, Callable[[], object]]:
        """What every list does, for the action ids of this scope."""
        return {
            f"{scope}.filter": self.query_one(FilterLine).edit,
            f"{scope}.sort": lambda: self._sort_by(self._sort.next(self._sortable())),
            f"{scope}.reverse": lambda: self._sort_by(Sort(self._sort.column, not self._sort.descending)),
            f"{scope}.part": self._next_part,
        }

    def _ask(self, question: ConfirmDialog, act: Callable[[], object]) -> None:
        """Do it where the answer is yes; the marks have served then."""

        def do(confirmed: bool | None) -> None:
            if confirmed:
                self.table.clear_marks()
                act()

        self.app.push_screen(question, do)

    def _next_part(self) -> None:
        part = self.query_one(self.PART)
        self.set_focus(self.table if self.focused is part else part)

    def leave(self) -> None:
        """Escape and q, one thing at a time: the filter, the other part, the marks, then back to the fleet."""
        field, table = self.query_one(FilterLine), self.table
        if field.display:
            field.drop()
            table.focus()
        elif not table.has_focus:
            table.focus()
        elif table.marked_keys:
            table.clear_marks()
        else:
            super().leave()

    # -- filter and sort -------------------------------------------------------------------------
    def _take_filter(self, words: str) -> None:
        self._filter = words
        self._draw()

    def _sort_by(self, sort: Sort) -> None:
        self._sort = sort
        self._draw()

    @on(LiveTable.HeaderSelected)
    def _header_selected(self, message: LiveTable.HeaderSelected) -> None:
        self._sort_by(self._sort.toggled(message.column))


def with_engine(engines: Sequence[EngineId], act: Callable[[EngineId], object]) -> Callable[[str | None], None]:
    """What takes the answer to "which engine?", its name, and does the rest."""

    def do(chosen: str | None) -> None:
        for engine in engines:
            if engine.name == chosen:
                act(engine)

    return do
