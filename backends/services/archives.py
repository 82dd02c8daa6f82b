"""Backups and their restoring as operations of the fleet: in the store and in the audit log. Does neither itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from backends.migration.backup import BackupReport, back_up
from backends.migration.backup_contents import Backup
from backends.migration.backup_keep import Kept
from backends.migration.backup_keep import keep_newest as kept_newest
from backends.migration.restore import run_restore
from backends.migration.run import OnUpdate
from backends.migration.unbroken import stoppable
from backends.model.container import Container
from backends.model.ids import ContainerKey
from backends.model.plan import LayerChoice, MigrationReport, Plan
from backends.services.audit_facts import of_contents, of_plan, of_report
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
        tracked.note(plan={"file": str(path), "layer": layer.value, "live": live})
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
        tracked.note(backup=of_contents(report.contents, path, report.size_bytes))
        tracked.done(f"{container.name} is in {path}")
        return report


async def keep_newest(fleet: Fleet, container: Container, folder: Path, keep: int, newest: Path) -> Kept:
    """Remove backups of the container that are older than the `keep` newest good ones, an operation of its own.

    newest: the one that was read whole just now. Raises Denied where one cannot be removed.
    """
    name, engine = container.name, container.key.engine.name
    with fleet.operations.track("container.backup_keep", container.key, container.name) as tracked:
        tracked.note(plan={"folder": str(folder), "keep": keep})
        kept = await stoppable(
            lambda stopped: kept_newest(folder, name, engine, keep, proven={newest}, stopped=stopped), "old backups"
        )
        tracked.note(
            report={
                "kept": _names(kept.kept),
                "removed": _names(kept.removed),
                "damaged": dict((path.name, why) for path, why in kept.damaged),
            }
        )
        tracked.done(f"{len(kept.kept)} backups of {container.name} are kept, {len(kept.removed)} removed")
        return kept


def _names(paths: Iterable[Path]) -> list[str]:
    return [path.name for path in paths]


async def restore(
    fleet: Fleet, plan: Plan, archive: Backup, *, on_update: OnUpdate, state_dir: Path
) -> MigrationReport:
    """Carry out a plan of `plan_restore`. Raises and undoes as `run_restore`; Refused too in read-only mode."""
    key = ContainerKey(plan.target, plan.source.id)
    target = fleet.engine(plan.target)
    with fleet.operations.track("container.restore", key, plan.spec.name) as tracked:
        follow = tracked.telling(on_update)
        tracked.note(plan=of_plan(plan), backup=of_contents(archive.contents, archive.path, archive.size_bytes))
        report = await run_restore(plan, archive, target, on_update=follow, state_dir=state_dir)
        tracked.note(report=of_report(report))
        await tracked.note_deployed(target, report.target_id)
        tracked.done(f"{plan.spec.name} is on {plan.target}")
        return report
