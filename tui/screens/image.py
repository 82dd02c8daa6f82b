"""One image in full: its steps, the files that each brought, changed or removed, and the waste. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.worker import Worker

from backends.model.errors import BackendError
from backends.model.fleet import FleetView
from backends.model.ids import ImageKey
from backends.model.image import LayerReport
from backends.model.image_files import FileNode, ReadProgress
from tui.action import Scope
from tui.actions import bindings
from tui.image_messages import (
    ImageRead,
    ImageReadProgressed,
    ImageUnread,
    LayersFailed,
    LayersLoaded,
    LayersShared,
    TreeGrown,
)
from tui.layer_commands import TreeAsked
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from widgets.filter_line import FilterLine
from widgets.format import bytes_text, short_image
from widgets.layer_files import FILE_COLUMNS, file_rows, totals
from widgets.layer_lines import error_lines
from widgets.layer_steps import STEP_COLUMNS, layer_index, step_lines, step_rows
from widgets.layer_waste import progress_words, waste_lines, waste_words
from widgets.line import Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable
from widgets.text import cut_middle, inert

FILTER_HELP = "words in the path…"


class StepPane(LinesPane, can_focus=False):
    """The chosen step's command, as high as it is, within bounds."""

    def lines_changed(self, count: int) -> None:
        """As high as its lines; the style sheet bounds it."""
        self.styles.height = max(1, count)


