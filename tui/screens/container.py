"""One container in full, section by section. Changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input
from textual.worker import Worker

from backends.inspected_pod import hides, is_pod, secret_values
from backends.model.container import ChangedPath
from backends.model.errors import BackendError
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey
from backends.model.process import ContainerProcess
from backends.model.secrets import MASK, masked_json
from backends.model.values import Missing
from tui.action import Scope
from tui.actions import BY_ID, beside, bindings
from tui.messages import ChangesSeen, InspectFailed, InspectLoaded, ProcessesSeen
from tui.screens import container_sections as sections
from tui.screens.base import SubScreen
from tui.screens.facts import fact_lines, facts_of
from tui.screens.fleet import FleetScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.screens.pod_sections import pod_environment_lines, pod_health_lines, pod_network_lines
from widgets.json_pane import JsonPane
from widgets.layer_lines import error_lines
from widgets.line import Line
from widgets.lines_pane import LinesPane
from widgets.section_bar import SectionBar
from widgets.stats_plots import plot_lines
from widgets.text import inert

SECTIONS = ("Facts", "Stats", "Procs", "Env", "Mounts", "Net", "Health", "Files", "Events", "JSON")
_FACTS, _STATS, _PROCESSES, _ENV, _MOUNTS, _NET, _HEALTH, _FILES, _EVENTS, _JSON = range(len(SECTIONS))
_PROCESSES_S = 2.0
_TICK_S = 1.0
_ASKING = "Asking the engine …"


def _as_it_is(_name: str | int | None, text: str) -> str:
    return text


class ContainerScreen(SubScreen):
    """The detail of one container."""

    SCOPES: ClassVar = (Scope.DETAIL,)
    ALSO: ClassVar = (Scope.CONTAINER,)
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Scope.DETAIL),
        *beside(Scope.DETAIL, Scope.CONTAINER),
        *(
            Binding(str((place + 1) % 10), f"section({place})", title, show=False, id=f"detail.section-{place + 1}")
            for place, title in enumerate(SECTIONS)
        ),
    ]

    def __init__(self, key: ContainerKey) -> None:
        super().__init__()
        self._key = key
        self._view = FleetView()
        self._raw: Mapping[str, object] | None = None
        self._processes: tuple[ContainerProcess, ...] | None = None
        self._changes: tuple[ChangedPath, ...] | None = None
        self._errors: dict[int, BackendError] = {}
        self._drawn_at = 0.0  # time.monotonic()
        self._section = _FACTS
        self._secrets = False
        self._asked: Worker[None] | None = None  # for the processes

    def compose(self) -> ComposeResult:
        """Title, sections, the one shown, keys."""
        yield TitleBar("Container")
        yield SectionBar(SECTIONS)
        with Vertical():
            yield LinesPane(id="detail")
            yield Input(id="search", placeholder="search names and values", compact=True)
            yield JsonPane(id="inspect")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Show what is known; ask for the rest."""
        self.query_one("#search").display = False
        self.show_modes()
        self.show_view(self.tranship.view)
        self.action_section(_FACTS)
        self.set_interval(_PROCESSES_S, self._look_again)
        self.set_interval(_TICK_S, self._tick)
        self._ask()

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Sections, secrets, searching."""
        pane = self.query_one(JsonPane)
        return {
            "detail.next": lambda: self.action_section((self._section + 1) % len(SECTIONS)),
            "detail.previous": lambda: self.action_section((self._section - 1) % len(SECTIONS)),
            "detail.reload": self._ask,
            "detail.secrets": self._toggle_secrets,
            "detail.search": self._edit_search,
            "detail.next_found": pane.next_match,
            "detail.previous_found": lambda: pane.next_match(-1),
            "detail.logs": self._logs,
            "detail.links": self._links,
        }

    def action_act(self, action: str) -> None:
        """Its own actions; those of a container as the fleet does them, to this one."""
        if BY_ID[action].scope in self.ALSO:
            fleet = self.app.screen_stack[0]
            assert isinstance(fleet, FleetScreen)
            fleet.act_on(self._key, action)
        else:
            super().action_act(action)

    # -- asking ----------------------------------------------------------------------------------
    def _ask(self) -> None:
        self.tranship.commands.inspect(self._key, self.post_message)
        self._ask_for_section()

    def _ask_for_section(self) -> None:
        watching = self.tranship.commands.watching
        if self._section == _PROCESSES:
            self._asked = watching.processes(self._key, self.post_message)
        elif self._section == _FILES:
            watching.changes(self._key, self.post_message)

    def _look_again(self) -> None:
        # What is still asked is waited for: an engine that takes longer than this would never have answered.
        if self._section == _PROCESSES and self.in_sight() and (self._asked is None or self._asked.is_finished):
            self._ask_for_section()

    def _tick(self) -> None:
        """Ages and plots go on where no reading came that drew them anyhow."""
        late = time.monotonic() - self._drawn_at > 0.9 * _TICK_S
        if late and self._section in {_FACTS, _STATS, _EVENTS} and self.in_sight():
            self._draw()

    @on(InspectLoaded)
    def _inspected(self, message: InspectLoaded) -> None:
        self._raw = message.inspect
        self._errors.pop(_JSON, None)
        self.query_one(JsonPane).show_value(message.inspect, self._mask)
        self._draw()

    @on(InspectFailed)
    def _not_inspected(self, message: InspectFailed) -> None:
        self._errors[_JSON] = message.error
        self._draw()

    @on(ProcessesSeen)
    def _processes_seen(self, message: ProcessesSeen) -> None:
        self._processes = message.processes
        self._take_error(_PROCESSES, message.error)

    @on(ChangesSeen)
    def _changes_seen(self, message: ChangesSeen) -> None:
        self._changes = message.paths
        self._take_error(_FILES, message.error)

    def _take_error(self, section: int, error: BackendError | None) -> None:
        self._errors.pop(section, None)
        if error is not None:
            self._errors[section] = error
        self._draw()

    # -- showing ---------------------------------------------------------------------------------
    def show_view(self, view: FleetView) -> None:
        """Take the newest view."""
        before, self._view = self._view.containers.get(self._key), view
        container = view.containers.get(self._key)
        if container is not None:
            self.query_one(TitleBar).show(f"{inert(container.name)} on {self._key.engine}")
        if before is not None and container != before:
            self.tranship.commands.inspect(self._key, self.post_message)  # health runs, addresses, exit code
        self._draw()

    def action_section(self, place: int) -> None:
        """Show another section."""
        self._section = place
        self.query_one(SectionBar).show(place)
        pane, tree = self.query_one("#detail", LinesPane), self.query_one(JsonPane)
        json = place == _JSON and _JSON not in self._errors
        pane.display, tree.display = not json, json
        if not json:
            self.query_one("#search").display = False
            pane.scroll_to(y=0, animate=False)
        self.set_focus(tree if json else pane)  # at once: the very next key may be typed into a field
        self._ask_for_section()
        self._draw()

    @on(SectionBar.Chosen)
    def _chosen(self, message: SectionBar.Chosen) -> None:
        self.action_section(message.place)

    def _draw(self) -> None:
        if self.is_mounted and (self._section != _JSON or _JSON in self._errors):
            self._drawn_at = time.monotonic()
            pane = self.query_one("#detail", LinesPane)
            pane.show_built(lambda width: self._built(width, pane.size.height))

    def _built(self, width: int, height: int) -> list[Line]:
        """The lines of the section shown."""
        container, raw, section = self._view.containers.get(self._key), self._raw, self._section
        error = self._errors.get(section) or (self._errors.get(_JSON) if section in _OF_INSPECT else None)
        if section == _FACTS:
            facts = facts_of(self._view, self._key, self.tranship.clock.now()) or [("State", "removed")]
            return fact_lines(facts, width)
        if section == _EVENTS:
            return sections.event_lines(self.tranship.commands.watching.events()[1], container, self._key.id)
        if section == _STATS:
            return self._plots(width, height)
        if error is not None:
            return error_lines(error, width)
        if container is None:
            return sections.quiet("The container was removed.")
        if section == _PROCESSES and self._processes is not None:
            return sections.process_lines(self._processes, width, secrets=self._secrets)
        if section == _FILES and self._changes is not None:
            return sections.changed_lines(self._changes, width)
        if section in _OF_INSPECT and raw is not None:
            of_pod = is_pod(raw)
            if section == _ENV and of_pod:
                return pod_environment_lines(container, raw, width, secrets=self._secrets)
            if section == _ENV:
                return sections.environment_lines(raw, width, secrets=self._secrets)
            return (_OF_POD if of_pod else _OF_INSPECT)[section](container, raw, width)
        return sections.quiet(_ASKING)

    def _plots(self, width: int, height: int) -> list[Line]:
        series = self.tranship.commands.watching.series(self._key)
        stats, tops = self._view.stats.get(self._key), dict[str, float]()
        if stats is not None and not isinstance(stats.memory_limit_bytes, Missing) and stats.memory_limit_bytes:
            tops["memory_bytes"] = float(stats.memory_limit_bytes)
        if "gpu_percent" in series:
            use = self._view.gpu_use.get(self._key)  # its percentage is summed over the GPUs it runs on
            tops["gpu_percent"] = 100.0 * max(1, len(use.device_uuids) if use is not None else 1)
        container = self._view.containers.get(self._key)
        runs = container is not None and container.state.alive
        waiting = (
            "Reading its usage …" if runs else "Nothing was read yet: usage is read while it runs and somebody looks."
        )
        return plot_lines(series, tops, width, height) or sections.quiet(waiting)

    # -- secrets and searching -------------------------------------------------------------------
    @property
    def _mask(self) -> Callable[[str | int | None, str], str]:
        if self._secrets or self._raw is None or not is_pod(self._raw):
            return _as_it_is if self._secrets else masked_json
        held = secret_values(self._raw)  # there a variable's name stands beside its value, not before it
        return lambda name, text: hides(held, masked_json(name, text), MASK)

    def _toggle_secrets(self) -> None:
        self._secrets = not self._secrets
        self.query_one(JsonPane).set_mask(self._mask)
        self._draw()

    def _edit_search(self) -> None:
        self.action_section(_JSON)
        entry = self.query_one("#search", Input)
        entry.display = True
        self.set_focus(entry)

    @on(Input.Submitted, "#search")
    def _search(self, event: Input.Submitted) -> None:
        pane = self.query_one(JsonPane)
        found = pane.search(event.value)
        event.input.display = bool(event.value)
        self.set_focus(pane)
        if event.value and not found:
            self.tranship.refuse(f"“{inert(event.value)}” is not in it.")

    # -- further -----------------------------------------------------------------------------------
    def _logs(self) -> None:
        from tui.screens.logs import LogScreen

        container = self._view.containers.get(self._key)
        if container is not None:
            self.app.push_screen(LogScreen(container))

    def _links(self) -> None:
        from tui.screens.links import LinkScreen

        container = self._view.containers.get(self._key)
        if container is not None:
            self.app.push_screen(LinkScreen(container))

    def leave(self) -> None:
        """Back; out of the search first."""
        entry = self.query_one("#search", Input)
        if entry.display:
            entry.value = ""
            entry.display = False
            self.query_one(JsonPane).search("")
            self.query_one(JsonPane).focus()
        else:
            super().leave()


_OF_INSPECT: Mapping[int, Callable[..., list[Line]]] = {
    _ENV: sections.environment_lines,
    _MOUNTS: sections.mount_lines,
    _NET: sections.network_lines,
    _HEALTH: sections.health_lines,
}
"""Sections that are read from the inspect JSON."""
_OF_POD = {_MOUNTS: sections.mount_lines, _NET: pod_network_lines, _HEALTH: pod_health_lines}
"""The same where that JSON is a Pod."""
