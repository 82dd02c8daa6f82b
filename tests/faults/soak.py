"""The screen on two real engines under churn for a long while: `python -m tests.faults.soak --minutes N --write`.

Memory, descriptors, threads and tasks of the process are read all the while; at the end they must be where they were
after the first third.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import os
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil
from textual.pilot import Pilot

from backends.model.errors import BackendError
from backends.model.events import Link
from tests import real
from tests.contract.conftest import real_engine
from tests.contract.lab import Lab
from tests.faults.between import Between
from tests.faults.scene import descriptors
from tests.faults.written import told_by, write_part
from tui.app import TranshipApp
from tui.bootstrap import open_fleet
from tui.config import Settings

MIB = 1 << 20
EVERY_S = 5.0
"""Between two readings."""
CUT_S = 45.0
"""Between two losses of both engines."""
VISITS: Sequence[Sequence[str]] = [
    ("enter", "3", "7", "tab", "escape"), ("l", "w", "t", "escape"), ("w", "tab", "escape"), ("a", "down", "escape"),
    ("V", "escape"), ("W", "escape"), ("E", "escape"), ("D", "escape"), ("z", "h", "escape"), ("J", "escape"),
    ("H", "escape"), ("U", "escape"), ("X", "tab", "escape"), ("m", "escape"), ("b", "escape"), ("g", "o", "O"),
    ("slash", "s", "o", "a", "k", "escape", "escape"), ("question_mark", "escape"), ("down", "down", "up"),
]  # fmt: skip
"""What is pressed, one after the other: every screen is opened and closed."""
SETTLE_S = 0.5
BACK_S = 60.0
"""So long may the engines take to be there again at the end: the longest wait between two tries is 15 s."""
ALLOWED = {"memory, MiB": 8.0, "descriptors": 3.0, "threads": 2.0, "tasks": 2.0}
"""By so much may the last third be above the middle one."""


@dataclass
class Soak:
    """What was read and done."""

    readings: list[dict[str, float]] = field(default_factory=list)
    cycles: int = 0
    visits: int = 0
    cuts: int = 0

    def read(self) -> None:
        """Take a reading of this process."""
        gc.collect()
        self.readings.append(
            {
                "memory, MiB": psutil.Process().memory_info().rss / MIB,
                "descriptors": descriptors(),
                "threads": threading.active_count(),
                "tasks": len(asyncio.all_tasks()),
            }
        )

    def part(self, third: int, what: str) -> float:
        """The lowest tenth of a third of the readings: what is held when nothing is under way."""
        size = len(self.readings) // 3
        values = [one[what] for one in self.readings[third * size : (third + 1) * size]]
        return statistics.quantiles(values, n=10)[0]

    def grown(self) -> list[str]:
        """What is not flat."""
        return [
            f"{what}: {self.part(1, what):.1f} → {self.part(2, what):.1f}"
            for what, allowed in ALLOWED.items()
            if self.part(2, what) - self.part(1, what) > allowed
        ]

    def lines(self, minutes: float) -> list[str]:
        """As a table."""
        done = f"{minutes:g} minutes, {self.cycles} containers made, started, paused, resumed, killed and removed"
        lines = [f"{done}, {self.visits} visits to screens, {self.cuts} times both engines lost.", ""]
        lines += ["| | first third | second | last | most |", "|---|---:|---:|---:|---:|"]
        for what in ALLOWED:
            thirds = " | ".join(f"{self.part(third, what):.0f}" for third in range(3))
            lines.append(f"| {what} | {thirds} | {max(one[what] for one in self.readings):.0f} |")
        return lines


async def churn(lab: Lab, soak: Soak, until_s: float) -> None:
    """One container after the other."""
    while time.monotonic() < until_s:
        try:
            made = await lab.run()
            await lab.engine.pause(made)
            await lab.engine.unpause(made)
            await lab.engine.kill(made)
            await lab.engine.remove(made, force=True)
        except BackendError as error:  # the engines are others' too; what is left of it is cleaned at the end
            sys.stderr.write(f"churn: {error}\n")
        else:
            soak.cycles += 1
        await asyncio.sleep(SETTLE_S)


async def cut(doors: Sequence[Between], soak: Soak, until_s: float) -> None:
    """Both engines away, and back."""
    while time.monotonic() + CUT_S < until_s:
        await asyncio.sleep(CUT_S)
        for door in doors:
            await door.vanish()
        await asyncio.sleep(SETTLE_S)
        for door in doors:
            await door.appear()
        soak.cuts += 1


async def look(soak: Soak, until_s: float) -> None:
    """Read, again and again."""
    while time.monotonic() < until_s:
        soak.read()
        told = ", ".join(f"{what} {value:.0f}" for what, value in soak.readings[-1].items())
        sys.stderr.write(f"{until_s - time.monotonic():.0f} s to go: {told}\n")
        await asyncio.sleep(EVERY_S)


async def visit(app: TranshipApp, pilot: Pilot[None], soak: Soak, until_s: float) -> None:
    """Go through the screens."""
    for keys in itertools.cycle(VISITS):
        if time.monotonic() > until_s:
            return
        for key in keys:
            await pilot.press(key)
        await asyncio.sleep(SETTLE_S)
        while len(app.screen_stack) > 1:
            await pilot.press("escape")
        soak.visits += 1


@asynccontextmanager
async def stood(engines: real.RealEngines) -> AsyncIterator[tuple[list[Between], list[Lab]]]:
    """Sockets between the program and both engines, and places to make containers past them."""
    label = {"tranship.test.soak": uuid.uuid4().hex[:8]}
    async with AsyncExitStack() as ends:
        doors, labs = [], []
        for kind, url in (("docker", engines.docker), ("podman", engines.podman)):
            doors.append(await ends.enter_async_context(Between(url)))
            engine = real_engine(kind, url)
            ends.push_async_callback(engine.close)
            lab = Lab(engine, await engine.connect(), label)
            ends.push_async_callback(lab.clean)
            labs.append(lab)
        yield doors, labs


async def soaked(engines: real.RealEngines, minutes: float) -> Soak:
    """The whole; raises where the screen did not live through it."""
    soak = Soak()
    async with stood(engines) as (doors, labs):
        os.environ.update(DOCKER_HOST=doors[0].url, CONTAINER_HOST=doors[1].url, XDG_RUNTIME_DIR="/nonexistent")
        settings = Settings()
        app = TranshipApp(partial(open_fleet, settings, only=("docker", "podman")), settings)
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            until_s = time.monotonic() + 60 * minutes
            async with asyncio.TaskGroup() as group:
                for lab in labs:
                    group.create_task(churn(lab, soak, until_s))
                group.create_task(cut(doors, soak, until_s))
                group.create_task(look(soak, until_s))
                group.create_task(visit(app, pilot, soak, until_s))
            assert app.is_running
            async with asyncio.timeout(BACK_S):
                while [one.connection.link for one in app.view.engines.values()].count(Link.CONNECTED) < len(labs):
                    await pilot.pause(SETTLE_S)
    return soak


def main() -> int:
    """0 where all is flat."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    asked = parser.parse_args()
    engines = real.bring_up()
    with tempfile.TemporaryDirectory(prefix="soak-") as home:
        os.environ["HOME"] = home
        for name in ("CONFIG", "STATE", "CACHE", "DATA"):
            os.environ[f"XDG_{name}_HOME"] = str(Path(home, name.lower()))
        soak = asyncio.run(soaked(engines, asked.minutes))
        crashes = list(Path(home).rglob("crash-*.log"))
        for log in crashes:
            sys.stderr.write(log.read_text())
    lines = [*soak.lines(asked.minutes), "", told_by(engines)]
    sys.stdout.write("\n".join(lines) + "\n")
    grown = soak.grown()
    sys.stderr.write("".join(f"not flat: {one}\n" for one in grown))
    if asked.write:
        write_part("soak", lines)
    return 1 if grown or crashes else 0


if __name__ == "__main__":
    sys.exit(main())
