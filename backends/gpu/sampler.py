"""One thread that asks a probe once a second and hands frozen snapshots to the event loop. Knows no store.

A driver call may hang for seconds or for good: the thread is a daemon, and neither the loop nor the program's end
waits for it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from backends.cgroups.processes import ProcessFacts, ProcessTable
from backends.gpu.hidden import HIDDEN_NOTE, in_a_container
from backends.gpu.probe import GpuAbsent, GpuProbe, absent_snapshot, join
from backends.model.gpu import GpuSnapshot

_CLOSING_S = 0.5  # how long `run` waits for the thread when it is cancelled


@dataclass(frozen=True, slots=True)
class GpuTiming:
    """Seconds between samples; between looks for a driver where there is none; and where there was one before."""

    interval_s: float = 1.0
    absent_s: float = 30.0
    lost_s: float = 3.0


class GpuSampler:
    """Samples one probe. `run` is its one task; the probe is used in the sampler's own thread only."""

    def __init__(
        self,
        probe: GpuProbe,
        deliver: Callable[[GpuSnapshot], None],
        *,
        known: Callable[[], Collection[str]] = frozenset,
        proc_root: Path = Path("/proc"),
        timing: GpuTiming | None = None,
        inside: Callable[[], bool] = in_a_container,
    ) -> None:
        """deliver: called on the event loop with each snapshot, processes joined to programs, users and containers.

        known: ids of the fleet's containers, asked for in the thread at each sample (give an immutable view).
        inside: whether this program runs in a container without the host's processes.
        """
        self._probe = probe
        self._deliver = deliver
        self._known = known
        self._processes = ProcessTable(proc_root)
        self._timing = timing or GpuTiming()
        self._inside = inside
        self._worked = False

    async def run(self) -> None:
        """Sample until cancelled; then nothing is delivered any more, and the thread closes the probe.

        Raises what the probe raised, where that is not GpuAbsent (a bug).
        """
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        stop = threading.Event()
        work = partial(self._thread, loop, stop, ended)
        threading.Thread(target=work, name="tranship-gpu", daemon=True).start()
        try:
            await asyncio.wait([ended])
            ended.result()
        finally:
            stop.set()
            await asyncio.wait([ended], timeout=_CLOSING_S)
            ended.cancel()  # a thread that still hangs in the driver has nobody to tell any more

    def _thread(self, loop: asyncio.AbstractEventLoop, stop: threading.Event, ended: asyncio.Future[None]) -> None:
        failure: BaseException | None = None
        try:
            self._sample_until(stop, partial(self._hand_over, loop, stop))
        except BaseException as error:  # noqa: BLE001 - it is not lost: `run` raises it on the event loop
            failure = error
        finally:
            _on_loop(loop, partial(_finish, ended, failure))

    def _sample_until(self, stop: threading.Event, hand_over: Callable[[GpuSnapshot], None]) -> None:
        try:
            while not stop.is_set():
                try:
                    self._probe.open()
                    self._sample_open(stop, hand_over)
                except GpuAbsent as error:
                    self._probe.close()
                    hand_over(absent_snapshot(error))
                stop.wait(self._timing.lost_s if self._worked else self._timing.absent_s)
        finally:
            self._probe.close()

    def _sample_open(self, stop: threading.Event, hand_over: Callable[[GpuSnapshot], None]) -> None:
        due = time.monotonic()
        inside = self._inside()
        while not stop.is_set():
            hand_over(self._joined(self._probe.sample(), inside))
            self._worked = True
            due = max(due + self._timing.interval_s, time.monotonic())
            stop.wait(due - time.monotonic())

    def _joined(self, snapshot: GpuSnapshot, inside: bool) -> GpuSnapshot:
        known, table = self._known(), self._processes
        seen: dict[int, bool] = {}

        def facts_of(pid: int) -> ProcessFacts:
            facts = table.facts(pid, known)
            seen[pid] = facts.seen
            return facts

        joined = join(snapshot, facts_of)
        table.keep_only(seen.keys())
        if inside and snapshot.readings and not snapshot.demo and not (seen and all(seen.values())):
            return replace(joined, notes=(*joined.notes, HIDDEN_NOTE))
        return joined

    def _hand_over(self, loop: asyncio.AbstractEventLoop, stop: threading.Event, snapshot: GpuSnapshot) -> None:
        def deliver() -> None:
            if not stop.is_set():
                self._deliver(snapshot)

        if not _on_loop(loop, deliver):
            stop.set()


def _on_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> bool:
    """False where the loop is closed: the program ended while the driver was being asked."""
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        return False
    return True


def _finish(ended: asyncio.Future[None], failure: BaseException | None) -> None:
    if ended.done():
        return
    if failure is None:
        ended.set_result(None)
    else:
        ended.set_exception(failure)
