"""The events of all engines, as they come, with a filter. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from backends.model.container import LogLine, LogStream
from backends.model.events import EngineEvent
from backends.model.ids import EngineId
from tui.action import Scope
from tui.actions import bindings
from tui.screens.filtered_log import FilteredLogScreen
from tui.screens.frame import KeyBar, TitleBar
from widgets.engine_badge import badge_tone
from widgets.filter_line import FilterLine
from widgets.log_draw import LogLook
from widgets.log_view import LogView
from widgets.text import inert

_BAD_ACTIONS = frozenset({"oom", "health_status: unhealthy"})
_EVERY_S = 0.2  # new events are looked for so often


def event_text(event: EngineEvent) -> str:
    """An event in one line, without its time and its engine."""
    code = "" if event.exit_code is None else f"  exit code {event.exit_code}"
    why = f"  {event.why}" if event.why else ""
    return f"{event.kind.value:<9}  {event.action:<14}  {event.name or event.id[:12]}{code}{why}"


def event_line(event: EngineEvent) -> LogLine:
    """An event as a line of a log; what went wrong is marked as an error's. Its text is no program's: no colours."""
    bad = bool(event.exit_code) or event.action in _BAD_ACTIONS or bool(event.why)
    return LogLine(LogStream.STDERR if bad else LogStream.STDOUT, inert(event_text(event)), event.at)


class EventScreen(FilteredLogScreen):
    """Follows the events of all engines."""

    SCOPES: ClassVar = (Scope.EVENTS,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.EVENTS)
    AUTO_FOCUS = "LogView"

    def __init__(self) -> None:
        super().__init__()
        self._taken = 0  # of the feed's total
        self._engines: list[EngineId] = []

    def compose(self) -> ComposeResult:
        """Title, filter, events, keys."""
        yield TitleBar()
        yield FilterLine(
            "regular expression: oom|die, a name, container|image", take=self._take_pattern, back="LogView"
        )
        yield LogView(what="event", id="log")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Show what came so far; look for more."""
        self.show_modes()
        self._more()
        self._say()
        self.set_interval(_EVERY_S, self._more)

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Following, filtering."""
        view = self.query_one(LogView)
        return {
            "events.follow": lambda: view.set_following(not view.following),
            "events.filter": self.query_one(FilterLine).edit,
        }

    def _more(self) -> None:
        """Take the events that came since."""
        total, kept = self.tranship.commands.watching.events()
        new = total - self._taken
        if new <= 0:
            return
        view, events = self.query_one(LogView), kept[-new:]
        if new > len(events) and self._taken:
            view.show_note(f"{new - len(events):,} events left out: they came too fast")
        self._taken = total
        self._name_sources((*self.tranship.view.engines, *(event.engine for event in events)))
        view.append([event_line(event) for event in events], [self._engines.index(event.engine) for event in events])
        self._say()

    def _name_sources(self, engines: Iterable[EngineId]) -> None:
        """Name them before their lines: those that were not known yet, too, behind those that are shown."""
        new = [engine for engine in dict.fromkeys(engines) if engine not in self._engines]
        if new:
            self._engines += new
            names, tones = (engine.name for engine in self._engines), map(badge_tone, self._engines)
            self.query_one(LogView).set_look(LogLook(tuple(names), True, tuple(tones)))

    def _say(self) -> None:
        view = self.query_one(LogView)
        about = f"Events of all engines  {'following' if view.following else 'standing still'}"
        if self._wrong:
            about += f"  ✕ {self._wrong}"
        elif view.wanted.words:
            about += f"  {view.shown_count:,} of {view.line_count:,}: {inert(view.wanted.words)}"
        elif not view.line_count:
            about += "  none yet since the start"
        self.query_one(TitleBar).show(about)

    @on(LogView.FollowChanged)
    def _follow_changed(self) -> None:
        self._say()

    def leave(self) -> None:
        """Back; out of the filter first."""
        wanted = self.query_one(FilterLine)
        if wanted.display:
            wanted.drop()
            self.query_one(LogView).focus()
        else:
            super().leave()
