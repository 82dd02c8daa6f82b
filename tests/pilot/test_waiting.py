"""What a screen says until it is told, and that it waits for an engine that takes its time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from backends.model.container import LogLine, LogStream
from backends.services import browse, examination
from backends.services.doctor import Diagnosis
from tests.pilot.stage import DEADLINE_S, stage
from tui.messages import OlderLinesRead
from tui.screens import container
from widgets.line import plain
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable
from widgets.log_view import LogView


async def test_nothing_is_well_before_the_doctor_has_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = Event()

    def slow(_: object) -> list[Diagnosis]:
        go_on.wait(DEADLINE_S)
        return []

    monkeypatch.setattr(examination, "examine_host", slow)
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.press("D", "a")
        table = play.app.screen.query_one("#doctor", LiveTable)
        assert "amiss" not in _drawn(table)
        go_on.set()
        await play.until(lambda: table.rows or "amiss" in _drawn(table), "what was found")


async def test_no_folder_is_empty_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        go_on, found = asyncio.Event(), browse.container_folder

        async def slow(*args: Any, **more: Any) -> Any:
            await go_on.wait()
            return await found(*args, **more)

        monkeypatch.setattr(browse, "container_folder", slow)
        await play.select("rag-redis")
        await play.press("f", "slash", "x")
        table = play.app.screen.query_one("#files", LiveTable)
        assert "Reading" in _drawn(table)
        go_on.set()
        await play.until(lambda: "Reading" not in _drawn(table), "the folder")


async def test_an_engine_that_is_slow_to_list_processes_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "_PROCESSES_S", 0.05)
    async with stage(tmp_path, size=(80, 24)) as play:
        listed = play.podman.processes

        async def slow(key: str) -> Any:
            await asyncio.sleep(0.5)
            return await listed(key)

        monkeypatch.setattr(play.podman, "processes", slow)
        await play.select("rag-redis")
        await play.press("enter", "3")
        pane = play.app.screen.query_one("#detail", LinesPane)
        await play.until(lambda: "redis-server" in "\n".join(map(plain, pane.lines)), "its processes")


def _drawn(table: LiveTable) -> str:
    return "\n".join("".join(part.text for part in table.render_line(y)) for y in range(table.size.height))


async def test_older_lines_of_a_log_that_was_begun_anew_are_none_of_it(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.select("rag-redis")
        await play.press("l")
        view = play.app.screen.query_one(LogView)
        await play.until(lambda: view.line_count, "its lines")
        pages = play.app.commands.logs.pages([play.row("rag-redis").key], None)
        assert pages is not None
        old = (play.row("rag-redis").key, LogLine(LogStream.STDOUT, "of before"))
        play.app.screen.post_message(OlderLinesRead(pages, (old,)))
        await play.pilot.pause()
        assert not any("of before" in text for text in view.saved())
