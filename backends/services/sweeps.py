"""A sweep on one engine: so many runs at a time, each with GPUs of its own, until all are over or it is stopped.

A run's end is told by the engine's wait; nothing is polled. The next one begins while what the last one said is read
and its container is removed. What a run made is removed, whatever ends it.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from backends.engine import Engine
from backends.migration.unbroken import unbroken
from backends.model.errors import BackendError, NotFound, Refused, Unreachable
from backends.model.ids import ContainerKey, EngineId
from backends.model.sweep import SweepRow, SweepRun, SweepState
from backends.model.workload import RestartPolicy, WorkloadSpec
from backends.services import owned
from backends.services.audit_facts import of_facts, of_spec
from backends.services.creating import created
from backends.services.fleet import Fleet

_log = logging.getLogger(__name__)

FOLLOW_AFTER_S = 0.5
"""A run that is not over by then has its log followed, for the last line; shorter ones are read at their end."""

OnRow = Callable[[SweepRow], None]
Write = Callable[[SweepRow], Awaitable[None]]
WithGpus = Callable[[WorkloadSpec, tuple[str, ...]], WorkloadSpec]
"""The recipe with these devices. Raises Refused where the engine cannot give them."""


class Sweep:
    """One sweep. spec: what every run is made of, its name and command aside. pool: devices to give out. write: told
    each run that is over, before on_row is. with_gpus: needed where gpus_each is not 0."""

    def __init__(
        self,
        fleet: Fleet,
        engine: EngineId,
        spec: WorkloadSpec,
        runs: Sequence[SweepRun],
        *,
        jobs: int,
        retries: int = 0,
        pool: Sequence[str] = (),
        gpus_each: int = 0,
        with_gpus: WithGpus | None = None,
        write: Write,
        on_row: OnRow,
    ) -> None:
        if gpus_each > len(pool):
            hint = "tranship gpus lists what there is"
            raise Refused(f"{gpus_each} GPUs for each run, and {len(pool)} are there", hint=hint, engine=engine)
        self._fleet, self._id, self._runs = fleet, engine, runs
        self._engine: Engine = fleet.engine(engine)
        self._name = f"tranship-sweep-{uuid.uuid4().hex[:8]}"
        process = replace(spec.process, auto_remove=False)
        self._spec = replace(spec, labels=owned.mark(), restart=RestartPolicy(), process=process)
        self._jobs, self._retries, self._each = jobs, retries, gpus_each
        self._with_gpus, self._write, self._on_row = with_gpus, write, on_row
        self._free = list(pool)
        self._freed = asyncio.Condition()
        self._waiting = deque(runs)
        self._running: dict[int, str] = {}
        self._finishing: set[asyncio.Task[None]] = set()
        self._over = Counter[str]()
        self._stopped = self._killed = False

    def stop(self) -> None:
        """Begin no further run; those that run go on to their end."""
        self._stopped = True
        self._waiting.clear()

    async def kill(self) -> None:
        """Stop, and end those that run now."""
        self.stop()
        self._killed = True
        for container in list(self._running.values()):
            with suppress(BackendError):  # it has just ended by itself
                await self._engine.kill(container)

    async def run(self) -> None:
        """Until all are over, or it was stopped. Raises NotFound where the image is not there, Unreachable where the
        engine goes; what runs then is removed, as it is on a cancellation."""
        subject = self._spec.image
        with self._fleet.operations.track(
            "container.sweep", ContainerKey(self._id, f"new:{self._name}"), subject
        ) as it:
            known = self._fleet.store.view.engines.get(self._id)
            if known is not None and known.info is not None and known.info.local:
                await owned.sweep_nobodys(self._engine)
            try:
                it.note(object=of_facts(await self._engine.image_facts(subject)), plan=self._plan())
            except NotFound as error:
                raise NotFound(error.title, hint=f"tranship pull {subject} -e {self._id}", engine=self._id) from error
            workers = [asyncio.create_task(self._worker(), name=f"sweep {n}") for n in range(self._jobs)]
            try:
                await asyncio.gather(*workers)
                while self._finishing:
                    await self._finished_one()
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
                await unbroken(self._settle())
            said = ", ".join(f"{count} {state}" for state, count in sorted(self._over.items()))
            end = "was stopped" if self._stopped else "is over"
            it.done(f"{subject}: a sweep of {len(self._runs)} runs {end}" + (f": {said}" if said else ""))

    def _plan(self) -> dict[str, Any]:
        """For the audit trail; what each run's command is stands in the results."""
        numbers = {"runs": len(self._runs), "at_a_time": self._jobs, "retries": self._retries, "gpus_each": self._each}
        return {**of_spec(self._spec), "name": self._name, **numbers}

    async def _worker(self) -> None:
        while self._waiting:
            run = self._waiting.popleft()
            async with self._gpus() as gpus:
                if self._is_stopped():
                    return
                row = SweepRow(run, SweepState.RUNNING, gpus)
                for attempt in range(1, self._retries + 2):
                    row, container = await self._attempt(replace(row, attempt=attempt, state=SweepState.RUNNING))
                    last = row.state is SweepState.DONE or attempt > self._retries or self._is_stopped()
                    task = asyncio.create_task(self._finish(row, container, last=last), name=f"finish {run.number}")
                    self._finishing.add(task)
                    if last:
                        break
            while len(self._finishing) > 2 * self._jobs:
                await self._finished_one()

    def _is_stopped(self) -> bool:
        """Also where it was not a moment ago."""
        return self._stopped

    async def _finish(self, row: SweepRow, container: str, *, last: bool) -> None:
        """Read what it said last, remove it; write it down where it is not tried again."""
        try:
            if container:
                row = replace(row, last_line=await self._last_line(container))
        finally:
            if container:
                await unbroken(self._removed(container))
        if last:
            self._over[row.state.value] += 1
            await self._write(row)
            self._on_row(row)

    async def _finished_one(self) -> None:
        """Wait for one of those that are being finished; raises what went wrong in it."""
        done, _ = await asyncio.wait(self._finishing, return_when=asyncio.FIRST_COMPLETED)
        self._finishing -= done
        for task in done:
            task.result()

    async def _settle(self) -> None:
        """All that is being finished, whatever becomes of the rest."""
        await asyncio.gather(*self._finishing, return_exceptions=True)

    @asynccontextmanager
    async def _gpus(self) -> AsyncIterator[tuple[str, ...]]:
        """So many devices as a run is to have, from when they are free."""
        async with self._freed:
            await self._freed.wait_for(lambda: len(self._free) >= self._each)
            taken, self._free = tuple(self._free[: self._each]), self._free[self._each :]
        try:
            yield taken
        finally:
            self._free += taken
            async with self._freed:
                self._freed.notify_all()

    async def _attempt(self, row: SweepRow) -> tuple[SweepRow, str]:
        """One container from its creation to its end; it is left for `_finish`, "" where there is none."""
        run, engine = row.run, self._engine
        name = f"{self._name}-{run.number}" + (f"-{row.attempt}" if row.attempt > 1 else "")
        spec = replace(self._spec, name=name, command=run.command)
        container = ""
        begun = time.monotonic()
        self._on_row(row := replace(row, began_s=begun))
        try:
            if row.gpus and self._with_gpus is not None:
                spec = self._with_gpus(spec, row.gpus)
            container = await created(engine, spec)
            self._running[run.number] = container
            begun = time.monotonic()
            await engine.start(container)
            if self._killed:  # it was being started when the others were
                with suppress(BackendError):  # or was killed with them right after its start
                    await engine.kill(container)
            code = await self._ended(row, container)
            taken_s = time.monotonic() - begun
            state = SweepState.DONE if code == 0 else SweepState.KILLED if self._killed else SweepState.FAILED
            return replace(row, state=state, exit_code=code, duration_s=taken_s), container
        except (Unreachable, asyncio.CancelledError):
            if container:
                await unbroken(self._removed(container))
            raise
        except BackendError as error:
            taken_s = time.monotonic() - begun
            return replace(row, state=SweepState.FAILED, duration_s=taken_s, error=str(error)), container
        finally:
            self._running.pop(run.number, None)

    async def _removed(self, container: str) -> None:
        try:
            await self._engine.remove(container, force=True, volumes=True)
        except BackendError as error:
            _log.warning("a run's container stays: %s", error)

    async def _ended(self, row: SweepRow, container: str) -> int:
        """Its exit code; the last line of its log is told meanwhile, where it takes longer."""
        following = asyncio.create_task(self._follow(row, container), name="follow a run")
        try:
            return await self._engine.wait_exit(container)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _follow(self, row: SweepRow, container: str) -> None:
        await asyncio.sleep(FOLLOW_AFTER_S)
        async with self._engine.logs(container, follow=True, tail=1) as lines:
            async for line in lines:
                self._on_row(replace(row, last_line=line.text))

    async def _last_line(self, container: str) -> str:
        try:
            async with self._engine.logs(container, tail=1) as lines:
                found = [line.text async for line in lines]
        except BackendError as error:
            return f"(its log cannot be read: {error.title})"
        return found[-1] if found else ""


__all__ = ["Sweep"]
