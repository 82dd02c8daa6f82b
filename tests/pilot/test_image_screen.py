"""One image in full, by keys: its steps, files, changes and waste; what leaving it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backends.engines.demo import DemoEngine
from backends.engines.demo_fleet import demo_engines
from backends.model.errors import Unreachable
from backends.model.image_files import Mark
from tests.pilot import stage as scenery
from tests.pilot.held import NAME, SMALL, with_held
from tests.pilot.stage import Stage, stage
from tui.screens.image import ImageScreen
from widgets.layer_files import MARKS
from widgets.line import plain
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable


@pytest.fixture(autouse=True)
def _an_image_that_holds_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenery, "demo_engines", with_held(demo_engines, SMALL))


def screen(play: Stage) -> ImageScreen:
    assert isinstance(play.app.screen, ImageScreen)
    return play.app.screen


def rows(play: Stage, table: str = "#layer-files") -> list[str]:
    """What a table shows, row by row, its spaces joined."""
    found = screen(play).query_one(table, LiveTable).rows
    return [" ".join(" ".join(plain(cell) for cell in row.cells).split()) for row in found]


def names(play: Stage) -> list[str]:
    """Marks and names of the files shown."""
    found = screen(play).query_one("#layer-files", LiveTable).rows
    return [f"{plain(row.cells[0])}{plain(row.cells[2]).strip()}" for row in found]


async def opened(play: Stage) -> None:
    await play.select(NAME)
    await play.press("w")
    await play.until(lambda: play.on_top() == "ImageScreen" and rows(play), "the files")


async def test_the_largest_step_comes_first_and_files_follow_the_cursor(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play)
        assert [row.split()[0] for row in rows(play, "#layer-list")] == ["1", "2", "3"]
        assert names(play) == ["+▸ usr/", "+▸ etc/"]
        await play.press("end")
        await play.until(lambda: names(play) == ["+▸ a/"])
        await play.press("up")
        await play.until(lambda: "~▸ usr/" in names(play))
        assert "+[bold]evil" in [name.replace("  ", "") for name in names(play)]  # its text, and nothing that acts
        step = screen(play).query_one("#layer-step", LinesPane)
        assert [plain(one).strip() for one in step.lines][:2] == ["RUN rm /usr/bin/sh &&", "tune"]


async def test_folders_open_and_close(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play)
        await play.press("enter", "enter", "down", "enter")
        await play.until(lambda: names(play) == ["+▾ usr/", "+▾ bin/", "+redis", "+sh", "+▸ etc/"])
        await play.press("o")
        assert names(play)[0] == "+▸ etc/"
        await play.press("home", "down", "enter")
        assert names(play) == ["+▸ etc/", "+▸ usr/"]


async def test_the_whole_image_and_only_changes(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play)
        await play.press("down", "a")
        await play.until(lambda: names(play)[:1] == ["~▸ usr/"])
        await play.press("tab", "home", "enter", "down", "enter")
        await play.until(lambda: "-sh" in names(play))
        assert " redis" in names(play)
        await play.press("c")
        await play.until(lambda: "redis" not in "".join(names(play)))
        assert "-sh" in names(play)
        assert "changes only" in str(screen(play).query_one("#layer-files").border_title)


async def test_a_filter_finds_files_and_escape_goes_back_step_by_step(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play)
        await play.press("slash", *"BIN red", "enter")
        await play.until(lambda: names(play) == ["+▾ usr/", "+▾ bin/", "+redis"])
        await play.press("escape")
        await play.until(lambda: names(play) == ["+▸ usr/", "+▸ etc/"])
        await play.press("w")
        waste = screen(play).query_one("#layer-waste", LinesPane)
        await play.until(lambda: waste.lines)
        told = "\n".join(plain(one) for one in waste.lines)
        assert "/etc/conf" in told
        assert "/usr/bin/sh" in told
        await play.press("escape")
        assert not waste.display
        await play.press("escape")
        assert play.on_top() == "FleetScreen"


async def test_enter_on_the_layers_pane_opens_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select(NAME)
        await play.press("tab", "tab")
        await play.until(lambda: play.app.screen.query_one("#layers").has_focus)
        await play.press("enter")
        await play.until(lambda: play.on_top() == "ImageScreen")


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_leaving_ends_the_reading_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    ended, begun = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def hanging(_engine: DemoEngine, _reference: str) -> AsyncIterator[AsyncIterator[bytes]]:
        async def chunks() -> AsyncIterator[bytes]:
            begun.set()
            await asyncio.Event().wait()
            yield b""

        try:
            yield chunks()
        finally:
            ended.set()

    monkeypatch.setattr(DemoEngine, "export_image", hanging)
    async with stage(tmp_path, size=size) as play:
        await play.select(NAME)
        await play.press("w")
        await asyncio.wait_for(begun.wait(), 10)
        await play.until(lambda: len(rows(play, "#layer-list")) == 3, "the steps, before a byte of them was read")
        await play.press("escape")
        await asyncio.wait_for(ended.wait(), 10)
        assert play.on_top() == "FleetScreen"


async def test_what_goes_wrong_is_said_in_place_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(engine: DemoEngine, _reference: str) -> None:
        raise Unreachable("the engine went away", hint="Start it again", engine=engine.id)

    monkeypatch.setattr(DemoEngine, "export_image", lost)
    async with stage(tmp_path) as play:
        await play.select(NAME)
        await play.press("w")
        table = screen(play).query_one("#layer-files", LiveTable)
        await play.until(lambda: "went away" in "".join(table.render_line(y).text for y in range(table.size.height)))


def test_every_mark_can_be_told_without_colour() -> None:
    assert len({sign for sign, _ in MARKS.values()}) == len(Mark)
