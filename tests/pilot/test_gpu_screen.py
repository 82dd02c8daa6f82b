"""GPUs by keys: the pane points at containers, the screen in full, who holds memory idly, and stopping one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backends.gpu.demo import DemoProbe
from backends.model.container import ContainerState
from backends.model.gpu import GpuSnapshot
from backends.services.changes import GpusSampled
from tests.pilot.stage import Stage, stage
from tests.snapshots.still import MONOTONIC, Change, sampled
from tui.clock import Clock
from tui.screens.gpus import GpuScreen
from tui.screens.panes import Panes
from widgets.dialogs import ConfirmDialog
from widgets.gpu_detail import GpuDetail
from widgets.gpu_table import GpuTable
from widgets.line import plain
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable

IDLER = "jupyter-lab"  # the demo's container that holds memory and computes nothing


async def with_gpus(play: Stage, count: int = 2, change: Change = lambda snapshot: snapshot) -> None:
    """Give the fleet demo GPUs as they are after an hour of watching. change: made to each snapshot."""
    probe = DemoProbe(lambda: play.fleet.store.view.containers.values(), clock=lambda: MONOTONIC, count=count)
    play.app.clock = Clock(now=play.app.clock.now, monotonic=lambda: MONOTONIC)
    play.fleet.store.apply(sampled(probe, play.fleet.store.view, change))
    await play.until(lambda: len(play.app.view.gpus.readings) == count, "the GPUs")
    await play.pilot.pause()


def text(pane: LinesPane) -> str:
    """What a pane shows."""
    return "\n".join(plain(one) for one in pane.lines)


def rows(play: Stage, part: str) -> list[str]:
    """What a table of the GPU screen shows, row by row."""
    return [" ".join(plain(cell).strip() for cell in row.cells) for row in screen(play).query_one(part, LiveTable).rows]


def screen(play: Stage) -> GpuScreen:
    """The GPU screen, which is on top."""
    assert isinstance(play.app.screen, GpuScreen)
    return play.app.screen


def gpu_cell(play: Stage, name: str) -> str:
    """The GPU column of a container's row."""
    return next(plain(row.cells[6]) for row in play.table.rows if plain(row.cells[1]) == name)


