"""Migrations as the screens see them: planned, under way, ended, settled. A move goes on while its screen is closed.

The only workers besides those of `tui.commands`. May not draw.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from textual.message import Message
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.events import Phase
from backends.model.ids import ContainerKey, EngineId
from backends.model.plan import Choices, MigrationReport, Plan, StepProgress
from tui.messages import MigrationFinished, MigrationProgressed, MigrationSettled, PlanFailed, PlanMade

if TYPE_CHECKING:
    from backends.migration.facts import SourceFacts, TargetFacts
    from backends.services.fleet import Fleet

DEBOUNCE_S = 0.15  # a name that is typed, or a choice that is turned, is planned for once it rests
FACTS_S = 5.0  # what the engines were asked for a plan serves the next one so long: a choice alone asks them nothing
MOVES_KEPT = 64  # ended moves whose report can be looked at again

Reply = Callable[[Message], object]
"""Where the answer goes: a screen's post_message."""


class Work(Protocol):
    """Starts a worker of the app."""

    def __call__(
        self, work: Callable[[], Coroutine[Any, Any, None]], *, name: str, group: str, exclusive: bool = False
    ) -> Worker[None]:
        """The worker, begun."""


class Word(StrEnum):
    """What a person says of a finished move."""

    ACCEPT = "accept"
    REMOVE = "remove"  # accept it, and remove the source
    UNDO = "undo"


class State(StrEnum):
    """Where a move is. WAITING: done and proved, it can be accepted or undone."""

    RUNNING = "running"
    UNDOING = "undoing"  # it was cancelled, or failed, and is taken back
    CANCELLED = "cancelled"
    FAILED = "failed"
    WAITING = "waiting"
    SETTLING = "settling"  # is being accepted or undone
    ACCEPTED = "accepted"
    UNDONE = "undone"
    PARTLY_UNDONE = "partly undone"

    @property
    def under_way(self) -> bool:
        """The run itself is not over."""
        return self in {State.RUNNING, State.UNDOING}

    @property
    def undoable(self) -> bool:
        """The run is over, and can still be taken back."""
        return self in {State.WAITING, State.PARTLY_UNDONE}


@dataclass
class Move:
    """One migration, from its start on.

    container, targets: what it was begun with. reply: the screen that looks on, None while none does. undoing: what is
    taken back. report, error: how it ended, both None where it was cancelled or met a bug. left: what a cancelled one
    has left behind, and what to do about it. settled: what accepting or undoing it did; word_error: why it did not.
    """

    plan: Plan
    container: Container
    targets: tuple[EngineId, ...]
    reply: Reply | None = None
    state: State = State.RUNNING
    progress: StepProgress | None = None
    undoing: list[str] = field(default_factory=list)
    report: MigrationReport | None = None
    error: BackendError | None = None
    bug: str = ""
    left: str = ""
    settled: tuple[str, ...] = ()
    word_error: BackendError | None = None
    worker: Worker[None] | None = None

    def _tell(self, message: Message) -> None:
        if self.reply is not None:
            self.reply(message)

    def follow(self, progress: StepProgress) -> None:
        """It has come further."""
        if progress.undoing:
            self.state = State.UNDOING
            if progress.phase is not Phase.FAILED:
                self.undoing.append(progress.note or progress.step.title)
        else:
            self.progress = progress
        self._tell(MigrationProgressed(progress))

    def finish(
        self, state: State, *, report: MigrationReport | None = None, error: BackendError | None = None, bug: str = ""
    ) -> None:
        """The run is over."""
        self.state, self.report, self.error, self.bug = state, report, error, bug
        self._tell(MigrationFinished(report, error))

    def settle(self, state: State, done: tuple[str, ...] = (), error: BackendError | None = None) -> None:
        """A person's word was carried out, or could not be."""
        self.state, self.settled, self.word_error = state, done, error
        self._tell(MigrationSettled(done, error))

    def cancel(self) -> None:
        """Undo what it made."""
        if self.worker is not None and self.state is State.RUNNING:
            self.state = State.UNDOING
            self.worker.cancel()


@dataclass(frozen=True)
class _Looked:
    """What the engines said for a plan. until: of the event loop's clock."""

    asked: tuple[ContainerKey, EngineId]
    facts: tuple[SourceFacts, TargetFacts]
    until: float


