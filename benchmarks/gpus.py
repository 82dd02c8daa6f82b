"""`python -m benchmarks.gpus`: what sampling 16 GPUs with 64 processes each costs, against nvitop. Needs gcc, no GPU.

Each program runs for itself against the fake NVML library of tests/gpu: real pynvml, real processes, real /proc. What
the driver itself takes is not in the figures, and is the same for both. nvitop takes part where it can be imported
(`uv pip install --target FOLDER nvitop`, PYTHONPATH=FOLDER).
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.gpu.build import build, environ
from tests.gpu.scenario import Gpu, Scenario

GPUS, PROCESSES = 16, 64
GOAL_PERCENT = 2.0
_WARM_S = 4.0


def main() -> int:
    """Measure each program in a process of its own; 1 where Tranship misses the goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpus", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each one is measured")
    parser.add_argument("--gpus", type=int, default=GPUS)
    parser.add_argument("--processes", type=int, default=PROCESSES, help="on each GPU")
    parser.add_argument("--only", choices=sorted(PROGRAMS), help="run this one here and say what it took")
    chosen = parser.parse_args()
    if chosen.only:
        sys.stdout.write(f"{PROGRAMS[chosen.only](chosen.seconds)}\n")
        return 0
    with tempfile.TemporaryDirectory() as name, _processes(chosen.gpus * chosen.processes) as pids:
        folder = Path(name)
        build(folder)
        scenario = Scenario(folder / "scenario", [Gpu(index) for index in range(chosen.gpus)])
        for place, pid in enumerate(pids):
            scenario.gpus[place % chosen.gpus].process(pid, (1 + place) << 20, place % 100)
        scenario.write()
        costs = {one: _measured(one, chosen.seconds, environ(folder, scenario.path)) for one in PROGRAMS}
    for one, cost in costs.items():
        sys.stdout.write(f"{one}: {cost}\n")
    return 0 if float(costs["tranship"].split()[0]) < GOAL_PERCENT else 1


def _measured(program: str, seconds: float, variables: dict[str, str]) -> str:
    argv = [sys.executable, "-m", "benchmarks.gpus", "--only", program, "--seconds", str(seconds)]
    done = subprocess.run(argv, env=variables, capture_output=True, text=True, timeout=60 + 4 * seconds)
    if done.returncode:
        raise RuntimeError(f"{program} failed: {done.stderr[-2000:]}")
    return done.stdout.strip()


@contextmanager
def _processes(count: int) -> Iterator[list[int]]:
    """Pids of that many sleeping processes."""
    script = f"for i in $(seq {count}); do sleep 86400 & echo $!; done; wait"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True) as shell:
        assert shell.stdout is not None
        try:
            yield [int(shell.stdout.readline()) for _ in range(count)]
        finally:
            os.killpg(shell.pid, 15)


def _cost(started: tuple[float, float], rounds: int) -> str:
    """Percent of one core since then, in words."""
    took, used = time.monotonic() - started[0], time.process_time() - started[1]
    return f"{100 * used / took:.2f} % of one core, {1000 * used / max(1, rounds):.1f} ms for each of {rounds} rounds"


def tranship(seconds: float) -> str:
    """The sampler as the program runs it: probe, join to containers, snapshots to the event loop, once a second."""
    from backends.gpu.nvidia import NvidiaProbe
    from backends.gpu.sampler import GpuSampler
    from backends.model.gpu import GpuSnapshot

    seen: list[int] = []

    def deliver(snapshot: GpuSnapshot) -> None:
        seen.append(sum(len(reading.processes) for reading in snapshot.readings))

    async def run() -> str:
        task = asyncio.create_task(GpuSampler(NvidiaProbe(), deliver).run())
        await asyncio.sleep(_WARM_S)
        before, started = len(seen), (time.monotonic(), time.process_time())
        await asyncio.sleep(seconds)
        cost = _cost(started, len(seen) - before)
        task.cancel()
        await asyncio.wait([task])
        return f"{cost}, {seen[-1]} processes"

    return asyncio.run(run())


def nvitop(seconds: float) -> str:
    """nvitop's own snapshots of all devices and their processes, host values (CPU, memory) with them."""
    return _nvitop(seconds, host_values=True)


def nvitop_bare(seconds: float) -> str:
    """The same without looking at the processes' host values: no program, no user."""
    return _nvitop(seconds, host_values=False)


def _nvitop(seconds: float, *, host_values: bool) -> str:
    if importlib.util.find_spec("nvitop") is None:
        return "not installed"
    library = importlib.import_module("nvitop")
    devices = library.Device.all()

    def once() -> int:
        found = 0
        for device in devices:
            device.as_snapshot()
            processes = device.processes().values()
            found += len(library.GpuProcess.take_snapshots(processes, failsafe=True) if host_values else processes)
        return found

    due = time.monotonic() + _WARM_S
    while time.monotonic() < due:
        once()
        time.sleep(1.0)
    rounds, found, started = 0, 0, (time.monotonic(), time.process_time())
    while (now := time.monotonic()) < started[0] + seconds:
        found = once()
        rounds += 1
        time.sleep(max(0.0, now + 1.0 - time.monotonic()))
    return f"{_cost(started, rounds)}, {found} processes"


PROGRAMS: dict[str, Callable[[float], str]] = {"tranship": tranship, "nvitop": nvitop, "nvitop-bare": nvitop_bare}

if __name__ == "__main__":
    sys.exit(main())
