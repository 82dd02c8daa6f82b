"""Migrations as the screens see them: planned, under way, ended, settled. A move goes on while its screen is closed.

The only workers besides those of `tui.commands`. May not draw.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.ids import ContainerKey, EngineId
from tui.move import Move, State, Word
from tui.move_messages import MovesListed, PlanFailed, PlanMade
from tui.workers import Reply, Work, ended

if TYPE_CHECKING:
    from backends.migration.facts import SourceFacts, TargetFacts
    from backends.migration.project import ProjectFacts
    from backends.model.plan import Choices, MigrationReport, Plan
    from backends.services.fleet import Fleet
    from backends.services.moves import Member

DEBOUNCE_S = 0.15  # a name that is typed, or a choice that is turned, is planned for once it rests
FACTS_S = 5.0  # what the engines were asked for a plan serves the next one so long: a choice alone asks them nothing
MOVES_KEPT = 64  # ended moves whose report can be looked at again


@dataclass(frozen=True)
class _Looked:
    """What the engines said for a plan. together: with the rest of its project. until: of the event loop's clock."""

    asked: tuple[ContainerKey, EngineId, bool]
    facts: tuple[SourceFacts, TargetFacts] | ProjectFacts
    until: float


class Moves:
    """The newest move of each container: of this session, and those of earlier ones that are not over.

    fleet: gives the open fleet, or raises Refused.
    """

    def __init__(self, work: Work, fleet: Callable[[], Fleet], state_dir: Path) -> None:
        self._work = work
        self._fleet = fleet
        self._state_dir = state_dir
        self._moves: list[Move] = []
        self._earlier: list[Move] = []
        self._looked: _Looked | None = None

    @property
    def known(self) -> tuple[Move, ...]:
        """All, the newest first; those of earlier sessions last."""
        return (*reversed(self._moves), *reversed(self._earlier))

    @property
    def running(self) -> tuple[Move, ...]:
        """Those of this session that are not over."""
        return tuple(move for move in self._moves if move.state.under_way)

    def of(self, container: ContainerKey) -> Move | None:
        """The move of this container that is under way or waits for a word, None where there is none."""
        for move in self.known:
            wanted = move.state.under_way or move.undoable or move.state in {State.SETTLING, State.ELSEWHERE}
            if wanted and container in move.keys:
                return move
        return None

    # -- planning --------------------------------------------------------------------------------
    def plan(
        self,
        source: ContainerKey,
        target: EngineId,
        choices: Choices,
        reply: Reply,
        *,
        afresh: bool = False,
        together: bool = False,
    ) -> None:
        """Plan a migration: PlanMade or PlanFailed. Nothing is changed; a later call takes the place of this one.

        afresh: the engines are asked anew, also where they were asked a moment ago. together: of all containers of its
        project or pod.
        """
        if afresh:
            self._looked = None
        work = partial(self._plan, (source, target, together), choices, reply)
        self._work(work, name=f"plan {source.short} to {target}", group="plan", exclusive=True)

    async def _plan(self, asked: tuple[ContainerKey, EngineId, bool], choices: Choices, reply: Reply) -> None:
        from backends.migration.plan import make_plan  # not needed for the first frame
        from backends.migration.project import ProjectFacts, make_project

        await asyncio.sleep(DEBOUNCE_S)
        try:
            if self._looked is None or self._looked.asked != asked or _now() > self._looked.until:
                facts = await self._look(*asked)
                self._looked = _Looked(asked, facts, _now() + FACTS_S)
            known = self._looked.facts
            if isinstance(known, ProjectFacts):
                plans = await asyncio.to_thread(make_project, known, choices)
                reply(PlanMade(plans, choices, known.group.name))
            else:
                reply(PlanMade((await asyncio.to_thread(make_plan, *known, choices),), choices))
        except BackendError as error:
            reply(PlanFailed(error))

    async def _look(
        self, source: ContainerKey, target: EngineId, together: bool
    ) -> tuple[SourceFacts, TargetFacts] | ProjectFacts:
        from backends.migration.planning import look
        from backends.migration.project import look_project
        from backends.migration.unfinished import refuse_unfinished

        fleet = self._fleet()
        seen, ends = fleet.store.view.gpus, (fleet.engine(source.engine), fleet.engine(target))
        # What a move that is not over has made would block the plan, with a remedy that destroys it.
        await refuse_unfinished(self._state_dir, source.engine.name, source.id)
        if not together:
            return await look(ends[0], source.id, ends[1], seen)
        known = await look_project(ends[0], source.id, ends[1], seen)
        for facts, _ in known.members:
            await refuse_unfinished(self._state_dir, source.engine.name, facts.container.key.id)
        return known

    # -- running ---------------------------------------------------------------------------------
    def run(
        self,
        plans: Sequence[Plan],
        container: Container,
        targets: tuple[EngineId, ...],
        reply: Reply,
        *,
        project: str = "",
    ) -> Move:
        """Run plans: MigrationProgressed … MigrationFinished. Several may run at once, of each container only one.

        project: whose containers are moved together, "" where it is one alone.
        """
        move = Move(tuple(plans), container, targets, reply, project=project)
        for busy in self.known:
            under_way = busy.state.under_way or busy.state is State.SETTLING
            if under_way and busy.keys & move.keys:
                return busy
        self._looked = None
        self._moves = [old for old in self._moves if not old.keys <= move.keys]
        self._forget_old()
        self._moves.append(move)
        name = f"migrate {move.name} to {move.plan.target}"
        move.worker = self._work(partial(self._run, move, self._carry_out), name=name, group="migrate")
        return move

    def resume(self, move: Move, reply: Reply) -> None:
        """Finish a move that was cut off: as `run`. Does nothing where it cannot be resumed."""
        if move.state is not State.CUT_OFF or not move.resumable:
            return
        self._earlier = [other for other in self._earlier if other is not move]
        self._moves.append(move)
        move.reply, move.state, move.told, move.word_error = reply, State.RUNNING, "", None
        name = f"resume the move of {move.name}"
        move.worker = self._work(partial(self._run, move, self._go_on), name=name, group="migrate")

    def _forget_old(self) -> None:
        """Make room: the oldest that nothing is to be done about any more."""
        over = [old for old in self._moves if old.over]
        gone = over[: max(0, len(self._moves) - MOVES_KEPT + 1)]
        self._moves = [move for move in self._moves if move not in gone]

    async def _carry_out(self, move: Move) -> tuple[MigrationReport, ...]:
        from backends.services import moves  # not needed for the first frame

        if move.project:
            return await moves.move_together(
                self._fleet(), move.plans, move.project, on_update=move.follow, state_dir=self._state_dir
            )
        tell = partial(move.follow, move.plan)
        return (await moves.move(self._fleet(), move.plan, on_update=tell, state_dir=self._state_dir),)

    async def _go_on(self, move: Move) -> tuple[MigrationReport, ...]:
        from backends.services import moves

        return await moves.go_on(
            self._fleet(), self._members(move), move.project, on_update=move.follow, state_dir=self._state_dir
        )

    async def _run(self, move: Move, work: Callable[[Move], Coroutine[Any, Any, tuple[MigrationReport, ...]]]) -> None:
        from backends.model.plan import MigrationFailed

        try:
            reports = await work(move)
        except MigrationFailed as error:
            if error.undone.left:
                await self._look_what_is_left(move)
            move.finish(State.FAILED, error=error)
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
            move.journals = tuple(report.journal for report in reports)
            move.plans = tuple(report.plan for report in reports)
            move.finish(State.WAITING, reports=reports)

    async def _look_what_is_left(self, move: Move) -> None:
        from backends.services.moves import left_behind

        try:
            left = await left_behind(move.plans, self._state_dir)
            if left is not None:
                move.left, move.journals = left
        except BackendError as error:
            move.left = f"whether something was left behind cannot be told: {error}"

    # -- after it --------------------------------------------------------------------------------
    def settle(self, move: Move, word: Word) -> None:
        """Accept a finished move, take one back, or compare it again: MigrationSettled.

        Does nothing where that is under way already, or cannot be done in its state.
        """
        possible = {
            Word.ACCEPT: move.state is State.WAITING,
            Word.REMOVE: move.state is State.WAITING,
            Word.UNDO: move.undoable,
            Word.VERIFY: move.comparable,
        }
        if not (possible[word] and move.journals):
            return
        before, move.state = move.state, State.SETTLING
        work = partial(self._settle, move, word, before)
        move.worker = self._work(work, name=f"{word} the move of {move.name}", group="settle")

    def _members(self, move: Move) -> list[Member]:
        from backends.services.moves import Member

        return [Member(plan, journal) for plan, journal in zip(move.plans, move.journals, strict=True)]

    async def _settle(self, move: Move, word: Word, before: State) -> None:
        from backends.services.moves import accept, compare, take_back  # not needed for the first frame

        members, place = self._members(move), self._state_dir
        try:
            if word is Word.UNDO:
                undone = await take_back(self._fleet(), members, state_dir=place)
                move.left = "; ".join(undone.left)
                move.settle(State.PARTLY_UNDONE if undone.left else State.UNDONE, undone.done)
            elif word is Word.VERIFY:
                checks = await compare(self._fleet(), members, state_dir=place)
                move.compared(before, checks, datetime.now(UTC))
            else:
                removes = word is Word.REMOVE
                done = await accept(self._fleet(), members, remove_source=removes, state_dir=place)
                move.settle(State.ACCEPTED, done)
        except BackendError as error:
            move.settle(before, error=error)
        except BaseException:  # cancelled, or a bug: the journal says what was done
            move.settle(before)
            raise

    def papers(self, move: Move) -> list[str]:
        """Where the reports of a finished move are kept."""
        from backends.migration.papers import report_path

        return [str(report_path(self._state_dir, journal)) for journal in move.journals]

    # -- earlier sessions ------------------------------------------------------------------------
    def look_for_earlier(self, reply: Reply) -> None:
        """Read the journals for moves of earlier sessions and of other processes that are not over: MovesListed."""
        self._work(partial(self._look_for_earlier, reply), name="earlier moves", group="earlier", exclusive=True)

    async def _look_for_earlier(self, reply: Reply) -> None:
        error: BackendError | None = None
        try:
            await self._read_earlier()
        except BackendError as caught:
            error = caught
        reply(MovesListed(error))

    async def _read_earlier(self) -> None:
        await asyncio.to_thread(import_module, "tui.earlier_moves")  # takes longer than a key may wait
        from tui.earlier_moves import earlier

        looked_at = {move.journals: move for move in self._earlier if move.reply is not None}
        settling = {move.journals for move in self._earlier if move.state is State.SETTLING}
        found = await earlier(self._state_dir, self._fleet().store.view, self._moves, frozenset(looked_at))
        self._earlier = [move for move in self._earlier if move.journals in settling] + [
            looked_at[move.journals].renewed(move) if move.journals in looked_at else move
            for move in found
            if move.journals not in settling
        ]

    # -- the end ---------------------------------------------------------------------------------
    async def close(self) -> None:
        """Cancel those that run and wait until they have undone what they made; wait for what is being settled."""
        for move in self.running:
            move.cancel()
        waited = [move for move in self.known if move.state.under_way or move.state is State.SETTLING]
        await ended(move.worker for move in waited if move.worker is not None)


def _now() -> float:
    return asyncio.get_running_loop().time()
