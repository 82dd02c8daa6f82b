"""Carries out a plan; whatever goes wrong, what it made is taken back and the source runs as before."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

from backends.engine import Engine
from backends.migration import notes
from backends.migration.journal import Journal, Record, Status, list_journals, new_id
from backends.migration.lock import only_one
from backends.migration.outcome import Unequal
from backends.migration.papers import discard, discard_orphans, save_plan, save_report
from backends.migration.progress import Flow
from backends.migration.rollback import WayBack, take_back
from backends.migration.space import full
from backends.migration.steps import Steps
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

WATCH_S = 1.0
"""How long the copy must keep running before the move counts as done: a wrong command ends it at once."""

OnUpdate = Callable[[StepProgress], None]


class Run:
    """One move under way. ran: the copy has run already, before this process took the move over."""

    def __init__(
        self,
        plan: Plan,
        image: ImageMove,
        engines: tuple[Engine, Engine],
        journal: Journal,
        on_update: OnUpdate,
        *,
        ran: bool = False,
    ) -> None:
        self.plan = plan
        self.journal = journal
        self.ran = ran
        self._engines = engines
        self._on_update = on_update
        self._steps = Steps(
            plan, image, engines, journal, lambda note, flow: self._say(Phase.PROGRESS, note, flow), ran=ran
        )
        self._volumes = {move.source_name: move for move in plan.volumes}
        self._index = 0
        self._begun = asyncio.get_running_loop().time()

    @property
    def step(self) -> Step:
        """The step that it is at."""
        return self.plan.steps[self._index]

    def _say(self, phase: Phase, note: str = "", flow: Flow | None = None, undoing: bool = False) -> None:
        self._on_update(
            StepProgress(
                index=self._index,
                count=len(self.plan.steps),
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
        """All steps in their order; then the report is kept and the journal closed."""
        await self.advance(frozenset(StepKind), watch_s)
        return await self.finish()

    async def advance(self, kinds: Collection[StepKind], watch_s: float) -> None:
        """The steps of these kinds, in their order."""
        for index, step in enumerate(self.plan.steps):
            if step.kind not in kinds:
                continue
            self._index = index
            self._say(Phase.STARTED, step.skip or step.title)
            await self._do(step, watch_s)
            self._say(Phase.DONE, step.skip)

    async def finish(self) -> MigrationReport:
        """Keep the report and close the journal; all steps are done."""
        await unbroken(self._steps.tidy_source())
        outcome, record = self._steps.outcome, self.journal.record
        report = MigrationReport(
            plan=self._steps.plan,
            target_id=outcome.copy_id,
            checks=tuple(outcome.checks),
            moved_bytes=outcome.moved_bytes,
            duration_s=asyncio.get_running_loop().time() - self._begun,
            downtime_s=outcome.since_stop_s(outcome.started_at),
            notes=(*notes.after(self.plan, record), *outcome.notes),
            journal=record.id,
            healthy_s=outcome.since_stop_s(outcome.healthy_at),
        )
        await save_report(self.journal.state_dir, record.id, report)
        await self.journal.close(Status.DONE)
        return report

    async def _do(self, step: Step, watch_s: float) -> None:
        """A single call to an engine is not broken off: a cancellation waits until its outcome is known."""
        steps = self._steps
        match step.kind:
            case StepKind.IMAGE:  # where the target has it already, it is found and its name is looked after
                await steps.bring_image()
            case StepKind.NETWORK if not step.skip:
                await unbroken(steps.make_network(step.subject))
            case StepKind.PRECOPY if not step.skip:
                await steps.volumes.precopy(self._volumes[step.subject])
            case StepKind.STOP_SOURCE:
                await unbroken(steps.hold_source())
                if not step.skip:
                    await unbroken(steps.stop_source())
            case StepKind.VOLUME:
                await steps.volumes.bring(self._volumes[step.subject])
            case StepKind.CREATE:
                await unbroken(steps.create())
            case StepKind.FILES if not step.skip:
                await steps.carry_files()
            case StepKind.START if not step.skip:
                await unbroken(steps.start())
            case StepKind.HEALTH if not step.skip:
                await steps.await_health()
            case StepKind.VERIFY:
                await steps.verify(watch_s)

    async def take_back(self) -> Undone:
        """Put everything back, even where the caller is cancelled meanwhile."""
        return await take_back_all([self])

    def fail(self) -> WayBack | None:
        """Say that it failed; the way back, None where there is none: the copy has run."""
        self._say(Phase.FAILED, undoing=True)

        def say(text: str) -> None:
            self._say(Phase.PROGRESS, text, undoing=True)

        return None if self.ran else WayBack(self.journal, *self._engines, say)


async def take_back_all(runs: Sequence[Run]) -> Undone:
    """Put everything back of runs that belong together, in their order; even where the caller is cancelled meanwhile.

    Where a copy had run before this process took its move over, nothing of that one is taken back.
    """
    found = [run.fail() for run in runs]
    undone = await unbroken(take_back([way for way in found if way is not None]))
    kept = tuple(
        f"nothing of {run.plan.source_name} was taken back: the copy has run, and may have written since"
        for run, way in zip(runs, found, strict=True)
        if way is None
    )
    return Undone(undone.done, (*kept, *undone.left))


def failure(run: Run, error: BackendError, undone: Undone) -> MigrationFailed:
    """What is told of a run that an error ended, once it was taken back."""
    title, detail, hint = error.title, error.detail, error.hint
    if full(error):  # said under many a title, by engines that take it for something else
        where = error.engine or run.plan.target
        detail = f"{title}: {detail}" if detail else title
        title, hint = (
            f"{where} has no space left",
            f"make room where {where} keeps its images and volumes, then move again",
        )
    return MigrationFailed(
        f"{run.plan.source_name} was not moved: {title}",
        step=run.step,
        undone=undone,
        detail=detail,
        hint=hint,
        engine=error.engine,
        checks=error.checks if isinstance(error, Unequal) else (),
        journal=run.journal.record.id,
    )


async def carry_out(run: Run, watch_s: float) -> MigrationReport:
    """Do all steps, or take back what was done. Raises MigrationFailed, or CancelledError where it was called off."""
    try:
        return await run.execute(watch_s)
    except BackendError as error:
        raise failure(run, error, await run.take_back()) from error
    except BaseException:  # a cancellation or a bug: put back all the same, and pass it on
        await run.take_back()
        raise


def refuse(plan: Plan, source: Engine, target: Engine) -> ImageMove:
    """Raises Refused where the plan must not be run; returns its image."""
    blocks = [finding for finding in plan.findings if finding.severity is Severity.BLOCK]
    if blocks:
        raise Refused(blocks[0].title, detail=blocks[0].detail, hint=blocks[0].remedy, engine=plan.target)
    if plan.image is None:
        raise Refused("this plan was not made from the engines' facts", hint="plan again")
    if (source.id, target.id) != (plan.source.engine, plan.target):
        raise Refused("the plan is for other engines", hint="plan again")
    return plan.image


async def begin(
    plan: Plan, image: ImageMove, source: Engine, target: Engine, state_dir: Path, group: str = "", id: str = ""
) -> Journal:
    """Refuse a plan that is out of date, then keep the plan and open the journal. The container's lock is held.

    group: see Record. id: of the record, "" = a new one. Raises Conflict where the name is taken by now or an earlier
    move was cut off, Refused where the source has changed since the plan, Denied where nothing can be written.
    """
    for earlier in await list_journals(state_dir):  # we have the lock: nobody is at work on it
        of_it = (earlier.source, earlier.container_id) == (source.id.name, plan.source.id)
        if of_it and earlier.status in {Status.RUNNING, Status.PARTLY_UNDONE}:
            hint = f"tranship migrate {plan.source_name} --resume, or --undo, first"
            raise Conflict(f"an earlier move of {plan.source_name} ({earlier.id}) was cut off", hint=hint)
    seen = await source.inspect_container(plan.source.id)
    if seen.state.alive != plan.source_running or (seen.state is ContainerState.PAUSED) != plan.source_paused:
        raise Refused(f"{plan.source_name} has changed since the plan: it is {seen.state}", hint="plan again")
    try:
        await target.inspect_container(plan.spec.name)
    except NotFound:
        now = datetime.now(UTC)
        record = Record(
            id=id or new_id(now),
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
            group=group,
        )
        await discard_orphans(state_dir)
        try:
            await save_plan(state_dir, record.id, plan)
            return await Journal.begin(state_dir, record)
        except BaseException:  # nothing was done: nothing is kept
            await discard(state_dir, record.id, report=True)
            raise
    raise Conflict(f"{target.id} has a container named {plan.spec.name} by now", hint="plan again", engine=target.id)


async def run_migration(
    plan: Plan, source: Engine, target: Engine, *, on_update: OnUpdate, state_dir: Path, watch_s: float = WATCH_S
) -> MigrationReport:
    """Carry out a plan; returns the report only where every comparison held.

    on_update: called in the event loop, about ten times a second at most, and at each step. state_dir: journals are
    kept in its folder `migrations`, with the plan and the report. watch_s: for how long the copy must keep running.

    Raises Refused before anything is touched (a blocking finding, a plan out of date), Conflict where the name has been
    taken since the plan or a move of the same container is under way, Denied where the journal cannot be written, and
    MigrationFailed after a failure: then what was made on the target is removed and the source runs as before (its
    `undone` says what was done, and what could not be). Cancelling does the same, and then raises CancelledError.
    """
    image = refuse(plan, source, target)
    async with only_one(state_dir, source.id.name, plan.source.id, plan.source_name):
        journal = await begin(plan, image, source, target, state_dir)
        return await carry_out(Run(plan, image, (source, target), journal, on_update), watch_s)
