"""Migrations by keys: choices, blocked plans, several at once, left alone, cancelled, accepted, undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.engines.demo import DemoEngine
from backends.migration.journal import Status, list_journals
from backends.model.container import ContainerState
from backends.model.errors import Conflict, Protocol
from backends.model.plan import Choices, ImageWay, LayerChoice, Plan, PortChoice, Severity
from tests.pilot.stage import Stage, stage
from tui.move import State
from tui.move_messages import PlanMade
from tui.screens.frame import KeyBar, TitleBar
from tui.screens.migrate import MigrateScreen
from tui.screens.move_keys import Stage as MoveStage
from widgets.choice_bar import ChoiceBar
from widgets.dialogs import ChoiceDialog, ConfirmDialog, InputDialog
from widgets.line import plain
from widgets.plan_view import PlanView
from widgets.status_bar import StatusBar

RUNNING, EXITED = ContainerState.RUNNING, ContainerState.EXITED


def screen_of(play: Stage) -> MigrateScreen:
    """The migrate screen on top."""
    assert isinstance(play.app.screen, MigrateScreen)
    return play.app.screen


def shown(play: Stage) -> str:
    """The text of its pane."""
    return "\n".join(map(plain, screen_of(play).query_one(PlanView).lines))


def choices(play: Stage) -> str:
    """The line of choices."""
    return screen_of(play).query_one(ChoiceBar).render().plain


def keys(play: Stage) -> str:
    """The footer."""
    return play.app.screen.query_one(KeyBar).render().plain


def question(play: Stage) -> str:
    """What a box asks."""
    assert isinstance(play.app.screen, ConfirmDialog)
    return "\n".join(str(one.render()) for one in play.app.screen.query("Static"))


def status(play: Stage) -> str:
    """The fleet's line of engines."""
    return "".join(map(plain, play.app.screen_stack[0].query_one(StatusBar).lines))


def named(engine: DemoEngine, name: str) -> list[ContainerState]:
    """States of the containers of that name."""
    return [one.state for one in engine.world.containers.values() if one.spec.name == name]


def move_of(play: Stage, name: str) -> State:
    """Where the newest move of a container is."""
    return next(move.state for move in play.app.commands.moves.known if move.plan.source_name == name)


def plan_of(screen: MigrateScreen) -> Plan:
    """The plan that would be run."""
    assert screen.plans
    return screen.plans[0]


def crash_log(state_dir: Path) -> str:
    """The text of the one crash log."""
    (log,) = state_dir.glob("crash-*.log")
    return log.read_text()


async def planned(play: Stage, name: str) -> MigrateScreen:
    """Open the screen and wait for the plan."""
    await play.select(name)
    await play.press("m")
    screen = screen_of(play)
    await replanned(play)
    return screen


async def replanned(play: Stage) -> None:
    """Wait until the plan of the present choices is there."""
    await play.until(lambda: screen_of(play).stage is MoveStage.PLANNED, "a plan")
    await play.pilot.pause()


async def moved(play: Stage, name: str) -> MigrateScreen:
    """Move a container, to its end."""
    screen = await planned(play, name)
    await play.press("enter", "y")
    await play.until(lambda: screen.stage is MoveStage.ENDED, "the end of the migration")
    await play.pilot.pause()
    return screen


