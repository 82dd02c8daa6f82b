"""A migration as an operation of the fleet: one at a time for a container, in the store and in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from backends.migration.confirm import confirm
from backends.migration.journal import Status, list_journals
from backends.migration.rollback import undo
from backends.migration.run import OnUpdate, run_migration
from backends.migration.together import OnMember, run_together
from backends.migration.unfinished import next_step, sentence
from backends.model.errors import BackendError, Conflict, NotFound
from backends.model.plan import MigrationReport, Plan, StepProgress, Undone
from backends.services.fleet import Fleet


async def move(fleet: Fleet, plan: Plan, *, on_update: OnUpdate, state_dir: Path) -> MigrationReport:
    """Carry out a plan. Raises and undoes as `run_migration`; Refused too where an operation is in flight there."""
    source, target = fleet.engine(plan.source.engine), fleet.engine(plan.target)
    tracked = fleet.operations.track("container.migrate", plan.source, plan.source_name)

    def follow(progress: StepProgress) -> None:
        tracked.update(progress)
        on_update(progress)

    try:
        report = await run_migration(plan, source, target, on_update=follow, state_dir=state_dir)
        tracked.done(f"{plan.source_name} is on {plan.target} as {plan.spec.name}")
        return report
    except BackendError as error:
        tracked.failed(error)
        raise
    finally:
        tracked.cancelled()  # where it ended neither way: the task was cancelled


async def move_together(
    fleet: Fleet, plans: Sequence[Plan], project: str, *, on_update: OnMember, state_dir: Path
) -> tuple[MigrationReport, ...]:
    """Carry out the plans of a project. Raises and undoes as `run_together`; Refused as `move`."""
    source, target = fleet.engine(plans[0].source.engine), fleet.engine(plans[0].target)
    with ExitStack() as open_ones:
        tracked = {}
        for plan in plans:
            tracked[plan.source] = fleet.operations.track("container.migrate", plan.source, plan.source_name)
            open_ones.callback(tracked[plan.source].cancelled)  # where it ended neither way: the task was cancelled

        def follow(plan: Plan, progress: StepProgress) -> None:
            tracked[plan.source].update(progress)
            on_update(plan, progress)

        try:
            reports = await run_together(plans, project, source, target, on_update=follow, state_dir=state_dir)
        except BackendError as error:
            for one in tracked.values():
                one.failed(error)
            raise
        for plan in plans:
            tracked[plan.source].done(f"{plan.source_name} is on {plan.target}, with {project}")
        return reports


async def accept(fleet: Fleet, report: MigrationReport, *, remove_source: bool, state_dir: Path) -> tuple[str, ...]:
    """Confirm a finished move; returns what was done. Raises as `confirm`, Refused where an operation is in flight."""
    plan, engines = report.plan, {engine.id.name: engine for engine in fleet.engines}
    tracked = fleet.operations.track("migrate.accept", plan.source, plan.source_name)
    try:
        done = await confirm(state_dir, report.journal, engines, remove_source=remove_source)
        tracked.done(f"{plan.source_name}: {'; '.join(done)}")
        return done
    except FileNotFoundError as error:
        gone = _gone(report)
        tracked.failed(gone)
        raise gone from error
    except BackendError as error:
        tracked.failed(error)
        raise
    finally:
        tracked.cancelled()


async def take_back(fleet: Fleet, report: MigrationReport, *, state_dir: Path) -> Undone:
    """Undo a finished move. Raises as `undo`, Refused where an operation is in flight."""
    plan, engines = report.plan, {engine.id.name: engine for engine in fleet.engines}
    tracked = fleet.operations.track("migrate.undo", plan.source, plan.source_name)
    try:
        undone = await undo(state_dir, report.journal, engines, finished=True)
        if undone.left:
            hint = f"once that is out of the way: tranship migrate {plan.source_name} --undo"
            tracked.failed(Conflict("the move is not wholly undone", detail="; ".join(undone.left), hint=hint))
        else:
            tracked.done(f"the move of {plan.source_name} is undone")
        return undone
    except FileNotFoundError as error:
        gone = _gone(report)
        tracked.failed(gone)
        raise gone from error
    except BackendError as error:
        tracked.failed(error)
        raise
    finally:
        tracked.cancelled()


def _gone(report: MigrationReport) -> NotFound:
    title = f"the journal of the move {report.journal} is gone"
    return NotFound(title, hint="look at both containers, and remove the one that you do not want yourself")


async def left_behind(plan: Plan, state_dir: Path) -> str:
    """What the newest move of that container has left behind and what to do about it, "" where it left nothing."""
    own = (plan.source.engine.name, plan.source.id)
    records = [one for one in await list_journals(state_dir) if (one.source, one.container_id) == own]
    if not records or records[-1].status is not Status.PARTLY_UNDONE:
        return ""
    return f"{sentence(records[-1])}. {next_step(records[-1])}"
