"""Moves of earlier sessions and of other processes, by their journals: listed, finished, taken back, left alone."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from backends.migration.journal import Effect, Status, list_journals
from backends.model.container import ContainerState
from tests.pilot.stage import DEADLINE_S, Stage, stage
from tests.pilot.test_migrations import keys, moved, named, planned, question, screen_of, shown, status
from tests.pilot.test_projects import MEMBERS, project_planned
from tui.move import Move, State
from tui.screens.move_keys import Stage as MoveStage
from widgets.dialogs import ChoiceDialog

RUNNING, EXITED = ContainerState.RUNNING, ContainerState.EXITED


def forget(play: Stage) -> list[Move]:
    """As in a new session: nothing is known but what the journals say. Returns what was known."""
    moves = play.app.commands.moves
    known, moves._moves = moves._moves, []
    return known


async def looked_at(play: Stage, name: str) -> str:
    """Open the one move in the list; what the list said of it."""
    await play.press("M")
    await play.until(lambda: isinstance(play.app.screen, ChoiceDialog), "the list")
    prompt = str(play.app.screen.query_one("OptionList").get_option_at_index(0).prompt)  # type: ignore[attr-defined]
    assert name in prompt
    await play.press("enter")
    return prompt


async def written(state_dir: Path) -> bool:
    """The journals say that all sources were stopped, and that a volume was made to be filled."""
    records = await list_journals(state_dir)
    stops = [record.find(Effect.STOP_SOURCE) for record in records]
    made = [entry.made for record in records for entry in record.entries if entry.effect is Effect.VOLUME]
    return any(made) and all(made) and all(stop is not None and stop.made for stop in stops)


async def cut_off(play: Stage, state_dir: Path, *, together: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A move that was killed after the sources had stopped: its papers are there, and nobody is at work on it."""
    play.podman.faults.hang("import_volume")
    screen = await project_planned(play) if together else await planned(play, "tensorboard")
    await play.press("enter", "y")
    names = MEMBERS if together else ("tensorboard",)
    await play.until(lambda: all(named(play.docker, name) == [EXITED] for name in names))
    deadline = time.monotonic() + DEADLINE_S
    while not await written(state_dir):  # where the hanging call stands still, nothing is written any more
        assert time.monotonic() < deadline
        await play.pilot.pause(0.01)
    kept = state_dir / "kept"
    shutil.copytree(state_dir / "migrations", kept)
    await play.press("x", "y")
    await play.until(lambda: screen.stage is MoveStage.ENDED)
    shutil.copytree(kept, state_dir / "migrations", dirs_exist_ok=True)
    play.podman.faults.clear()
    monkeypatch.setattr("backends.migration.unfinished.is_at_work", lambda _record: False)
    await play.press("escape")
    forget(play)
    assert {one.status for one in await list_journals(state_dir)} == {Status.RUNNING}


async def test_a_finished_move_waits_for_the_next_session(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(140, 36)) as play:
        await moved(play, "tensorboard")
        await play.press("escape")
        forget(play)
        assert "to accept" in await looked_at(play, "tensorboard")
        await play.until(lambda: "The copy equals its source" in shown(play))
        assert "1 to accept (M)" in status(play)
        await play.press("V")
        await play.until(lambda: "Compared again" in shown(play))
        await play.press("c", "y")
        await play.until(lambda: "The move is accepted" in shown(play))
        assert [one.status for one in await list_journals(tmp_path)] == [Status.CONFIRMED]
        await play.press("escape", "M")
        await play.until(lambda: "no earlier move waits" in play.toasts())


async def test_a_new_session_tells_of_it_at_once_and_m_opens_it(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(140, 36)) as play:
        await moved(play, "tensorboard")
        await play.press("escape")
        forget(play)
        play.app.commands.moves.look_for_earlier(play.app.screen.post_message)
        await play.until(lambda: "1 to accept (M)" in status(play))
        await play.select("tensorboard")
        await play.press("m")
        assert screen_of(play).stage is MoveStage.ENDED
        await play.press("u", "y")
        await play.until(lambda: "all is as before it" in shown(play))
        assert named(play.docker, "tensorboard") == [RUNNING]
        assert named(play.podman, "tensorboard") == []


@pytest.mark.parametrize("together", [False, True], ids=["one", "project"])
async def test_a_move_that_was_cut_off_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    async with stage(tmp_path) as play:
        await cut_off(play, tmp_path, together=together, monkeypatch=monkeypatch)
        assert "was cut off" in await looked_at(play, "mlops" if together else "tensorboard")
        await play.until(lambda: "r finishes it" in shown(play))
        assert "finish it" in keys(play)
        await play.press("c")
        assert "nothing waits for your word" in play.toasts()
        await play.press("r")
        assert "What is half done is taken back first" in question(play)
        await play.press("y")
        await play.until(lambda: screen_of(play).stage is MoveStage.ENDED and "equal" in shown(play))
        names = MEMBERS if together else ("tensorboard",)
        assert all(named(play.podman, name) == [RUNNING] for name in names)
        assert {one.status for one in await list_journals(tmp_path)} == {Status.DONE}


async def test_a_move_that_was_cut_off_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path) as play:
        await cut_off(play, tmp_path, together=True, monkeypatch=monkeypatch)
        await looked_at(play, "mlops")
        await play.until(lambda: "u takes back what it made" in shown(play))
        await play.press("u")
        assert "What the move has made on demo-podman is removed" in question(play)
        await play.press("y")
        await play.until(lambda: "all is as before it" in shown(play))
        assert all(named(play.docker, name) == [RUNNING] for name in MEMBERS)
        assert {one.status for one in await list_journals(tmp_path)} == {Status.UNDONE}


async def test_one_whose_plan_is_gone_can_only_be_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path) as play:
        await cut_off(play, tmp_path, together=False, monkeypatch=monkeypatch)
        for plan in (tmp_path / "migrations").glob("*.plan.json"):
            plan.unlink()
        await looked_at(play, "tensorboard")
        await play.until(lambda: "Its plan is not there" in shown(play))
        await play.press("r")
        assert "there is nothing to finish" in play.toasts()
        await play.press("u", "y")
        await play.until(lambda: "all is as before it" in shown(play))
        assert named(play.docker, "tensorboard") == [RUNNING]


async def test_a_move_that_another_process_runs_is_shown_and_left_alone(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.podman.faults.hang("import_volume")
        await planned(play, "tensorboard")
        await play.press("enter", "y")
        await play.until(lambda: named(play.docker, "tensorboard") == [EXITED])
        await play.press("escape")
        (other,) = forget(play)
        assert "is run by another process" in await looked_at(play, "tensorboard")
        await play.until(lambda: "Another Tranship runs it" in shown(play))
        for key in ("u", "r", "c", "D"):
            await play.press(key)
            assert play.on_top() == "MigrateScreen"
        assert other.state is State.RUNNING
        other.cancel()
        await play.until(lambda: other.state is State.CANCELLED)
        await play.until(lambda: "The move is undone" in shown(play), "what its journal says by now")
        assert named(play.docker, "tensorboard") == [RUNNING]


async def test_journals_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        (tmp_path / "migrations").mkdir()
        (tmp_path / "migrations" / "20261123-000000-abcd.json").write_text("{")
        await play.press("M")
        await play.until(lambda: "journal of a move cannot be read" in play.toasts())
