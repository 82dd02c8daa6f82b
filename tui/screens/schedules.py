"""Backups that are made again and again on this account: what comes when, by whom. Makes none itself."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from backends.schedule.install import manager
from tui.action import Scope
from tui.actions import bindings
from tui.schedule_commands import SchedulesRead
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from widgets.dialogs import ConfirmDialog
from widgets.line import BLANK, Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.live_table import Column, LiveTable, Row
from widgets.text import inert, paragraph

if TYPE_CHECKING:
    from backends.schedule.install import Installed

_COLUMNS = (
    Column("name", "CONTAINER", 16, flex=3, most=40, cut="middle", fixed=True, sortable=False),
    Column("engine", "ENGINE", 10, sortable=False),
    Column("every", "EVERY", 12, flex=2, most=30, sortable=False),
    Column("keep", "KEEP", 4, align="right", sortable=False),
    Column("by", "BY", 7, priority=2, sortable=False),
    Column("next", "NEXT", 16, flex=2, most=34, sortable=False),
    Column("to", "TO", 12, flex=4, most=80, cut="middle", priority=1, sortable=False),
)
_NONE = (
    "No backup is scheduled on this account.",
    "",
    "tranship schedule NAME --every daily --to FOLDER",
    "    shows what systemd would get; --install gives it to systemd, --cron to cron",
)


def schedule_lines(one: Installed, width: int) -> list[Line]:
    """One in full, and what else can be done about it."""
    wish = one.schedule
    by = f"timer {wish.unit}.timer of systemd" if one.how == "systemd" else "a line of the crontab"
    lines = [
        line((inert(wish.name), Tone.STRONG), (inert(f"  on {wish.engine}, {wish.every}, by {by}"), Tone.PLAIN)),
        *paragraph(f"into {wish.to}; the newest {wish.keep} that read whole stay", Tone.PLAIN, width),
        *paragraph(f"next: {one.next or 'nobody says'}", Tone.PLAIN, width),
        BLANK,
        *paragraph(f"read one whole:  tranship verify-backup {wish.to}/…", Tone.DIM, width),
    ]
    if one.how == "systemd":
        status = shlex.join([*manager(), "status", f"{wish.unit}.service"])
        lines += paragraph(f"how the last one went:  {status}", Tone.DIM, width)
    return lines


class SchedulesScreen(SubScreen):
    """All of them, and the one under the cursor in full."""

    SCOPES: ClassVar = (Scope.SCHEDULES,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.SCHEDULES)
    AUTO_FOCUS = "#schedules"

    def __init__(self) -> None:
        super().__init__()
        self._found: tuple[Installed, ...] = ()

    def compose(self) -> ComposeResult:
        """Title, schedules, the one chosen, keys."""
        yield TitleBar("Scheduled backups")
        yield LiveTable(_COLUMNS, empty="Asking systemd and cron …", id="schedules")
        yield LinesPane(id="schedule")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Begin to read."""
        self.show_modes()
        self.query_one("#schedule", LinesPane).border_title = "In full"
        self._again()

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of this screen."""
        return {"schedules.remove": self._remove, "schedules.again": self._again}

    def _again(self) -> None:
        self.tranship.commands.schedules.read(self.post_message)

    @on(SchedulesRead)
    def _told(self, message: SchedulesRead) -> None:
        if message.error is not None:
            self.tranship.fail(message.error)
        else:
            self._found = message.found
        count = len(self._found)
        self.query_one(TitleBar).show(f"Scheduled backups · {count or 'none'}")
        rows = [Row(place, _cells(one)) for place, one in enumerate(self._found)]
        self.query_one("#schedules", LiveTable).show_rows(rows, empty=[line((text, Tone.DIM)) for text in _NONE])
        self._show_chosen()

    @on(LiveTable.RowHighlighted, "#schedules")
    def _show_chosen(self) -> None:
        one = self._chosen()
        self.query_one("#schedule", LinesPane).show_built(
            lambda width: schedule_lines(one, width) if one is not None else [BLANK]
        )

    def _chosen(self) -> Installed | None:
        key = self.query_one("#schedules", LiveTable).cursor_key
        return self._found[key] if isinstance(key, int) and key < len(self._found) else None

    def _remove(self) -> None:
        one = self._chosen()
        if one is None:
            self.tranship.refuse("No schedule is chosen.")
            return

        def take(sure: bool | None) -> None:
            if sure:
                self.tranship.commands.schedules.remove(one, self.post_message)

        wish = one.schedule
        body = [line(inert(f"{wish.every}, into {wish.to}")), line("The backups that are there stay.")]
        title = f"No more backups of {wish.name} on {wish.engine}?"
        self.app.push_screen(ConfirmDialog(title, body, yes="Remove", no="Keep", destructive=True), take)


def _cells(one: Installed) -> tuple[Line, ...]:
    wish = one.schedule
    texts = (wish.name, wish.engine, wish.every, str(wish.keep), one.how, one.next or "–", wish.to)
    return tuple(line(inert(text)) for text in texts)


__all__ = ["SchedulesScreen", "schedule_lines"]
