"""Carries out a plan; whatever goes wrong, what it made is taken back and the source runs as before."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from backends.engine import Engine
from backends.migration.journal import Journal, Record, Status, new_id
from backends.migration.progress import Flow
from backends.migration.rollback import take_back
from backends.migration.steps import Steps, Unequal
from backends.migration.unbroken import unbroken
from backends.model.container import ContainerState
from backends.model.errors import BackendError, Conflict, NotFound, Refused
from backends.model.events import Phase
from backends.model.plan import (
    ImageMove,
    MigrationFailed,
    MigrationReport,
    Plan,
    Severity,
    Step,
    StepKind,
    StepProgress,
    Undone,
)
from backends.model.workload import RestartName

WATCH_S = 1.0
"""How long the copy must keep running before the move counts as done: a wrong command ends it at once."""

OnUpdate = Callable[[StepProgress], None]


class _Run:
    """One move under way."""

    def __init__(
        self, plan: Plan, image: ImageMove, engines: tuple[Engine, Engine], journal: Journal, on_update: OnUpdate
    ) -> None:
        self._plan = plan
        self._engines = engines
        self._journal = journal
        self._on_update = on_update
        self._steps = Steps(plan, image, engines, journal, lambda note, flow: self._say(Phase.PROGRESS, note, flow))
        self._index = 0

    @property
    def step(self) -> Step:
        """The step that it is at."""
        return self._plan.steps[self._index]

    def _say(self, phase: Phase, note: str = "", flow: Flow | None = None, undoing: bool = False) -> None:
        self._on_update(
            StepProgress(
                index=self._index,
                count=len(self._plan.steps),
                step=self.step,
                phase=phase,
                note=note,
                done_bytes=flow.done_bytes if flow else None,
                total_bytes=flow.total_bytes if flow else None,
                bytes_per_s=flow.bytes_per_s if flow else None,
                eta_s=flow.eta_s if flow else None,
                undoing=undoing,
            )
        )

    async def execute(self, watch_s: float) -> MigrationReport:
        """All steps in their order."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        moves = iter(self._plan.volumes)
        for index, step in enumerate(self._plan.steps):
            self._index = index
            self._say(Phase.STARTED, step.skip or step.title)
            if step.kind is StepKind.IMAGE:
                await self._steps.bring_image()
            elif step.kind is StepKind.VOLUME:
                await self._steps.bring_volume(next(moves))
            elif step.kind is StepKind.VERIFY:
                await self._steps.verify(watch_s)
            elif not step.skip:
                await self._short(step.kind)
            self._say(Phase.DONE, step.skip)
        await self._journal.close(Status.DONE)
        outcome = self._steps.outcome
        return MigrationReport(
            plan=self._plan,
            target_id=outcome.copy_id,
            checks=tuple(outcome.checks),
            moved_bytes=outcome.moved_bytes,
            duration_s=clock() - begun,
            downtime_s=outcome.downtime_s,
            notes=_notes(self._plan),
            journal=self._journal.record.id,
        )

    async def _short(self, kind: StepKind) -> None:
        """A single call to an engine: a cancellation waits until its outcome is known."""
        if kind is StepKind.STOP_SOURCE:
            await unbroken(self._steps.stop_source())
        elif kind is StepKind.CREATE:
            await unbroken(self._steps.create())
        else:
            await unbroken(self._steps.start())

    async def take_back(self) -> Undone:
        """Put everything back, even where the caller is cancelled meanwhile."""
        self._say(Phase.FAILED, undoing=True)

        def say(text: str) -> None:
            self._say(Phase.PROGRESS, text, undoing=True)

        return await unbroken(take_back(self._journal, *self._engines, say))


def _notes(plan: Plan) -> tuple[str, ...]:
    """What to know once it is done."""
    where = f"{plan.source_name} is still on {plan.source.engine}"
    notes = [f"{where}, stopped; it is never removed" if plan.source_running else f"{where}, as it was"]
    policy = plan.spec.restart.name
    if policy in {RestartName.ALWAYS, RestartName.UNLESS_STOPPED}:
        notes.append(
            f"its restart policy ({policy}) may start it again when {plan.source.engine} or the machine restarts:"
            " then both would run"
        )
    if plan.source_paused:
        notes.append("it was paused; the copy runs")
    return tuple(notes)


def _refuse(plan: Plan, source: Engine, target: Engine) -> ImageMove:
    """Raises Refused where the plan must not be run; returns its image."""
    blocks = [finding for finding in plan.findings if finding.severity is Severity.BLOCK]
    if blocks:
        raise Refused(blocks[0].title, detail=blocks[0].detail, hint=blocks[0].remedy, engine=plan.target)
    if plan.image is None:
        raise Refused("this plan was not made from the engines' facts", hint="plan again")
    if (source.id, target.id) != (plan.source.engine, plan.target):
        raise Refused("the plan is for other engines", hint="plan again")
    return plan.image


async def _begin(plan: Plan, image: ImageMove, source: Engine, target: Engine, state_dir: Path) -> Journal:
    """Refuse a plan that is out of date, then open the journal."""
    seen = await source.inspect_container(plan.source.id)
    if seen.state.alive != plan.source_running or (seen.state is ContainerState.PAUSED) != plan.source_paused:
        raise Refused(f"{plan.source_name} has changed since the plan: it is {seen.state}", hint="plan again")
    try:
        await target.inspect_container(plan.spec.name)
    except NotFound:
        now = datetime.now(UTC)
        record = Record(
            id=new_id(now),
            started_at=now.isoformat(timespec="seconds"),
            pid=os.getpid(),
            source=source.id.name,
            target=target.id.name,
            container_id=plan.source.id,
            container_name=plan.source_name,
            was_running=plan.source_running,
            was_paused=plan.source_paused,
            copy_name=plan.spec.name,
            image_id=image.facts.key.id,
        )
        return await Journal.begin(state_dir, record)
    raise Conflict(f"{target.id} has a container named {plan.spec.name} by now", hint="plan again", engine=target.id)


async def run_migration(
    plan: Plan, source: Engine, target: Engine, *, on_update: OnUpdate, state_dir: Path, watch_s: float = WATCH_S
) -> MigrationReport:
    """Carry out a plan; returns the report only where every comparison held.

    on_update: called in the event loop, about ten times a second at most, and at each step. state_dir: journals are
    kept in its folder `migrations`. watch_s: for how long the copy must keep running.

    Raises Refused before anything is touched (a blocking finding, a plan out of date), Conflict where the name has been
    taken since the plan, Denied where the journal cannot be written, and MigrationFailed after a failure: then what was
    made on the target is removed and the source runs as before (its `undone` says what was done, and what could not
    be). Cancelling does the same, and then raises CancelledError.
    """
    image = _refuse(plan, source, target)
    journal = await _begin(plan, image, source, target, state_dir)
    run = _Run(plan, image, (source, target), journal, on_update)
    try:
        return await run.execute(watch_s)
    except BackendError as error:
        undone = await run.take_back()
        raise MigrationFailed(
            f"{plan.source_name} was not moved: {error.title}",
            step=run.step,
            undone=undone,
            detail=error.detail,
            hint=error.hint,
            engine=error.engine,
            checks=error.checks if isinstance(error, Unequal) else (),
            journal=journal.record.id,
        ) from error
    except BaseException:  # a cancellation or a bug: put back all the same, and pass it on
        await run.take_back()
        raise
