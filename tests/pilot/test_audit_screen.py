"""The audit trail's screen: lines newest first, filtered, in full, copied; a broken chain stands above all."""

from __future__ import annotations

import json
from pathlib import Path

from backends.services.audit import AuditLog
from tests.pilot.stage import Stage, stage
from tests.trail import write_trail
from tui.screens.frame import TitleBar
from widgets.line import plain
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable


def _texts(play: Stage) -> list[str]:
    rows = play.app.screen.query_one("#audit", LiveTable).rows
    return [" ".join(plain(cell) for cell in row.cells) for row in rows]


def _full(play: Stage) -> str:
    return "\n".join(map(plain, play.app.screen.query_one("#record", LinesPane).lines))


def _title(play: Stage) -> str:
    return play.app.screen.query_one(TitleBar)._about


async def test_lines_are_listed_filtered_shown_in_full_and_copied(tmp_path: Path) -> None:
    write_trail(tmp_path / "audit.jsonl")
    async with stage(tmp_path, size=(120, 36)) as play:
        await play.press("J")
        await play.until(lambda: len(_texts(play)) == 9, "the lines")
        assert "container.stop" in _texts(play)[0]
        assert "✓ whole: 9 lines in 1 file" in _title(play)
        await play.press("slash", *"vllm run", "enter")
        await play.until(lambda: len(_texts(play)) == 2, "those of the filter")
        await play.until(lambda: "serve --api-key •••• --port 8001" in _full(play), "the line in full")
        assert "sha256:d1ce" in _full(play)
        await play.press("y")
        assert json.loads(play.app.clipboard)["deployed"]["name"] == "vllm"
        await play.press("escape", "d")
        await play.until(lambda: len(_texts(play)) == 2, "what was deployed")
        assert "container.migrate" in _texts(play)[0]
        await play.press("tab")
        assert play.app.screen.query_one("#record").has_focus
        await play.press("escape")
        assert play.on_top() == "FleetScreen"


async def test_a_chain_that_is_broken_stands_above_all(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    write_trail(log)
    log.write_text(log.read_text().replace('"ben"', '"bob"', 1))
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.press("J")
        await play.until(lambda: "not whole" in _title(play), "the verdict")
        assert "audit.jsonl:4" in _texts(play)[1]
        await play.until(lambda: "audit.jsonl, line 4" in _full(play), "the flaw in full")
        assert "it was changed" in " ".join(_full(play).split())


async def test_nothing_yet_and_what_cannot_be_read(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.press("J")
        await play.until(lambda: "nothing is written down yet" in _title(play), "that there is nothing")
        (tmp_path / "audit.jsonl").mkdir()
        await play.press("r")
        await play.until(lambda: "cannot be read" in _title(play), "that it cannot be read")


async def test_what_is_not_written_down_is_said_in_a_toast(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with stage(tmp_path / "state", audit=AuditLog(tmp_path / "file" / "audit.jsonl")) as play:
        await play.select("rag-redis")
        await play.press("s")
        said = "container.stop of rag-redis is not in the audit trail: Not a directory"
        await play.until(lambda: said in play.toasts(), "the toast")
