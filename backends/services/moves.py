"""A migration as an operation of the fleet: one at a time for a container, in the store and in the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from backends.engine import Engine
from backends.migration.again import verify_again
from backends.migration.confirm import confirm
from backends.migration.journal import Record, Status, list_journals, load
from backends.migration.resume import resume
from backends.migration.rollback import undo_all
from backends.migration.run import OnUpdate, run_migration
from backends.migration.together import OnMember, resume_together, run_together
from backends.migration.unfinished import next_step, sentence
from backends.model.errors import Conflict, NotFound
from backends.model.plan import Check, MigrationReport, Plan, StepProgress, Undone
from backends.services.audit_facts import of_plan, of_report
from backends.services.fleet import Fleet
from backends.services.operations import Tracked


class Member(NamedTuple):
    """One container of a move that was begun: its plan, and the id of its journal."""

    plan: Plan
    journal: str


def _engines(fleet: Fleet) -> Mapping[str, Engine]:
    return {engine.id.name: engine for engine in fleet.engines}


@contextmanager
def _tracked(fleet: Fleet, action: str, plans: Sequence[Plan]) -> Iterator[dict[str, Tracked]]:
    """An operation of each container, by its id. Raises Refused where one is in flight there."""
    with ExitStack() as open_ones:
        tracked: dict[str, Tracked] = {}
        for plan in plans:
            one = open_ones.enter_context(fleet.operations.track(action, plan.source, plan.source_name))
            one.note(plan=of_plan(plan))
            tracked[plan.source.id] = one
        yield tracked


async def _note_outcome(tracked: Tracked, target: Engine, report: MigrationReport) -> None:
    tracked.note(report=of_report(report))
    await tracked.note_deployed(target, report.target_id)


async def move(fleet: Fleet, plan: Plan, *, on_update: OnUpdate, state_dir: Path) -> MigrationReport:
    """Carry out a plan. Raises and undoes as `run_migration`; Refused too where an operation is in flight there."""
    source, target = fleet.engine(plan.source.engine), fleet.engine(plan.target)
    with fleet.operations.track("container.migrate", plan.source, plan.source_name) as tracked:
        tracked.note(plan=of_plan(plan))
        follow = tracked.telling(on_update)
        report = await run_migration(plan, source, target, on_update=follow, state_dir=state_dir)
        await _note_outcome(tracked, target, report)
        tracked.done(f"{plan.source_name} is on {plan.target} as {plan.spec.name}")
        return report


async def move_together(
    fleet: Fleet, plans: Sequence[Plan], project: str, *, on_update: OnMember, state_dir: Path
) -> tuple[MigrationReport, ...]:
    """Carry out the plans of a project. Raises and undoes as `run_together`; Refused as `move`."""
    source, target = fleet.engine(plans[0].source.engine), fleet.engine(plans[0].target)
    with _tracked(fleet, "container.migrate", plans) as tracked:

        def follow(plan: Plan, progress: StepProgress) -> None:
            tracked[plan.source.id].update(progress)
            on_update(plan, progress)

        reports = await run_together(plans, project, source, target, on_update=follow, state_dir=state_dir)
        for plan, report in zip(plans, reports, strict=True):
            await _note_outcome(tracked[plan.source.id], target, report)
            tracked[plan.source.id].done(f"{plan.source_name} is on {plan.target}, with {project}")
        return reports


async def go_on(
    fleet: Fleet, members: Sequence[Member], project: str, *, on_update: OnMember, state_dir: Path
) -> tuple[MigrationReport, ...]:
    """Finish a move that was cut off, of a project where one is named. Raises as `resume`; Refused as `move`."""
    plans = [member.plan for member in members]
    with _tracked(fleet, "container.migrate", plans) as tracked:

        def follow(plan: Plan, progress: StepProgress) -> None:
            tracked[plan.source.id].update(progress)
            on_update(plan, progress)

        with _their_journals(members):
            if project:
                reports = await resume_together(state_dir, project, _engines(fleet), on_update=follow)
            else:
                [(plan, journal)] = members
                one = await resume(state_dir, journal, _engines(fleet), lambda progress: follow(plan, progress))
                reports = (one,)
        for plan, report in zip(plans, reports, strict=True):
            await _note_outcome(tracked[plan.source.id], fleet.engine(plan.target), report)
            tracked[plan.source.id].done(f"{plan.source_name} is on {plan.target} as {plan.spec.name}")
        return reports


async def accept(fleet: Fleet, members: Sequence[Member], *, remove_source: bool, state_dir: Path) -> tuple[str, ...]:
    """Confirm a finished move, who needs others first; returns what was done. One that is confirmed already stays so.

    Raises as `confirm`, Refused where an operation is in flight.
    """
    done: list[str] = []
    with _tracked(fleet, "migrate.accept", [plan for plan, _ in members]) as tracked, _their_journals(members):
        for plan, journal in reversed(members):
            if len(members) > 1 and (await load(state_dir, journal)).record.status is Status.CONFIRMED:
                said: tuple[str, ...] = (f"the move of {plan.source_name} to {plan.target} was confirmed before",)
            else:
                said = await confirm(state_dir, journal, _engines(fleet), remove_source=remove_source)
            done += said
            tracked[plan.source.id].done(f"{plan.source_name}: {'; '.join(said)}")
    return tuple(done)


async def take_back(fleet: Fleet, members: Sequence[Member], *, state_dir: Path) -> Undone:
    """Undo a move: a finished one, one that was cut off, or what was left of one. Raises as `undo_all`; Refused where
    an operation is in flight.
    """
    with _tracked(fleet, "migrate.undo", [plan for plan, _ in members]) as tracked, _their_journals(members):
        records = [(await load(state_dir, journal)).record for _, journal in members]
        open_ones = [record.id for record in records if record.status not in {Status.UNDONE, Status.CONFIRMED}]
        undone = await undo_all(state_dir, open_ones or [records[0].id], _engines(fleet), finished=True)
        for (plan, _), record in zip(members, records, strict=True):
            if undone.left:
                hint = f"once that is out of the way: {_undo_command(record)}"
                error = Conflict("the move is not wholly undone", detail="; ".join(undone.left), hint=hint)
                tracked[plan.source.id].failed(error)
            else:
                tracked[plan.source.id].done(f"the move of {plan.source_name} is undone")
        return undone


def _undo_command(record: Record) -> str:
    return f"tranship migrate {f'{record.project} --project' if record.project else record.container_name} --undo"


async def compare(fleet: Fleet, members: Sequence[Member], *, state_dir: Path) -> tuple[tuple[Check, ...], ...]:
    """Compare each copy of a finished move with its source once more. Raises as `verify_again`."""
    with _their_journals(members):
        return tuple([await verify_again(state_dir, journal, _engines(fleet)) for _, journal in members])


@contextmanager
def _their_journals(members: Sequence[Member]) -> Iterator[None]:
    """A journal that is gone is an error like others."""
    try:
        yield
    except FileNotFoundError as error:
        title = f"the journal of the move {', '.join(journal for _, journal in members)} is gone"
        hint = "look at the containers on both engines, and remove those that you do not want yourself"
        raise NotFound(title, hint=hint) from error


class Left(NamedTuple):
    """What moves have left behind. said: and what to do about it; journals: of the containers, in their order."""

    said: str
    journals: tuple[str, ...]


async def left_behind(plans: Sequence[Plan], state_dir: Path) -> Left | None:
    """What the newest moves of those containers have left behind, None where they left nothing."""
    records = await list_journals(state_dir)
    newest: list[Record] = []
    for plan in plans:
        own = (plan.source.engine.name, plan.source.id)
        newest += [record for record in records if (record.source, record.container_id) == own][-1:]
    left = [record for record in newest if record.status is Status.PARTLY_UNDONE]
    if not left or len(newest) < len(plans):
        return None
    said = ". ".join([*(sentence(record) for record in left), next_step(left[0])])
    return Left(said, tuple(record.id for record in newest))
