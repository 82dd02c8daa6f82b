"""Moves several containers together, step by step side by side; if one fails, all are taken back.

First all images and, while the sources run, volumes; then the sources stop, who needs others before those; then the
copies are made and started, who is needed first. May not plan.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from backends.engine import Engine
from backends.migration.journal import Journal, Record, Status, list_journals, load, new_id
from backends.migration.lock import only_one
from backends.migration.resume import prepared
from backends.migration.rollback import undo_all
from backends.migration.run import WATCH_S, Run, begin, failure, refuse, take_back_all
from backends.model.errors import BackendError, NotFound, Refused
from backends.model.plan import MigrationReport, Plan, StepKind, StepProgress, Undone

OnMember = Callable[[Plan, StepProgress], None]
"""Told how far the move of one of them is."""

_BEFORE = frozenset({StepKind.IMAGE, StepKind.NETWORK, StepKind.PRECOPY})
_AFTER = frozenset({StepKind.VOLUME, StepKind.CREATE, StepKind.FILES, StepKind.START, StepKind.HEALTH})


class _Side:
    """The runs of one group, and the one that is at work."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = tuple(runs)
        self.at = self._runs[0]

    async def _advance(self, run: Run, kinds: frozenset[StepKind], watch_s: float) -> None:
        self.at = run
        await run.advance(kinds, watch_s)

    async def execute(self, watch_s: float) -> tuple[MigrationReport, ...]:
        """All steps of all."""
        for run in self._runs:
            await self._advance(run, _BEFORE, watch_s)
        for run in reversed(self._runs):
            await self._advance(run, frozenset({StepKind.STOP_SOURCE}), watch_s)
        for run in self._runs:
            await self._advance(run, _AFTER, watch_s)
        for run in self._runs:
            await self._advance(run, frozenset({StepKind.VERIFY}), watch_s)
        reports = []
        for run in self._runs:
            self.at = run
            reports.append(await run.finish())
        return tuple(reports)

    async def take_back(self) -> Undone:
        """Of all."""
        return await take_back_all(self._runs)


async def _carry_out(runs: Sequence[Run], watch_s: float) -> tuple[MigrationReport, ...]:
    side = _Side(runs)
    try:
        return await side.execute(watch_s)
    except BackendError as error:
        raise failure(side.at, error, await side.take_back()) from error
    except BaseException:  # a cancellation or a bug: put back all the same, and pass it on
        await side.take_back()
        raise


async def run_together(
    plans: Sequence[Plan],
    project: str,
    source: Engine,
    target: Engine,
    *,
    on_update: OnMember,
    state_dir: Path,
    watch_s: float = WATCH_S,
) -> tuple[MigrationReport, ...]:
    """Carry out the plans of `plan_project`, in their order; a report of each, only where every comparison of all held.

    Raises as `run_migration`; after a failure of one, all are as before. Cancelling does the same.
    """
    images = [refuse(plan, source, target) for plan in plans]
    common = new_id()
    runs: list[Run] = []
    async with AsyncExitStack() as locks:
        for plan in sorted(plans, key=lambda plan: plan.source.id):
            await locks.enter_async_context(only_one(state_dir, source.id.name, plan.source.id, plan.source_name))
        try:
            for number, (plan, image) in enumerate(zip(plans, images, strict=True)):
                own = f"{common}-{number:03d}"  # in the order of their ids they were begun
                journal = await begin(plan, image, source, target, state_dir, f"{project} {common}", own)
                runs.append(Run(plan, image, (source, target), journal, partial(on_update, plan)))
        except BaseException:  # nothing has been done yet: the journals say so
            for run in runs:
                await run.journal.close(Status.UNDONE)
            raise
        return await _carry_out(runs, watch_s)


async def _of(state_dir: Path, project: str, statuses: set[Status]) -> list[Record]:
    """The records of the newest move of that project that are in one of these states, in their order."""
    found = [record for record in await list_journals(state_dir) if record.project == project]
    wanted = [record for record in found if record.status in statuses]
    if not wanted:
        raise NotFound(
            f"no move of the project {project} is there for that", hint="tranship doctor names those that are"
        )
    return [record for record in wanted if record.group == wanted[-1].group]


async def resume_together(
    state_dir: Path,
    project: str,
    engines: Mapping[str, Engine],
    *,
    on_update: OnMember,
    watch_s: float = WATCH_S,
) -> tuple[MigrationReport, ...]:
    """Finish the move of a project that was cut off. Arguments, what it returns and raises: as `resume`."""
    records = await _of(state_dir, project, {Status.RUNNING})
    async with AsyncExitStack() as locks:
        for record in sorted(records, key=lambda record: record.container_id):
            await locks.enter_async_context(
                only_one(state_dir, record.source, record.container_id, record.container_name)
            )
        runs = []
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for record in records:
            found: Journal = await load(state_dir, record.id)
            if found.record.status is not Status.RUNNING:
                raise Refused(f"move {record.id} was not cut off: it is {found.record.status}")
            ready = await prepared(found, engines, os.getpid(), now)
            tell = partial(on_update, ready.plan)
            runs.append(Run(ready.plan, ready.image, ready.engines, found, tell, ran=ready.ran))
        return await _carry_out(runs, watch_s)


async def undo_together(
    state_dir: Path, project: str, engines: Mapping[str, Engine], *, finished: bool = False
) -> Undone:
    """Take back the move of a project; Refused where it was completed and not `finished`."""
    records = await newest(state_dir, project)
    if not finished and all(record.status is Status.DONE for record in records):
        raise Refused(f"the move of {project} was completed", hint="undoing it would remove the copies with their data")
    return await undo_all(state_dir, [record.id for record in records], engines, finished=True)


async def newest(state_dir: Path, project: str) -> list[Record]:
    """The records of that project's newest move of which something can be undone. Raises NotFound."""
    return await _of(state_dir, project, {Status.RUNNING, Status.PARTLY_UNDONE, Status.DONE})


async def waiting(state_dir: Path, project: str) -> list[Record]:
    """The moves of that project that are done and wait to be confirmed. Raises NotFound where there are none."""
    return await _of(state_dir, project, {Status.DONE})