# -- choosing ------------------------------------------------------------------------------------
async def test_every_choice_is_turned_by_its_key_and_planned_for(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        screen = await planned(play, "jupyter-lab")
        for key, words in (
            ("f", "changed files in a new image"),
            ("d", "defaults the target's"),
            ("i", "image archive"),
            ("p", "ports any free"),
            ("l", "copying after the stop only"),
        ):
            await play.press(key)
            assert words in choices(play)
        await replanned(play)
        assert plan_of(screen).choices == Choices(
            layer=LayerChoice.COMMIT,
            port=PortChoice.RANDOM,
            live_copy=False,
            native_defaults=True,
            image_way=ImageWay.ARCHIVE,
        )
        assert "any free port" in shown(play)
        await play.press("s")
        assert "source runs on" in choices(play)
        assert "copying" not in choices(play)  # nothing is stopped, so there is nothing before a stop
        await replanned(play)
        assert named(play.podman, "jupyter-lab") == []


async def test_ports_that_are_typed_are_the_copys(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        screen = await planned(play, "jupyter-lab")
        await play.press("p", "p")
        assert isinstance(play.app.screen, InputDialog)
        await play.press("ctrl+u", *"8888", "enter")
        assert isinstance(play.app.screen, InputDialog)
        assert any("is not OLD:NEW" in str(one.render()) for one in play.app.screen.query("Static"))
        await play.press(*":9999", "enter")
        await replanned(play)
        assert "ports 8888:9999" in choices(play)
        assert [port.host_port for port in plan_of(screen).spec.ports] == [9999]
        await play.press("enter", "y")
        await play.until(lambda: screen.stage is MoveStage.ENDED)
        (copy,) = [one for one in play.podman.world.containers.values() if one.spec.name == "jupyter-lab"]
        assert [port.host_port for port in copy.published] == [9999]


async def test_ports_that_are_not_typed_after_all_stay_the_same(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        screen = await planned(play, "jupyter-lab")
        await play.press("p", "p", "escape")
        assert "ports same" in choices(play)
        await replanned(play)
        assert plan_of(screen).choices == Choices()


async def test_a_source_that_runs_on_is_left_running(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        screen = await planned(play, "tensorboard")
        await play.press("s", "p")
        await replanned(play)
        await play.press("enter")
        assert "runs on, and so does the copy" in question(play)
        await play.press("y")
        await play.until(lambda: screen.stage is MoveStage.ENDED)
        assert named(play.docker, "tensorboard") == [RUNNING]
        assert named(play.podman, "tensorboard") == [RUNNING]
        await play.pilot.pause()
        await play.press("enter")
        await play.until(lambda: play.on_top() == "FleetScreen" and play.selected() == "tensorboard", "back")
        assert play.table.selected is not None
        assert play.table.selected.engine == play.podman.id, "the cursor is on the copy"


async def test_a_blocked_plan_says_why_and_cannot_be_run(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        screen = await planned(play, "jupyter-lab")
        assert "run" in keys(play).split()
        await play.press("v")  # shared volumes, on engines that are not known to be on one host
        await replanned(play)
        blocks = [one for one in plan_of(screen).findings if one.severity is Severity.BLOCK]
        assert blocks
        assert "Cannot run" in shown(play)
        assert all(one.title in shown(play) and f"→ {one.remedy}" in shown(play) for one in blocks)
        assert "run" not in keys(play).split()
        await play.press("enter")
        assert screen_of(play) is screen
        assert "findings that stop it" in play.toasts()
        await play.press("v", "v")  # skipped, then copied again
        await replanned(play)
        assert "Cannot run" not in shown(play)


async def test_a_plan_of_choices_that_were_turned_since_does_not_count(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        screen = await planned(play, "jupyter-lab")
        old = plan_of(screen)
        screen.action_act("migrate.defaults")
        screen._planned(PlanMade((old,), old.choices))
        assert screen.stage is MoveStage.PLANNING
        await replanned(play)
        assert plan_of(screen).choices.native_defaults


async def test_keys_typed_into_the_name_turn_no_choice(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        screen = await planned(play, "tensorboard")
        await play.press("n", "end", *"-svx", "enter")
        await replanned(play)
        assert plan_of(screen).choices == Choices(name="tensorboard-svx")


async def test_what_cannot_be_planned_says_why_and_is_planned_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.docker.faults.fail("workload_spec", Protocol("its answer is garbled", engine=play.docker.id))
        await play.select("tensorboard")
        await play.press("m")
        await play.until(lambda: "its answer is garbled" in shown(play), "the reason")
        await play.press("enter")
        assert "not made yet" in play.toasts()
        play.docker.faults.clear()
        await play.press("a")
        await replanned(play)


async def test_a_long_name_is_told_by_its_two_ends(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        name = "trainer-" + "x" * 60 + "-seed-1337"
        await play.docker.rename(play.row("tensorboard").key.id, name)
        await play.until(lambda: name in play.shown())
        await planned(play, name)
        title = str(play.app.screen.query_one(TitleBar).query_one(".about").render())
        for said in (title, shown(play).split("\n")[0]):
            assert "trainer-x" in said
            assert "-seed-1337" in said
            assert "…" in said
            assert "demo-docker" in said


# -- running -------------------------------------------------------------------------------------
async def test_a_move_goes_on_while_nobody_looks_and_is_come_back_to(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(140, 36)) as play:
        play.podman.faults.hang("import_volume")
        screen = await planned(play, "tensorboard")
        await play.press("enter", "y")
        await play.until(lambda: named(play.docker, "tensorboard") == [EXITED])
        await play.press("escape")
        assert play.on_top() == "FleetScreen"
        assert "m on its row comes back" in play.toasts()
        await play.until(lambda: "1 move runs (M)" in status(play), "the note")
        key = play.row("tensorboard").key
        await play.until(lambda: key in play.app.view.operations)
        row = next(row for row in play.table.rows if row.key == key)
        assert "moving…" in "".join(map(plain, row.cells))
        await play.press("m")
        again = screen_of(play)
        assert again is not screen
        assert again.stage is MoveStage.RUNNING
        assert "▶" in shown(play)
        await play.press("x", "y")
        await play.until(lambda: again.stage is MoveStage.ENDED)
        assert "started tensorboard on demo-docker" in shown(play)
        assert "tensorboard on demo-docker is as it was before" in shown(play)
        assert named(play.docker, "tensorboard") == [RUNNING]
        await play.press("escape")
        await play.until(lambda: "move" not in status(play))


async def test_a_move_that_ended_unseen_is_told_and_waits_for_a_word(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(140, 36)) as play:
        play.docker.faults.act_s = play.podman.faults.act_s = 0.05
        await planned(play, "tensorboard")
        await play.press("enter", "y", "escape")
        await play.until(lambda: "tensorboard is on demo-podman" in play.toasts(), "the toast")
        await play.until(lambda: "1 to accept (M)" in status(play))
        await play.press("m")
        assert screen_of(play).stage is MoveStage.ENDED
        assert "c accepts it, u undoes it" in shown(play)


async def test_several_moves_run_at_once_and_each_can_be_looked_at(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(140, 36)) as play:
        play.podman.faults.hang("import_volume")
        names = ("tensorboard", "jupyter-lab")
        for name in names:
            await planned(play, name)
            await play.press("enter", "y")
            await play.until(lambda: named(play.docker, name) == [EXITED])  # noqa: B023 - waited for here
            await play.press("escape")
        await play.until(lambda: "2 moves run (M)" in status(play))
        # The fleet lives on meanwhile.
        await play.select("mlops-minio-1")
        await play.press("s")
        await play.until(lambda: play.row("mlops-minio-1").state is EXITED)
        await play.press("M")
        await play.until(lambda: isinstance(play.app.screen, ChoiceDialog), "the list")
        await play.press("down", "enter")  # the newest is first
        assert "tensorboard" in shown(play)
        assert screen_of(play).stage is MoveStage.RUNNING
        await play.press("x", "y")
        await play.until(lambda: screen_of(play).stage is MoveStage.ENDED)
        assert named(play.docker, "tensorboard") == [RUNNING]
        assert move_of(play, "jupyter-lab") is State.RUNNING
        await play.press("escape", "ctrl+q")
        assert "jupyter-lab" in question(play)
        await play.press("n")
        assert move_of(play, "jupyter-lab") is State.RUNNING


async def test_quitting_names_all_that_run_and_undoes_them(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.podman.faults.hang("import_volume")
        for name in ("tensorboard", "jupyter-lab"):
            await planned(play, name)
            await play.press("enter", "y")
            await play.until(lambda: named(play.docker, name) == [EXITED])  # noqa: B023 - waited for here
            await play.press("escape")
        await play.press("q")
        assert "Quit while 2 migrations run?" in question(play)
        assert all(name in question(play) for name in ("tensorboard", "jupyter-lab"))
        await play.press("y")
        await play.until(lambda: play.app.return_code is not None, "the end")
    for name in ("tensorboard", "jupyter-lab"):
        assert named(play.docker, name) == [RUNNING]
        assert named(play.podman, name) == []
    assert {one.status for one in await list_journals(tmp_path)} == {Status.UNDONE}


async def test_a_no_to_cancelling_lets_it_run(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.podman.faults.hang("import_volume")
        screen = await planned(play, "tensorboard")
        await play.press("enter", "y")
        await play.until(lambda: named(play.docker, "tensorboard") == [EXITED])
        await play.press("x", "n")
        assert screen.stage is MoveStage.RUNNING
        assert move_of(play, "tensorboard") is State.RUNNING


async def test_what_a_cancelled_move_leaves_behind_is_said(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.podman.faults.hang("import_volume")
        screen = await planned(play, "tensorboard")
        await play.press("enter", "y")
        await play.until(lambda: named(play.docker, "tensorboard") == [EXITED])
        play.docker.faults.fail("start", Conflict("the port is taken", engine=play.docker.id))
        await play.press("x", "y")
        await play.until(lambda: screen.stage is MoveStage.ENDED)
        assert "LEFT BEHIND" in shown(play)
        assert "the port is taken" in shown(play)
        assert "tranship migrate tensorboard --undo" in " ".join(shown(play).split())
        assert "as it was before" not in shown(play)


async def test_a_bug_in_a_move_is_told_and_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("backends.services.moves.run_migration", broken)
    async with stage(tmp_path) as play:
        await moved(play, "tensorboard")
        assert "ZeroDivisionError" in shown(play)
        assert "Cancelled" not in shown(play)
        await play.until(lambda: "Log:" in play.toasts())
    assert "ZeroDivisionError: a bug" in crash_log(tmp_path)


# -- after it ------------------------------------------------------------------------------------
async def test_the_proof_is_a_list_of_comparisons(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await moved(play, "tensorboard")
        text = shown(play)
        assert "The copy equals its source" in text
        assert "CHECKS" in text
        compared = [line for line in text.split("\n") if line.startswith("  = ")]
        assert any("image layers" in line for line in compared)
        assert any("volume" in line for line in compared)


async def test_accepting_ends_it_and_keeps_the_source(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await moved(play, "tensorboard")
        await play.press("c")
        assert "cannot be undone then" in question(play)
        await play.press("n")
        assert move_of(play, "tensorboard") is State.WAITING
        await play.press("c", "y")
        await play.until(lambda: move_of(play, "tensorboard") is State.ACCEPTED)
        await play.until(lambda: "The move is accepted" in shown(play))
        assert [one.status for one in await list_journals(tmp_path)] == [Status.CONFIRMED]
        assert named(play.docker, "tensorboard") == [EXITED]
        assert "undo" not in keys(play).split()
        await play.press("u")
        assert play.on_top() == "MigrateScreen"
        assert "nothing waits for your word" in play.toasts()


async def test_accepting_with_the_source_removed(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await moved(play, "tensorboard")
        await play.press("D")
        assert "is removed from demo-docker" in question(play)
        await play.press("y")
        await play.until(lambda: move_of(play, "tensorboard") is State.ACCEPTED)
        assert named(play.docker, "tensorboard") == []
        assert named(play.podman, "tensorboard") == [RUNNING]
        await play.until(lambda: "removed tensorboard from demo-docker" in shown(play))


async def test_a_source_that_runs_is_not_removed_and_the_move_waits_on(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        screen = await planned(play, "tensorboard")
        await play.press("s", "p")
        await replanned(play)
        await play.press("enter", "y")
        await play.until(lambda: screen.stage is MoveStage.ENDED)
        await play.press("D", "y")
        await play.until(lambda: "it is not removed while it runs" in " ".join(shown(play).split()))
        assert move_of(play, "tensorboard") is State.WAITING
        assert named(play.docker, "tensorboard") == [RUNNING]


async def test_undoing_a_finished_move_then_planning_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await moved(play, "tensorboard")
        await play.press("u")
        assert "all that was written into it since" in question(play)
        await play.press("y")
        await play.until(lambda: move_of(play, "tensorboard") is State.UNDONE)
        await play.until(lambda: "all is as before it" in shown(play))
        assert named(play.podman, "tensorboard") == []
        assert named(play.docker, "tensorboard") == [RUNNING]
        assert [one.status for one in await list_journals(tmp_path)] == [Status.UNDONE]
        await play.press("a")
        await replanned(play)
        await play.press("enter", "y")
        await play.until(lambda: named(play.podman, "tensorboard") == [RUNNING])


async def test_what_could_not_be_undone_is_said_and_tried_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await moved(play, "tensorboard")
        play.podman.faults.fail("remove", Conflict("it is busy", engine=play.podman.id))
        await play.press("u", "y")
        await play.until(lambda: move_of(play, "tensorboard") is State.PARTLY_UNDONE)
        await play.until(lambda: "it is busy" in shown(play))
        assert "accept" not in keys(play).split()
        play.podman.faults.clear()
        await play.press("u", "y")
        await play.until(lambda: move_of(play, "tensorboard") is State.UNDONE)
        assert named(play.podman, "tensorboard") == []
        assert named(play.docker, "tensorboard") == [RUNNING]


async def test_an_engine_that_is_gone_is_said_and_the_move_waits_on(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await moved(play, "tensorboard")
        play.podman.go_down()
        await play.press("D", "y")
        await play.until(lambda: "connection refused" in shown(play))
        assert move_of(play, "tensorboard") is State.WAITING
        assert named(play.docker, "tensorboard") == [EXITED]


async def test_no_move_in_this_session_is_said(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.press("M")
        await play.until(lambda: "Nothing was moved" in play.toasts())
        assert play.on_top() == "FleetScreen"