class ImageScreen(SubScreen):
    """The layers of one image. reference: what a person calls it."""

    SCOPES: ClassVar = (Scope.IMAGE,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.IMAGE)
    AUTO_FOCUS = "#layer-list"

    def __init__(self, image: ImageKey, reference: str) -> None:
        super().__init__()
        self._image = image
        self._reference = reference
        self._report: LayerReport | None = None
        self._read: ImageRead | None = None
        self._progress: ReadProgress | None = None
        self._error: BackendError | None = None
        self._shared: Mapping[str, tuple[str, ...]] = {}
        self._tree: FileNode | None = None
        self._asked = TreeAsked(-1)
        self._opened: set[str] = set()
        self._by_size = True
        self._worker: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """Title, steps, the chosen one's command, filter, its files or the waste, keys."""
        yield TitleBar("Image")
        yield LiveTable(STEP_COLUMNS, empty="Reading the layers …", id="layer-list")
        yield StepPane(id="layer-step")
        yield FilterLine(FILTER_HELP, take=self._take_filter, back="#layer-files")
        yield LiveTable(FILE_COLUMNS, empty="", id="layer-files")
        yield LinesPane(id="layer-waste")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Show what is known of the steps at once; read the rest."""
        waste = self.query_one("#layer-waste")
        waste.border_title, waste.display = "Waste", False
        self.show_modes()
        self._start()
        self._draw()

    def _start(self) -> None:
        commands = self.tranship.commands
        report = commands.cached_layers(self._image)
        if report is not None:
            self._take(report)
        else:
            commands.load_layers(self._image, self.post_message)
        self._worker = commands.layers.read(self._image, self.post_message)
        commands.layers.share(self._image, self.post_message)

    def on_unmount(self) -> None:
        """Read no more."""
        if self._worker is not None:
            self._worker.cancel()
        self.tranship.commands.layers.forget()

    # -- what comes ------------------------------------------------------------------------------
    @on(LayersLoaded)
    def _layers_loaded(self, message: LayersLoaded) -> None:
        if message.image == self._image:
            self._take(message.report)

    def _take(self, report: LayerReport) -> None:
        self._report = report
        self._draw_steps()
        largest = max(range(len(report.layers)), key=lambda step: report.layers[step].size_bytes or 0, default=0)
        self.query_one("#layer-list", LiveTable).move_to(largest)
        self._ask()

    @on(LayersFailed)
    @on(ImageUnread)
    def _failed(self, message: LayersFailed | ImageUnread) -> None:
        if message.image == self._image:
            self._error = message.error
            self._draw()

    @on(ImageReadProgressed)
    def _progressed(self, message: ImageReadProgressed) -> None:
        if message.progress.key == self._image and self._read is None:
            self._progress = message.progress
            self._draw()

    @on(ImageRead)
    def _all_read(self, message: ImageRead) -> None:
        if message.image == self._image:
            self._read = message
            self._ask()
            self._draw()

    @on(LayersShared)
    def _are_shared(self, message: LayersShared) -> None:
        if message.image == self._image:
            self._shared = message.others
            self._draw_steps()
            self._draw()

    @on(TreeGrown)
    def _grown(self, message: TreeGrown) -> None:
        if message.image == self._image and message.asked == self._asked:
            self._tree = message.tree
            self._draw()

    # -- showing ---------------------------------------------------------------------------------
    def show_view(self, view: FleetView) -> None:
        """Nothing of the fleet is shown here."""

    def on_screen_resume(self) -> None:
        """In sight again."""
        self._draw()

    def on_resize(self) -> None:
        """Another width has other words."""
        self.show_modes()

    def _draw_steps(self) -> None:
        if self._report is not None:
            rows = step_rows(self._report, self._shared, self.tranship.clock.now())
            self.query_one("#layer-list", LiveTable).show_rows(rows)

    def _step(self) -> int:
        """The step under the cursor, -1 where there is none."""
        key = self.query_one("#layer-list", LiveTable).cursor_key
        return key if isinstance(key, int) else -1

    def _draw(self) -> None:
        if not self.in_sight():
            return
        report, step = self._report, self._step()
        pane = self.query_one(StepPane)
        if report is not None and 0 <= step < len(report.layers):
            layer = report.layers[step]
            others = self._shared.get(layer.diff_id, ())
            pane.show_built(lambda width: step_lines(layer, others, width))
        self._draw_files()
        self._draw_waste()
        name = cut_middle(short_image(self._reference), max(16, self.size.width // 3))
        parts = [f"{name} on {self._image.engine}"]
        if report is not None:
            real = sum(not one.empty for one in report.layers)
            parts.append(f"{real} layer{'' if real == 1 else 's'}, {bytes_text(report.total_bytes)}")
        if self._read is not None:
            parts.append(waste_words(self._read.waste))
        self.query_one(TitleBar).show(" · ".join(parts))

    def _draw_files(self) -> None:
        table = self.query_one("#layer-files", LiveTable)
        table.set_sort("size" if self._by_size else "name", self._by_size)
        tree = self._tree if self._read is not None else None
        opened = None if self._asked.words else self._opened
        rows = file_rows(tree, opened, by_size=self._by_size) if tree is not None else []
        table.show_rows(rows, empty=self._said())
        title = Content(self._title(tree))  # as text: a str would be read as markup
        if title != table.border_title:
            table.border_title = title

    def _title(self, tree: FileNode | None) -> str:
        asked = self._asked
        which = f"layer {asked.layer + 1}" if asked.only_layer else f"The image up to layer {asked.layer + 1}"
        parts = [f"Files of {which}" if asked.only_layer else which]
        if tree is not None:
            parts.append(totals(tree))
        if asked.only_changes:
            parts.append("changes only")
        if asked.words:
            parts.append(f"with “{inert(asked.words)}”")
        return " · ".join(parts) if asked.layer >= 0 else "Files"

    def _said(self) -> list[Line]:
        """What stands in place of files."""
        if self._error is not None:
            return error_lines(self._error, max(20, self.size.width - 4))
        if self._read is None:
            words = progress_words(self._progress) if self._progress is not None else "Reading the layers …"
            return [
                line((words, Tone.DIM)),
                line(("Leaving this screen ends it; layers read once stay known.", Tone.DIM)),
            ]
        if self._asked.layer < 0:
            return [line(("Up to this step the image has no layer.", Tone.DIM))]
        if self._asked.words or self._asked.only_changes:
            return [line(("Nothing here fits. Esc clears the filter.", Tone.DIM))]
        return [line(("This layer holds no file.", Tone.DIM))]

    def _draw_waste(self) -> None:
        read = self._read
        if read is not None and self.query_one("#layer-waste").display:
            build = read.waste, read.hints
            self.query_one("#layer-waste", LinesPane).show_built(lambda width: waste_lines(*build, width))

    # -- which tree ------------------------------------------------------------------------------
    def _ask(self, asked: TreeAsked | None = None) -> None:
        """Ask for the tree of the step under the cursor. asked: as it is to be shown from now on."""
        layer = layer_index(self._report, self._step()) if self._report is not None else -1
        before, self._asked = self._asked, replace(asked or self._asked, layer=layer)
        if (before.layer, before.only_layer) != (layer, self._asked.only_layer):
            self._tree = None  # under the new title it would be another's
        if self._read is not None and layer >= 0:
            self.tranship.commands.layers.grow(self._image, self._asked, self.post_message)
        self._draw()

    @on(LiveTable.RowHighlighted, "#layer-list")
    def _cursor_moved(self) -> None:
        self._ask()

    # -- actions ---------------------------------------------------------------------------------
    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of steps and files."""
        return {
            "image.part": self._next_part,
            "image.open": self._open,
            "image.whole": lambda: self._ask(replace(self._asked, only_layer=not self._asked.only_layer)),
            "image.changes": lambda: self._ask(replace(self._asked, only_changes=not self._asked.only_changes)),
            "image.sort": self._turn_sort,
            "image.waste": self._turn_waste,
            "image.filter": self._edit_filter,
        }

    def _next_part(self) -> None:
        waste = self.query_one("#layer-waste")
        below = waste if waste.display else self.query_one("#layer-files")
        self.set_focus(below if self.focused is self.query_one("#layer-list") else self.query_one("#layer-list"))

    def _open(self) -> None:
        """Of a step, go to its files; of a folder, open or close it."""
        files = self.query_one("#layer-files", LiveTable)
        if self.focused is not files:
            self._next_part()
            return
        path = files.cursor_key
        if isinstance(path, str):
            self._opened ^= {path}
            self._draw_files()

    @on(LiveTable.RowSelected)
    def _row_selected(self) -> None:
        self.action_act("image.open")

    def _turn_sort(self) -> None:
        self._by_size = not self._by_size
        self._draw_files()

    @on(LiveTable.HeaderSelected, "#layer-files")
    def _header_selected(self, event: LiveTable.HeaderSelected) -> None:
        self._by_size = event.column == "size"
        self._draw_files()

    def _turn_waste(self) -> None:
        waste, files = self.query_one("#layer-waste", LinesPane), self.query_one("#layer-files")
        waste.display = not waste.display
        files.display = not waste.display
        self.set_focus(waste if waste.display else files)
        self._draw_waste()

    # -- filter ----------------------------------------------------------------------------------
    def _edit_filter(self) -> None:
        if self.query_one("#layer-waste").display:
            self._turn_waste()
        self.query_one(FilterLine).edit()

    def _take_filter(self, words: str) -> None:
        self._ask(replace(self._asked, words=words))

    def leave(self) -> None:
        """Escape and q, one thing at a time: the filter, the waste, then back."""
        field = self.query_one(FilterLine)
        if field.display:
            field.drop()
            self.set_focus(self.query_one("#layer-files"))
            self._ask(replace(self._asked, words=""))
        elif self.query_one("#layer-waste").display:
            self._turn_waste()
        else:
            super().leave()
