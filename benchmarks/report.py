"""One run's figures as Markdown: ratios to Tranship first, absolute figures beside them."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

from benchmarks import idle as idling
from benchmarks.keys import Latency
from benchmarks.migrate_report import Move
from benchmarks.rivals import NOT_HAD, PACKAGES
from benchmarks.screens import Seen
from benchmarks.stats import StatsCost
from tests import real

OURS = "tranship"
INTRO = """# Benchmarks

`benchmarks/run` (or `make bench`; root on Debian) brings up real Docker and Podman, measures everything side by side
and writes this file; `benchmarks/run keys stats` measures these parts alone. Only the **ratios** are claims: another
machine has other milliseconds. Idle busybox containers, as many on each engine as said; the engines' CLIs run in the
engines' namespaces, the cost of entering them is measured in the same run and taken off.

In reports of their own, with more cases: what idling costs, [idle.md](idle.md) (`python -m benchmarks.idle`); moving
images and volumes, with memory and disk, [migrate.md](migrate.md) (`python -m benchmarks.migrate`); files of image
layers against dive, [layers.md](layers.md); sweeps against a shell loop, [sweep.md](sweep.md); sampling GPUs against
nvitop and `nvidia-smi`, [gpus.md](gpus.md); what each key costs the processor, [keys.md](keys.md).
"""


@dataclass
class Results:
    """What was found. lists: ms; by count, engine, client. measured: by part, when and under which load."""

    lists: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    stats: dict[str, dict[str, dict[str, StatsCost]]] = field(default_factory=dict)
    first_frame: dict[str, float] = field(default_factory=dict)
    screens: dict[str, Seen] = field(default_factory=dict)
    keys: dict[str, Latency] = field(default_factory=dict)
    imports: dict[str, tuple[int, float]] = field(default_factory=dict)
    idle: dict[str, idling.Cost] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    measured: dict[str, str] = field(default_factory=dict)
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
        "CPU in percent of one core; *fresh* is the time until every container has been read anew.",
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
    if not frames:
        return []
    base = frames["bare Textual app"]
    lines = ["## First frame in a terminal", "", "| program | against a bare Textual app | ms |", "|---|---:|---:|"]
    return lines + [f"| {name} | {ms / base:.2f}× | {ms:.0f} |" for name, ms in frames.items()]


def _screens(found: Mapping[str, Seen]) -> list[str]:
    if not found:
        return []
    lines = [
        "## Terminal UIs, 20 running containers on Docker, 200×50",
        "",
        "*shown*: from the start of the program until the containers are on the screen (Tranship shows Podman's too).",
        "*change*: from the engine's answer to `rename` until the new name is drawn. Memory of all its processes.",
        "",
        "| program | shown, ms | against Tranship | change, ms (median) | worst | against Tranship | memory, MB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    ours = found[OURS]
    base = statistics.median(ours.changes_ms) if ours.changes_ms else 0.0
    for name, seen in found.items():
        called = PACKAGES.get(name, name).replace("==", " ")
        if seen.why:
            lines.append(f"| {called} | {seen.why} | – | – | – | – | – |")
            continue
        median = statistics.median(seen.changes_ms) if seen.changes_ms else 0.0
        late = f" ({seen.late} not within 5 s)" if seen.late else ""
        change = f"{median:.0f}{late} | {max(seen.changes_ms):.0f}" if seen.changes_ms else f"–{late} | –"
        lines.append(
            f"| {called} | {seen.shown_ms:.0f} | {_times(seen.shown_ms, ours.shown_ms)} | {change} "
            f"| {_times(median, base) if median else '–'} | {seen.memory_mb:.0f} |"
        )
    return lines


def _keys(found: Mapping[str, Latency]) -> list[str]:
    if not found:
        return []
    return [
        "## Key to screen, 200 live containers on each engine, 200×50",
        "",
        "From writing the key into the terminal to reading the bytes that draw the cursor on another row.",
        "",
        "| meanwhile | p50, ms | p95, ms | worst, ms |",
        "|---|---:|---:|---:|",
        *(f"| {what} | {took.p50_ms:.0f} | {took.p95_ms:.0f} | {took.worst_ms:.0f} |" for what, took in found.items()),
    ]


def _imports(found: Mapping[str, tuple[int, float]]) -> list[str]:
    if not found:
        return []
    lines = ["## What is imported at the start", "", "| for | modules | ms of the processor |", "|---|---:|---:|"]
    return lines + [f"| {what} | {modules} | {ms:.0f} |" for what, (modules, ms) in found.items()]


def _idle(found: Mapping[str, idling.Cost]) -> list[str]:
    if not found:
        return []
    told = "50 running containers on Docker, nobody presses a key. CPU in percent of one core over 30 s"
    return ["## Idle cost", "", f"{told}, the daemon's share included.", "", *idling.table(found)]


def _moves(found: Sequence[Move]) -> list[str]:
    if not found:
        return []
    lines = [
        "## Moving an image of 512 MB in 20 layers",
        "",
        "Tranship by the way that its plan chooses, until the copy is proved; the other ways prove nothing.",
        "",
        "| from → to | layers that are there | way | against Tranship | s |",
        "|---|---|---|---:|---:|",
    ]
    for move in found:
        for way, seconds in {OURS: move.ours_s, **move.rivals_s}.items():
            cells = f"{way} | {_times(seconds, move.ours_s)} | {seconds:.2f}"
            lines.append(f"| {move.source} → {move.target} | {move.there} | {cells} |")
    return lines


def _not_had() -> list[str]:
    lines = ["## Asked for, and not to be had here", "", "Registries that were looked in: PyPI, npm, Debian."]
    return [*lines, "", *(f"- {name}: {why}." for name, why in NOT_HAD.items())]


def render(results: Results) -> str:
    """The whole report, of the parts that were measured."""
    parts = [
        _lists(results) if results.lists else [],
        _stats(results) if results.stats else [],
        _first_frame(results.first_frame),
        _screens(results.screens),
        _keys(results.keys),
        _imports(results.imports),
        _idle(results.idle),
        _moves(results.moves),
        _not_had(),
    ]
    made = ", ".join(f"{name} {value}" for name, value in results.versions.items())
    when = "; ".join(f"{name} {said}" for name, said in results.measured.items())
    tail = ["## The run", "", f"{made}.", "", f"Measured: {when}."]
    return "\n".join([INTRO, *("\n".join(part) + "\n" for part in [*parts, tail] if part)])
