"""A migration as an operation of the fleet: one at a time for a container, in the store and in the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from backends.migration.confirm import confirm
from backends.migration.journal import Status, list_journals
from backends.migration.rollback import undo
from backends.migration.run import OnUpdate, run_migration
from backends.migration.together import OnMember, run_together
from backends.migration.unfinished import next_step, sentence
from backends.model.errors import Conflict, NotFound
from backends.model.plan import MigrationReport, Plan, StepProgress, Undone
from backends.services.fleet import Fleet


async def move(fleet: Fleet, plan: Plan, *, on_update: OnUpdate, state_dir: Path) -> MigrationReport:
    """Carry out a plan. Raises and undoes as `run_migration`; Refused too where an operation is in flight there."""
    source, target = fleet.engine(plan.source.engine), fleet.engine(plan.target)
    with fleet.operations.track("container.migrate", plan.source, plan.source_name) as tracked:
        follow = tracked.telling(on_update)
        report = await run_migration(plan, source, target, on_update=follow, state_dir=state_dir)
        tracked.done(f"{plan.source_name} is on {plan.target} as {plan.spec.name}")
        return report


async def move_together(
    fleet: Fleet, plans: Sequence[Plan], project: str, *, on_update: OnMember, state_dir: Path
) -> tuple[MigrationReport, ...]:
    """Carry out the plans of a project. Raises and undoes as `run_together`; Refused as `move`."""
    source, target = fleet.engine(plans[0].source.engine), fleet.engine(plans[0].target)
    with ExitStack() as open_ones:
        tracked = {
            plan.source: open_ones.enter_context(
                fleet.operations.track("container.migrate", plan.source, plan.source_name)
            )
            for plan in plans
        }

        def follow(plan: Plan, progress: StepProgress) -> None:
            tracked[plan.source].update(progress)
            on_update(plan, progress)

        reports = await run_together(plans, project, source, target, on_update=follow, state_dir=state_dir)
        for plan in plans:
            tracked[plan.source].done(f"{plan.source_name} is on {plan.target}, with {project}")
        return reports


async def accept(fleet: Fleet, report: MigrationReport, *, remove_source: bool, state_dir: Path) -> tuple[str, ...]:
    """Confirm a finished move; returns what was done. Raises as `confirm`, Refused where an operation is in flight."""
    plan, engines = report.plan, {engine.id.name: engine for engine in fleet.engines}
    with fleet.operations.track("migrate.accept", plan.source, plan.source_name) as tracked, _its_journal(report):
        done = await confirm(state_dir, report.journal, engines, remove_source=remove_source)
        tracked.done(f"{plan.source_name}: {'; '.join(done)}")
        return done


async def take_back(fleet: Fleet, report: MigrationReport, *, state_dir: Path) -> Undone:
    """Undo a finished move. Raises as `undo`, Refused where an operation is in flight."""
    plan, engines = report.plan, {engine.id.name: engine for engine in fleet.engines}
    with fleet.operations.track("migrate.undo", plan.source, plan.source_name) as tracked, _its_journal(report):
        undone = await undo(state_dir, report.journal, engines, finished=True)
        if undone.left:
            hint = f"once that is out of the way: tranship migrate {plan.source_name} --undo"
            tracked.failed(Conflict("the move is not wholly undone", detail="; ".join(undone.left), hint=hint))
        else:
            tracked.done(f"the move of {plan.source_name} is undone")
        return undone


@contextmanager
def _its_journal(report: MigrationReport) -> Iterator[None]:
    """A journal that is gone is an error like others."""
    try:
        yield
    except FileNotFoundError as error:
        title = f"the journal of the move {report.journal} is gone"
        hint = "look at both containers, and remove the one that you do not want yourself"
        raise NotFound(title, hint=hint) from error


async def left_behind(plan: Plan, state_dir: Path) -> str:
    """What the newest move of that container has left behind and what to do about it, "" where it left nothing."""
    own = (plan.source.engine.name, plan.source.id)
    records = [one for one in await list_journals(state_dir) if (one.source, one.container_id) == own]
    if not records or records[-1].status is not Status.PARTLY_UNDONE:
        return ""
    return f"{sentence(records[-1])}. {next_step(records[-1])}"