async def test_the_selected_container_lights_its_gpus(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await with_gpus(play)
        pane = play.app.screen.query_one(Panes).gpus
        await play.select("vllm-qwen2.5-7b")
        assert "▸1 NVIDIA" in text(pane)
        assert "▸0 NVIDIA" not in text(pane)
        await play.select("train-llama3-8b")
        assert "▸0 NVIDIA" in text(pane)
        assert "▸1 NVIDIA" in text(pane)


async def test_the_gpu_under_the_panes_cursor_marks_its_containers(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await with_gpus(play)
        assert gpu_cell(play, "train-llama3-8b") == "0,1"
        await play.press("tab")
        await play.until(lambda: gpu_cell(play, IDLER) == "▸0")
        await play.press("down")
        await play.until(lambda: gpu_cell(play, "vllm-qwen2.5-7b") == "▸1")
        assert gpu_cell(play, IDLER) == "0"
        assert gpu_cell(play, "train-llama3-8b") == "▸0,1"
        await play.press("escape")  # back in the table nothing is pointed at
        await play.until(lambda: gpu_cell(play, "train-llama3-8b") == "0,1")


async def test_enter_on_the_pane_opens_the_gpu_that_was_chosen(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await with_gpus(play)
        await play.press("tab", "j", "enter")
        await play.until(lambda: play.on_top() == "GpuScreen")
        assert screen(play).query_one(GpuTable).chosen == play.app.view.gpus.readings[1].device.uuid
        assert str(screen(play).query_one(GpuDetail).border_title).startswith("GPU 1 · ")
        await play.press("escape")
        assert play.on_top() == "FleetScreen"


@pytest.mark.parametrize("count", [0, 16])
async def test_the_screen_shows_every_gpu(tmp_path: Path, count: int) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await with_gpus(play, count)
        await play.press("z")
        table = screen(play).query_one(GpuTable)
        keys = {reading.device.uuid for reading in play.app.view.gpus.readings}
        await play.until(lambda: {row.key for row in table.rows} >= keys)
        assert table.display is (count > 0)
        said = text(screen(play).query_one(GpuDetail))
        assert ("GPU use" in said) is (count > 0)
        assert ("No GPU on this demo machine" in said) is (count == 0)


async def test_the_curves_turn_to_the_last_hour_and_back(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await with_gpus(play)
        await play.press("z")
        detail = screen(play).query_one(GpuDetail)
        await play.until(lambda: "5 min ago" in text(detail))
        await play.press("h")
        assert "1 h ago" in text(detail)
        assert "last hour" in str(detail.border_title)
        await play.press("h")
        assert "5 min ago" in text(detail)


async def test_tab_goes_through_the_parts_and_a_narrow_screen_shows_one_below(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await with_gpus(play)
        await play.press("z")
        seen = []
        for _ in range(4):
            await play.press("tab")
            await play.pilot.pause()
            seen.append(play.app.focused.id if play.app.focused is not None else None)
        assert seen == ["gpu-detail", "gpu-processes", "gpu-containers", "gpu-table"]
        assert screen(play).query_one("#gpu-containers").display
        assert not screen(play).query_one("#gpu-processes").display


async def test_processes_point_at_their_gpu_and_open_their_container(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await with_gpus(play)
        await play.press("z", "tab", "tab")
        await play.until(lambda: any("▸ 0" in one or one.startswith("▸") for one in rows(play, "#gpu-table")))
        await play.press("end")
        await play.until(lambda: rows(play, "#gpu-table")[1].startswith("▸"))
        assert not rows(play, "#gpu-table")[0].startswith("▸")
        await play.press("enter")
        await play.until(lambda: play.on_top() == "ContainerScreen")


async def test_only_the_selected_gpu_and_all_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await with_gpus(play)
        await play.press("z")
        await play.until(lambda: len(rows(play, "#gpu-processes")) == 4)
        await play.press("a")
        assert len(rows(play, "#gpu-processes")) == 2
        assert "on GPU 0" in str(screen(play).query_one("#gpu-processes").border_title)
        await play.press("escape")  # out of the narrowed view first
        assert len(rows(play, "#gpu-processes")) == 4
        await play.press("enter")  # on a device: who has it
        await play.until(lambda: play.app.focused is not None and play.app.focused.id == "gpu-processes")
        assert len(rows(play, "#gpu-processes")) == 2


async def test_those_that_hold_memory_idly_are_listed_and_one_is_stopped(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await with_gpus(play)
        await play.press("I")
        await play.until(lambda: play.on_top() == "GpuScreen")
        await play.until(lambda: len(rows(play, "#gpu-containers")) == 1)
        assert IDLER in rows(play, "#gpu-containers")[0]
        assert "idle 1h" in rows(play, "#gpu-containers")[0]
        await play.press("s")
        await play.until(lambda: isinstance(play.app.screen, ConfirmDialog))
        said = "\n".join(str(one.render()) for one in play.app.screen.query("Static"))
        assert IDLER in said
        assert "idle for 1h" in said
        await play.press("n")
        assert play.state(IDLER) is ContainerState.RUNNING
        await play.press("s", "y")
        await play.until(lambda: play.state(IDLER) is ContainerState.EXITED)


async def test_where_none_is_idle_a_sentence_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.press("I")
        assert play.on_top() == "FleetScreen"
        assert "No container has held GPU memory idly for 10 minutes" in play.toasts()


async def test_readonly_refuses_to_stop(tmp_path: Path) -> None:
    async with stage(tmp_path, readonly=True) as play:
        await with_gpus(play)
        await play.press("I")
        await play.until(lambda: play.on_top() == "GpuScreen")
        await play.press("s")
        assert "Read-only" in play.toasts()
        assert play.on_top() == "GpuScreen"


async def test_a_row_without_a_container_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await with_gpus(play, 8)
        await play.press("z", "s")
        assert "Choose a process or a container first" in play.toasts()
        await play.press("tab", "tab", "end", "l")
        await play.until(lambda: "runs in no container" in play.toasts())
        assert play.on_top() == "GpuScreen"


async def test_the_cursor_stays_on_its_gpu_when_another_vanishes(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await with_gpus(play, 2)
        await play.press("z", "down")
        table = screen(play).query_one(GpuTable)
        second = play.app.view.gpus.readings[1]
        assert table.chosen == second.device.uuid
        play.fleet.store.apply(GpusSampled(replace(play.app.view.gpus, readings=(second,)), {}))
        await play.until(lambda: len(table.rows) == 1)
        assert table.chosen == second.device.uuid
        play.fleet.store.apply(GpusSampled(GpuSnapshot(absent="the driver is gone"), {}))
        await play.until(lambda: "The driver is gone" in text(screen(play).query_one(GpuDetail)))


async def test_a_process_brings_its_gpu_in_sight(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await with_gpus(play, 16)
        await play.press("z")
        table = screen(play).query_one(GpuTable)
        first = table.chosen
        await play.press("tab", "tab", "end")
        await play.until(lambda: any("▸" in table.render_line(y).text for y in range(table.size.height)))
        assert table.chosen == first


async def test_a_click_on_the_pane_chooses_the_gpu(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await with_gpus(play)
        pane = play.app.screen.query_one(Panes).gpus
        place = next(y for y, one in enumerate(pane.lines) if "1 NVIDIA" in plain(one))
        await play.pilot.click(pane, offset=(10, place + 1))  # 1: the pane's rule
        await play.until(lambda: gpu_cell(play, "vllm-qwen2.5-7b") == "▸1")
        assert pane.chosen == play.app.view.gpus.readings[1].device.uuid
