"""Strikes every fault many times and writes what was lost: `python -m tests.faults.strikes --times N`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests import real
from tests.faults.matrix import FAULTS, Fault, strike
from tests.faults.scene import Outcome, standing
from tests.faults.written import told_by, write_part


@dataclass
class Row:
    """All strikes of one fault. failed: what was wrong, of those where something was."""

    fault: Fault
    outcomes: list[Outcome] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def line(self) -> str:
        """As a row of the table."""
        times = len(self.outcomes) + len(self.failed)
        engines = " and ".join(kind.capitalize() for kind in self.fault.kinds)
        told = max((one.noticed_s for one in self.outcomes), default=0.0)
        back = max((one.back_s for one in self.outcomes), default=0.0)
        beats = sum(one.pulse.beats for one in self.outcomes)
        worst = max((one.pulse.worst_s for one in self.outcomes), default=0.0)
        how = "lost, told" if self.fault.tells else "stands"
        lost = f"{len(self.failed)} strikes went wrong" if self.failed else "nothing"
        cells = (self.fault.name, self.fault.what, engines, times, f"{how} {told:.2f}", f"{back:.2f}", beats)
        return f"| {' | '.join(map(str, cells))} | {worst:.2f} | {lost} |"


HEAD = (
    "| fault | what was injected | struck | times | link, s | true again, s | changes elsewhere | worst, s | lost |",
    "|---|---|---|---:|---:|---:|---:|---:|---|",
)


async def strike_all(engines: real.RealEngines, times: int, named: Sequence[str]) -> list[Row]:
    """Each fault so many times on each engine that knows it. named: only these, empty = all."""
    rows = {id(fault): Row(fault) for fault in FAULTS if not named or fault.name in named}
    for private in (False, True):
        for kind in ("docker", "podman"):
            here = [r for r in rows.values() if r.fault.private is private and kind in r.fault.kinds]
            if not here:
                continue
            async with standing(kind, engines, private=private) as scene:
                for row in here:
                    for _ in range(times):
                        try:
                            row.outcomes.append(await strike(scene, row.fault))
                        except AssertionError as wrong:
                            row.failed.append(str(wrong))
                            sys.stderr.write(f"{row.fault.name} of {kind}: {wrong}\n")
                    sys.stderr.write(f"{kind}: {row.line()}\n")
    return list(rows.values())


def main() -> int:
    """0 where nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10, help="strikes of each fault on each engine")
    parser.add_argument("--only", action="append", default=[], help="only the fault of this name; may be given again")
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    asked = parser.parse_args()
    engines = real.bring_up()
    rows = asyncio.run(strike_all(engines, asked.times, asked.only))
    lines = [*HEAD, *(row.line() for row in rows), "", told_by(engines)]
    sys.stdout.write("\n".join(lines) + "\n")
    if asked.write:
        write_part("matrix", lines)
    return 1 if any(row.failed for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
