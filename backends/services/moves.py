"""A migration as an operation of the fleet: one at a time for a container, in the store and in the audit log."""

from __future__ import annotations

from pathlib import Path

from backends.migration.run import OnUpdate, run_migration
from backends.model.errors import BackendError
from backends.model.plan import MigrationReport, Plan, StepProgress
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
