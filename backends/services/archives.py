"""Backups and their restoring as operations of the fleet: in the store and in the audit log. Does neither itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from backends.migration.backup import BackupReport, back_up
from backends.migration.backup_contents import Backup
from backends.migration.restore import run_restore
from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.ids import ContainerKey
from backends.model.plan import LayerChoice, MigrationReport, Plan, StepProgress
from backends.services.fleet import Fleet
from backends.services.operations import Tracked

OnUpdate = Callable[[StepProgress], None]


def _both(tracked: Tracked, on_update: OnUpdate) -> OnUpdate:
    def follow(progress: StepProgress) -> None:
        tracked.update(progress)
        on_update(progress)

    return follow


async def backup(
    fleet: Fleet,
    container: Container,
    path: Path,
    *,
    version: str,
    layer: LayerChoice,
    live: bool,
    on_update: OnUpdate,
    state_dir: Path,
) -> BackupReport:
    """Write a container into a file. Raises as `back_up`; Refused too where an operation is in flight, or read-only."""
    tracked = fleet.operations.track("container.backup", container.key, container.name)
    try:
        report = await back_up(
            fleet.engine(container.key.engine),
            container.key.id,
            path,
            version=version,
            state_dir=state_dir,
            layer=layer,
            live=live,
            on_update=_both(tracked, on_update),
        )
        tracked.done(f"{container.name} is in {path}")
        return report
    except BackendError as error:
        tracked.failed(error)
        raise
    finally:
        tracked.cancelled()  # where it ended neither way: the task was cancelled


async def restore(
    fleet: Fleet, plan: Plan, archive: Backup, *, on_update: OnUpdate, state_dir: Path
) -> MigrationReport:
    """Carry out a plan of `plan_restore`. Raises and undoes as `run_restore`; Refused too in read-only mode."""
    key = ContainerKey(plan.target, plan.source.id)
    tracked = fleet.operations.track("container.restore", key, plan.spec.name)
    target = fleet.engine(plan.target)
    try:
        report = await run_restore(plan, archive, target, on_update=_both(tracked, on_update), state_dir=state_dir)
        tracked.done(f"{plan.spec.name} is on {plan.target}")
        return report
    except BackendError as error:
        tracked.failed(error)
        raise
    finally:
        tracked.cancelled()  # as above
