"""`benchmarks/run [PART …]` (root): measures on real engines, in one run, and writes the report benchmarks/README.md.

Each part's figures are kept in benchmarks/results/latest.json: a part that is measured alone leaves the others' as
they were.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks import first_frame, idle, imports, keys, lists, migrate, report, screens, stats, trouble
from benchmarks.bench import empty, fill, on_both
from benchmarks.rivals import PACKAGES
from tests import real

KEPT = Path(__file__).parent / "results" / "latest.json"
FEW, SOME, MANY = 20, 50, 200


@dataclass(frozen=True)
class Bench:
    """One run. environ: what the programs are started with. beside: rivals whose idling is measured."""

    engines: real.RealEngines
    environ: dict[str, str]
    found: report.Results
    some: int = SOME
    many: int = MANY
    beside: tuple[str, ...] = tuple(PACKAGES)

    def fill(self, count: int) -> None:
        """At least so many containers on both engines."""
        on_both(lambda engine: fill(self.engines, engine, count))

    def imports(self) -> None:
        """No engine is asked."""
        self.found.imports = imports.measure()

    def frame(self) -> None:
        """Before there are containers."""
        self.found.first_frame = first_frame.measure(self.environ)

    def screens(self) -> None:
        """With few containers, so that each stands on the screen."""
        self.fill(FEW)
        self.found.screens = screens.measure(self.engines, self.environ)

    def stats(self) -> None:
        """With some, and with many."""
        for count in (self.some, self.many):
            self.fill(count)
            self.found.stats[str(count)] = stats.measure(self.engines, everybody=count == self.many)

    def lists(self) -> None:
        """Of many."""
        self.fill(self.many)
        self.found.lists[str(self.many)] = lists.measure(self.engines)

    def keys(self) -> None:
        """With many: as they are, both engines with work, and Docker hung."""
        self.fill(self.many)
        self.found.keys["idle containers"] = keys.measure(self.environ)
        self.found.keys["both engines busy"] = keys.measure(self.environ, lambda: trouble.churn(self.engines))
        with tempfile.TemporaryDirectory(prefix="tranship-door-") as folder:
            door = trouble.Door(self.engines.docker, Path(folder))
            try:
                hung = keys.measure({**self.environ, "DOCKER_HOST": door.url}, door.hung)
            finally:
                door.close()
        self.found.keys["Docker hangs"] = hung

    def idle(self) -> None:
        """On engines of its own: these here serve nobody meanwhile."""
        names = [idle.OURS, *self.beside]
        self.found.idle = idle.on_own_engines(self.engines, names, count=50, rounds=1, warm_s=15.0, window_s=30.0)

    def moves(self) -> None:
        """Between engines of their own."""
        self.found.moves = migrate.short(self.engines)


PARTS: dict[str, Callable[[Bench], None]] = {
    "imports": Bench.imports,
    "frame": Bench.frame,
    "screens": Bench.screens,
    "stats": Bench.stats,
    "lists": Bench.lists,
    "keys": Bench.keys,
    "idle": Bench.idle,
    "moves": Bench.moves,
}
"""In the order in which they are measured: containers only become more, and are gone before the last two."""


def main() -> int:
    """Bring up the engines, measure, write the report; what was made on the engines is removed."""
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these of: {', '.join(PARTS)}")
    parser.add_argument("--write", type=Path, default=Path(__file__).parent / "README.md")
    parser.add_argument("--some", type=int, default=SOME, help="containers on each engine for the smaller stats")
    parser.add_argument("--many", type=int, default=MANY, help="containers on each engine for lists, stats and keys")
    parser.add_argument("--beside", nargs="+", default=list(PACKAGES), help="rivals for the part idle, a minute each")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - PARTS.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    reason = real.why_not()
    if reason:
        sys.stderr.write(f"benchmarks: {reason}\n")
        return 2
    engines = real.bring_up()
    found = msgspec.json.decode(KEPT.read_bytes(), type=report.Results) if KEPT.exists() else report.Results()
    bench = Bench(
        engines,
        {**os.environ, "DOCKER_HOST": engines.docker, "CONTAINER_HOST": engines.podman},
        found,
        chosen.some,
        chosen.many,
        tuple(chosen.beside),
    )
    try:
        for name in [one for one in PARTS if one in (chosen.parts or PARTS)]:
            if name in {"idle", "moves"}:
                on_both(lambda engine: empty(engines, engine))
            begin = time.monotonic()
            PARTS[name](bench)
            load = os.getloadavg()[0]
            found.measured[name] = f"{time.strftime('%Y-%m-%d %H:%M')}, load {load:.1f}"
            sys.stderr.write(f"benchmarks: {name} took {time.monotonic() - begin:.0f} s\n")
        found.versions = report.versions(engines)
    finally:
        on_both(lambda engine: empty(engines, engine))
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_bytes(msgspec.json.encode(found))
    chosen.write.write_text(report.render(found))
    sys.stdout.write(report.render(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
