"""Stats of all containers, once a second: CPU of client and daemons, and the time until all are fresh."""

from __future__ import annotations

import itertools
import os
import statistics
import sys
from dataclasses import dataclass

import psutil

from benchmarks.bench import Load, alternate, daemons, measure_load, timed
from tests import real

WARM_S = 4.0  # docker-py's and aiodocker's first round over 200 streams takes several seconds
WINDOW_S = 7.0


@dataclass(frozen=True)
class StatsCost:
    """Percent of one core, and seconds between two full refreshes (None where the client does not tell)."""

    client_percent: float
    daemon_percent: float
    refresh_s: float | None


def _refresh_s(load: Load) -> float | None:
    """Median seconds between the client's printed rounds; None where fewer than two came."""
    times = [float(line) for line in load.lines if line.replace(".", "", 1).isdigit()]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    return statistics.median(gaps) if gaps else None


def measure(engines: real.RealEngines, *, everybody: bool) -> dict[str, dict[str, StatsCost]]:
    """By engine and client. everybody: also docker-py, and what the daemons take where nobody asks."""
    clients = {"docker": ("tranship", "aiodocker", *(("docker-py",) if everybody else ())), "podman": ("tranship",)}
    results: dict[str, dict[str, StatsCost]] = {}
    for engine, names in clients.items():
        url = {"docker": engines.docker, "podman": engines.podman}[engine]
        served = daemons(engines, engine)
        results[engine] = {}
        if everybody:
            idle = measure_load(["sleep", "86400"], served, warm_s=1, window_s=WINDOW_S, environ=dict(os.environ))
            results[engine]["nobody asks"] = StatsCost(0.0, idle.daemon_percent, None)
        for name in names:
            argv = [sys.executable, "-m", "benchmarks.clients", name, url]
            load = measure_load(argv, served, warm_s=WARM_S, window_s=WINDOW_S, environ=dict(os.environ))
            results[engine][name] = StatsCost(load.client_percent, load.daemon_percent, _refresh_s(load))
        results[engine][f"{engine} stats"] = _cli(engines, engine, daemons(engines, engine))
    return results


def _cli(engines: real.RealEngines, engine: str, served: list[psutil.Process]) -> StatsCost:
    """The engine's own CLI, streaming; its full refresh is one `--no-stream` call, less entering the namespaces."""
    environ = {k: v for k, v in os.environ.items() if k != "CONTAINER_HOST"}
    interval = ["--interval", "1"] if engine == "podman" else []
    argv = [str(engines.bin / engine), "stats", "--format", "{{.ID}}", *interval]
    load = measure_load(argv, served, warm_s=WARM_S, window_s=WINDOW_S, environ=environ)
    once = alternate(
        {
            "once": lambda: timed(lambda: engines.cli(engine, "stats", "--no-stream")),
            "entering": lambda: timed(lambda: engines.cli("engines-exec", engine, "--version")),
        },
        3,
    )
    return StatsCost(load.client_percent, load.daemon_percent, (once["once"] - once["entering"]) / 1000)
