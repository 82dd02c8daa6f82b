"""`python -m benchmarks.sweep` (root): 200 short runs as a sweep, against a shell loop of `docker run --rm` (`podman`).

Writes sweep.md. The loop runs where the engines are, by one shell, so that nothing but the engine's own command line is
in it.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests import real

IMAGE = "docker.io/test/busybox:1"
_OPTIONS = {"docker": "DOCKER_HOST={docker} docker", "podman": "PODMAN_IGNORE_CGROUPSV1_WARNING=1 podman"}


@dataclass(frozen=True)
class Throughput:
    """Runs in a second, and what is meant."""

    engine: str
    way: str
    per_s: float


def main() -> int:
    """Measure both engines in turn, write the table to stdout."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", type=Path, default=Path(__file__).parent / "sweep.md")
    chosen = parser.parse_args()
    reason = real.why_not()
    if reason:
        sys.stderr.write(f"benchmarks: {reason}\n")
        return 2
    engines = real.bring_up()
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    found = [one for engine in _OPTIONS for one in _measured(engines, engine, chosen.runs, chosen.jobs)]
    versions = [f"{name} {engines.cli(name, 'version', '-f', '{{.Client.Version}}').strip()}" for name in _OPTIONS]
    text = f"{_head(chosen.runs, load, versions)}\n{_rendered(found)}"
    chosen.write.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


def _head(runs: int, load: float, versions: list[str]) -> str:
    cores, python = os.cpu_count(), platform.python_version()
    return f"""# Sweeps

`python -m benchmarks.sweep --runs {runs}`: {runs} runs of `true` in busybox, by `tranship sweep` (its start, its file
of results and the removal of each container included), and by one shell that runs `docker run --rm`, or
`podman run --rm`, as often, beside the engine. The loop is measured before the sweeps and after them; the ratio is
against their mean.

Measured on a machine with {cores} cores, {load:.2f} runnable processes for each as it began, {", ".join(versions)},
Python {python}, {datetime.now(UTC):%Y-%m-%d}.
"""


def _measured(engines: real.RealEngines, engine: str, runs: int, jobs: int) -> list[Throughput]:
    """The loop before and after the sweeps, so that a machine that gets slower shows."""
    loop = [_loop(engines, engine, runs)]
    sweeps = [Throughput(engine, f"sweep -j {n}", _sweep(engines, engine, runs, n)) for n in sorted({1, jobs})]
    loop.append(_loop(engines, engine, runs))
    return [*(Throughput(engine, "shell loop", one) for one in loop), *sweeps]


def _loop(engines: real.RealEngines, engine: str, runs: int) -> float:
    program = _OPTIONS[engine].format(docker=engines.docker)
    script = f"i=0; while [ $i -lt {runs} ]; do {program} run --rm {IMAGE} true; i=$((i+1)); done"
    return runs / _timed([str(engines.bin / "engines-exec"), "sh", "-c", f"set -e; {script}"], dict(os.environ))


def _sweep(engines: real.RealEngines, engine: str, runs: int, jobs: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        axis = f"n=1..{runs}"
        argv = [sys.executable, "-m", "tui", "sweep", "--on", engine, "-j", str(jobs), "--grid", axis]
        argv += ["--out", str(Path(folder) / "out.jsonl"), IMAGE, "true", "{n}"]
        urls = {"DOCKER_HOST": engines.docker, "CONTAINER_HOST": engines.podman}
        return runs / _timed(argv, {**os.environ, **urls})


def _timed(argv: list[str], environ: dict[str, str]) -> float:
    begun = time.monotonic()
    subprocess.run(argv, env=environ, check=True, capture_output=True)
    taken_s = time.monotonic() - begun
    sys.stderr.write(f"{taken_s:6.1f} s  {' '.join(argv)[-70:]}\n")
    return taken_s


def _rendered(found: list[Throughput]) -> str:
    lines = ["| engine | way | runs/s | against the loop |", "|---|---|---|---|"]
    for one in found:
        loops = [other.per_s for other in found if other.engine == one.engine and other.way == "shell loop"]
        ratio = one.per_s / (sum(loops) / len(loops))
        lines.append(f"| {one.engine} | {one.way} | {one.per_s:.2f} | ×{ratio:.2f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
