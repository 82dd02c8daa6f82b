"""Moves without a screen: who is told, what is kept, what waits, and that leaving waits for all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from textual.message import Message
from textual.worker import Worker, WorkerCancelled

from backends.engines.demo import DemoEngine
from backends.engines.demo_fleet import demo_engines
from backends.model.container import Container, ContainerState
from backends.model.errors import Conflict
from backends.model.plan import Choices, Plan
from backends.services.fleet import Fleet
from tui import moves as moves_module
from tui.move import Move, State, Word
from tui.move_messages import MigrationFinished, MigrationProgressed, MigrationSettled, PlanFailed, PlanMade
from tui.moves import Moves
from tui.screens.fleet_moves import choices_of, note_of, targets_of

DEADLINE_S = 15.0


class Task:
    """A worker of the app, as far as moves use it."""

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        self.task = asyncio.ensure_future(work)

    def cancel(self) -> None:
        self.task.cancel()

    async def wait(self) -> None:
        try:
            await asyncio.shield(self.task)
        except asyncio.CancelledError as error:
            raise WorkerCancelled("cancelled") from error


class Scene:
    """The demo fleet and its moves; messages: all that the screen was told."""

    def __init__(self, docker: DemoEngine, podman: DemoEngine, state_dir: Path) -> None:
        self.docker, self.podman = docker, podman
        self.fleet = Fleet([docker, podman])
        self.messages: list[Message] = []
        self.tasks: list[Task] = []
        self.state_dir = state_dir
        self.moves = Moves(self._work, lambda: self.fleet, state_dir)

    def _work(
        self, work: Callable[[], Coroutine[Any, Any, None]], *, name: str, group: str, exclusive: bool = False
    ) -> Worker[None]:
        assert name
        assert exclusive is (group == "plan")
        self.tasks.append(Task(work()))
        return cast("Worker[None]", self.tasks[-1])

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + DEADLINE_S
        while not holds():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.005)

    async def container(self, name: str) -> Container:
        """A container of demo-docker."""
        return await self.docker.inspect_container(name)

    async def plan(self, name: str) -> tuple[Container, Plan]:
        """A container and the plan of its move to demo-podman."""
        container = await self.container(name)
        answers: list[Message] = []
        self.moves.plan(container.key, self.podman.id, Choices(), answers.append)
        await self.until(lambda: answers)
        (made,) = answers
        assert isinstance(made, PlanMade)
        return container, made.plans[0]

    async def begin(self, name: str) -> Move:
        """A move under way."""
        container, plan = await self.plan(name)
        return self.moves.run((plan,), container, (self.podman.id,), self.messages.append)

    async def move(self, name: str) -> Move:
        """A finished move."""
        move = await self.begin(name)
        await self.until(lambda: not move.state.under_way)
        assert move.state is State.WAITING, move.error
        return move


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(moves_module, "DEBOUNCE_S", 0.0)
    return Scene(*demo_engines(look_s=0, act_s=0), tmp_path)


@asynccontextmanager
async def hanging(scene: Scene, name: str) -> AsyncIterator[Move]:
    """A move that stands still where it fills the volume, its source stopped."""
    scene.podman.faults.hang("import_volume")
    move = await scene.begin(name)
    container = scene.docker.world.container(name)
    await scene.until(lambda: container.state is ContainerState.EXITED)
    yield move
    await scene.moves.close()


async def test_the_screen_is_told_of_each_step_and_of_the_end(scene: Scene) -> None:
    move = await scene.move("tensorboard")
    steps = {message.progress.index for message in scene.messages if isinstance(message, MigrationProgressed)}
    assert steps == set(range(len(move.plan.steps)))
    ends = [message for message in scene.messages if isinstance(message, MigrationFinished)]
    assert [end.reports for end in ends] == [move.reports]


async def test_a_move_that_nobody_looks_at_goes_on(scene: Scene) -> None:
    move = await scene.begin("tensorboard")
    move.reply = None
    await scene.until(lambda: move.state is State.WAITING)
    assert scene.messages == []
    assert scene.moves.of(move.plan.source) is move


async def test_a_plan_that_cannot_be_made_says_why(scene: Scene) -> None:
    scene.docker.faults.fail("workload_spec", Conflict("busy", engine=scene.docker.id))
    container = await scene.container("tensorboard")
    scene.moves.plan(container.key, scene.podman.id, Choices(), scene.messages.append)
    await scene.until(lambda: scene.messages)
    (answer,) = scene.messages
    assert isinstance(answer, PlanFailed)
    assert answer.error.title == "busy"


async def test_a_choice_alone_asks_the_engines_nothing_and_planning_again_asks_them(scene: Scene) -> None:
    container, first = await scene.plan("tensorboard")
    scene.docker.faults.fail("workload_spec", Conflict("busy", engine=scene.docker.id))

    async def planned(choices: Choices, *, afresh: bool = False) -> Message:
        answers: list[Message] = []
        scene.moves.plan(container.key, scene.podman.id, choices, answers.append, afresh=afresh)
        await scene.until(lambda: answers)
        return answers[0]

    turned = await planned(Choices(native_defaults=True, name="other"))
    assert isinstance(turned, PlanMade)
    assert (turned.plans[0].spec.name, first.spec.name) == ("other", "tensorboard")
    assert isinstance(await planned(Choices(), afresh=True), PlanFailed)


async def test_what_is_left_of_an_earlier_move_is_told_instead_of_a_plan_against_it(scene: Scene) -> None:
    async with hanging(scene, "tensorboard") as move:
        other = Moves(scene._work, lambda: scene.fleet, scene.state_dir)  # another Tranship on the same machine
        other.plan(move.plan.source, scene.podman.id, Choices(), scene.messages.append)
        await scene.until(lambda: any(isinstance(message, PlanFailed) for message in scene.messages))
        [failed] = [message for message in scene.messages if isinstance(message, PlanFailed)]
        assert "is under way already" in failed.error.title


async def test_cancelled_once_it_is_undone_and_a_second_time_changes_nothing(scene: Scene) -> None:
    async with hanging(scene, "tensorboard") as move:
        move.cancel()
        assert move.state is State.UNDOING
        move.cancel()
        await scene.until(lambda: move.state is State.CANCELLED)
        assert any("started tensorboard" in text for text in move.undoing)
        assert move.left == ""
        assert scene.moves.running == ()
        assert scene.moves.of(move.plan.source) is None


async def test_a_failure_is_not_a_cancellation(scene: Scene) -> None:
    scene.podman.faults.fail("create_container", Conflict("no more room", engine=scene.podman.id))
    move = await scene.begin("tensorboard")
    await scene.until(lambda: not move.state.under_way)
    assert move.state is State.FAILED
    assert move.error is not None
    assert "no more room" in move.error.title


async def test_a_second_move_of_the_same_container_is_the_first(scene: Scene) -> None:
    async with hanging(scene, "tensorboard") as first:
        begun = len(scene.tasks)
        assert scene.moves.run(first.plans, first.container, first.targets, scene.messages.append) is first
        assert len(scene.tasks) == begun


@pytest.mark.parametrize(
    ("word", "state", "source", "copies"),
    [
        (Word.ACCEPT, State.ACCEPTED, [ContainerState.EXITED], 1),
        (Word.REMOVE, State.ACCEPTED, [], 1),
        (Word.UNDO, State.UNDONE, [ContainerState.RUNNING], 0),
    ],
)
async def test_a_word_is_carried_out_once(
    scene: Scene, word: Word, state: State, source: list[ContainerState], copies: int
) -> None:
    move = await scene.move("tensorboard")
    begun = len(scene.tasks)
    scene.moves.settle(move, word)
    assert move.state is State.SETTLING
    scene.moves.settle(move, Word.UNDO)
    assert len(scene.tasks) == begun + 1
    await scene.until(lambda: move.state is not State.SETTLING)
    assert move.state is state
    assert move.settled
    assert isinstance(scene.messages[-1], MigrationSettled)
    seen = [one.state for one in scene.docker.world.containers.values() if one.spec.name == "tensorboard"]
    assert seen == source
    assert sum(one.spec.name == "tensorboard" for one in scene.podman.world.containers.values()) == copies
    scene.moves.settle(move, Word.UNDO)
    assert len(scene.tasks) == begun + 1
    assert scene.moves.of(move.plan.source) is None


async def test_a_journal_that_is_gone_is_said(scene: Scene, tmp_path: Path) -> None:
    move = await scene.move("tensorboard")
    assert move.journals
    (tmp_path / "migrations" / f"{move.journals[0]}.json").unlink()
    for word in Word:
        scene.moves.settle(move, word)
        await scene.until(lambda: move.state is State.WAITING)
        assert move.word_error is not None
        assert move.journals[0] in move.word_error.title
        assert move.word_error.hint


async def test_leaving_waits_until_all_is_undone(scene: Scene) -> None:
    async with hanging(scene, "tensorboard") as first, hanging(scene, "jupyter-lab") as second:
        await scene.moves.close()
        assert (first.state, second.state) == (State.CANCELLED, State.CANCELLED)
        for name in ("tensorboard", "jupyter-lab"):
            assert scene.docker.world.container(name).state is ContainerState.RUNNING


async def test_leaving_waits_for_a_word_that_is_being_carried_out(scene: Scene) -> None:
    move = await scene.move("tensorboard")
    scene.moves.settle(move, Word.UNDO)
    await scene.moves.close()
    assert move.state is State.UNDONE


async def test_what_waits_is_never_forgotten(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moves_module, "MOVES_KEPT", 2)
    waiting = await scene.move("tensorboard")
    for name in ("jupyter-lab", "mlops-minio-1", "mlops-mlflow-1"):
        move = await scene.move(name)
        scene.moves.settle(move, Word.ACCEPT)
        await scene.until(lambda: move.state is State.ACCEPTED)  # noqa: B023 - waited for here
    assert len(scene.moves.known) == 2
    assert scene.moves.of(waiting.plan.source) is waiting
    assert scene.moves.known[0].plan.source_name == "mlops-mlflow-1"


async def test_the_fleet_names_what_runs_and_what_waits(scene: Scene) -> None:
    assert note_of(()) == ""
    await scene.move("mlops-minio-1")
    assert note_of(scene.moves.known) == "1 to accept (M)"
    async with hanging(scene, "tensorboard") as running:
        assert note_of(scene.moves.known) == "▶ 1 move runs · 1 to accept (M)"
        first, second = choices_of(scene.moves.known)
        assert (first.title, second.title) == ("tensorboard", "mlops-minio-1")
        assert f"of {len(running.plan.steps)}" in first.detail
        assert "to accept" in second.detail
        assert note_of([running, running]) == "▶ 2 moves run (M)"


async def test_the_nearest_target_is_the_one_of_the_other_kind(scene: Scene) -> None:
    assert targets_of(scene.fleet.store.view, scene.docker.id) == ()  # nothing is connected yet
    await scene.fleet.start()
    try:
        await scene.until(lambda: targets_of(scene.fleet.store.view, scene.docker.id))
        assert targets_of(scene.fleet.store.view, scene.docker.id) == (scene.podman.id,)
    finally:
        await scene.fleet.close()
