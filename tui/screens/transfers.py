"""The pulls and pushes of this session, and the layers of the one under the cursor. They go on without this screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from backends.model.fleet import FleetView
from backends.model.transfer_state import TransferState
from tui.action import Scope
from tui.actions import bindings
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.screens.registries import Registries
from widgets.engine_badge import badges
from widgets.fitted_table import FittedTable
from widgets.line import Tone, line
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable
from widgets.text import width_of
from widgets.transfer_lines import detail_lines
from widgets.transfer_rows import transfer_columns, transfer_rows

REDRAW_S = 0.2  # a person sees no more, and a slow link carries no more


class TransfersScreen(SubScreen):
    """All at once: a table, and the layers of one."""

    SCOPES: ClassVar = (Scope.TRANSFERS,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.TRANSFERS)
    AUTO_FOCUS = "#transfers"

    def __init__(self) -> None:
        super().__init__()
        self._states: dict[int, TransferState] = {}

    def compose(self) -> ComposeResult:
        """Title, transfers, layers of the one chosen, keys."""
        yield TitleBar("Pulls and pushes")
        yield FittedTable(transfer_columns(0), empty="Nothing was pulled or pushed in this session.", id="transfers")
        layers = LinesPane(id="transfer-layers")
        layers.border_title = "In full"
        yield layers
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Begin to look."""
        self.show_modes()
        self._look()
        self.set_interval(REDRAW_S, self._look)

    def show_view(self, view: FleetView) -> None:
        """Engines may have come or gone."""
        del view
        self._draw()

    def on_screen_resume(self) -> None:
        """In sight again: what came meanwhile was not drawn."""
        self._look()

    def _look(self) -> None:
        """Draw again where something moves, or has moved."""
        before, self._states = self._states, self.tranship.commands.transfers.states
        if before != self._states:
            self._draw()
            newest = max(self._states, default=0)
            if newest > max(before, default=0):
                self.query_one("#transfers", LiveTable).move_to(newest)
                self._draw_layers()

    def _draw(self) -> None:
        if not self.in_sight():
            return
        named = badges(self.tranship.view.engines.values())
        table = self.query_one("#transfers", LiveTable)
        table.set_columns(transfer_columns(max(map(width_of, named.values()), default=0)))
        table.show_rows(transfer_rows(self._states, named))
        self._draw_layers()
        running = sum(state.under_way for state in self._states.values())
        self.query_one(TitleBar).show(
            f"Pulls and pushes  {len(self._states)}" + (f" · {running} under way" if running else "")
        )

    def _draw_layers(self) -> None:
        pane, state = self.query_one("#transfer-layers", LinesPane), self._chosen()
        if state is None:
            pane.show_lines([line(("Nothing was pulled or pushed in this session. p pulls an image.", Tone.DIM))])
        else:
            pane.show_built(lambda width: detail_lines(state, width))

    @on(LiveTable.RowHighlighted, "#transfers")
    def _cursor_moved(self) -> None:
        self._draw_layers()

    def _number(self) -> int | None:
        key = self.query_one("#transfers", LiveTable).cursor_key
        return key if isinstance(key, int) else None

    def _chosen(self) -> TransferState | None:
        number = self._number()
        return self._states.get(number) if number is not None else None

    # -- actions ---------------------------------------------------------------------------------
    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of transfers."""
        return {
            **Registries(self).acts("transfers"),
            "transfers.cancel": self._cancel,
            "transfers.again": self._again,
            "transfers.clear": self._clear,
        }

    def _cancel(self) -> None:
        number = self._number()
        if number is None or not self.tranship.commands.transfers.cancel(number):
            self.tranship.refuse("It has ended already.")

    def _again(self) -> None:
        number = self._number()
        if number is None or not self.tranship.commands.transfers.again(number):
            self.tranship.refuse("Only one that failed or was cancelled is tried again.")

    def _clear(self) -> None:
        self.tranship.commands.transfers.clear()
        self._look()
