"""What every measurement needs: real engines with N containers, CPU of process trees, medians of alternating rounds."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psutil

from tests import real

LABEL = "tranship.bench=1"
CLIS = ("docker", "podman")
AT_ONCE = 3
"""Containers that are started side by side on each engine."""


def fill(engines: real.RealEngines, engine: str, wanted: int) -> None:
    """Start idle containers on the engine until `wanted` of this benchmark run there: bench-000 and on."""
    have = len(engines.cli(engine, "ps", "-q", "--filter", f"label={LABEL}").split())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda number: _one(engines, engine, number), range(have, wanted)))


def _one(engines: real.RealEngines, engine: str, number: int) -> None:
    name = ("--name", f"bench-{number:03d}")
    idle = ("docker.io/test/busybox:1", "sleep", "86400")
    engines.cli(engine, "run", "-d", "--network", "none", "--label", LABEL, *name, *idle)


def empty(engines: real.RealEngines, engine: str) -> None:
    """Remove every container of the benchmark from the engine."""
    ids = engines.cli(engine, "ps", "-aq", "--filter", f"label={LABEL}").split()
    at_once = ("-t", "0") if engine == "podman" else ()
    for at in range(0, len(ids), 50):
        engines.cli(engine, "rm", "-f", *at_once, *ids[at : at + 50])


def on_both(job: Callable[[str], None]) -> None:
    """Do it for both engines at the same time."""
    with ThreadPoolExecutor(len(CLIS)) as pool:
        list(pool.map(job, CLIS))


def daemons(engines: real.RealEngines, engine: str) -> list[psutil.Process]:
    """The engine's own processes: dockerd with its containerd, or Podman's service."""
    socket = {"docker": engines.docker, "podman": engines.podman}[engine]
    found: list[psutil.Process] = []
    for process in psutil.process_iter(["name", "cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if socket in line and process.info["name"] in {"dockerd", "podman"}:
            found += [process, *(c for c in process.children() if c.name() == "containerd")]
    return found


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """User and system CPU seconds spent so far by these processes; ended ones count nothing."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def tree(process: psutil.Process) -> list[psutil.Process]:
    """A process and all its descendants."""
    return [process, *process.children(recursive=True)]


@dataclass(frozen=True)
class Load:
    """CPU of a client and of the daemons over a window, in percent of one core; lines: what the client printed."""

    client_percent: float
    daemon_percent: float
    lines: tuple[str, ...]


def measure_load(
    argv: Sequence[str], daemon: Sequence[psutil.Process], *, warm_s: float, window_s: float, environ: dict[str, str]
) -> Load:
    """Run a client; after `warm_s`, measure it and the daemons for `window_s`, then end it.

    Raises RuntimeError where the client ends by itself: its figures would be those of doing nothing.
    """
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ) as child:
        process = psutil.Process(child.pid)
        time.sleep(warm_s)
        family = tree(process)
        before, daemon_before, start = cpu_seconds(family), cpu_seconds(daemon), time.monotonic()
        time.sleep(window_s)
        took = time.monotonic() - start
        client, served = cpu_seconds(family) - before, cpu_seconds(daemon) - daemon_before
        if child.poll() is not None:
            raise RuntimeError(f"the client ended by itself with {child.returncode}: {' '.join(argv)}")
        for member in reversed(family):
            running = member.is_running()
            if running:
                member.terminate()
        out, _ = child.communicate(timeout=30)
    lines = tuple(out.decode(errors="replace").splitlines())
    return Load(100 * client / took, 100 * served / took, lines)


def alternate(jobs: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Run the jobs in turn, `rounds` times after one warm-up each; returns each one's median result."""
    for job in jobs.values():
        job()
    results: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            results[name].append(job())
    return {name: statistics.median(values) for name, values in results.items()}


def timed(job: Callable[[], object]) -> float:
    """Milliseconds that a call takes."""
    start = time.perf_counter()
    job()
    return 1000 * (time.perf_counter() - start)
