"""All images of all engines: what each takes, what it shares, who uses it; named, removed and copied when asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.worker import Worker

from backends.model.ids import EngineId, ImageKey
from backends.model.image_sharing import ImageList, ImageShare
from backends.model.values import Missing
from tui.action import Scope
from tui.actions import bindings
from tui.image_messages import ImagesSeen
from tui.screens import image_questions
from tui.screens.frame import KeyBar, TitleBar
from tui.screens.image_doors import ImageDoors
from tui.screens.list_screen import ListScreen, with_engine
from tui.screens.registries import Registries
from widgets.engine_badge import badges
from widgets.filter_line import FilterLine
from widgets.fitted_table import FittedTable
from widgets.image_rows import (
    FIRST_SORT,
    LAYER_COLUMNS,
    SORTABLE,
    image_columns,
    image_rows,
    in_order,
    layer_rows,
    layers_title,
    let_through,
    shown_name,
)
from widgets.line import Line, Tone, line
from widgets.live_table import LiveTable
from widgets.text import inert, width_of

FILTER_HELP = "words in name, engine, container…   is:unused  is:nameless  -word"


class ImagesScreen(ListScreen[ImageShare]):
    """The images, and the layers of the one under the cursor."""

    SCOPES: ClassVar = (Scope.IMAGES,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.IMAGES)
    AUTO_FOCUS = "#images"
    PART = "#image-layers"
    WORD = "image"

    def __init__(self) -> None:
        super().__init__(FIRST_SORT)
        self._seen: ImageList | None = None
        self._title = ""
        self._doors = ImageDoors(self)

    def compose(self) -> ComposeResult:
        """Title, filter, images, layers of the one chosen, keys."""
        yield TitleBar("Images")
        yield FilterLine(FILTER_HELP, take=self._take_filter, back="#images")
        yield FittedTable(image_columns(0), empty="Reading the images …", id="images")
        yield LiveTable(LAYER_COLUMNS, empty="", id="image-layers")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def follow(self) -> Worker[None]:
        """Begin to be told."""
        return self.tranship.commands.images.follow(self.post_message)

    # -- showing ---------------------------------------------------------------------------------
    @on(ImagesSeen)
    def _images_seen(self, message: ImagesSeen) -> None:
        self._seen = message.images
        self._draw()

    def _draw(self) -> None:
        if not self.in_sight():
            return
        if self._seen is None:
            return
        shown = in_order(let_through(self._filter, self._seen.images), self._sort)
        named = badges(self._view.engines.values())
        table = self.table
        table.set_columns(image_columns(max(map(width_of, named.values()), default=0)))
        table.set_sort(self._sort.column, self._sort.descending)
        doing = {ImageKey(key.engine, key.id): update for key, update in self._view.operations.items()}
        table.show_rows(image_rows(shown, named, self.tranship.clock.now(), doing), empty=self._nothing())
        self._draw_layers()
        self.query_one(TitleBar).show(self._about(len(shown)))

    def _nothing(self) -> list[Line]:
        """What is said where there is no row; engines that did not answer are named."""
        assert self._seen is not None
        if self._seen.images:
            return [line((f"No image fits “{inert(self._filter)}”. Esc shows all.", Tone.DIM))]
        failed = [line((inert(str(error)), Tone.BAD)) for error in self._seen.errors]
        return failed or [line(("The engines that answer have no images.", Tone.DIM))]

    def _draw_layers(self) -> None:
        share, table = self._chosen(), self.query_one("#image-layers", LiveTable)
        title = layers_title(share) if share is not None else ""
        if title != self._title:
            self._title = title
            table.border_title = Content(title)  # as text: a str would be read as markup
        said = ""
        if share is not None and not share.layers:
            told = share.total_bytes
            said = (
                f"The layers could not be read: {inert(told.reason)}."
                if isinstance(told, Missing)
                else "It has no layers."
            )
        rows = layer_rows(share, badges(self._view.engines.values())) if share is not None else []
        table.show_rows(rows, empty=[line((said, Tone.DIM))])

    def _about(self, shown: int) -> str:
        assert self._seen is not None
        total = len(self._seen.images)
        parts = [f"Images  {shown} of {total} for “{self._filter}”" if self._filter else f"Images  {total}"]
        parts += image_questions.stored_words(self._seen)
        parts += [f"{error.engine} does not answer" for error in self._seen.errors if error.engine]
        return " · ".join(parts)

    @on(LiveTable.RowHighlighted, "#images")
    def _cursor_moved(self) -> None:
        if self._seen is not None:
            self._draw_layers()

    def _sortable(self) -> Sequence[str]:
        return SORTABLE

    def _by_key(self) -> Mapping[object, ImageShare]:
        return {share.image.key: share for share in self._seen.images} if self._seen is not None else {}

    # -- actions ---------------------------------------------------------------------------------
    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of images."""
        return {
            "images.open": self._open,
            "images.remove": self._remove,
            "images.tag": self._tag,
            "images.untag": self._untag,
            "images.prune": self._prune,
            "images.copy": self._copy,
            "images.cancel": self._cancel,
            "images.build": lambda: self._doors.build(self._view),
            "images.write": lambda: self._doors.write(self._chosen()),
            "images.read": lambda: self._doors.read(self._view),
            "images.compare": lambda: self._doors.compare(self._seen, self._marked(), self._chosen()),
            "images.push": lambda: Registries(self).push(self._chosen()),
            **Registries(self).acts("images"),
            **self._acts("images"),
        }

    @on(LiveTable.RowSelected, "#images")
    def _row_selected(self) -> None:
        self.action_act("images.open")

    def _open(self) -> None:
        from tui.screens.image import ImageScreen

        share = self._one()
        if share is not None:
            self.app.push_screen(ImageScreen(share.image.key, share.name))

    def _remove(self) -> None:
        targets = self._targets()
        used = [share for share in targets if share.containers]
        for share in used:
            self.tranship.refuse(image_questions.used_words(share))
        self._ask_to_remove([share for share in targets if share not in used])

    def _ask_to_remove(self, images: list[ImageShare]) -> None:
        if images and self._seen is not None:
            self._ask(image_questions.removal(self._seen, images), lambda: self.tranship.commands.images.remove(images))

    def _prune(self) -> None:
        if self._seen is None:
            return
        seen = self._seen
        offers = image_questions.prunings(seen)
        if not offers:
            self.tranship.refuse("There is nothing to prune: containers use all images.")
            return

        def do(chosen: str | None) -> None:
            if chosen is not None:
                self._ask_to_remove(image_questions.pruned(seen, chosen))

        self.app.push_screen(image_questions.choice("Which images are to go?", offers), do)

    def _tag(self) -> None:
        share = self._chosen()
        if share is None or self._seen is None:
            self.tranship.refuse("No image is selected.")
            return

        def do(name: str | None) -> None:
            if name:
                self.tranship.commands.images.tag(share, name)

        self.app.push_screen(image_questions.naming(self._seen, share), do)

    def _untag(self) -> None:
        share = self._one()
        if share is None:
            return
        if len(share.image.tags) < 2:
            self.tranship.refuse(f"{shown_name(share)} has no other name: without its only one the image would go.")
        else:

            def do(name: str | None) -> None:
                if name is not None:
                    self.tranship.commands.images.untag(share, name)

            self.app.push_screen(image_questions.which_name(share), do)

    def _copy(self) -> None:
        images = [share for share in self._targets() if not self.tranship.commands.images.copying(share.image.key)]
        if not images:
            return
        engines = image_questions.copy_targets(self._view, images)
        if not engines:
            self.tranship.refuse("No other engine is connected that all of these could be copied to.")
        elif len(engines) == 1:
            self._ask_to_copy(images, engines[0])
        else:
            self.app.push_screen(
                image_questions.choice("Copy to which engine?", image_questions.copy_choices(images, engines)),
                with_engine(engines, partial(self._ask_to_copy, images)),
            )

    def _ask_to_copy(self, images: list[ImageShare], engine: EngineId) -> None:
        self._ask(image_questions.copying(images, engine), lambda: self.tranship.commands.images.copy(images, engine))

    def _cancel(self) -> None:
        share = self._chosen()
        if share is not None and self.tranship.commands.images.copying(share.image.key):
            self.tranship.commands.images.cancel(share.image.key)
        else:
            self.tranship.refuse("This image is not being copied.")
