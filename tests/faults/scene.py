"""Two engines under one fleet, one to be struck by a fault, the other never still; what is seen of both. No test."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from backends.engine import Engine
from backends.model.container import Container, ContainerState
from backends.model.errors import BackendError
from backends.model.events import Link
from backends.model.ids import ContainerKey, EngineId
from backends.services.fleet import Fleet
from backends.services.supervisor import Timing
from tests.contract.conftest import real_engine
from tests.contract.lab import BUSYBOX, Lab
from tests.faults.between import Between
from tests.faults.services import Small, SmallDocker, SmallPodman
from tests.private import PrivateEngine
from tests.real import RealEngines

On = Literal["shared", "private", "small"]
"""The shared engine behind a socket of ours, a service of the scene's own, or one whose store holds only STORE_MB."""
STORE_MB = 96
SMALL: Mapping[str, type[Small]] = {"docker": SmallDocker, "podman": SmallPodman}
TIMING = Timing(answer_s=3.0, ping_s=0.3, ping_answer_s=1.5, backoff_first_s=0.05, backoff_last_s=0.3)
"""Tranship's own limits, shortened: they would only be waited out."""
DEADLINE_S = 60.0
BEATS = 2
"""So many changes of the other engine must be seen while a fault lasts."""
_POLL_S = 0.005
_LAG_S = 0.01


@dataclass
class Pulse:
    """A container of the other engine that is paused and resumed all the time, and whether its row follows.

    beats: changes that were seen. worst_s: the longest from the engine's answer to the row. lag_s: the longest time
    for which the event loop did nothing else.
    """

    beats: int = 0
    worst_s: float = 0.0
    lag_s: float = 0.0
    ended: bool = False

    async def beat(self, engine: Engine, container: str, row: Callable[[], Container | None]) -> None:
        """Until `ended`; leaves it running. AssertionError where a change does not come to the row."""
        while not self.ended:
            for change, wanted in ((engine.pause, ContainerState.PAUSED), (engine.unpause, ContainerState.RUNNING)):
                await change(container)
                began = time.monotonic()
                while (seen := row()) is None or seen.state is not wanted:
                    assert time.monotonic() - began < DEADLINE_S, f"the other engine's row is not live: {seen}"
                    await asyncio.sleep(_POLL_S)
                self.worst_s = max(self.worst_s, time.monotonic() - began)
                self.beats += 1

    async def watch_the_loop(self) -> None:
        """Until cancelled."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(_LAG_S)
            self.lag_s = max(self.lag_s, time.monotonic() - began - _LAG_S)


@dataclass(frozen=True)
class Outcome:
    """What one fault did. noticed_s: until the link told it. back_s: from its end until all was true again."""

    noticed_s: float
    back_s: float
    pulse: Pulse
    lost: tuple[str, ...] = ()


@dataclass
class Scene:
    """struck: the engine's id that faults are for. direct: that engine past all faults. between, private: what the
    faults are made with; None where this scene has it not.
    """

    fleet: Fleet
    struck: EngineId
    direct: Lab
    other: Lab
    model: str
    pulsing: str
    between: Between | None = None
    private: PrivateEngine | None = None

    def link(self) -> Link:
        """How the struck engine's link is told."""
        return self.fleet.store.view.engines[self.struck].connection.link

    def tells(self, errors: tuple[type[BackendError], ...]) -> bool:
        """Whether the struck engine is told to be lost for such a reason, in its own name."""
        connection = self.fleet.store.view.engines[self.struck].connection
        error = connection.error
        lost = connection.link is Link.LOST and isinstance(error, errors)
        return lost and error is not None and error.engine == self.struck

    def rows(self) -> Mapping[str, ContainerState]:
        """The struck engine's rows that this scene made."""
        marks = self.direct.label.items()
        return {
            key.id: one.state
            for key, one in self.fleet.store.view.containers.items()
            if key.engine == self.struck and marks <= one.labels.items()
        }

    async def true_rows(self) -> Mapping[str, ContainerState]:
        """The same as the engine itself has it."""
        marks = self.direct.label.items()
        found = await self.direct.engine.list_containers()
        return {one.key.id: one.state for one in found if marks <= one.labels.items()}

    async def comes(self, holds: Callable[[], bool], what: str) -> float:
        """Wait until it holds; returns how long that took."""
        began = time.monotonic()
        while not holds():
            assert time.monotonic() - began < DEADLINE_S, f"never: {what}; {self._told()}"
            await asyncio.sleep(_POLL_S)
        return time.monotonic() - began

    async def is_true_again(self) -> float:
        """Wait until the link stands and the rows are the engine's; returns how long that took."""
        began = time.monotonic()
        await self.comes(lambda: self.link() is Link.CONNECTED, "connected again")
        truth: Mapping[str, ContainerState] = await self.true_rows()
        while self.rows() != truth:
            assert time.monotonic() - began < DEADLINE_S, f"rows {self.rows()} but the engine has {truth}"
            await asyncio.sleep(_POLL_S)
            truth = await self.true_rows()
        return time.monotonic() - began

    @asynccontextmanager
    async def pulse(self) -> AsyncIterator[Pulse]:
        """Within, the other engine's container changes, and its row with it; raises where it does not."""
        pulse = Pulse()
        key = ContainerKey(self.other.engine.id, self.pulsing)
        engine = self.other.engine
        beating = asyncio.create_task(
            pulse.beat(engine, self.pulsing, lambda: self.fleet.store.view.containers.get(key))
        )
        watching = asyncio.create_task(pulse.watch_the_loop())
        try:
            yield pulse
        finally:
            pulse.ended = True
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await beating

    def _told(self) -> str:
        connection = self.fleet.store.view.engines[self.struck].connection
        return f"{connection.link.value}: {connection.error!r}"


