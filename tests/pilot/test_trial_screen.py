"""The trial's screen: chosen by keys, followed, called off, kept while it is closed, its report written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pilot.stage import Stage, stage
from widgets.line import plain
from widgets.lines_pane import LinesPane


def text(play: Stage) -> str:
    """What its pane shows."""
    return "\n".join(map(plain, play.app.screen.query_one("#trial", LinesPane).lines))


def left(play: Stage) -> list[str]:
    """What of trials is on the engines."""
    worlds = (play.docker.world, play.podman.world)
    return [
        name
        for world in worlds
        for name in (*(one.spec.name for one in world.containers.values()), *world.volumes)
        if name.startswith("tranship-trial-")
    ]


def report(folder: Path) -> str:
    """The one report that was written there."""
    (written,) = folder.glob("trial-mlops-postgres-1-*.md")
    return written.read_text()


async def test_a_trial_is_chosen_run_kept_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with stage(tmp_path / "state", size=(80, 24)) as play:
        await play.select("mlops-postgres-1")
        await play.press("T")
        assert "demo-docker, demo-podman" in text(play)
        await play.press("t")
        assert "demo-podman" not in text(play)
        await play.press("t", "minus", "minus", "minus", "plus", "s", "w")
        assert "5 on each" in text(play)
        assert "no report yet" in play.toasts()
        await play.press("enter", "escape")
        assert play.on_top() == "FleetScreen", "it goes on without its screen"
        await play.press("T")
        await play.until(lambda: "demo-podman against demo-docker" in text(play), "the verdict")
        assert "start to ready" in text(play)
        assert left(play) == []
        await play.press("w")
        await play.until(lambda: "The report is in" in text(play), "the report")
        assert report(tmp_path).startswith("# Trial of `mlops-postgres-1`")


async def test_a_trial_is_called_off_and_cleared_up(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.podman.faults.hang("start")
        await play.select("mlops-postgres-1")
        await play.press("T", "s", "x")
        assert "No trial" in play.toasts()
        await play.press("enter")
        await play.until(lambda: "demo-podman" in text(play) and " of 20" in text(play), "its progress")
        await play.press("t")
        assert "under way" in play.toasts()
        await play.press("x")
        await play.until(lambda: "Called off" in text(play), "the end")
        assert left(play) == []
        await play.press("enter")
        await play.until(lambda: "demo-podman" in text(play) and " of 20" in text(play), "its progress again")
        await play.press("ctrl+q")
        said = "\n".join(str(one.render()) for one in play.app.screen.query("Static"))
        assert "Quit while a trial runs?" in said
        assert "mlops-postgres-1" in said
        assert "its copies and their volumes are removed" in said
        await play.press("y")
        await play.until(lambda: play.app.return_code is not None, "the end of all")
    assert left(play) == []


async def test_what_the_command_line_has_is_chosen_by_keys_too(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.select("mlops-postgres-1")
        await play.press("T", "p")
        await play.type("(")
        await play.press("enter")
        assert play.on_top() == "InputDialog", "no regular expression"
        await play.press("backspace")
        await play.type("ready")
        await play.press("enter", "d", "backspace", "2", "enter", "minus", "minus", "minus", "minus", "t", "c")
        await play.type("true")
        await play.press("enter", "r", "backspace", "2", "enter", "l", *["backspace"] * 3, "9", "enter")
        for said in ("a line of its log matches ready", "up to 2 idle copies", "2 in each round", "9 s", "true"):
            assert said in text(play), said
        await play.press("s", "s", "enter")
        await play.until(lambda: "command, each run" in text(play), "the report")
        said = " ".join(text(play).split())
        assert "2 idle copies; " in said
        assert "2 were asked for" in said
        await play.press("plus")
        assert "up to 2 idle copies" in text(play), "what was chosen is kept"
