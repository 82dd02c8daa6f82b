"""Strikes every fault many times and writes what was lost: `python -m tests.faults.strikes --times N`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import get_args

from tests import real
from tests.faults.matrix import FAULTS, Fault, strike
from tests.faults.scene import On, Outcome, standing
from tests.faults.written import read_part, told_by, write_part


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


PART = "matrix"
HEAD = (
    "| fault | what was injected | struck | times | link, s | true again, s | changes elsewhere | worst, s | lost |",
    "|---|---|---|---:|---:|---:|---:|---:|---|",
)


async def strike_all(engines: real.RealEngines, times: int, named: Sequence[str]) -> list[Row]:
    """Each fault so many times on each engine that knows it. named: only these, empty = all."""
    rows = {id(fault): Row(fault) for fault in FAULTS if not named or fault.name in named}
    for on in get_args(On):
        for kind in ("docker", "podman"):
            here = [r for r in rows.values() if r.fault.on == on and kind in r.fault.kinds]
            if not here:
                continue
            async with standing(kind, engines, on) as scene:
                for row in here:
                    for _ in range(times):
                        try:
                            row.outcomes.append(await strike(scene, row.fault))
                        except AssertionError as wrong:
                            row.failed.append(str(wrong))
                            sys.stderr.write(f"{row.fault.name} of {kind}: {wrong}\n")
                    sys.stderr.write(f"{kind}: {row.line()}\n")
    return list(rows.values())


def together(known: Sequence[str], new: Sequence[str], told: str) -> list[str]:
    """The lines of a whole table in which some rows are new, in the faults' order. told: when and on what those were.

    known: the part of the page as it stands; what told of its rows stays below them.
    """
    rows = {_key(line): line for line in known if line.startswith("| ") and line != HEAD[0]}
    rows |= {_key(line): line for line in new}
    order = [_key(Row(fault).line()) for fault in FAULTS]
    before = [line for line in known if line.startswith("*") and not line.startswith("*Struck since")]
    names = ", ".join(dict.fromkeys(_key(line)[0] for line in new))
    return [*HEAD, *(rows[key] for key in order if key in rows), "", *before, "", f"*Struck since: {names}. {told[1:]}"]


def _key(line: str) -> tuple[str, str]:
    """Of a row: the fault, and what was struck."""
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    return cells[0], cells[2]


def main() -> int:
    """0 where nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10, help="strikes of each fault on each engine")
    parser.add_argument("--only", action="append", default=[], help="only the fault of this name; may be given again")
    parser.add_argument("--write", action="store_true", help="put it into docs/reliability.md; with --only: these rows")
    asked = parser.parse_args()
    engines = real.bring_up()
    rows = asyncio.run(strike_all(engines, asked.times, asked.only))
    new, told = [row.line() for row in rows], told_by(engines)
    sys.stdout.write("\n".join([*HEAD, *new, "", told]) + "\n")
    if asked.write:
        write_part(PART, together(read_part(PART), new, told) if asked.only else [*HEAD, *new, "", told])
    return 1 if any(row.failed for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