@asynccontextmanager
async def scene(
    kind: str, struck_url: str, other_kind: str, other_url: str, *, private: PrivateEngine | None = None
) -> AsyncIterator[Scene]:
    """kind: of the engine that is to be struck. private: it is that one, and struck itself; else what lies between."""
    label = {"tranship.test.fault": uuid.uuid4().hex[:8]}
    async with AsyncExitStack() as ends:
        between = None if private is not None else await ends.enter_async_context(Between(struck_url))
        direct = await _lab(kind, struck_url, label, ends)
        other = await _lab(other_kind, other_url, label, ends)
        model = await direct.run()
        pulsing = await other.run()
        seen = _closed(real_engine(kind, between.url if between is not None else struck_url), ends)
        steady = _closed(real_engine(other_kind, other_url), ends)
        fleet = Fleet([seen, steady], timing=TIMING)
        await fleet.start()
        ends.push_async_callback(fleet.close)
        made = Scene(fleet, seen.id, direct, other, model, pulsing, between, private)
        await made.is_true_again()
        yield made


def _closed(engine: Engine, ends: AsyncExitStack) -> Engine:
    ends.push_async_callback(engine.close)
    return engine


async def _lab(kind: str, url: str, label: Mapping[str, str], ends: AsyncExitStack) -> Lab:
    engine = real_engine(kind, url)
    ends.push_async_callback(engine.close)
    lab = Lab(engine, await engine.connect(), label)
    ends.push_async_callback(lab.clean)
    return lab


@asynccontextmanager
async def standing(kind: str, real: RealEngines, on: On = "shared") -> AsyncIterator[Scene]:
    """A scene of the shared engines. on: what is struck (On)."""
    urls = {"docker": real.docker, "podman": real.podman}
    other = "podman" if kind == "docker" else "docker"
    if on == "shared":
        async with scene(kind, urls[kind], other, urls[other]) as made:
            yield made
        return
    service = PrivateEngine(kind, real) if on == "private" else SMALL[kind](real, STORE_MB)
    await asyncio.to_thread(service.__enter__)
    try:
        if kind == "docker" or on == "small":
            await _take_busybox(real_engine("docker", real.docker), real_engine(kind, service.url))
        async with scene(kind, service.url, other, urls[other], private=service) as made:
            yield made
    finally:
        await asyncio.to_thread(service.__exit__, None, None, None)


async def _take_busybox(source: Engine, target: Engine) -> None:
    """Into a store of a service's own."""
    try:
        for engine in (source, target):
            await engine.connect()
        async with source.export_image(BUSYBOX) as archive:
            await target.import_image(archive)
    finally:
        await source.close()
        await target.close()


def descriptors() -> int:
    """Files that this process has open."""
    return len(os.listdir("/proc/self/fd"))


__all__ = ["BEATS", "DEADLINE_S", "TIMING", "On", "Outcome", "Pulse", "Scene", "descriptors", "scene", "standing"]
