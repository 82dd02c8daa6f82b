"""Scheduled backups on the screen: from the audit trail, each in full, taken away after a question."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.schedule import install
from backends.schedule.plan import Schedule, units
from tests.pilot.stage import Stage, stage
from tests.unit.schedule.test_install import bin as programs
from widgets.line import plain
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable

bin = programs
WISH = Schedule("we[b]\x1b[2J", "podman", "Mon..Fri 02:30", "/srv/backups", 7)


def _rows(play: Stage) -> list[str]:
    return ["  ".join(map(plain, row.cells)) for row in play.app.screen.query_one("#schedules", LiveTable).rows]


@pytest.mark.usefixtures("bin")
async def test_they_are_listed_and_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = tmp_path / "units"
    monkeypatch.setattr(install, "folder", lambda: where)
    install.install_units(WISH, units(WISH, ["/bin/true"], {}), where)
    install.install_cron(Schedule("db", "docker", "daily", "/srv/db", 3), ["tranship", "backup"], {})
    async with stage(tmp_path / "state", size=(80, 24)) as play:
        await play.press("J", "b")
        await play.until(lambda: len(_rows(play)) == 2, "both")
        assert "\x1b" not in "".join(_rows(play))
        await play.press("down")
        full = play.app.screen.query_one("#schedule", LinesPane)
        await play.until(lambda: "into /srv/backups; the newest 7" in "\n".join(map(plain, full.lines)), "it in full")
        await play.press("d", "n")
        assert len(_rows(play)) == 2
        await play.press("d", "y")
        await play.until(lambda: len(_rows(play)) == 1, "the other")
        assert list(where.iterdir()) == []
        assert "db" in _rows(play)[0]
        await play.press("escape")
        assert play.on_top() == "AuditScreen"


@pytest.mark.usefixtures("bin")
async def test_read_only_takes_none_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = tmp_path / "units"
    monkeypatch.setattr(install, "folder", lambda: where)
    install.install_units(WISH, units(WISH, ["/bin/true"], {}), where)
    async with stage(tmp_path / "state", readonly=True) as play:
        await play.press("J", "b")
        await play.until(lambda: _rows(play), "it")
        await play.press("d")
        assert play.on_top() == "SchedulesScreen"