class Moves:
    """All moves of this session, the newest of each container. fleet: gives the open fleet, or raises Refused."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet], state_dir: Path) -> None:
        self._work = work
        self._fleet = fleet
        self._state_dir = state_dir
        self._moves: dict[ContainerKey, Move] = {}
        self._looked: _Looked | None = None

    @property
    def known(self) -> tuple[Move, ...]:
        """All, the newest first."""
        return tuple(reversed(self._moves.values()))

    @property
    def running(self) -> tuple[Move, ...]:
        """Those that are not over."""
        return tuple(move for move in self._moves.values() if move.state.under_way)

    def of(self, container: ContainerKey) -> Move | None:
        """The move of this container that is under way or waits for a word, None where there is none."""
        move = self._moves.get(container)
        wanted = move is not None and (move.state.under_way or move.state.undoable or move.state is State.SETTLING)
        return move if wanted else None

    # -- planning --------------------------------------------------------------------------------
    def plan(
        self, source: ContainerKey, target: EngineId, choices: Choices, reply: Reply, *, afresh: bool = False
    ) -> None:
        """Plan a migration: PlanMade or PlanFailed. Nothing is changed; a later call takes the place of this one.

        afresh: the engines are asked anew, also where they were asked a moment ago.
        """
        if afresh:
            self._looked = None
        work = partial(self._plan, source, target, choices, reply)
        self._work(work, name=f"plan {source.short} to {target}", group="plan", exclusive=True)

    async def _plan(self, source: ContainerKey, target: EngineId, choices: Choices, reply: Reply) -> None:
        from backends.migration.plan import make_plan  # not needed for the first frame
        from backends.migration.planning import look
        from backends.migration.unfinished import refuse_unfinished

        await asyncio.sleep(DEBOUNCE_S)
        now, asked = asyncio.get_running_loop().time(), (source, target)
        try:
            if self._looked is None or self._looked.asked != asked or now > self._looked.until:
                fleet = self._fleet()
                # What a move that is not over has made would block the plan, with a remedy that destroys it.
                await refuse_unfinished(self._state_dir, source.engine.name, source.id)
                seen = fleet.store.view.gpus
                facts = await look(fleet.engine(source.engine), source.id, fleet.engine(target), seen)
                self._looked = _Looked(asked, facts, asyncio.get_running_loop().time() + FACTS_S)
            plan = await asyncio.to_thread(make_plan, *self._looked.facts, choices)
        except BackendError as error:
            reply(PlanFailed(error))
        else:
            reply(PlanMade(plan))

    # -- running ---------------------------------------------------------------------------------
    def run(self, plan: Plan, container: Container, targets: tuple[EngineId, ...], reply: Reply) -> Move:
        """Run a plan: MigrationProgressed … MigrationFinished. Several may run at once, of each container only one."""
        busy = self._moves.get(plan.source)
        if busy is not None and (busy.state.under_way or busy.state is State.SETTLING):
            return busy
        self._looked = None
        move = Move(plan, container, targets, reply)
        self._moves.pop(plan.source, None)
        self._forget_old()
        self._moves[plan.source] = move
        name = f"migrate {plan.source_name} to {plan.target}"
        move.worker = self._work(partial(self._run, move), name=name, group="migrate")
        return move

    def _forget_old(self) -> None:
        """Make room: the oldest that nothing is to be done about any more."""
        idle = {State.ACCEPTED, State.UNDONE, State.CANCELLED, State.FAILED}
        over = [key for key, old in self._moves.items() if old.state in idle]
        for key in over[: max(0, len(self._moves) - MOVES_KEPT + 1)]:
            del self._moves[key]

    async def _run(self, move: Move) -> None:
        from backends.services.moves import move as carry_out  # not needed for the first frame

        try:
            report = await carry_out(self._fleet(), move.plan, on_update=move.follow, state_dir=self._state_dir)
        except BackendError as error:
            move.finish(State.FAILED, error=error)
        except asyncio.CancelledError:
            try:
                await self._look_what_is_left(move)
            finally:
                move.finish(State.CANCELLED)
            raise
        except Exception as bug:  # what was made is undone; the app's one handler tells of it
            move.finish(State.FAILED, bug=type(bug).__name__)
            raise
        else:
            move.finish(State.WAITING, report=report)

    async def _look_what_is_left(self, move: Move) -> None:
        from backends.services.moves import left_behind

        try:
            move.left = await left_behind(move.plan, self._state_dir)
        except BackendError as error:
            move.left = f"whether something was left behind cannot be told: {error}"

    # -- after it --------------------------------------------------------------------------------
    def settle(self, move: Move, word: Word) -> None:
        """Accept a finished move, or take it back: MigrationSettled. Does nothing where that is under way already."""
        if move.report is None or not move.state.undoable:
            return
        before, move.state = move.state, State.SETTLING
        work = partial(self._settle, move, move.report, word, before)
        move.worker = self._work(work, name=f"{word} the move of {move.plan.source_name}", group="settle")

    async def _settle(self, move: Move, report: MigrationReport, word: Word, before: State) -> None:
        from backends.services.moves import accept, take_back  # not needed for the first frame

        try:
            if word is Word.UNDO:
                undone = await take_back(self._fleet(), report, state_dir=self._state_dir)
                move.left = "; ".join(undone.left)
                move.settle(State.PARTLY_UNDONE if undone.left else State.UNDONE, undone.done)
            else:
                removes = word is Word.REMOVE
                done = await accept(self._fleet(), report, remove_source=removes, state_dir=self._state_dir)
                move.settle(State.ACCEPTED, done)
        except BackendError as error:
            move.settle(before, error=error)
        except BaseException:  # cancelled, or a bug: the journal says what was done
            move.settle(before)
            raise

    async def close(self) -> None:
        """Cancel those that run and wait until they have undone what they made; wait for what is being settled."""
        for move in self.running:
            move.cancel()
        for move in self.known:
            if move.worker is None or not (move.state.under_way or move.state is State.SETTLING):
                continue
            try:
                await move.worker.wait()
            except (WorkerFailed, WorkerCancelled):
                continue  # cancelled, or its failure was told by the handler of all workers
