"""A trial from its request to its report: prepared, measured round by round, cleared up. May not draw.

Whatever ends it (its end, an error, a cancellation) all that it made is removed; what a killed process leaves bears
the label of `owned`, and the next trial there removes it.
"""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from backends.migration.unbroken import unbroken
from backends.model.errors import Refused, Unreachable
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey, EngineId
from backends.model.trial import Density, TrialProgress, TrialReport, TrialRequest, TrialRound
from backends.model.trial_words import verdict
from backends.services.audit_facts import of_trial
from backends.services.fleet import Fleet
from backends.services.trial_setting import Setting, clear, new_setting, prepare
from backends.trial.density import pack
from backends.trial.reached import GpuReached
from backends.trial.rounds import Bench, GpuLook, discard, processes_of, run_round
from backends.trial.statistics import compare, order, summarise, unread

OnProgress = Callable[[TrialProgress], None]

WARM_UP = "each engine had one round before that is not counted: it fills caches"
BUSY = 0.7
"""Runnable processes for each processor above which what is measured is the crowd too."""


async def run_trial(
    fleet: Fleet, subject: ContainerKey | str, title: str, request: TrialRequest, on_progress: OnProgress
) -> TrialReport:
    """Measure a container, or an image, on the engines of the request. title: its name, for people.

    Raises Refused where all is read-only or an engine is named twice, Unreachable where one is not connected, NotFound,
    Unsupported, and what engines raise. Cancelling it clears up first.
    """
    _check(fleet, request)
    made = new_setting(title)
    key = ContainerKey(request.engines[0], f"new:{made.name}")
    with fleet.operations.track("container.trial", key, title) as tracked:
        trial = _Trial(fleet, request, made, on_progress)
        try:
            report = await trial.run(subject)
        finally:
            images = {engine.name: image for engine, image in made.images.items()}
            tracked.note(object={"name": title, "image": made.image or None, "images": images}, plan=of_trial(request))
            await unbroken(trial.clear())
        left = tuple(f"left over: {text}" for text in trial.left)
        tracked.done(f"{title}: {len(report.rounds)} rounds on {len(request.engines)} engines")
        return replace(report, notes=(*report.notes, *left))


def _check(fleet: Fleet, request: TrialRequest) -> None:
    if not request.engines or len(set(request.engines)) < len(request.engines):
        raise Refused("each engine of a trial is named once", hint="--on docker,podman")
    if request.rounds < 1:
        raise Refused("a trial has at least one round", hint="--rounds 5")
    for id in request.engines:
        fleet.engine(id)
        known = fleet.store.view.engines.get(id)
        if known is None or known.stale:
            cause = known.connection.error if known else None
            raise Unreachable("does not answer", hint=cause.hint if cause else "tranship engines says why", engine=id)


class _Trial:
    """One under way."""

    def __init__(self, fleet: Fleet, request: TrialRequest, made: Setting, on_progress: OnProgress) -> None:
        self._fleet, self._request, self._made = fleet, request, made
        self._tell = on_progress
        self._benches: dict[EngineId, Bench] = {}
        self._rounds: tuple[TrialRound, ...] = ()
        self._densities: list[Density] = []
        self._gpu = GpuReached()
        self._total = request.rounds * len(request.engines)
        self.left: tuple[str, ...] = ()

    async def run(self, subject: ContainerKey | str) -> TrialReport:
        """From the preparation to the report."""
        began_at, begun = datetime.now(UTC), time.monotonic()
        await prepare(self._fleet, subject, self._request, self._say, self._made)
        await self._set_up()
        self._gpu.look(self._fleet.store.view)
        unsubscribe = self._fleet.store.subscribe(self._gpu.look)
        try:
            for id, bench in self._benches.items():
                await run_round(bench, 0, self._phase(id, 0, "warm up: "))
            for number, id in order(self._request.engines, self._request.rounds):
                done = await run_round(self._benches[id], number, self._phase(id, number))
                self._rounds = (*self._rounds, done)
                self._say("done", id, number)
            for id in self._request.engines if self._request.density else ():
                self._densities.append(await pack(self._benches[id], self._request.density, self._phase(id, 0)))
        finally:
            unsubscribe()
        return await asyncio.to_thread(self._report, began_at, time.monotonic() - begun)

    async def clear(self) -> None:
        """Remove all that is still there."""
        self._tell(TrialProgress("clear up", None, 0, self._rounds, len(self._rounds), self._total))
        for bench in self._benches.values():
            for container in sorted(bench.made):
                await discard(bench, container)
            if bench.made:
                self.left += tuple(f"container {id[:12]} on {bench.engine.id}" for id in sorted(bench.made))
        self.left += await clear(self._made)

    async def _set_up(self) -> None:
        for id in self._request.engines:
            engine, info = self._fleet.engine(id), self._fleet.store.view.engines[id].info
            local = info is not None and info.local
            processes = await asyncio.to_thread(processes_of, engine, local=local)
            spec, by = self._made.specs[id], self._made.ready_by
            look = self._looks(id)
            self._benches[id] = Bench(engine, spec, by, self._request, processes, look, local=local)

    def _looks(self, id: EngineId) -> GpuLook:
        return lambda container: self._gpu.of(ContainerKey(id, container), time.monotonic())

    def _phase(self, id: EngineId, number: int, before: str = "") -> Callable[[str], None]:
        return lambda phase: self._say(f"{before}{phase}", id, number)

    def _say(self, phase: str, id: EngineId, number: int = 0) -> None:
        self._tell(TrialProgress(phase, id, number, self._rounds, len(self._rounds), self._total))

    def _report(self, began_at: datetime, duration_s: float) -> TrialReport:
        engines = self._request.engines
        comparisons = compare(self._rounds, engines)
        notes = [WARM_UP, *self._made.notes]
        busiest = max(one.load for one in self._rounds)
        if busiest > BUSY:
            notes.append(f"the machine was busy: up to {busiest:.1f} runnable processes for each processor")
        return TrialReport(
            subject=self._made.subject,
            image=self._made.image,
            request=self._request,
            ready_by=self._made.ready_by,
            began_at=began_at,
            duration_s=duration_s,
            host=_host(),
            versions={id: _version(self._fleet.store.view, id) for id in engines},
            rounds=self._rounds,
            spreads=summarise(self._rounds, engines),
            comparisons=comparisons,
            missing=unread(self._rounds, engines),
            verdict=verdict(comparisons, engines[0]),
            densities=tuple(self._densities),
            notes=tuple(notes),
        )


def _version(view: FleetView, id: EngineId) -> str:
    info = view.engines[id].info
    if info is None:
        return "not told"
    words = [f"{id.kind.value} {info.version}", "rootless" if info.rootless else "rootful"]
    words += [f"cgroup v{info.cgroup_version.removeprefix('v')}"] if info.cgroup_version else []
    words += list(info.runtimes[:1])
    return ", ".join(words)


def _host() -> str:
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{os.cpu_count()} CPUs, {memory_bytes / (1 << 30):.1f} GiB, {platform.system()} {platform.release()}"


__all__ = ["OnProgress", "run_trial"]
