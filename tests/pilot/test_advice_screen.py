"""The advisor's screen: verdict and rule, statements of each engine, what counts against one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from backends.model.container import ContainerState
from backends.model.workload import GpuRequest
from tests.pilot.stage import Stage, stage
from tui.screens.frame import TitleBar
from widgets.line import plain
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable


def _rows(play: Stage) -> list[str]:
    return ["  ".join(map(plain, row.cells)) for row in play.app.screen.query_one("#advice", LiveTable).rows]


async def test_the_verdict_and_what_it_rests_on(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        assert play.state("tensorboard") is ContainerState.RUNNING
        held = next(one for one in play.docker.world.containers.values() if one.spec.name == "tensorboard")
        held.spec = replace(held.spec, gpu=GpuRequest(cdi_devices=("nvidia.com/gpu=0",)))
        await play.select("tensorboard")
        await play.press("U")
        await play.until(lambda: _rows(play), "statements")
        assert _rows(play)[0].startswith("→ best  demo-docker")
        title = str(play.app.screen.query_one(TitleBar).query_one(".about").render())
        assert "best: demo-docker" in title
        full = play.app.screen.query_one("#statement", LinesPane)
        await play.until(lambda: "Rule: An engine with" in "\n".join(map(plain, full.lines)), "the rule")
        assert any("knows 3 CDI names of GPUs" in row for row in _rows(play))
        await play.press("down")
        await play.until(lambda: "read: inspect: State.Status = running" in "\n".join(map(plain, full.lines)))
        await play.press("y")
        assert "no remedy" in play.toasts()
        await play.press("a")
        assert len(_rows(play)) == 1
        await play.press("escape")
        assert play.on_top() == "FleetScreen"


async def test_its_engine_is_gone(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.select("rag-redis")
        play.podman.go_down()
        await play.press("U")
        await play.until(lambda: "Advice: " in play.toasts(), "why not")
