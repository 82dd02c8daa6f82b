"""One run's figures as Markdown: ratios to Tranship first, absolute figures beside them."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

from benchmarks.keys import Latency
from benchmarks.stats import StatsCost
from tests import real

OURS = "tranship"
INTRO = """# Benchmarks

`make bench` (root on Debian) brings up real Docker and Podman, measures everything side by side in one run and writes
this file. Only the **ratios** are claims: another machine has other milliseconds. Idle busybox containers, as many on
each engine as said; the engines' CLIs run in the engines' namespaces, the cost of entering them is measured in the same
run and taken off. Moving images and volumes: [migrate.md](migrate.md), by `python -m benchmarks.migrate`.
Sampling GPUs: [gpus.md](gpus.md), by `python -m benchmarks.gpus`.
"""


@dataclass
class Results:
    """What one run found. lists: ms; by count, engine, client. live: containers per engine while keys were pressed."""

    started: str
    lists: dict[int, dict[str, dict[str, float]]] = field(default_factory=dict)
    stats: dict[int, dict[str, dict[str, StatsCost]]] = field(default_factory=dict)
    first_frame: dict[str, float] = field(default_factory=dict)
    keys: Latency | None = None
    live: int = 0
    versions: dict[str, str] = field(default_factory=dict)


def versions(engines: real.RealEngines) -> dict[str, str]:
    """What was measured, by name."""
    found = {name: version(name) for name in ("textual", "docker", "podman", "aiodocker", "aiohttp")}
    found["Docker engine"] = engines.cli("docker", "version", "-f", "{{.Server.Version}}").strip()
    found["Podman engine"] = engines.cli("podman", "version", "-f", "{{.Client.Version}}").strip()
    found["Python"] = platform.python_version()
    found["kernel"] = platform.release()
    found["cores"] = str(os.cpu_count())
    return found


def _times(value: float, base: float) -> str:
    return f"{value / base:.1f}×" if base > 0 else "–"


def _lists(results: Results) -> list[str]:
    lines = ["## List of all containers", "", "| engine | containers | client | time against Tranship | ms |"]
    lines.append("|---|---:|---|---:|---:|")
    for count, engines in results.lists.items():
        for engine, clients in engines.items():
            base = clients[OURS]
            lines += [f"| {engine} | {count} | {c} | {_times(ms, base)} | {ms:.1f} |" for c, ms in clients.items()]
    return lines


def _stats(results: Results) -> list[str]:
    lines = [
        "## Stats of all containers, live",
        "",
        "CPU in percent of one core over 15 s; *fresh* is the time until every container has been read anew.",
        "",
        "| engine | containers | client | CPU against Tranship | client % | daemon % | fresh, s |",
        "|---|---:|---|---:|---:|---:|---:|",
    ]
    for count, engines in results.stats.items():
        for engine, clients in engines.items():
            base = _total(clients[OURS])
            for client, cost in clients.items():
                fresh = "–" if cost.refresh_s is None else f"{cost.refresh_s:.1f}"
                lines.append(
                    f"| {engine} | {count} | {client} | {_times(_total(cost), base)} "
                    f"| {cost.client_percent:.1f} | {cost.daemon_percent:.1f} | {fresh} |"
                )
    return lines


def _total(cost: StatsCost) -> float:
    return cost.client_percent + cost.daemon_percent


def _first_frame(frames: Mapping[str, float]) -> list[str]:
    base = frames["bare Textual app"]
    lines = ["## First frame in a terminal", "", "| program | against a bare Textual app | ms |", "|---|---:|---:|"]
    return lines + [f"| {name} | {ms / base:.2f}× | {ms:.0f} |" for name, ms in frames.items()]


def _keys(results: Results) -> list[str]:
    if results.keys is None:
        return []
    took = results.keys
    return [
        f"## Key to screen, {results.live} live containers on each engine, 200×50",
        "",
        "From writing the key into the terminal to reading the bytes that draw the cursor on another row.",
        "",
        "| p50 | p95 | worst |",
        "|---:|---:|---:|",
        f"| {took.p50_ms:.0f} ms | {took.p95_ms:.0f} ms | {took.worst_ms:.0f} ms |",
    ]


def render(results: Results) -> str:
    """The whole report."""
    parts = [_lists(results), _stats(results), _first_frame(results.first_frame), _keys(results)]
    made = ", ".join(f"{name} {value}" for name, value in results.versions.items())
    tail = ["## The run", "", f"{results.started}. {made}."]
    return "\n".join([INTRO, *("\n".join(part) + "\n" for part in [*parts, tail])])
