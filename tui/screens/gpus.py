"""The GPUs in full: devices, curves and facts of the chosen one, who has them. Stops a container only when asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.gpu import GpuTrace
from backends.model.ids import ContainerKey
from tui.action import Scope
from tui.actions import BY_ID, bindings
from tui.messages import UsersNamed
from tui.screens.asking import confirmation, why_not
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from widgets.gpu_detail import GpuDetail, GpuLook
from widgets.gpu_holders import Holder, holder_columns, holder_rows, holders_of, idle_by_device, idle_words
from widgets.gpu_lines import device_names, driver_text, note_lines
from widgets.gpu_processes import PROCESS_COLUMNS, ProcessKey, container_of, process_rows, user_ids
from widgets.gpu_table import GpuTable
from widgets.line import BLANK, Tone, line
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable
from widgets.text import inert, width_of

PARTS = ("gpu-table", "gpu-detail", "gpu-processes", "gpu-containers")
_BELOW = PARTS[2:]
_BOTH_CELLS = 144  # from so many cells on both parts below stand side by side, no column of theirs hidden
_FRAME_LINES = 2  # the rule above a table and its titles
_STEP_ROWS = 4
_NO_WORDS = {"gpus.span": "", "gpus.only": ""}  # what the footer leaves out where there is no GPU
_TABLE_PERCENT = 36  # of the screen's lines that the devices take at most, as in tranship.tcss
_DETAIL_LINES = (9, 24)  # least and most


class GpuNotes(LinesPane, can_focus=False):
    """What is to be known besides readings, as high as its lines."""

    def lines_changed(self, count: int) -> None:
        """As high as its lines; gone where there are none."""
        self.styles.height = count
        self.display = bool(count)


class GpuScreen(SubScreen):
    """All GPUs of this machine. device: the one that the cursor is put on; idle: show those that hold memory idly."""

    SCOPES: ClassVar = (Scope.GPUS,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.GPUS)
    AUTO_FOCUS = None

    def __init__(self, device: str = "", *, idle: bool = False) -> None:
        super().__init__()
        self._view = FleetView()
        self._start_on = device
        self._hour = False
        self._only = False
        self._only_idle = idle
        self._users: dict[int, str] = {}
        self._asked_for: frozenset[int] = frozenset()
        self._holders: list[Holder] = []
        self._draws = False  # it will be drawn in this turn

    @property
    def users(self) -> Mapping[int, str]:
        """Names of users by numeric id, as far as they were looked up."""
        return self._users

    def compose(self) -> ComposeResult:
        """Title, devices, the chosen one, processes beside containers, notes, keys."""
        yield TitleBar("GPUs")
        yield GpuTable(id="gpu-table")
        yield GpuDetail(id="gpu-detail")
        with Horizontal(id="gpu-parts"):
            yield LiveTable(PROCESS_COLUMNS, id="gpu-processes")
            yield LiveTable(holder_columns(0), id="gpu-containers")
        yield GpuNotes(id="gpu-notes")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Show what is known."""
        self.show_modes()
        containers_first = self._only_idle or not self.tranship.view.gpus.readings
        self._choose(_BELOW[1] if containers_first else _BELOW[0])
        self.show_view(self.tranship.view)
        self.query_one(GpuTable).move_to(self._start_on)
        self.query_one(f"#{_BELOW[1] if containers_first else PARTS[0]}").focus()

    # -- showing ---------------------------------------------------------------------------------
    def show_view(self, view: FleetView) -> None:
        """Take the newest view; one that differs in nothing shown here is not drawn."""
        before, self._view = self._view, view
        unasked = user_ids(view) - self._asked_for
        if unasked:
            self._asked_for |= unasked
            self.tranship.commands.name_users(unasked, self.post_message)
        if _shown(before) != _shown(view):
            self._draw()

    def on_screen_resume(self) -> None:
        """In sight again: what came meanwhile was not drawn."""
        self._draw_soon()

    def on_resize(self) -> None:
        """Another width may show another part."""
        self.set_class(self.size.width >= _BOTH_CELLS, "-both")
        self.show_modes()
        self.call_after_refresh(self._draw)

    @on(UsersNamed)
    def _users_named(self, message: UsersNamed) -> None:
        self._users.update(message.names)
        self._draw_soon()

    @on(LiveTable.RowHighlighted)
    def _cursor_moved(self) -> None:
        self._draw_soon()

    def on_descendant_focus(self) -> None:
        """Another part points at the others now."""
        self._draw_soon()

    def _draw_soon(self) -> None:
        """Draw once for all that waits in the queue: opening alone tells of eight changes."""
        if not self._draws:
            self._draws = True
            self.call_later(self._draw)

    def _draw(self) -> None:
        self._draws = False
        if not self.in_sight():
            return
        view, clock, settings = self._view, self.tranship.clock, self.tranship.settings
        self._holders = holders_of(view, monotonic_now=clock.monotonic(), idle_after_s=settings.idle_gpu_minutes * 60)
        table = self.query_one(GpuTable)
        table.display = bool(view.gpus.readings)
        table.show(view, lit=self._pointed_at(), idle=idle_by_device(view, self._holders))
        self._show_detail(table)
        self._show_processes(table.chosen)
        self._show_containers(table.chosen)
        snapshot = view.gpus
        notes = self.query_one(GpuNotes)
        notes.show_built(lambda width: note_lines(snapshot, width) if snapshot.readings else [])
        self._fit_parts()
        self.query_one(KeyBar).say({} if snapshot.readings else _NO_WORDS)
        about = (device_names(snapshot.readings), driver_text(snapshot))
        self.query_one(TitleBar).show("  ".join(("GPUs", *(part for part in about if part))))

    def _show_detail(self, table: GpuTable) -> None:
        reading = table.reading
        trace = self._view.gpu_traces.get(reading.device.uuid) if reading is not None else None
        look = GpuLook(reading, trace or GpuTrace(), self._hour, table.instance, self._view.gpus)
        self.query_one(GpuDetail).show(look)

    def _several(self) -> bool:
        """Whether pointing at one device says anything."""
        return len(self._view.gpus.readings) > 1

    def _show_processes(self, chosen: str) -> None:
        rows = process_rows(
            self._view,
            lit=chosen if self._several() and not self._only else "",
            only=chosen if self._only else "",
            users=self._users,
        )
        table = self.query_one(f"#{_BELOW[0]}", LiveTable)
        refused = next((one.processes_refused for one in self._view.gpus.readings if one.processes_refused), "")
        said = f"The driver lists no processes: {inert(refused)}." if refused else "No process is on a GPU."
        table.show_rows(rows, empty=[line((said, Tone.DIM))])
        _entitle(table, f"Processes · {len(rows)}{self._scope_words()}")

    def _show_containers(self, chosen: str) -> None:
        table = self.query_one(f"#{_BELOW[1]}", LiveTable)
        holders = [one for one in self._holders if not self._only or chosen in one.devices]
        if self._only_idle:
            holders = [one for one in holders if one.long]
        table.set_columns(holder_columns(max((width_of(one.badge) for one in holders), default=0)))
        rows = holder_rows(holders, chosen if self._several() and not self._only else "")
        minutes = self.tranship.settings.idle_gpu_minutes
        said = f"No container has held GPU memory idly for {minutes:g} minutes." if self._only_idle else ""
        table.show_rows(rows, empty=[line((said or "No container was given a GPU or uses one.", Tone.DIM)), BLANK])
        words = idle_words(self._holders)
        title = "Containers, only those that hold memory idly" if self._only_idle else "Containers"
        more = f" · {words}" if words and not self._only_idle else ""
        _entitle(table, f"{title} · {len(rows)}{self._scope_words()}{more}")

    def _fit_parts(self) -> None:
        """The chosen device takes what the tables leave of the lines; they need theirs in steps, so that it rests."""
        longest = max(len(self.query_one(f"#{part}", LiveTable).rows) for part in _BELOW)
        below = _FRAME_LINES + -(-max(longest, 1) // _STEP_ROWS) * _STEP_ROWS
        table = self.query_one(GpuTable)
        above = min(len(table.rows) + 1, self.size.height * _TABLE_PERCENT // 100) if table.display else 0
        left = self.size.height - 2 - above - len(self.query_one(GpuNotes).lines)  # 2: the title's and the keys'
        wanted = max(left // 2, left - below, _DETAIL_LINES[0]) if table.display else _DETAIL_LINES[0]
        self.query_one(GpuDetail).styles.height = min(wanted, _DETAIL_LINES[1])

    def _scope_words(self) -> str:
        reading = self.query_one(GpuTable).reading
        return f" on GPU {reading.device.index}" if self._only and reading is not None else ""

    # -- where the cursor is ---------------------------------------------------------------------
    def _place(self) -> str:
        """The part that has the focus."""
        focused = self.focused.id if self.focused is not None else None
        return focused if focused in PARTS else PARTS[0]

    def _row_container(self) -> ContainerKey | None:
        """The container of the row under the cursor of the part that has the focus."""
        key = self.query_one(f"#{self._place()}", LiveTable).cursor_key if self._place() in _BELOW else None
        return key if isinstance(key, ContainerKey) else container_of(self._view, key)

    def _pointed_at(self) -> frozenset[str]:
        """Devices and instances of the row under the cursor, where that is not a device's own."""
        if self._place() not in _BELOW or not self._several():
            return frozenset()
        key = self.query_one(f"#{self._place()}", LiveTable).cursor_key
        if isinstance(key, ProcessKey):
            return frozenset({key.instance or key.device})
        return next((one.devices for one in self._holders if one.container.key == key), frozenset())

    def _choose(self, part: str) -> None:
        """Show one of the parts below for certain, where there is room for one only."""
        for name in _BELOW:
            self.query_one("#gpu-parts").set_class(name == part, f"-chosen-{name}")

    # -- actions ---------------------------------------------------------------------------------
    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of the parts, and of the container that a row stands for."""
        return {
            "gpus.part": self._next_part,
            "gpus.span": self._turn_span,
            "gpus.only": self._turn_only,
            "gpus.idle": self._turn_idle,
            "gpus.open": self._open,
            "gpus.logs": self._logs,
            "gpus.stop": self._ask_to_stop,
        }

    def _go_to(self, part: str) -> None:
        if part in _BELOW:
            self._choose(part)
        self.call_after_refresh(self.query_one(f"#{part}").focus)

    def _next_part(self) -> None:
        parts = PARTS if self._view.gpus.readings else PARTS[1:]
        place = parts.index(self._place()) if self._place() in parts else -1
        self._go_to(parts[(place + 1) % len(parts)])

    def _turn_span(self) -> None:
        self._hour = not self._hour
        self._draw()

    def _turn_only(self) -> None:
        self._only = not self._only
        self._draw()

    def _turn_idle(self) -> None:
        self._only_idle = not self._only_idle
        self._draw()
        self._go_to(_BELOW[1])

    @on(LiveTable.RowSelected)
    def _row_selected(self) -> None:
        self.action_act("gpus.open")

    def _container(self) -> Container | None:
        key = self._row_container()
        container = self._view.containers.get(key) if key is not None else None
        if container is None and self._place() == _BELOW[0]:
            self.tranship.refuse("This process runs in no container that an engine here knows.")
        elif container is None:
            self.tranship.refuse("Choose a process or a container first: Tab goes there.")
        return container

    def _open(self) -> None:
        """Of a device, who has it; of a process or a container, the container's details."""
        if self._place() not in _BELOW:
            self._only = True
            self._go_to(_BELOW[0])
            return
        from tui.screens.container import ContainerScreen

        container = self._container()
        if container is not None:
            self.app.push_screen(ContainerScreen(container.key))

    def _logs(self) -> None:
        from tui.screens.logs import LogScreen

        container = self._container()
        if container is not None:
            self.app.push_screen(LogScreen(container))

    def _ask_to_stop(self) -> None:
        container, action = self._container(), BY_ID["container.stop"]
        if container is None:
            return
        sentence = why_not(action, container, self._view, read_only=self.tranship.settings.readonly)
        if sentence:
            self.tranship.refuse(sentence)
            return

        def do(confirmed: bool | None) -> None:
            if confirmed:
                self.tranship.commands.operate(action.id, container.key)

        holder = next((one for one in self._holders if one.container.key == container.key), None)
        note = [BLANK, line((held, Tone.DIM))] if holder is not None and (held := holder.held_words()) else []
        self.app.push_screen(confirmation(action, [container], note), do)

    def leave(self) -> None:
        """Back; out of a narrowed view first."""
        if self._only:
            self._turn_only()
        else:
            super().leave()


def _entitle(table: LiveTable, title: str) -> None:
    """A title that differs; setting one draws the rule again."""
    if title != table.border_title:
        table.border_title = title


def _shown(view: FleetView) -> tuple[int, ...]:
    """What of a view is shown here, by identity: views share what did not change."""
    return tuple(map(id, (view.gpus, view.gpu_use, view.gpu_traces, view.containers, view.engines)))
