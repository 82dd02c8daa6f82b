"""The audit trail: who did what, newest first, each line in full, and whether the record is whole. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from backends.services.audit_query import Entry, deployments
from tui.action import Scope
from tui.actions import bindings
from tui.audit_commands import SHOWN, AuditRead
from tui.screens.audit_lines import COLUMNS, audit_rows, entry_lines, flaw_lines, state_text
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from widgets.filter_line import FilterLine
from widgets.line import Tone, line
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable, Row
from widgets.text import inert

_NOTHING = "Nothing yet: what you do with Tranship to real engines is written down here."


class AuditScreen(SubScreen):
    """All lines of the trail, and the one under the cursor in full."""

    SCOPES: ClassVar = (Scope.AUDIT,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.AUDIT)
    AUTO_FOCUS = "#audit"

    def __init__(self) -> None:
        super().__init__()
        self._read = AuditRead()
        self._words = ""
        self._deployed = False

    def compose(self) -> ComposeResult:
        """Title, filter, lines, the one chosen, keys."""
        yield TitleBar("Audit trail")
        yield FilterLine("any word: a name, stop, podman, failed, a user", take=self._filter, back="#audit")
        yield LiveTable(COLUMNS, empty="Reading and proving the trail …", id="audit")
        yield LinesPane(id="record")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Begin to read."""
        self.show_modes()
        self.query_one("#record", LinesPane).border_title = "In full"
        self._again()

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Of this screen."""
        return {
            "audit.filter": self.query_one(FilterLine).edit,
            "audit.deployments": self._turn,
            "audit.part": self._other_part,
            "audit.copy": self._copy,
            "audit.schedules": self._schedules,
            "audit.again": self._again,
        }

    def _again(self) -> None:
        self.query_one(TitleBar).show("Audit trail · reading …")
        self.tranship.commands.audit.read(self.post_message)

    @on(AuditRead)
    def _taken(self, message: AuditRead) -> None:
        self._read = message
        self._draw()

    def _draw(self) -> None:
        read, table = self._read, self.query_one("#audit", LiveTable)
        if read.error is not None:
            self.query_one(TitleBar).show("Audit trail · it cannot be read")
            table.show_rows((), empty=[line((inert(f"{read.error}. Next: {read.error.hint}"), Tone.BAD))])
            return
        if read.verified is None:
            return
        shown = self._shown()
        filtered = bool(self._words) or self._deployed
        said = f"  {len(shown):,} of {len(read.entries):,} shown" if filtered else ""
        if not filtered and len(read.entries) == SHOWN:
            said = f"  the newest {len(read.entries):,} shown"
        self.query_one(TitleBar).show(f"Audit trail · {state_text(read.verified)}{said}")
        nothing = "No line is like that." if filtered else _NOTHING
        table.show_rows(audit_rows(shown, read.verified), empty=[line((nothing, Tone.DIM))])
        self._show_chosen()

    def _shown(self) -> list[Row]:
        wanted, read = self._words.lower().split(), self._read
        return [
            row
            for entry, words, row in zip(read.entries, read.words, read.rows, strict=True)
            if all(word in words for word in wanted) and (not self._deployed or deployments([entry]))
        ]

    @on(LiveTable.RowHighlighted)
    def _show_chosen(self) -> None:
        key, pane = self.query_one("#audit", LiveTable).cursor_key, self.query_one("#record", LinesPane)
        verified, entry = self._read.verified, self._chosen()
        if entry is not None:
            pane.show_built(lambda width: entry_lines(entry, width))
        elif isinstance(key, tuple) and key[0] == "flaw" and verified is not None:
            flaw = verified.flaws[key[1]]
            pane.show_built(lambda width: flaw_lines(str(flaw), width))
        else:
            pane.show_lines(())

    def _chosen(self) -> Entry | None:
        key = self.query_one("#audit", LiveTable).cursor_key
        return self._read.entries[key] if isinstance(key, int) and key < len(self._read.entries) else None

    @on(LiveTable.RowSelected)
    def _other_part(self) -> None:
        record = self.query_one("#record", LinesPane)
        (self.query_one("#audit", LiveTable) if record.has_focus else record).focus()

    def _filter(self, words: str) -> None:
        if words != self._words:
            self._words = words
            self._draw()

    def _turn(self) -> None:
        self._deployed = not self._deployed
        self._draw()

    def _copy(self) -> None:
        entry = self._chosen()
        if entry is None:
            self.tranship.refuse("No line of the trail is chosen.")
            return
        self.app.copy_to_clipboard(json.dumps(entry))
        self.notify(f"Copied: line {entry.get('seq') or ''} as JSON", timeout=4, markup=False)

    def _schedules(self) -> None:
        from tui.screens.schedules import SchedulesScreen

        self.app.push_screen(SchedulesScreen())

    def leave(self) -> None:
        """Back; out of the filter first."""
        wanted = self.query_one(FilterLine)
        if wanted.display:
            wanted.drop()
            self._filter("")
            self.query_one("#audit", LiveTable).focus()
        else:
            super().leave()
