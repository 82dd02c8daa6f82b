"""A screen that lists what all engines have of a kind, told anew as long as it is open. Knows no kind of thing."""

from __future__ import annotations

from textual.worker import Worker

from backends.model.fleet import FleetView
from tui.screens.base import SubScreen
from widgets.container_sort import Sort


class ListScreen(SubScreen):
    """Holds the view, the filter, the sort, and the worker that tells of changes."""

    def __init__(self, sort: Sort) -> None:
        """sort: at first."""
        super().__init__()
        self._view = FleetView()
        self._filter = ""
        self._sort = sort
        self._worker: Worker[None] | None = None

    def follow(self) -> Worker[None]:
        """Begin to be told."""
        raise NotImplementedError

    def _draw(self) -> None:
        """Show what is known now."""
        raise NotImplementedError

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

    def _take_filter(self, words: str) -> None:
        self._filter = words
        self._draw()

    def _sort_by(self, sort: Sort) -> None:
        self._sort = sort
        self._draw()
