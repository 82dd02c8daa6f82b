"""The doctor's screen: findings, the one chosen in full, its command on the clipboard."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.services import examination
from backends.services.doctor import Diagnosis, Level
from tests.pilot.stage import stage
from widgets.line import plain
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable


async def test_findings_are_shown_worst_first_and_their_commands_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = Diagnosis("rootless", Level.PROBLEM, "no ids for [red]me[/]", "`sudo usermod --x me`, then log in")
    monkeypatch.setattr(examination, "examine_host", lambda _: [bad])
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.press("D")
        table = play.app.screen.query_one("#doctor", LiveTable)
        await play.until(lambda: table.rows, "findings")
        assert plain(table.rows[0].cells[0]).startswith("Problems  1")
        full = play.app.screen.query_one("#finding", LinesPane)
        await play.until(lambda: "no ids for [red]me[/]" in "\n".join(map(plain, full.lines)))
        await play.press("y")
        assert play.app.clipboard == "sudo usermod --x me"
        await play.press("end", "y")
        assert "no command" in play.toasts()
        everything = len(table.rows)
        await play.press("a")
        assert len(table.rows) < everything
        monkeypatch.setattr(examination, "examine_host", lambda _: [])
        await play.press("r")
        await play.until(lambda: "Problems" not in plain(table.rows[0].cells[0]) if table.rows else True)
        await play.press("escape")
        assert play.on_top() == "FleetScreen"
