"""The sweep's form and screen: judged while typed, run, kept while closed, stopped, ended, gone on with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import Static

from tests.pilot.stage import Stage, stage
from tui.sweep_commands import KeptSweep
from widgets.form import FormField
from widgets.line import plain
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable

IMAGE = "docker.io/library/postgres:16"


def notes(play: Stage) -> str:
    """All that the form says beside its fields, and in its line of state."""
    said = [*play.app.screen.query(".form-note"), play.app.screen.query_one("#run-state")]
    return "\n".join(str(one.content) for one in said if isinstance(one, Static) and one.display)


def head(play: Stage) -> str:
    """What the screen says above the runs."""
    return "\n".join(map(plain, play.app.screen.query_one("#sweep-head", LinesPane).lines))


def rows(play: Stage) -> list[str]:
    """The runs as they are shown."""
    return [" ".join(map(plain, row.cells)) for row in play.app.screen.query_one("#sweep", LiveTable).rows]


def swept(play: Stage) -> list[str]:
    """Containers of sweeps that are on the engine."""
    worlds = (play.docker.world, play.podman.world)
    names = (one.spec.name for world in worlds for one in world.containers.values())
    return [name for name in names if name.startswith("tranship-sweep-")]


def newest(play: Stage) -> KeptSweep:
    """The sweep that was begun last."""
    return play.app.commands.sweeps.known[-1]


async def fill(play: Stage, **texts: str) -> None:
    """Type into the fields."""
    for name, text in texts.items():
        play.app.screen.query_one(f"#field-{name.replace('_', '-')}", FormField).focus_text()
        await play.pilot.pause()
        await play.type(text)


async def test_a_sweep_is_typed_run_kept_and_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with stage(tmp_path / "state", size=(80, 24)) as play:
        await play.press("B")
        await play.until(lambda: "an image is needed" in notes(play), "what is lacking")
        await fill(play, image=IMAGE, command="echo run {n}", grid="n=1..3", jobs="many")
        await play.until(lambda: "a number from 1 to 1000" in notes(play), "what is wrong")
        await play.press("ctrl+s")
        await play.until(lambda: "not yet" in notes(play), "that it does not begin")
        assert not play.app.commands.sweeps.known
        await play.press("escape", "B")
        await play.until(lambda: "a number from" in notes(play), "what was typed before")
        play.app.screen.query_one("#field-jobs", FormField).focus_text()
        await play.press(*["backspace"] * 4, "2")
        await fill(play, gpus_each="1")
        await play.until(lambda: "has none to give out" in notes(play), "that there is no GPU")
        await play.press("backspace")
        await play.until(lambda: "3 runs to do" in notes(play), "that it can begin")
        await play.press("ctrl+s")
        await play.until(lambda: play.on_top() == "SweepScreen", "the sweep")
        await play.press("escape")
        assert play.on_top() == "FleetScreen"
        await play.until(lambda: newest(play).ended, "its end, without its screen")
        await play.press("B")
        await play.until(lambda: "3 of 3 over" in head(play), "what it did")
        assert len(rows(play)) == 3
        assert all("done" in row for row in rows(play))
        assert swept(play) == []
        written = [json.loads(text) for text in (tmp_path / "sweep.jsonl").read_text().splitlines()]
        assert sorted(one["run"] for one in written) == [1, 2, 3]
        await play.press("n")
        await play.until(lambda: "3 of them are done there: 0 runs left" in notes(play), "that all is done")
        await play.press("ctrl+s")
        await play.until(lambda: "all 3 runs are done" in play.toasts(), "that nothing is left")


async def test_a_sweep_is_stopped_then_ended_and_begins_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lines").write_text("sleep 1000\n# no run\nsleep 1001\nsleep 1002\n")
    async with stage(tmp_path / "state") as play:
        await play.press("B")
        await fill(play, image=IMAGE, commands="lines", jobs="2", out="mine.jsonl")
        await play.until(lambda: "3 runs to do" in notes(play), "that it can begin")
        await play.press("ctrl+s")
        await play.until(lambda: len(swept(play)) == 2, "two runs")
        await play.press("x")
        await play.until(lambda: "no further run" in str(play.app.screen.query_one(".about", Static).content), "stop")
        await play.press("x")
        assert play.on_top() == "ConfirmDialog"
        await play.press("y")
        await play.until(lambda: newest(play).ended, "its end")
        await play.until(lambda: "2 killed" in head(play), "what became of it")
        await play.press("f")
        await play.until(lambda: len(rows(play)) == 2, "those that did not end well")
        assert swept(play) == []
        assert [json.loads(text)["state"] for text in (tmp_path / "mine.jsonl").read_text().splitlines()] == [
            "killed",
            "killed",
        ]
        await play.press("n")
        await play.until(lambda: "3 runs to do" in notes(play), "that killed runs are run again")


async def test_read_only_begins_none(tmp_path: Path) -> None:
    async with stage(tmp_path, readonly=True) as play:
        await play.press("B")
        assert play.on_top() == "FleetScreen"
        assert "Read-only" in play.toasts()
