"""The screen on two real engines under churn for a long while: `python -m tests.faults.soak --minutes N --write`.

Now and then all of it rests, and what the process then holds is read (memory, objects, descriptors, threads, tasks): at
the end it must be what it was in the second fifth. What is held while something is under way depends on the moment.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from textual.pilot import Pilot

from backends.model.errors import BackendError
from backends.model.events import Link
from tests import real
from tests.contract.conftest import real_engine
from tests.contract.lab import Lab
from tests.faults.between import Between
from tests.faults.held import ENOUGH, Held, Work
from tests.faults.written import told_by, write_part
from tui.app import TranshipApp
from tui.bootstrap import open_fleet
from tui.config import Settings

EVERY_S = 5.0
"""Between two looks while it is under way."""
BUSY_S, REST_S = 45.0, 20.0
"""So long it works, and rests: a connection that nobody uses is kept for 15 s (aiohttp's connector)."""
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
SLACK = 1.2
"""A rest begins late: when the last piece of work has ended, and both engines are there."""
BACK_S = 60.0
"""So long may the engines take to be there again before a rest: the longest wait between two tries is 15 s."""


@dataclass
class Soak:
    """What was done, and what was held."""

    held: Held = field(default_factory=Held)
    work: Work = field(default_factory=Work)
    cycles: int = 0
    visits: int = 0
    cuts: int = 0

    def lines(self, minutes: float) -> list[str]:
        """As a table."""
        done = f"{minutes:g} minutes, {self.cycles} containers made, started, paused, resumed, killed and removed"
        met = f"{self.visits} visits to screens, {self.cuts} times both engines lost, {len(self.held.rests)} rests"
        return [f"{done}, {met}.", "", *self.held.table()]


async def churn(lab: Lab, soak: Soak, until_s: float) -> None:
    """One container after the other."""
    while time.monotonic() < until_s:
        async with soak.work.piece():
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
        async with soak.work.piece():
            for door in doors:
                await door.vanish()
            await asyncio.sleep(SETTLE_S)
            for door in doors:
                await door.appear()
        soak.cuts += 1


async def look(app: TranshipApp, pilot: Pilot[None], soak: Soak, until_s: float, busy_s: float) -> None:
    """Read, again and again: a glance while it works, and what is held at rest."""
    while time.monotonic() < until_s:
        rest_at = time.monotonic() + busy_s
        while time.monotonic() < rest_at:
            soak.held.look()
            await asyncio.sleep(EVERY_S)
        async with soak.work.rest():
            await back(app, pilot)
            held = await soak.held.rest(REST_S)
        told = ", ".join(f"{what} {value:.1f}" for what, value in held.items())
        sys.stderr.write(f"{until_s - time.monotonic():.0f} s to go, at rest: {told}\n")


async def back(app: TranshipApp, pilot: Pilot[None]) -> None:
    """Wait until all engines are there; TimeoutError where one stays away."""
    async with asyncio.timeout(BACK_S):
        while any(one.connection.link is not Link.CONNECTED for one in app.view.engines.values()):
            await pilot.pause(SETTLE_S)


async def visit(app: TranshipApp, pilot: Pilot[None], soak: Soak, until_s: float) -> None:
    """Go through the screens."""
    for keys in itertools.cycle(VISITS):
        if time.monotonic() > until_s:
            return
        async with soak.work.piece():
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


async def soaked(engines: real.RealEngines, minutes: float, busy_s: float) -> Soak:
    """The whole; raises where the screen did not live through it."""
    soak = Soak()
    async with stood(engines) as (doors, labs):
        os.environ.update(DOCKER_HOST=doors[0].url, CONTAINER_HOST=doors[1].url, XDG_RUNTIME_DIR="/nonexistent")
        settings = Settings()
        app = TranshipApp(partial(open_fleet, settings, only=("docker", "podman")), settings)
        async with app.run_test(size=(120, 36), notifications=True) as pilot, AsyncExitStack() as ends:
            ends.enter_context(app.tidied())  # as where a person starts it
            until_s = time.monotonic() + 60 * minutes
            async with asyncio.TaskGroup() as group:
                for lab in labs:
                    group.create_task(churn(lab, soak, until_s))
                group.create_task(cut(doors, soak, until_s))
                group.create_task(look(app, pilot, soak, until_s, busy_s))
                group.create_task(visit(app, pilot, soak, until_s))
            assert app.is_running
            assert len(app.view.engines) == len(labs)
            await back(app, pilot)
    return soak


def main() -> int:
    """0 where all is flat."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--busy", type=float, default=BUSY_S, help="seconds between two rests; fewer for a short run")
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    asked = parser.parse_args()
    if 60 * asked.minutes < SLACK * ENOUGH * (asked.busy + REST_S):
        parser.error(f"{ENOUGH} rests are needed to tell: more --minutes, or a shorter --busy")
    engines = real.bring_up()
    with tempfile.TemporaryDirectory(prefix="soak-") as home:
        os.environ["HOME"] = home
        for name in ("CONFIG", "STATE", "CACHE", "DATA"):
            os.environ[f"XDG_{name}_HOME"] = str(Path(home, name.lower()))
        soak = asyncio.run(soaked(engines, asked.minutes, asked.busy))
        crashes = list(Path(home).rglob("crash-*.log"))
        for log in crashes:
            sys.stderr.write(log.read_text())
    lines = [*soak.lines(asked.minutes), "", told_by(engines)]
    sys.stdout.write("\n".join(lines) + "\n")
    grown = soak.held.grown()
    sys.stderr.write("".join(f"not flat: {one}\n" for one in grown))
    if asked.write:
        write_part("soak", lines)
    return 1 if grown or crashes else 0


if __name__ == "__main__":
    sys.exit(main())
