"""Finishes a move whose process died, from its journal and its plan."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backends.engine import Engine
from backends.migration.journal import Effect, Entry, Journal, Record, Status, load
from backends.migration.lock import only_one
from backends.migration.papers import load_plan
from backends.migration.rollback import TakeBack, engines_of, remove_helpers
from backends.migration.run import WATCH_S, OnUpdate, Run, carry_out, refuse
from backends.migration.unbroken import unbroken
from backends.model.container import Container, ContainerState
from backends.model.errors import Conflict, NotFound, Refused
from backends.model.plan import ImageMove, MigrationReport, Plan, VolumeChoice


async def _found(engine: Engine, container: str) -> Container | None:
    try:
        return await engine.inspect_container(container)
    except NotFound:
        return None


class _Tidy:
    """Takes back what is half done, so that the steps can go on from there."""

    def __init__(self, journal: Journal, plan: Plan, source: Engine, target: Engine) -> None:
        self._journal = journal
        self._plan = plan
        self._source = source
        self._target = target

    async def tidy(self) -> bool:
        """Returns whether the copy has run. Raises Conflict where both have: then nobody but the user can say which
        one's data counts.
        """
        record = self._journal.record
        copy = record.find(Effect.CONTAINER)
        seen = await _found(self._target, copy.id) if copy is not None and copy.made else None
        ran = seen is not None and seen.state is not ContainerState.CREATED
        woken = await self._woken(record)
        if ran and woken:
            raise Conflict(
                f"{record.container_name} runs on {record.source} again, and its copy on {record.target} has run too",
                hint="stop the one whose data you do not want: then --resume keeps the copy, --undo the source",
            )
        stale = woken or (copy is not None and copy.made and seen is None)
        way_back = TakeBack(record, self._source, self._target)
        for entry in reversed(record.entries):
            if self._half_done(entry, stale):
                await way_back.entry(entry)
                await self._journal.forget(entry)
                for move in self._plan.volumes:
                    if entry.effect is Effect.VOLUME and move.create.name == entry.name:
                        await self._journal.disprove(f"volume {move.source_name}")
        return ran

    async def _woken(self, record: Record) -> bool:
        """Whether the source was stopped by the move and runs all the same."""
        stop = record.find(Effect.STOP_SOURCE)
        seen = await self._source.inspect_container(record.container_id)
        return stop is not None and stop.made and seen.state.alive

    def _half_done(self, entry: Entry, stale: bool) -> bool:
        """stale: the volumes are not what the source has any more."""
        if entry.effect is Effect.CONTAINER:
            return stale or not entry.made
        if entry.effect is Effect.NETWORK:
            return not entry.made
        if entry.effect is not Effect.VOLUME:
            return False  # the steps look at these themselves
        move = next((move for move in self._plan.volumes if move.create.name == entry.name), None)
        proved = {check.subject for check in self._journal.record.checks}
        whole = move is not None and (move.choice is VolumeChoice.SKIP or f"volume {move.source_name}" in proved)
        return stale or not entry.made or not whole


@dataclass(frozen=True, slots=True)
class Ready:
    """A move that can go on. engines: source and target. ran: the copy has run already."""

    plan: Plan
    image: ImageMove
    engines: tuple[Engine, Engine]
    ran: bool


async def prepared(found: Journal, engines: Mapping[str, Engine], pid: int, now: str) -> Ready:
    """Take a move that was cut off over and take back what is half done. The container's lock is held.

    Raises Refused where its plan is not there, NotFound where an engine is missing, Conflict as `resume`.
    """
    record = found.record
    plan = await load_plan(found.state_dir, record.id)
    if plan is None:
        raise Refused(f"the plan of move {record.id} is not there", hint="--undo takes back what it made")
    source, target = engines_of(record, engines)
    image = refuse(plan, source, target)

    async def prepare() -> bool:
        await remove_helpers(found, (target, source))
        await found.take_over(pid, now)
        return await _Tidy(found, plan, source, target).tidy()

    return Ready(plan, image, (source, target), await unbroken(prepare()))


async def resume(
    state_dir: Path,
    journal: str,
    engines: Mapping[str, Engine],
    on_update: OnUpdate = lambda _progress: None,
    *,
    watch_s: float = WATCH_S,
) -> MigrationReport:
    """Finish a move that was cut off; its effects are looked at again, half-done ones taken back and done anew.

    engines: by name, those of the journal's source and target must be among them. The other arguments, what it returns
    and raises: as run_migration. Raises Refused too where the move is not one that was cut off, or its plan is not
    there; Conflict where it is under way, or where source and copy have both run since. Where the copy had run before,
    a failure takes nothing back: what it has written since would be lost.
    """
    first = (await load(state_dir, journal)).record
    async with only_one(state_dir, first.source, first.container_id, first.container_name):
        found = await load(state_dir, journal)
        record = found.record
        if record.status is not Status.RUNNING:
            hint = "" if record.status is not Status.PARTLY_UNDONE else "--undo takes back the rest"
            raise Refused(f"move {journal} was not cut off: it is {record.status}", hint=hint)
        ready = await prepared(found, engines, os.getpid(), datetime.now(UTC).isoformat(timespec="seconds"))
        run = Run(ready.plan, ready.image, ready.engines, found, on_update, ran=ready.ran)
        return await carry_out(run, watch_s)
