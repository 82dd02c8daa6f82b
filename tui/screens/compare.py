"""Two images side by side: how they run, their layers, and every file that one has differently. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.worker import Worker

from backends.model.errors import BackendError
from backends.model.ids import ImageKey
from backends.model.image_comparison import ImageComparison
from backends.model.image_files import FileNode, ReadProgress
from tui.action import Scope
from tui.actions import bindings
from tui.compare_commands import ComparedPruned, CompareFailed, ImagesCompared
from tui.image_messages import ImageReadProgressed
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from widgets.compare_files import COMPARED_COLUMNS, changes_of, compared_rows
from widgets.compare_lines import comparison_lines
from widgets.filter_line import FilterLine
from widgets.format import short_image
from widgets.layer_lines import error_lines
from widgets.layer_waste import progress_words
from widgets.line import Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable
from widgets.text import cut_middle, inert

FILTER_HELP = "words in the path…"
Named = tuple[ImageKey, str]


class CompareScreen(SubScreen):
    """Compares as soon as it is shown. first, second: each with what a person calls it."""

    SCOPES: ClassVar = (Scope.COMPARE,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.COMPARE)
    AUTO_FOCUS = "#compare-files"

    def __init__(self, first: Named, second: Named) -> None:
        super().__init__()
        self._first, self._second = first, second
        self._found: ImageComparison | None = None
        self._changes: Mapping[str, tuple[int, int]] = {}
        self._progress: ReadProgress | None = None
        self._error: BackendError | None = None
        self._tree: FileNode | None = None
        self._words = ""
        self._only_changes = True
        self._opened: set[str] = set()
        self._by_size = True
        self._worker: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """Title, filter, facts, files, keys."""
        yield TitleBar("Compare")
        yield FilterLine(FILTER_HELP, take=self._take_filter, back="#compare-files")
        with Container(id="compare-body"):
            yield LinesPane(id="compare-facts")
            yield LiveTable(COMPARED_COLUMNS, empty="Reading the layers …", id="compare-files")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Begin."""
        self.show_modes()
        self._begin()

    def _begin(self) -> None:
        self._found = self._tree = self._error = None
        self._worker = self.tranship.commands.compare.compare(self._first, self._second, self.post_message)
        self._draw()

    def on_unmount(self) -> None:
        """Read no more."""
        if self._worker is not None:
            self._worker.cancel()
        self._found = self._tree = None
        self.tranship.commands.layers.forget()

    # -- what comes ------------------------------------------------------------------------------
    @on(ImageReadProgressed)
    def _progressed(self, message: ImageReadProgressed) -> None:
        if self._found is None:
            self._progress = message.progress
            self._draw()

    @on(ImagesCompared)
    def _compared(self, message: ImagesCompared) -> None:
        self._found = message.found
        self._changes = changes_of(message.found.files)
        self._ask()
        self._draw()

    @on(CompareFailed)
    def _failed(self, message: CompareFailed) -> None:
        self._error = message.error
        self._draw()

    @on(ComparedPruned)
    def _pruned(self, message: ComparedPruned) -> None:
        if message.wish == (self._words, self._only_changes):
            self._tree = message.tree
            self._draw_files()

    def _ask(self) -> None:
        if self._found is not None:
            wish = self._words, self._only_changes
            self.tranship.commands.compare.prune(self._found.tree, wish, self.post_message)

    # -- showing ---------------------------------------------------------------------------------
    def on_resize(self) -> None:
        """Another width has other words."""
        self.show_modes()

    def on_screen_resume(self) -> None:
        """In sight again."""
        self._draw()

    def _draw(self) -> None:
        if not self.in_sight():
            return
        room = max(16, self.size.width // 4)
        names = [f"{cut_middle(short_image(name), room)} on {key.engine}" for key, name in (self._first, self._second)]
        self.query_one(TitleBar).show(f"{names[0]}  →  {names[1]}")
        pane = self.query_one("#compare-facts", LinesPane)
        found = self._found
        if found is not None:
            pane.show_built(lambda width: comparison_lines(found, width))
        else:
            pane.show_built(self._waiting)
        self._draw_files()

    def _waiting(self, width: int) -> list[Line]:
        if self._error is not None:
            return error_lines(self._error, width)
        if self._progress is None:
            return [line(("Reading the layers …", Tone.DIM))]
        which = self._first if self._progress.key == self._first[0] else self._second
        return [
            line(f"{short_image(which[1])} on {which[0].engine}"),
            line((progress_words(self._progress), Tone.DIM)),
            line(("Leaving this screen ends it; layers read once stay known.", Tone.DIM)),
        ]

    def _draw_files(self) -> None:
        table = self.query_one("#compare-files", LiveTable)
        table.set_sort("size" if self._by_size else "name", self._by_size)
        opened = None if self._words else self._opened
        tree = self._tree
        rows = compared_rows(tree, opened, self._changes, by_size=self._by_size) if tree is not None else []
        table.show_rows(rows, empty=[line((self._nothing(), Tone.DIM))])
        parts = ["Files that differ" if self._only_changes else "All files"]
        if self._words:
            parts.append(f"with “{inert(self._words)}”")
        title = Content(" · ".join(parts))  # as text: a str would be read as markup
        if title != table.border_title:
            table.border_title = title

    def _nothing(self) -> str:
        if self._error is not None:
            return "Nothing was compared."
        if self._tree is None:
            return "…"
        return "Nothing here fits. Esc clears the filter." if self._words else "The files of both are the same."

    # -- actions ---------------------------------------------------------------------------------
    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of a comparison."""
        return {
            "compare.part": self._next_part,
            "compare.open": self._open,
            "compare.changes": self._turn_changes,
            "compare.sort": self._turn_sort,
            "compare.filter": self.query_one(FilterLine).edit,
            "compare.turn": self._turn,
        }

    def _next_part(self) -> None:
        facts, files = self.query_one("#compare-facts"), self.query_one("#compare-files")
        self.set_focus(files if self.focused is facts else facts)

    def _open(self) -> None:
        files = self.query_one("#compare-files", LiveTable)
        if self.focused is not files:
            self._next_part()
        elif isinstance(files.cursor_key, str):
            self._opened ^= {files.cursor_key}
            self._draw_files()

    @on(LiveTable.RowSelected)
    def _row_selected(self) -> None:
        self.action_act("compare.open")

    def _turn_changes(self) -> None:
        self._only_changes = not self._only_changes
        self._ask()

    def _turn_sort(self) -> None:
        self._by_size = not self._by_size
        self._draw_files()

    @on(LiveTable.HeaderSelected, "#compare-files")
    def _header_selected(self, event: LiveTable.HeaderSelected) -> None:
        self._by_size = event.column == "size"
        self._draw_files()

    def _turn(self) -> None:
        self._first, self._second = self._second, self._first
        if self._worker is not None:
            self._worker.cancel()
        self._begin()

    # -- filter ----------------------------------------------------------------------------------
    def _take_filter(self, words: str) -> None:
        if words != self._words:
            self._words = words
            self._ask()

    def leave(self) -> None:
        """Escape and q, one thing at a time: the filter, then back."""
        field = self.query_one(FilterLine)
        if field.display:
            field.drop()
            self.set_focus(self.query_one("#compare-files"))
            self._take_filter("")
        else:
            super().leave()


__all__ = ["CompareScreen"]
