"""Images to files and back, and two images compared, from the images' screen by keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from backends.engines import demo_fleet
from backends.engines.demo import DemoEngine
from backends.engines.demo_images import build, committed
from tests.pilot import stage as stages
from tests.pilot.held import KB
from tests.pilot.stage import Stage, stage
from tests.pilot.test_images_screen import REDIS, has, opened, rows, said
from tests.unit.layers.images import layer
from tui.screens.compare import CompareScreen
from widgets.dialogs import ChoiceDialog, InputDialog
from widgets.flow_dialog import FlowDialog, FlowMoved, flow_lines
from widgets.line import plain
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable

OLD, NEW = "quay.io/test/app:1", "quay.io/test/app:2"


def file_of(play: Stage) -> Input:
    assert isinstance(play.app.screen, InputDialog)
    return play.app.screen.query_one(Input)


async def test_an_image_goes_to_a_file_and_comes_back(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play, "redis demo-docker")
        await play.press("W")
        assert file_of(play).value.endswith("redis_7.tar")
        file_of(play).value = str(tmp_path / "nowhere" / "a.tar")
        await play.press("enter")
        assert "there is no folder" in said(play, ".dialog-wrong")
        target = tmp_path / "redis.tar"
        file_of(play).value = str(target)
        await play.press("enter")
        await play.until(target.exists, "the file")
        await play.until(lambda: f"is in {target}" in play.toasts())
        for engine in (play.docker, play.podman):
            for container in list(engine.world.containers.values()):
                if REDIS in engine.world.images[container.image_id].tags:
                    await engine.remove(container.id, force=True)
        await play.podman.remove_image(REDIS)
        await play.press("R")
        file_of(play).value = str(target)
        await play.press("enter")
        await play.until(lambda: isinstance(play.app.screen, ChoiceDialog))
        await play.press("down", "enter")
        await play.until(lambda: has(play.podman, REDIS), "the image")
        await play.until(lambda: play.on_top() == "ImagesScreen")


async def test_writing_is_called_off_and_nothing_is_left(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.docker.faults.hang("export_image")
        await opened(play, "redis demo-docker")
        await play.press("W")
        file_of(play).value = str(tmp_path / "out" / "redis.tar")
        (tmp_path / "out").mkdir()
        await play.press("enter")
        await play.until(lambda: isinstance(play.app.screen, FlowDialog))
        await play.press("escape")
        await play.until(lambda: play.on_top() == "ImagesScreen")
        assert list((tmp_path / "out").iterdir()) == []


def test_a_flow_in_figures() -> None:
    drawn, figures = flow_lines(FlowMoved(512 << 20, 2 << 30, 100e6, 15.0))
    assert plain(figures) == "25%  512 MiB of about 2.0 GiB  95 MiB/s  0:15 left"
    assert len(plain(drawn)) == 40
    assert plain(flow_lines(FlowMoved(0))[0]) == "waiting for the engine …"


def add_pair(docker: DemoEngine, podman: DemoEngine) -> None:
    """Two tags of one repository on Docker; Podman has the second of them."""
    now = docker.world.clock()
    base = build(["quay.io/test/base:1"], [], {"Env": ["A=secret", "KEPT=1"], "Cmd": ["old"]}, now)
    base = committed(base, layer({"bin/sh": KB, "etc/conf": KB, "gone/a": KB * 3}), "ADD base", now)
    changes = {"bin/sh": KB * 5, "etc/.wh.conf": b"", "[b]new/x": KB * 9, "gone/.wh.a": b""}
    other = committed(base, layer(changes), "RUN change", now)
    settings = other.config.replace(b'"old"', b'"new"').replace(b"A=secret", b"A=hidden")
    other = type(other)(settings, other.layers)
    base.tags, other.tags = [OLD], [NEW]
    docker.actions.add_image(base)
    docker.actions.add_image(other)
    podman.actions.add_image(type(other)(other.config, other.layers, [NEW]))


@pytest.fixture
def _a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    def engines(*, look_s: float, act_s: float) -> tuple[DemoEngine, DemoEngine]:
        docker, podman = demo_fleet.demo_engines(look_s=look_s, act_s=act_s)
        add_pair(docker, podman)
        return docker, podman

    monkeypatch.setattr(stages, "demo_engines", engines)


def compared(play: Stage) -> CompareScreen:
    return next(one for one in play.app.screen_stack if isinstance(one, CompareScreen))


def facts(play: Stage) -> str:
    return "\n".join(plain(one) for one in compared(play).query_one("#compare-facts", LinesPane).lines)


def files(play: Stage) -> list[str]:
    """Mark, change and name of each row."""
    table = compared(play).query_one("#compare-files", LiveTable)
    return [f"{plain(row.cells[0])}{plain(row.cells[2])} {plain(row.cells[3]).strip()}" for row in table.rows]


@pytest.mark.usefixtures(_a_pair.__name__)
async def test_two_tags_are_compared_and_turned(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play, "app demo-docker", 23)
        await play.press("home", "space", "down", "equals_sign")
        await play.until(lambda: "CONFIGURATION" in facts(play))
        assert "app:1 on demo-docker" in facts(play).splitlines()[0]
        await play.press("r")
        await play.until(lambda: "app:2 on demo-docker" in facts(play).splitlines()[0], "the other way round")
        assert "+ env" not in facts(play)
        await play.press("r")
        await play.until(lambda: "app:1 on demo-docker" in facts(play).splitlines()[0], "as before")
        told = facts(play)
        assert "~ command  old → new" in told
        assert "~ env A  (another value)" in told
        assert "secret" not in told
        assert "hidden" not in told
        assert "1 in both" in told
        assert "RUN change" in told
        await play.until(lambda: len(files(play)) == 4)
        assert files(play) == ["++8.8 KiB ▸ [b]new/", "~+3.9 KiB ▸ bin/", "~-1000 B ▸ etc/", "~-2.9 KiB ▸ gone/"]
        await play.press("slash", *"conf", "enter")
        await play.until(lambda: [row.split()[-1] for row in files(play)] == ["etc/", "conf"])
        await play.press("escape", "escape")
        await play.until(lambda: play.on_top() == "ImagesScreen")


@pytest.mark.usefixtures(_a_pair.__name__)
async def test_the_same_image_of_the_other_engine_is_offered_first(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await opened(play, "app:2 demo-podman", 23)
        assert len(rows(play)) == 1
        await play.press("equals_sign")
        await play.until(lambda: isinstance(play.app.screen, ChoiceDialog))
        await play.press("enter")
        await play.until(lambda: "CONFIGURATION" in facts(play))
        assert "as large, no file differs" in facts(play)
        await play.until(lambda: "The files of both are the same." in plain_empty(play))


def plain_empty(play: Stage) -> str:
    table = compared(play).query_one("#compare-files", LiveTable)
    return "\n".join(plain(one) for one in table._empty)
