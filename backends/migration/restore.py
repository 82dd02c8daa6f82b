"""Makes a container of a backup: the file is checked whole, then planned and moved like a container of an engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from backends.engine import Engine
from backends.giving import UNSEEN
from backends.migration.archive_source import archive_source
from backends.migration.backup_contents import Backup, open_backup
from backends.migration.planning import plan_migration
from backends.migration.run import WATCH_S, OnUpdate, run_migration
from backends.migration.unbroken import stoppable
from backends.model.gpu import GpuSnapshot
from backends.model.plan import Choices, Finding, ImageWay, LayerChoice, MigrationReport, Plan, Severity, Step, StepKind

_AS_IT_WAS = Choices()


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Backup]:
    """A backup whose every byte was checked, closed on exit. Raises as `open_backup`."""
    backup = await stoppable(lambda stopped: open_backup(path.absolute(), stopped), "check", late=Backup.close)
    try:
        yield backup
    finally:
        backup.close()


async def plan_restore(
    backup: Backup, target: Engine, *, choices: Choices = _AS_IT_WAS, seen: GpuSnapshot = UNSEEN
) -> Plan:
    """What restoring it will do; nothing is changed. As `plan_migration`, but that nothing has to be stopped.

    choices: those about the layer, the way of the image and the source are the file's own.
    """
    source = archive_source(backup)
    choices = replace(
        choices,
        layer=LayerChoice.CHANGES if backup.contents.changes else LayerChoice.DISCARD,
        stop_source=False,
        live_copy=False,
        image_way=ImageWay.ARCHIVE,
    )
    plan = await plan_migration(source, backup.contents.container.key.id, target, choices=choices, seen=seen)
    return replace(
        plan,
        steps=tuple(_at_rest(step) for step in plan.steps),
        findings=(*plan.findings, *_findings(backup)),
    )


def _at_rest(step: Step) -> Step:
    return replace(step, skip="a backup is a file") if step.kind is StepKind.STOP_SOURCE else step


def _findings(backup: Backup) -> list[Finding]:
    contents = backup.contents
    age = f"of {contents.container.name} on {contents.engine}, made {contents.created_at:%Y-%m-%d %H:%M} UTC"
    found = [Finding(Severity.NOTE, f"{backup.path.name} is whole: every byte was checked", age)]
    if contents.live:
        detail = "What was being written then may be half in it."
        found.append(Finding(Severity.WARN, "the source ran while the backup was made", detail))
    return found


async def run_restore(
    plan: Plan, backup: Backup, target: Engine, *, on_update: OnUpdate, state_dir: Path, watch_s: float = WATCH_S
) -> MigrationReport:
    """Carry out a plan of `plan_restore`. Raises and undoes as `run_migration`."""
    source = archive_source(backup)
    report = await run_migration(plan, source, target, on_update=on_update, state_dir=state_dir, watch_s=watch_s)
    return replace(report, notes=(f"{backup.path.name} stays as it is",))
