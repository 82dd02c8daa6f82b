"""Each key does what it says to the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.model.container import ContainerState
from backends.model.errors import Conflict
from tests.pilot.stage import stage
from widgets.dialogs import ConfirmDialog, ErrorDialog, InputDialog


@pytest.mark.parametrize(
    ("name", "key", "after"),
    [
        ("eval-nightly", "u", ContainerState.RUNNING),
        ("tensorboard", "s", ContainerState.EXITED),
        ("tensorboard", "p", ContainerState.PAUSED),
        ("tokenize-shards", "p", ContainerState.RUNNING),
    ],
)
async def test_a_key_changes_the_engine(tmp_path: Path, name: str, key: str, after: ContainerState) -> None:
    async with stage(tmp_path) as play:
        assert play.state(name) is not after
        await play.select(name)
        await play.press(key)
        await play.until(lambda: play.state(name) is after)
        await play.until(lambda: play.row(name).state is after, "the effect on the screen")
        assert play.selected() == name


async def test_restart_gives_a_new_start(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        before = play.row("tensorboard").started_at
        await play.select("tensorboard")
        await play.press("r")
        await play.until(lambda: play.row("tensorboard").started_at != before)
        assert play.state("tensorboard") is ContainerState.RUNNING


async def test_kill_asks_and_names_the_container_and_its_engine(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("tensorboard")
        await play.press("K")
        assert isinstance(play.app.screen, ConfirmDialog)
        text = "\n".join(str(one.render()) for one in play.app.screen.query("Static"))
        assert "tensorboard" in text
        assert "demo-docker" in text
        await play.press("y")
        await play.until(lambda: play.state("tensorboard") is ContainerState.EXITED)


async def test_remove_with_yes_removes(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("scratch")
        await play.press("d", "y")
        await play.until(lambda: not play.exists("scratch"))
        await play.until(lambda: "scratch" not in play.shown())


@pytest.mark.parametrize("answer", ["n", "escape", "enter"])
async def test_remove_with_no_keeps_it(tmp_path: Path, answer: str) -> None:
    """Enter too: "no" has the focus, so that a hasty Enter loses nothing."""
    async with stage(tmp_path) as play:
        await play.select("scratch")
        await play.press("d", answer)
        await play.until(lambda: play.on_top() == "FleetScreen")
        # Another operation goes through the same road and is seen: the removal would have been, too.
        await play.select("tensorboard")
        await play.press("s")
        await play.until(lambda: play.row("tensorboard").state is ContainerState.EXITED)
        assert play.exists("scratch")


async def test_rename(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("tensorboard")
        await play.press("R")
        assert isinstance(play.app.screen, InputDialog)
        await play.press("end", "ctrl+u", *"board", "enter")
        await play.until(lambda: "board" in play.shown())
        assert play.exists("board")
        assert not play.exists("tensorboard")


async def test_marked_rows_are_all_meant(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.press("home", "space", "space", "K")
        assert len(play.table.marked) == 2
        names = [play.app.view.containers[key].name for key in play.table.marked]
        running = [name for name in names if play.state(name) is ContainerState.RUNNING]
        assert running
        await play.press("y")
        await play.until(lambda: all(play.state(name) is ContainerState.EXITED for name in running))
        await play.until(lambda: not play.table.marked)


async def test_a_senseless_action_is_refused_with_a_sentence(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("eval-nightly")
        await play.press("s")
        assert "eval-nightly is exited" in play.toasts()
        assert play.app.view.operations == {}


async def test_what_the_engine_refuses_is_told_and_its_details_wait(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        error = Conflict("the volume is busy", detail="mount: [b]/x[/b]", hint="stop the other", engine=play.docker.id)
        play.docker.faults.fail("stop", error)
        await play.select("tensorboard")
        await play.press("s")
        await play.until(lambda: "the volume is busy" in play.toasts())
        assert "stop the other" in play.toasts()
        await play.press("e")
        assert isinstance(play.app.screen, ErrorDialog)
        text = "\n".join(str(one.render()) for one in play.app.screen.query("Static"))
        assert "[b]/x[/b]" in text  # the engine's words are data, not markup


async def test_an_operation_under_way_refuses_a_second_one(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.docker.faults.hang("stop")
        await play.select("tensorboard")
        await play.press("s")
        await play.until(lambda: play.row("tensorboard").key in play.app.view.operations)
        await play.press("K", "y")
        await play.until(lambda: "under way" in play.toasts())
        assert play.state("tensorboard") is ContainerState.RUNNING
