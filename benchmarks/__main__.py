"""`python -m benchmarks` (root): measures everything in one run and writes the table in benchmarks/README.md."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from benchmarks import first_frame, keys, lists, report, stats
from benchmarks.bench import CLIS, empty, filled
from tests import real

COUNTS = (50, 200)


def main() -> int:
    """Bring up the engines, measure, write the report; what was made on the engines is removed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="containers on each engine")
    parser.add_argument("--write", type=Path, default=Path(__file__).parent / "README.md")
    chosen = parser.parse_args()
    reason = real.why_not()
    if reason:
        sys.stderr.write(f"benchmarks: {reason}\n")
        return 2
    engines = real.bring_up()
    environ = {**os.environ, "DOCKER_HOST": engines.docker, "CONTAINER_HOST": engines.podman}
    found = report.Results(started=time.strftime("%Y-%m-%d"))
    try:
        for count in sorted(chosen.counts):
            with filled(engines, count):
                found.lists[count] = lists.measure(engines)
                found.stats[count] = stats.measure(engines)
                found.live = count
        found.first_frame = first_frame.measure(environ)
        found.keys = keys.measure(environ)
        found.versions = report.versions(engines)
    finally:
        for engine in CLIS:
            empty(engines, engine)
    chosen.write.write_text(report.render(found))
    sys.stdout.write(report.render(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
