"""The log of one container, followed while the screen is open. The stream ends when the screen is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input
from textual.worker import Worker

from backends.model.container import Container
from backends.model.fleet import FleetView
from tui.action import Scope
from tui.actions import bindings
from tui.messages import LogEnded, LogLinesArrived, LogSearched
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from widgets.log_view import LogView
from widgets.text import inert


class LogScreen(SubScreen):
    """Follows a log; pauses, searches."""

    SCOPES: ClassVar = (Scope.LOGS,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.LOGS)
    AUTO_FOCUS = "LogView"

    def __init__(self, container: Container) -> None:
        super().__init__()
        self._container = container
        self._worker: Worker[None] | None = None
        self._found: int | None = None
        self._ended: LogEnded | None = None
        self._rested = False  # since the end it was seen not to run, or its engine was lost

    def compose(self) -> ComposeResult:
        """Title, search, log, keys."""
        yield TitleBar()
        yield Input(id="search", placeholder="search", compact=True)
        yield LogView(id="log")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Begin to follow."""
        self.query_one("#search").display = False
        self.show_modes()
        self._say()
        self._worker = self.tranship.commands.follow_log(self._container.key, self.post_message)

    def on_unmount(self) -> None:
        """Left: the stream is closed."""
        if self._worker is not None:
            self._worker.cancel()

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Following and searching."""
        view = self.query_one(LogView)
        return {
            "logs.follow": lambda: view.set_following(not view.following),
            "logs.search": self._edit_search,
            "logs.next": view.next_match,
            "logs.previous": view.previous_match,
        }

    def _say(self) -> None:
        view = self.query_one(LogView)
        about = f"Log of {inert(self._container.name)} on {self._container.key.engine}"
        about += "  ended" if self._ended else "  following" if view.following else "  standing still"
        if self._found is not None:
            about += f"  {self._found} lines found"
        self.query_one(TitleBar).show(about)

    @on(LogLinesArrived)
    def _more(self, message: LogLinesArrived) -> None:
        self.query_one(LogView).append(message.lines)

    @on(LogEnded)
    def _log_ended(self, message: LogEnded) -> None:
        view = self.query_one(LogView)
        if message.error is None:
            view.show_note("end of the log: the container does not run; the log goes on when it starts again")
        else:
            view.show_note(inert(f"{message.error.title}  {message.error.hint}"), bad=True)
        self._ended, self._rested = message, False
        self._say()
        self.show_view(self.tranship.view)

    def show_view(self, view: FleetView) -> None:
        """Take the newest view: a log that ended goes on when its container runs again."""
        container = view.containers.get(self._container.key)
        if self._ended is None:
            if container is not None and self._container.started_at is None:
                self._container = container  # now it is known which run is followed
            return
        engine = view.engines.get(self._container.key.engine)
        if container is None or engine is None or engine.stale or not container.state.alive:
            self._rested = True
            return
        before, now = self._container.started_at, container.started_at
        if not self._rested and (now is None or before is None or now == before):
            return  # the view is older than the end
        self._container, ended, self._ended = container, self._ended, None
        self.query_one(LogView).show_note("it runs again")
        self._say()
        self._worker = self.tranship.commands.follow_log(container.key, self.post_message, after=ended.last_at)

    @on(LogView.FollowChanged)
    def _follow_changed(self) -> None:
        self._say()

    # -- search ----------------------------------------------------------------------------------
    def _edit_search(self) -> None:
        entry = self.query_one("#search", Input)
        entry.display = True
        entry.focus()

    @on(Input.Submitted, "#search")
    def _search(self, event: Input.Submitted) -> None:
        entry, view = event.input, self.query_one(LogView)
        entry.display = bool(event.value)
        view.focus()
        self.tranship.commands.search_log(view.search, event.value, self.post_message)

    @on(LogSearched)
    def _searched(self, message: LogSearched) -> None:
        self._found = message.found if message.text else None
        self._say()
        if message.found:
            self.query_one(LogView).previous_match()

    def leave(self) -> None:
        """Back; out of the search first."""
        entry = self.query_one("#search", Input)
        if entry.display:
            entry.value = ""
            entry.display = False
            self.query_one(LogView).focus()
            self.tranship.commands.search_log(self.query_one(LogView).search, "", self.post_message)
        else:
            super().leave()
