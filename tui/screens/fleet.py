"""The fleet: all containers of all engines, what they take, and what can be done to them. Waits for nothing.

The screens that open from here are in `doors`; dialogs are imported when they are first opened: the first frame does
without them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey
from tui.action import Action, Scope
from tui.actions import BY_ID, bindings, resolve
from tui.image_messages import LayersFailed, LayersLoaded
from tui.messages import ColumnsRead, RunLineRead
from tui.move_messages import MovesListed
from tui.screens.asking import confirmation, left_out_lines, pod_lines, why_not
from tui.screens.base import TranshipScreen
from tui.screens.copying import copy_acts, take_line
from tui.screens.doors import Doors
from tui.screens.fleet_moves import note_of
from tui.screens.frame import KeyBar, TitleBar
from tui.screens.held_key import HeldKey
from tui.screens.panes import PANES, Panes
from widgets.column_choice import USUAL, ColumnChoice
from widgets.container_rows import GROUPS, SORTABLE, GpuLight, Group, columns_for, told_in_seconds
from widgets.container_sort import Sort
from widgets.container_table import ContainerTable
from widgets.filter_line import FilterLine
from widgets.gpu_panel import GpuPanel
from widgets.status_bar import StatusBar

_OPERATIONS = (
    "container.start",
    "container.stop",
    "container.restart",
    "container.pause",
    "container.unpause",
    "container.kill",
    "container.remove",
)
_TICK_S = 1.0
_SLOW_TICK_S = 5.0  # where nothing is told in seconds, nobody sees that a minute is told so much late
FILTER_HELP = "words in name, image, state…   state:running  engine:podman  -label:keep"


class FleetScreen(TranshipScreen):
    """The main screen."""

    SCOPES: ClassVar = (Scope.CONTAINER, Scope.FLEET)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.CONTAINER, Scope.FLEET)
    AUTO_FOCUS = "ContainerTable"

    def __init__(self) -> None:
        super().__init__()
        self._view = FleetView()
        self._filter = ""
        self._sort = Sort()
        self._group: Group = "none"
        self._columns = USUAL
        self._drawn_at = 0.0  # time.monotonic()
        self._undrawn = False  # a view came that was not drawn yet
        self._doors = Doors(self)
        self._held = HeldKey()
        self._instead: ContainerKey | None = None  # of cursor and marks

    def compose(self) -> ComposeResult:
        """Title, filter, table, panes, engines, keys."""
        app = self.tranship
        yield TitleBar()
        yield FilterLine(FILTER_HELP, take=self._take_filter, back="ContainerTable")
        yield ContainerTable()
        yield Panes(
            cached=app.commands.cached_layers,
            load=lambda image: app.commands.load_layers(image, self.post_message),
            now=app.clock.now,
        )
        yield StatusBar()
        yield KeyBar(*self.SCOPES, Scope.APP, read_only=app.settings.readonly)

    def on_mount(self) -> None:
        """An empty fleet at first; ages and countdowns go on by themselves."""
        self.show_modes()
        self._draw()
        self.set_interval(_TICK_S, self._tick)
        self.call_after_refresh(self.tranship.commands.columns.read, self.post_message)

    # -- showing ---------------------------------------------------------------------------------
    def show_view(self, view: FleetView) -> None:
        """Take the newest view."""
        engines, self._view = self._view.engines, view
        if view.engines is not engines:
            self.show_modes()
        # Behind a box each line that changes draws the whole screen anew, dimmed: once a second does there.
        self._undrawn = self.app.screen is not self and time.monotonic() - self._drawn_at <= 0.9 * _TICK_S
        if not self._undrawn:
            self._draw()
        if action := self._held.due(self.query_one(ContainerTable).selected if self.app.screen is self else None, view):
            super().action_act(action)

    def _tick(self) -> None:
        """Ages and countdowns go on where no reading came that drew them anyhow."""
        since_s = time.monotonic() - self._drawn_at
        in_seconds = since_s > 0.9 * _TICK_S and told_in_seconds(self._view, self.tranship.clock.now())
        if in_seconds or self._undrawn or since_s > 0.9 * _SLOW_TICK_S:
            self._draw()

    def on_screen_resume(self) -> None:
        """In sight again: what came meanwhile was not drawn."""
        self._draw()

    def _draw(self) -> None:
        if not self.in_sight():
            return
        self._drawn_at, self._undrawn = time.monotonic(), False
        clock, panes = self.tranship.clock, self.query_one(Panes)
        table = self.query_one(ContainerTable)
        light = GpuLight(panes.gpus.highlighted, clock.monotonic(), self.tranship.settings.idle_gpu_minutes * 60)
        table.show(
            self._view,
            filter=self._filter,
            sort=self._sort,
            group=self._group,
            now=clock.now(),
            light=light,
            columns=self._columns,
        )
        note = note_of(self.tranship.commands.moves.known)
        self.query_one(StatusBar).show(self._view, monotonic_now=clock.monotonic(), note=note)
        panes.show(self._view, table.selected, light)
        self.query_one(TitleBar).show(self._about(table.shown_count))

    def _about(self, shown: int) -> str:
        """How the table is arranged, where that is not as it was at first."""
        parts = []
        if self._filter:
            parts.append(f"{shown} of {len(self._view.containers)} shown for “{self._filter}”")
        if self._sort != Sort():
            parts.append(f"by {self._sort.column.replace('_', ' ')}{', reversed' if self._reversed() else ''}")
        if self._group != "none":
            parts.append(f"grouped by {self._group}")
        marked = len(self.query_one(ContainerTable).marked)
        if marked:
            parts.append(f"{marked} marked")
        return " · ".join(parts)

    def _reversed(self) -> bool:
        return self._sort.descending != Sort("").toggled(self._sort.column).descending

    def on_resize(self) -> None:
        """Another size may show another pane, which then wants its content, and longer words."""
        self.show_modes()
        self.call_after_refresh(self._draw)

    @on(ContainerTable.RowHighlighted)
    def _cursor_moved(self) -> None:
        panes = self.query_one(Panes)
        panes.show(self._view, self.query_one(ContainerTable).selected, panes.light)

    @on(ContainerTable.MarksChanged)
    def _marks_changed(self) -> None:
        self.query_one(TitleBar).show(self._about(self.query_one(ContainerTable).shown_count))

    @on(GpuPanel.DeviceHighlighted)
    def _device_pointed_at(self) -> None:
        self._draw()

    @on(ContainerTable.InSight)
    def _other_rows_in_sight(self, message: ContainerTable.InSight) -> None:
        self.tranship.commands.watch(message.keys)

    @on(LayersLoaded)
    @on(LayersFailed)
    def _layers_answered(self, message: LayersLoaded | LayersFailed) -> None:
        self.query_one(Panes).take(message, self._view)

    @on(MovesListed)
    def _moves_listed(self, message: MovesListed) -> None:
        self._doors.listed(message.error)
        self._draw()

    # -- actions ---------------------------------------------------------------------------------
    def action_act(self, action: str) -> None:
        """Do an action; on a row whose engine is still connecting, once it is there."""
        if self._instead is None and self._held.holds(action, self.query_one(ContainerTable).selected, self._view):
            self.app.notify(f"{BY_ID[action].short.capitalize()}: as soon as its engine is connected.", timeout=2)
        else:
            super().action_act(action)

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of containers and of the fleet."""
        commands = self.tranship.commands
        return {
            **self._doors.acts(),
            "container.rename": self._rename,
            **copy_acts(self),
            **{action: partial(self._operate, BY_ID[action]) for action in _OPERATIONS},
            "fleet.filter": self.query_one(FilterLine).edit,
            "fleet.clear": self._clear,
            "fleet.sort": self._sort_next,
            "fleet.reverse": lambda: self._sort_by(Sort(self._sort.column, not self._sort.descending)),
            "fleet.group": self._group_next,
            "fleet.columns": self._choose_columns,
            "fleet.pane": self._next_pane,
            "fleet.jump_table": self.query_one(ContainerTable).focus,
            **{f"fleet.jump_{pane}": partial(self._jump, pane) for pane in PANES},
            "fleet.gpus": lambda: self._choose_pane("gpus"),
            "fleet.layers": lambda: self._choose_pane("layers"),
            "fleet.info": lambda: self._choose_pane("info"),
            "fleet.invert_marks": lambda: self.query_one(ContainerTable).action_mark_all(invert=True),
            "fleet.reconnect": commands.reconnect,
        }

    @on(ContainerTable.RowSelected)
    def _row_selected(self) -> None:
        self.action_act("container.detail")

    def act_on(self, key: ContainerKey, action: str) -> None:
        """Do an action to this container, whatever cursor and marks say: asked for on a screen of its own."""
        if key not in self._view.containers:
            self.tranship.refuse("The container was removed.")
            return
        self._instead = key
        try:
            self.action_act(action)
        finally:
            self._instead = None

    def selected(self) -> Container | None:
        """The container under the cursor; says so where there is none."""
        key = self._instead or self.query_one(ContainerTable).selected
        container = self._view.containers.get(key) if key is not None else None
        if container is None:
            group = self.query_one(ContainerTable).group
            self.tranship.refuse(
                f"{group} is a group: choose one of its rows." if group else "No container is selected."
            )
        return container

    def chosen(self) -> list[Container]:
        """The marked containers, else that under the cursor; says so where there is none."""
        keys = (self._instead,) if self._instead else self.query_one(ContainerTable).targets
        found = [self._view.containers[key] for key in keys if key in self._view.containers]
        if not found:
            self.tranship.refuse("No container is selected.")
        return found

    def allowed(self, action: Action, container: Container) -> bool:
        """Whether it may be done to this container now; says why not."""
        sentence = why_not(action, container, self._view, read_only=self.tranship.settings.readonly)
        if sentence:
            self.tranship.refuse(sentence)
        return not sentence

    def _operate(self, action: Action) -> None:
        table = self.query_one(ContainerTable)
        targets = self.chosen()
        if not targets:
            return
        if len(targets) > 1:
            self._operate_all(action, targets)
            return
        resolved, keeps_marks = resolve(action, targets[0]), self._instead is not None

        def do(confirmed: bool | None) -> None:
            if confirmed:
                if not keeps_marks:
                    table.clear_marks()
                self.tranship.commands.operate(resolved.id, targets[0].key)

        if not self.allowed(resolved, targets[0]):
            return
        if action.destructive:
            self.app.push_screen(confirmation(action, targets, pod_lines(action, self._view, targets)), do)
        else:
            do(True)

    def _operate_all(self, action: Action, targets: list[Container]) -> None:
        """One question for all of them, which says what is left out and why; then one after the other's needs."""
        read_only, table = self.tranship.settings.readonly, self.query_one(ContainerTable)
        chosen: dict[str, list[Container]] = {}
        left_out: list[str] = []
        for one in targets:
            resolved = resolve(action, one)
            why = why_not(resolved, one, self._view, read_only=read_only)
            if why:
                left_out.append(why)
            else:
                chosen.setdefault(resolved.id, []).append(one)
        if not chosen:
            self.tranship.refuse(left_out[0] if len(set(left_out)) == 1 else f"None of {len(targets)}: {left_out[0]}")
            return

        def do(confirmed: bool | None) -> None:
            if confirmed:
                table.clear_marks()
                for id, those in chosen.items():
                    self.tranship.commands.groups.operate(id, those)

        every = [one for those in chosen.values() for one in those]
        notes = [*pod_lines(action, self._view, every), *left_out_lines(left_out)]
        self.app.push_screen(confirmation(action, every, notes), do)

    def _rename(self) -> None:
        from widgets.dialogs import InputDialog

        container = self.selected()
        action = BY_ID["container.rename"]
        if container is None or not self.allowed(action, container):
            return

        def do(name: str | None) -> None:
            if name and name != container.name:
                self.tranship.commands.operate(action.id, container.key, name=name)

        self.app.push_screen(
            InputDialog(f"Rename {container.name} on {container.key.engine}", value=container.name), do
        )

    @on(RunLineRead)
    def _run_line_read(self, message: RunLineRead) -> None:
        take_line(self, message)

    # -- filter, sort, group, panes --------------------------------------------------------------
    def _take_filter(self, words: str) -> None:
        self._filter = words
        self._draw()

    def _clear(self) -> None:
        """Escape, one thing at a time: back to the table, then the filter, then the marks."""
        table, line = self.query_one(ContainerTable), self.query_one(FilterLine)
        if line.display:
            line.drop()
        elif table.has_focus:
            table.clear_marks()
        table.focus()

    def _sort_next(self) -> None:
        self._sort_by(self._sort.next(SORTABLE))

    def _sort_by(self, sort: Sort) -> None:
        self._sort = sort
        self._draw()

    @on(ContainerTable.HeaderSelected)
    def _header_selected(self, message: ContainerTable.HeaderSelected) -> None:
        self._sort_by(self._sort.toggled(message.column))

    def _group_next(self) -> None:
        self._group = GROUPS[(GROUPS.index(self._group) + 1) % len(GROUPS)]
        self._draw()

    def _choose_columns(self) -> None:
        from widgets.column_picker import ColumnPicker

        def take(choice: ColumnChoice | None) -> None:
            if choice is not None and choice != self._columns:
                self._show_columns(choice)
                self.tranship.commands.columns.keep(choice)

        self.app.push_screen(ColumnPicker(columns_for(badge_width=0, gpus=True), self._columns), take)

    @on(ColumnsRead)
    def _columns_read(self, message: ColumnsRead) -> None:
        if self._columns == USUAL:  # else a person was quicker
            self._show_columns(message.choice)

    def _show_columns(self, choice: ColumnChoice) -> None:
        if choice != self._columns:
            self._columns = choice
            self._draw()

    def _choose_pane(self, pane: str) -> None:
        self.query_one(Panes).choose(pane)
        self.call_after_refresh(self._draw)

    def _next_pane(self) -> None:
        """Focus: table, then each pane, which is shown by it, then the table again."""
        places = (None, *PANES)
        here = self.focused.id if self.focused is not None and self.focused.id in PANES else None
        following = places[(places.index(here) + 1) % len(places)]
        if following is None:
            self.query_one(ContainerTable).focus()
        else:
            self._jump(following)

    def _jump(self, pane: str) -> None:
        """Show a pane and give it the focus."""
        shown = self.query_one(Panes).choose(pane)
        self.call_after_refresh(shown.focus)
        self.call_after_refresh(self._draw)
