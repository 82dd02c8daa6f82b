"""Search registries on all engines at once; Enter on a result pulls it. Pulls nothing by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from backends.model.capabilities import Capability
from backends.model.ids import EngineId
from tui.action import Scope
from tui.actions import bindings
from tui.image_messages import ImagesFound, PlatformsSeen
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.screens.registries import Registries
from widgets.engine_badge import badges
from widgets.fitted_table import FittedTable
from widgets.format import short_image
from widgets.line import Line, Tone, line
from widgets.live_table import LiveTable
from widgets.text import inert, paragraph, width_of
from widgets.transfer_rows import found_columns, found_rows

HINT = "Type what to look for, then Enter. “ghcr.io/team/name” asks that one."


class SearchScreen(SubScreen):
    """A line to type in, and what was found."""

    SCOPES: ClassVar = (Scope.SEARCH,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.SEARCH)
    AUTO_FOCUS = "#search-words"

    def __init__(self) -> None:
        super().__init__()
        self._found: ImagesFound | None = None
        self._asked = ""

    def compose(self) -> ComposeResult:
        """Title, words, results, keys."""
        yield TitleBar("Search registries")
        yield Input(placeholder="words, or HOST/words", id="search-words", compact=True)
        yield FittedTable(found_columns(0), empty=HINT, id="found")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Name the modes."""
        self.show_modes()

    @on(Input.Submitted, "#search-words")
    def _submitted(self, event: Input.Submitted) -> None:
        term = event.value.strip()
        engines = self.tranship.view.offering(Capability.STORES)
        if not term:
            return
        if not engines:
            self.tranship.refuse("No engine is connected.")
            return
        self._asked = term
        asking = line((f"Asking for “{inert(term)}” …", Tone.DIM))
        self.query_one("#found", LiveTable).show_rows([], empty=[asking])
        self.tranship.commands.transfers.search(term, engines, self.post_message)
        self.query_one("#found", LiveTable).focus()

    @on(ImagesFound)
    def _images_found(self, message: ImagesFound) -> None:
        if message.term != self._asked:
            return
        self._found = message
        named = badges(self.tranship.view.engines.values())
        table = self.query_one("#found", LiveTable)
        table.set_columns(found_columns(max(map(width_of, named.values()), default=0)))
        table.show_rows(found_rows(message.found, named), empty=self._nothing(message))
        parts = [f"Search registries  {len(message.found)} for “{message.term}”"]
        parts += [f"{error.engine} cannot tell" for error in message.errors if error.engine]
        self.query_one(TitleBar).show(" · ".join(parts))

    def _nothing(self, message: ImagesFound) -> list[Line]:
        width = max(20, self.size.width - 4)
        lines = [line((f"No image fits “{inert(message.term)}”.", Tone.DIM))] if not message.errors else []
        for error in message.errors:
            lines += paragraph(f"{error.engine}: {error.title}", Tone.BAD, width, indent="")
            lines += paragraph(error.hint, Tone.DIM, width) if error.hint else []
        return lines

    def _chosen(self) -> tuple[EngineId, str] | None:
        key = self.query_one("#found", LiveTable).cursor_key
        if isinstance(key, tuple) and isinstance(key[0], EngineId):
            return key[0], str(key[1])
        self.tranship.refuse("No image is selected.")
        return None

    # -- actions ---------------------------------------------------------------------------------
    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of results."""
        return {
            "search.pull": self._pull,
            "search.platforms": self._platforms,
            "search.edit": self.query_one("#search-words", Input).focus,
        }

    @on(LiveTable.RowSelected, "#found")
    def _row_selected(self) -> None:
        self.action_act("search.pull")

    def _pull(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            Registries(self).pull(chosen[1], chosen[0])

    def _platforms(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            self.tranship.commands.transfers.platforms(*chosen, self.post_message)

    @on(PlatformsSeen)
    def _platforms_seen(self, message: PlatformsSeen) -> None:
        from widgets.dialogs import Choice, ChoiceDialog

        report = message.report
        if not report.platforms:
            self.tranship.refuse(f"It has one platform, which {message.engine} does not tell before it is pulled.")
            return

        def chosen(platform: str | None) -> None:
            if platform is not None:
                Registries(self).pull(report.reference, message.engine, platform)

        title = f"{short_image(report.reference)} is there for:"
        self.app.push_screen(ChoiceDialog(title, [Choice(str(one), str(one)) for one in report.platforms]), chosen)
