"""Backups and their restoring as operations of the fleet: in the store and in the audit log. Does neither itself."""

from __future__ import annotations

from pathlib import Path

from backends.migration.backup import BackupReport, back_up
from backends.migration.backup_contents import Backup
from backends.migration.restore import run_restore
from backends.migration.run import OnUpdate
from backends.model.container import Container
from backends.model.ids import ContainerKey
from backends.model.plan import LayerChoice, MigrationReport, Plan
from backends.services.fleet import Fleet


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
    with fleet.operations.track("container.backup", container.key, container.name) as tracked:
        report = await back_up(
            fleet.engine(container.key.engine),
            container.key.id,
            path,
            version=version,
            state_dir=state_dir,
            layer=layer,
            live=live,
            on_update=tracked.telling(on_update),
        )
        tracked.done(f"{container.name} is in {path}")
        return report


async def restore(
    fleet: Fleet, plan: Plan, archive: Backup, *, on_update: OnUpdate, state_dir: Path
) -> MigrationReport:
    """Carry out a plan of `plan_restore`. Raises and undoes as `run_restore`; Refused too in read-only mode."""
    key = ContainerKey(plan.target, plan.source.id)
    target = fleet.engine(plan.target)
    with fleet.operations.track("container.restore", key, plan.spec.name) as tracked:
        follow = tracked.telling(on_update)
        report = await run_restore(plan, archive, target, on_update=follow, state_dir=state_dir)
        tracked.done(f"{plan.spec.name} is on {plan.target}")
        return report
