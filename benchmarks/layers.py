"""`python -m benchmarks.layers` (root): reads a large image's layers by Tranship and by others; writes layers.md.

The image is made here and lies on engines of the benchmark's own, which go at the end. Each program runs in a process
of its own; what it takes is that process alone, the engine's `save` is the same for all.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import report
from benchmarks.footprint import Footprint
from benchmarks.layered import MIB, LayeredImage, LayerFile, make_layer
from benchmarks.many_files import make_files
from benchmarks.own_engines import own_engines
from tests import real

IMAGE_MIB = 2048
FILES = 60_000
LARGE_LAYERS = 8
SMALL_LAYERS = 4
FILE_BYTES = 900
TRANSHIP = [sys.executable, "-m", "tui"]
_LIMIT_S = 900.0


@dataclass(frozen=True)
class Run:
    """One program's run. memory_bytes: the highest of its processes together. words: the end of what it said."""

    took_s: float
    memory_bytes: int
    words: str


def measured(argv: Sequence[str], environ: Mapping[str, str]) -> Run:
    """Run it to its end. Raises RuntimeError, with its words, where it fails: its figures would be those of nothing."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        child = subprocess.Popen(
            argv, env=dict(environ), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            with Footprint({}) as taken:
                taken.pids.append(child.pid)
                code = child.wait(timeout=_LIMIT_S)
            took_s = time.perf_counter() - start
        finally:
            child.kill()
        out.seek(max(0, out.seek(0, os.SEEK_END) - 2000))
        words = out.read().decode("utf-8", "replace")
    if code:
        raise RuntimeError(f"{' '.join(argv)} ended with {code}: {words}")
    return Run(took_s, taken.memory_bytes, words)


def image_of(folder: Path, size_mib: int, files: int) -> LayeredImage:
    """Large files in some layers, small ones in others."""
    layers: list[LayerFile] = [
        make_layer(folder, f"layers-{number}", size_mib * MIB // LARGE_LAYERS) for number in range(LARGE_LAYERS)
    ]
    layers += [
        make_files(folder, f"small-{number}", files // SMALL_LAYERS, FILE_BYTES) for number in range(SMALL_LAYERS)
    ]
    return LayeredImage("layers", layers)


def runs_on(engines: real.RealEngines, engine: str, name: str, folder: Path, dive: str | None) -> dict[str, Run]:
    """All programs on one engine, in the order of the table. folder: for what they write."""
    clean = {key: value for key, value in os.environ.items() if key != "CONTAINER_HOST"}  # `podman` would be a client
    hosts = {"DOCKER_HOST": engines.docker, "CONTAINER_HOST": engines.podman}
    environ = {**clean, **hosts, "XDG_CACHE_HOME": str(folder / f"cache-{engine}")}
    tranship = [*TRANSHIP, "layers", name, "--engine", engine, "--json"]
    save = "save" if engine == "docker" else "save --format docker-archive"
    names = ["sh", "-c", f"{engines.bin / engine} {save} {name} | tar t >/dev/null"]
    found = {
        "Tranship: the list of layers": measured(tranship, environ),
        "Tranship: every file, the first time": measured([*tranship, "--files", "--waste"], environ),
        "Tranship: every file, the second time": measured([*tranship, "--files", "--waste"], environ),
        f"`{engine} save \\| tar t`: the names of the layers only": measured(names, clean),
    }
    if dive is not None and engine == "docker":
        argv = [dive, "--json", str(folder / "dive.json"), name]
        found["dive: every file, each time"] = measured(argv, environ)
        if not Path(argv[2]).exists():
            raise RuntimeError("dive read nothing")
    return found


def table(engine: str, found: Mapping[str, Run]) -> list[str]:
    """Ratios to Tranship's first whole reading."""
    base = found["Tranship: every file, the first time"].took_s
    lines = [
        f"## On {engine}",
        "",
        "| program | time against Tranship | s | highest memory, MB |",
        "|---|---:|---:|---:|",
    ]
    for name, run in found.items():
        lines.append(f"| {name} | {run.took_s / base:.2f}× | {run.took_s:.2f} | {run.memory_bytes / MIB:.0f} |")
    return [*lines, ""]


def main() -> int:
    """Make the image, measure on both engines, write the report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    parser.add_argument("--mib", type=int, default=IMAGE_MIB)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--dive", default=shutil.which("dive"), help="the program dive, to compare with")
    parser.add_argument("--write", type=Path, default=Path(__file__).parent / "layers.md")
    chosen = parser.parse_args()
    reason = real.why_not()
    if reason:
        sys.stderr.write(f"benchmarks: {reason}\n")
        return 2
    os.environ.pop("CONTAINER_HOST", None)  # with it the `podman` of own engines would be a client of others
    shared = real.bring_up()
    lines = [
        "# Layers of a large image",
        "",
        f"`python -m benchmarks.layers`: an image of {chosen.mib:,} MB (half random bytes) in {LARGE_LAYERS} layers,",
        f"and {chosen.files:,} small files in {SMALL_LAYERS} more, read by each program in a process of its own;",
        "engines with stores of their own. Tranship's times are of the whole command, the start of Python and its",
        "answer as JSON included. What the engine does (`save` reads every layer) is the same for all who read all.",
        "",
    ]
    home = Path(tempfile.mkdtemp(prefix="te-", dir="/tmp"))  # /tmp is the same for the engines
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as at, own_engines(shared, home) as engines:
        folder = Path(at)
        image = image_of(folder, chosen.mib, chosen.files)
        for engine in ("docker", "podman"):
            _load(engines, engine, image)
            lines += table(engine, runs_on(engines, engine, image.name, folder, chosen.dive))
        names = report.versions(engines)
    said = ("Docker engine", "Podman engine", "Python", "kernel", "cores")
    made = ", ".join(f"{name} {names[name]}" for name in said)
    lines += ["## The run", "", f"{time.strftime('%Y-%m-%d')}. {made}.", ""]
    chosen.write.write_text("\n".join(lines))
    sys.stdout.write("\n".join(lines))
    return 0


def _load(engines: real.RealEngines, engine: str, image: LayeredImage) -> None:
    argv = [str(engines.bin / engine), "load", "-q"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as loading:
        assert loading.stdin is not None
        image.write(loading.stdin)
        loading.stdin.close()
        if loading.wait(timeout=_LIMIT_S):
            raise RuntimeError(f"{engine} did not load the image")


if __name__ == "__main__":
    sys.exit(main())
