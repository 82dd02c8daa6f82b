"""One round on one engine: create, start, wait, run the command, read, stop, remove, each with its time.

What it creates it removes, whatever happens. May not know which engine it measures.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from statistics import median

from backends.cgroups.parse import Transfer
from backends.engine import Engine
from backends.model.errors import BackendError, Conflict, NotFound
from backends.model.trial import ReadyBy, TrialRequest, TrialRound
from backends.model.values import Missing, Quantity
from backends.model.workload import WorkloadSpec
from backends.trial.overhead import EngineProcesses, Taken
from backends.trial.ready import until_ready
from backends.trial.totals import Places, Totals

ELSEWHERE = Missing("the engine does not run on this machine")
_UNIX = "unix://"

Phase = Callable[[str], None]
GpuLook = Callable[[str], Awaitable[tuple[Quantity, Quantity]]]
"""From a container's id to the most GPU memory (bytes) and utilization (percent) of it, looked at once more now."""


@dataclass(slots=True)
class Bench:
    """What rounds on one engine need. processes: of the engine, or why they cannot be seen."""

    engine: Engine
    spec: WorkloadSpec
    by: ReadyBy
    request: TrialRequest
    processes: EngineProcesses | Missing
    gpus: GpuLook
    local: bool = True
    serial: int = 0
    made: set[str] = field(default_factory=set)

    @property
    def ports(self) -> frozenset[int]:
        """Those of the container that may be listened to."""
        return frozenset(port.container_port for port in self.spec.ports if port.protocol == "tcp")

    def next_spec(self) -> WorkloadSpec:
        """The recipe of the next copy, under a name of its own."""
        self.serial += 1
        return replace(self.spec, name=f"{self.spec.name}-{self.serial}")


def processes_of(engine: Engine, *, local: bool) -> EngineProcesses | Missing:
    """The engine's own processes, where they are on this machine."""
    if not local or not engine.endpoint.startswith(_UNIX):
        return ELSEWHERE if not local else Missing("the engine is not reached by a socket of this machine")
    return EngineProcesses(engine.endpoint.removeprefix(_UNIX))


async def run_round(bench: Bench, number: int, say: Phase) -> TrialRound:
    """Measure once. say: told the phase. Raises what the engine raises; Conflict where the command fails."""
    engine, values = bench.engine, dict[str, Quantity]()
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    before = await asyncio.to_thread(_shared, bench.processes)
    say("create")
    begun = time.monotonic()
    container = await create_copy(bench)
    values["create_s"] = time.monotonic() - begun
    try:
        ticks = bench.processes.now_ticks() if isinstance(bench.processes, EngineProcesses) else 0
        say("start")
        begun = time.monotonic()
        await engine.start(container)
        await until_ready(engine, container, bench.request, bench.by, bench.ports)
        values["ready_s"] = time.monotonic() - begun
        say("read")
        monitors = await asyncio.to_thread(_monitors, bench.processes, container, ticks)
        if bench.request.command:
            say("command")
            values |= await _commanded(bench, container)
        taken = await asyncio.to_thread(_totals, container) if bench.local else None
        values |= _of_container(taken)
        after = await asyncio.to_thread(_shared, bench.processes)
        values |= _of_engine(monitors, before, after)
        if bench.spec.gpu is not None:
            say("look at its GPUs")
            values["gpu_bytes"], values["gpu_percent"] = await bench.gpus(container)
        say("stop")
        begun = time.monotonic()
        await engine.stop(container)
        values["stop_s"] = time.monotonic() - begun
        say("remove")
        begun = time.monotonic()
        await engine.remove(container, volumes=True)
        values["remove_s"] = time.monotonic() - begun
        bench.made.discard(container)
    finally:
        await discard(bench, container)
    return TrialRound(engine.id, number, values, load)


async def create_copy(bench: Bench) -> str:
    """Create to the end even where it is called off meanwhile, so that what is made is known."""
    task = asyncio.create_task(bench.engine.create_container(bench.next_spec()), name="create a copy")
    try:
        made = await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(BackendError):  # what was not made need not be removed
            bench.made.add(await task)
        raise
    bench.made.add(made)
    return made


async def discard(bench: Bench, container: str) -> None:
    """Remove a copy that is still there; a failure leaves it in bench.made, for whoever clears up at the end."""
    if container in bench.made:
        try:
            await bench.engine.remove(container, force=True, volumes=True)
        except NotFound:
            pass  # its removal had been done before the call was cut off
        except BackendError:
            return
        bench.made.discard(container)


async def _commanded(bench: Bench, container: str) -> dict[str, Quantity]:
    times: list[float] = []
    for _ in range(bench.request.runs):
        begun = time.monotonic()
        done = await bench.engine.execute(container, bench.request.command)
        times.append(time.monotonic() - begun)
        if done.exit_code:
            raise Conflict(
                f"the command ended with exit code {done.exit_code}",
                detail=(done.stderr or done.stdout).decode("utf-8", "replace").strip()[-400:],
                hint="--exec takes a command that ends with 0 in this container",
                engine=bench.engine.id,
            )
    return {"exec_s": median(times), "exec_per_s": len(times) / sum(times)}


def _totals(container: str) -> Totals:
    return Places(container).read()


def _shared(processes: EngineProcesses | Missing) -> Taken | Missing:
    return processes if isinstance(processes, Missing) else processes.shared()


def _monitors(processes: EngineProcesses | Missing, container: str, ticks: int) -> Taken | Missing:
    return processes if isinstance(processes, Missing) else processes.monitors(container, ticks)


def _of_container(taken: Totals | None) -> dict[str, Quantity]:
    memory, cpu = (taken.memory_bytes, taken.cpu_s) if taken else (ELSEWHERE, ELSEWHERE)
    read, written = _both(taken.disk if taken else ELSEWHERE)
    received, sent = _both(taken.network if taken else ELSEWHERE)
    return {
        "container_bytes": memory,
        "container_cpu_s": cpu,
        "disk_read_bytes": read,
        "disk_write_bytes": written,
        "net_rx_bytes": received,
        "net_tx_bytes": sent,
    }


def _both(found: Transfer | Missing) -> tuple[Quantity, Quantity]:
    return (found, found) if isinstance(found, Missing) else (float(found.incoming), float(found.outgoing))


def _of_engine(monitors: Taken | Missing, before: Taken | Missing, after: Taken | Missing) -> dict[str, Quantity]:
    """The daemon's CPU time is what it took from before the create on, for others too."""
    own = (monitors, monitors) if isinstance(monitors, Missing) else (monitors.memory_bytes, monitors.cpu_s)
    shared: tuple[Quantity, Quantity]
    if isinstance(before, Missing) or isinstance(after, Missing):
        why = before if isinstance(before, Missing) else after
        assert isinstance(why, Missing)
        shared = (why, why)
    else:
        shared = (after.memory_bytes, _less(after.cpu_s, before.cpu_s))
    return {"monitor_bytes": own[0], "monitor_cpu_s": own[1], "daemon_bytes": shared[0], "daemon_cpu_s": shared[1]}


def _less(after: Quantity, before: Quantity) -> Quantity:
    if isinstance(after, Missing):
        return after
    return before if isinstance(before, Missing) else max(0.0, after - before)


__all__ = ["ELSEWHERE", "Bench", "create_copy", "discard", "processes_of", "run_round"]
