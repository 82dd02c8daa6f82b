"""`python -m benchmarks.idle` (root): CPU and memory of terminal UIs with running containers while no key is pressed.

Each program in a tmux of its own, 200×50, on a Docker of the benchmark's own. Counted: the program with its children,
and what it makes the daemon do. Rivals are those that PyPI has, in a virtual environment of their own (.tools/rivals).
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import psutil

from benchmarks.bench import LABEL, cpu_seconds, daemons, tree
from benchmarks.own_engines import IMAGE, own_engines
from benchmarks.rivals import PACKAGES, install, program
from tests import real
from tests.e2e.terminal import Terminal

OURS = "tranship"
SIZE = (200, 50)
COMES_S = 60.0
AGED_S = 120.0
"""Ages are told in seconds while a container is young: nobody leaves fifty that young alone."""
INTRO = """# Idle cost

`python -m benchmarks.idle` (root): {count} running containers on Docker, nobody presses a key. CPU in percent of one
core over {window:.0f} s, the median of {rounds} rounds in turn; the program with its children, and what the daemon does
more than when nobody asks. Each program in a tmux of its own, {columns}×{rows}, as it comes from PyPI, unconfigured.
Memory: of all its processes, at the end. Goal: at most half of the best rival's CPU.

"""


@dataclass(frozen=True)
class Cost:
    """Percent of one core. daemon: of the engine's own processes. memory_mb: resident, of the program's processes."""

    program: float
    daemon: float
    memory_mb: float = 0.0

    @property
    def total(self) -> float:
        """Both."""
        return self.program + self.daemon


def program_of(name: str) -> list[str]:
    """Its command line."""
    if name == OURS:
        return [str(Path(sys.executable).parent / OURS)]
    return [program(name)]


def fill(engines: real.RealEngines, count: int) -> None:
    """So many running containers on Docker that do nothing."""
    for number in range(count):
        options = ("--network", "none", "--label", LABEL, "--name", f"idle-{number:03d}")
        engines.cli("docker", "run", "-d", *options, IMAGE["docker"], "sleep", "86400")


def nobody(engines: real.RealEngines, window_s: float) -> Cost:
    """What the daemon takes by itself."""
    served = daemons(engines, "docker")
    before, start = cpu_seconds(served), time.monotonic()
    time.sleep(window_s)
    return Cost(0.0, 100 * (cpu_seconds(served) - before) / (time.monotonic() - start))


def cost_of(
    argv: Sequence[str], engines: real.RealEngines, environ: Mapping[str, str], *, warm_s: float, window_s: float
) -> Cost:
    """Start it, wait until it shows the containers and has settled, and look on. AssertionError: it shows none."""
    with (
        tempfile.TemporaryDirectory(prefix="bi-") as home,
        Terminal(
            argv,
            columns=SIZE[0],
            rows=SIZE[1],
            cwd=Path(home),
            environ={**environ, "HOME": home, "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home},
            socket=Path(home) / "tmux",
        ) as terminal,
    ):
        terminal.wait(r"idle-0\d\d", COMES_S)
        time.sleep(warm_s)
        family, served = tree(psutil.Process(terminal.pid())), daemons(engines, "docker")
        before, daemon_before, start = cpu_seconds(family), cpu_seconds(served), time.monotonic()
        time.sleep(window_s)
        took = time.monotonic() - start
        # A process that it started meanwhile and that runs yet has all its time from this window.
        later = [one for one in tree(psutil.Process(terminal.pid())) if one not in family]
        program = cpu_seconds(family) - before + cpu_seconds(later)
        served_s = cpu_seconds(served) - daemon_before
        memory = sum(one.memory_info().rss for one in tree(psutil.Process(terminal.pid())))
        terminal.wait(r"idle-0\d\d", 1.0)
    return Cost(100 * program / took, 100 * served_s / took, memory / 1e6)


def measure(
    engines: real.RealEngines, names: Sequence[str], *, rounds: int, warm_s: float, window_s: float
) -> dict[str, Cost]:
    """Each program's medians; the daemon's own idling is taken off. Who shows no container is left out, and told."""
    environ = {key: value for key, value in os.environ.items() if key not in {"DOCKER_CONTEXT", "NO_COLOR"}}
    environ |= {"DOCKER_HOST": engines.docker, "CONTAINER_HOST": engines.podman, "LANG": "C.UTF-8"}
    environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    quiet = nobody(engines, window_s).daemon
    found: dict[str, list[Cost]] = {}
    for _ in range(rounds):
        for name in names:
            try:
                cost = cost_of(program_of(name), engines, environ, warm_s=warm_s, window_s=window_s)
            except AssertionError as error:
                sys.stdout.write(f"{name}: {error}\n")
                continue
            found.setdefault(name, []).append(Cost(cost.program, max(0.0, cost.daemon - quiet), cost.memory_mb))
            sys.stdout.write(f"{name}: {cost.program:.1f} % and {cost.daemon - quiet:.1f} % in the daemon\n")
            sys.stdout.flush()
    return {name: _median(costs) for name, costs in found.items()}


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(cost, field.name) for cost in costs) for field in fields(Cost)))


def table(found: Mapping[str, Cost]) -> list[str]:
    """Its lines, the cheapest first, and the verdict."""
    ours = found[OURS].total
    lines = [
        "| program | all, % | program, % | daemon, % | against Tranship | memory, MB |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {PACKAGES.get(name, 'Tranship').replace('==', ' ')} | {cost.total:.1f} | {cost.program:.1f} "
            f"| {cost.daemon:.1f} | {cost.total / ours:.1f}× | {cost.memory_mb:.0f} |"
            for name, cost in sorted(found.items(), key=lambda item: item[1].total)
        ),
    ]
    rivals = [cost.total for name, cost in found.items() if name != OURS]
    return [*lines, "", f"Tranship takes {100 * ours / min(rivals):.0f} % of the best rival's."] if rivals else lines


def rendered(found: Mapping[str, Cost], chosen: argparse.Namespace) -> str:
    """The report of its own."""
    columns, rows = SIZE
    intro = INTRO.format(count=chosen.count, window=chosen.window, rounds=chosen.rounds, columns=columns, rows=rows)
    return intro + "\n".join(table(found)) + f"\n\n{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores.\n"


def on_own_engines(
    shared: real.RealEngines, names: Sequence[str], *, count: int, rounds: int, warm_s: float, window_s: float
) -> dict[str, Cost]:
    """Engines and containers of the benchmark's own, old enough; every program measured; all of it goes again."""
    install()
    home = Path(tempfile.mkdtemp(prefix="be-", dir="/tmp"))
    with own_engines(shared, home) as engines:
        fill(engines, count)
        time.sleep(AGED_S)
        return measure(engines, names, rounds=rounds, warm_s=warm_s, window_s=window_s)


def main() -> int:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.idle", description=__doc__)
    parser.add_argument("--count", type=int, default=50, help="running containers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--window", type=float, default=30.0, help="seconds that each is looked on at")
    parser.add_argument("--warm", type=float, default=15.0, help="seconds before that")
    parser.add_argument("--only", nargs="+", default=[OURS, *PACKAGES], help="these programs")
    parser.add_argument("--write", type=Path, help="the report, as Markdown")
    chosen = parser.parse_args()
    reason = real.why_not()
    if reason:
        sys.stderr.write(f"benchmarks: {reason}\n")
        return 2
    settings = {"count": chosen.count, "rounds": chosen.rounds, "warm_s": chosen.warm, "window_s": chosen.window}
    found = on_own_engines(real.bring_up(), chosen.only, **settings)
    text = rendered(found, chosen)
    if chosen.write:
        chosen.write.write_text(text)
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
