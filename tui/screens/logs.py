"""The logs of one or more containers, followed while the screen is open. The streams end when the screen is left."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input
from textual.worker import Worker

from backends.layers.uncollected import leave_out, searched_again
from backends.model.container import Container
from backends.model.fleet import FleetView
from tui.action import Scope
from tui.actions import bindings
from tui.here import here
from tui.log_commands import LOG_TAIL
from tui.messages import LogEnded, LogLinesArrived, LogSaved, LogSearched, OlderLinesRead
from tui.screens.filtered_log import FilteredLogScreen
from tui.screens.frame import KeyBar, TitleBar
from tui.screens.log_sources import LogSources, project_of
from widgets.filter_line import FilterLine
from widgets.line import Tone, line
from widgets.lines_pane import LinesPane
from widgets.log_draw import LogLook
from widgets.log_filter import LEVELS, LogFilter
from widgets.log_view import LogView
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.log_pages import LogPages

_SINCE_LINES = 20_000  # lines read at once where a moment is asked for; those before them come as one goes up

_SETTLED_LINES = 2_000
"""A log of 100,000 lines is 200,000 objects without cycles: to search them for garbage holds a key up for 100 ms."""


class LogScreen(FilteredLogScreen):
    """Follows logs; pauses, searches, filters, saves."""

    SCOPES: ClassVar = (Scope.LOGS,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.LOGS)
    AUTO_FOCUS = "LogView"

    def __init__(self, *containers: Container) -> None:
        super().__init__()
        self._sources = LogSources(containers)
        self._workers: list[Worker[None]] = []
        self._pages: LogPages | None = None
        self._since: datetime | None = None
        self._reading = False  # an older page
        self._begins = False  # there is nothing above the first line
        self._grown = 0  # lines since those there were left out of Python's search for garbage

    def compose(self) -> ComposeResult:
        """Title, search, filter, log, what is shown of it, keys."""
        yield TitleBar()
        yield Input(id="search", placeholder="search", compact=True)
        yield FilterLine("regular expression, small letters for both cases", take=self._take_pattern, back="LogView")
        yield LogView(id="log")
        yield LinesPane(id="log-status")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Begin to follow."""
        self.query_one("#search").display = False
        self.query_one("#log-status").can_focus = False
        self.query_one(LogView).set_look(LogLook(self._sources.names))
        self.show_modes()
        self._begin()

    def _begin(self) -> None:
        keys, logs = self._sources.keys, self.tranship.commands.logs
        self._pages = logs.pages(keys, self._since)
        tail = LOG_TAIL if self._since is None else _SINCE_LINES
        tail = min(tail, max(1, _SINCE_LINES // len(keys)))
        self._begins = self._reading = False
        self._workers = [logs.follow(keys, self.post_message, tail=tail, since=self._since)]
        self._say()

    def on_unmount(self) -> None:
        """Left: the streams are closed."""
        self._stop()
        searched_again()

    def _stop(self) -> None:
        for worker in self._workers:
            worker.cancel()
        self._workers = []

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Following, searching, filtering."""
        view = self.query_one(LogView)
        return {
            "logs.follow": self._pause_or_follow,
            "logs.search": self._edit_search,
            "logs.next": view.next_match,
            "logs.previous": view.previous_match,
            "logs.filter": self.query_one(FilterLine).edit,
            "logs.level": self._next_level,
            "logs.since": self._ask_since,
            "logs.times": lambda: self._look(LogLook(view.look.names, not view.look.times)),
            "logs.wrap": lambda: view.set_wrap(not view.wraps),
            "logs.save": self._ask_path,
            "logs.project": self._project,
        }

    # -- what is said ----------------------------------------------------------------------------
    def _say(self) -> None:
        view = self.query_one(LogView)
        about = f"Log of {self._sources.title}"
        about += "  ended" if self._sources.all_ended else "  following" if view.following else "  standing still"
        if (found := view.found_count) is not None:
            about += f"  {found:,} found"
        self.query_one(TitleBar).show(about)
        kept = f"{view.line_count:,} lines read, at most {view.max_lines:,} kept"
        if not view.wanted.all:
            kept = f"{view.shown_count:,} of {kept}"
        parts = [(kept, Tone.DIM)]
        if self._wrong:
            parts.append((f"  ✕ {self._wrong}", Tone.BAD))
        elif view.wanted.given_up:
            parts.append((f"  ✕ {inert(view.wanted.words)}", Tone.BAD))
        elif view.wanted.words:
            parts.append((f"  only {inert(view.wanted.words)}", Tone.ACCENT))
        if self._since is not None:
            parts.append((f"  since {self._since.astimezone():%Y-%m-%d %H:%M:%S}", Tone.ACCENT))
        above = "reading older lines …" if self._reading else "from its beginning" if self._begins else ""
        if view.wraps:
            parts.append(("  wrapped", Tone.DIM))
        if above:
            parts.append((f"  {above}", Tone.DIM))
        self.query_one("#log-status", LinesPane).show_lines([line(*parts)])

    def _pause_or_follow(self) -> None:
        view = self.query_one(LogView)
        view.set_following(not view.following)
        self._say()  # with the same frame; what the view tells comes after it, and would wait for the next one

    @on(LogView.FollowChanged)
    def _follow_changed(self) -> None:
        self._say()

    # -- lines -----------------------------------------------------------------------------------
    @on(LogLinesArrived)
    def _more(self, message: LogLinesArrived) -> None:
        batch, view = message.batch, self.query_one(LogView)
        if self._pages is not None:
            self._pages.hold(batch.early)
            self._pages.know(batch.lines, batch.left_out.items())
        for key, count in batch.left_out.items():
            of = f" of {self._sources.name(key)}" if len(self._sources.keys) > 1 else ""
            view.show_note(f"{count:,} lines{of} left out: they came faster than a screen can show them")
        numbers = self._sources.numbers
        view.append([one for _, one in batch.lines], [numbers[key] for key, _ in batch.lines])
        self._grown += len(batch.lines)
        if self._grown > _SETTLED_LINES:
            self._grown = 0
            leave_out()
        self._say()

    @on(LogView.TopReached)
    def _want_older(self) -> None:
        view = self.query_one(LogView)
        if self._reading or self._begins or self._pages is None:
            return
        if view.room <= 0:
            self.tranship.refuse(
                f"{view.max_lines:,} lines are kept: no room for older ones. Ask for them by a moment, or with "
                "`tranship logs`."
            )
            return
        self._reading = True
        self.tranship.commands.logs.older(self._pages, self.post_message)
        self._say()

    @on(OlderLinesRead)
    def _older(self, message: OlderLinesRead) -> None:
        if message.pages is not self._pages:
            return  # of a log that was begun anew since
        self._reading = False
        numbers = self._sources.numbers
        lines = [one for _, one in message.lines]
        taken = self.query_one(LogView).prepend(lines, [numbers[key] for key, _ in message.lines])
        if message.error is not None:
            self.tranship.fail(message.error, asked="Older lines: ")
        elif taken < len(lines):
            self.tranship.refuse("No room for more lines: the oldest read were left out again.")
            self._pages = None
        self._begins = message.error is None and message.ended
        self._say()

    @on(LogEnded)
    def _log_ended(self, message: LogEnded) -> None:
        view, of = self.query_one(LogView), ""
        if len(self._sources.keys) > 1:
            of = f" of {self._sources.name(message.container)}"
        if message.error is None:
            view.show_note(f"end of the log{of}: the container does not run; the log goes on when it starts again")
        else:
            view.show_note(inert(f"{message.error.title}{of}  {message.error.hint}"), bad=True)
        self._sources.end(message)
        self._say()
        self.show_view(self.tranship.view)

    def show_view(self, view: FleetView) -> None:
        """Take the newest view: a log that ended goes on when its container runs again."""
        for ended in self._sources.look(view):
            of = f"{self._sources.name(ended.container)}: " if len(self._sources.keys) > 1 else ""
            self.query_one(LogView).show_note(f"{of}it runs again")
            self._say()
            after = {ended.container: ended.last} if ended.last is not None else None
            logs = self.tranship.commands.logs
            self._workers.append(logs.follow([ended.container], self.post_message, after=after))

    # -- search ----------------------------------------------------------------------------------
    def _edit_search(self) -> None:
        entry = self.query_one("#search", Input)
        entry.display = True
        self.set_focus(entry)

    @on(Input.Submitted, "#search")
    def _search(self, event: Input.Submitted) -> None:
        entry, view = event.input, self.query_one(LogView)
        entry.display = bool(event.value)
        self.set_focus(view)
        self.tranship.commands.logs.search(view.search, event.value, self.post_message)

    @on(LogSearched)
    def _searched(self, message: LogSearched) -> None:
        self._say()
        if message.found:
            self.query_one(LogView).previous_match()

    # -- what is shown of it ---------------------------------------------------------------------
    def _next_level(self) -> None:
        view = self.query_one(LogView)
        level = LEVELS[(LEVELS.index(view.wanted.level) + 1) % len(LEVELS)]
        view.set_filter(LogFilter(view.wanted.pattern, level))
        self._say()

    def _look(self, look: LogLook) -> None:
        self.query_one(LogView).set_look(look)

    def _ask_since(self) -> None:
        from tui.moments import EXAMPLES, moment_of
        from widgets.dialogs import InputDialog

        def wrong(text: str) -> str:
            try:
                if text.strip():
                    moment_of(text, self.tranship.clock.now().astimezone())
            except ValueError as error:
                return str(error)
            return ""

        def take(text: str | None) -> None:
            if text is None:
                return
            now = self.tranship.clock.now().astimezone()
            self._since = moment_of(text, now) if text.strip() else None
            self._stop()
            self.query_one(LogView).clear()
            self._sources.restart()
            self._begin()

        note = f"{EXAMPLES}; nothing: all of it"
        self.app.push_screen(InputDialog("Lines since", placeholder=EXAMPLES, note=note, validate=wrong), take)

    def _ask_path(self) -> None:
        from pathlib import Path

        from widgets.dialogs import InputDialog

        lines = self.query_one(LogView).saved()

        def take(text: str | None) -> None:
            if text:
                path = Path(os.path.expanduser(text))
                self.tranship.commands.logs.save(path, lines, self.post_message)

        name = f"{self._sources.file_name}-{self.tranship.clock.now().astimezone():%Y%m%d-%H%M%S}.log"
        note = f"{len(lines):,} lines as they are shown now; `tranship logs` writes all of them"
        self.app.push_screen(InputDialog("Save the log to", value=str(here() / name), note=note), take)

    @on(LogSaved)
    def _saved(self, message: LogSaved) -> None:
        self.notify(f"{message.lines:,} lines are in {message.path}", timeout=6, markup=False)

    def _project(self) -> None:
        first = self._sources.containers[0]
        together = [first] if len(self._sources.keys) > 1 else project_of(first, self.tranship.view)
        if together == list(self._sources.containers):
            self.tranship.refuse(f"{first.name} belongs to no project or pod with other containers.")
        else:
            self.app.switch_screen(LogScreen(*together))

    def leave(self) -> None:
        """Back; out of the search and the filter first."""
        entry, view, wanted = self.query_one("#search", Input), self.query_one(LogView), self.query_one(FilterLine)
        if entry.display:
            entry.value = ""
            entry.display = False
            self.set_focus(view)
            self.tranship.commands.logs.search(view.search, "", self.post_message)
        elif wanted.display:
            wanted.drop()
            self.set_focus(view)
        else:
            super().leave()
