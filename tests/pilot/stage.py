"""The app on the demo fleet, driven by keys; what happened is asked of the engine, not of the screen."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textual import events
from textual.pilot import Pilot

from backends.engine import Engine
from backends.engines.demo import DemoEngine
from backends.engines.demo_fleet import demo_engines
from backends.engines.wrap import read_only
from backends.model.container import Container, ContainerState
from backends.model.events import Link
from backends.services.audit import AuditLog
from backends.services.fleet import Fleet
from backends.services.supervisor import Timing
from tui.app import TranshipApp
from tui.config import Settings
from widgets.container_table import ContainerTable

_KEYS = {" ": "space"}
DEADLINE_S = 15.0  # what is waited for comes within milliseconds; a loaded machine may take longer


@dataclass
class Stage:
    """The app under test and the two engines behind it."""

    app: TranshipApp
    pilot: Pilot[None]
    docker: DemoEngine
    podman: DemoEngine
    fleet: Fleet

    async def until(self, holds: Callable[[], object], what: str = "") -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + DEADLINE_S
        while not holds():
            assert time.monotonic() < deadline, f"never came: {what or holds}"
            await self.pilot.pause(0.01)

    @property
    def table(self) -> ContainerTable:
        """The table of the fleet screen."""
        return self.app.screen_stack[0].query_one(ContainerTable)

    def shown(self) -> list[str]:
        """Names of the rows, from top to bottom."""
        names = {key: one.name for key, one in self.app.view.containers.items()}
        return [names[row.key] for row in self.table.rows if not row.heading and row.key in names]

    def state(self, name: str) -> ContainerState:
        """A container's state as its own engine has it."""
        for engine in (self.docker, self.podman):
            for one in engine.world.containers.values():
                if one.spec.name == name:
                    return one.state
        raise AssertionError(f"no engine has {name}")

    def exists(self, name: str) -> bool:
        """Whether some engine has a container of this name."""
        worlds = (self.docker.world, self.podman.world)
        return any(one.spec.name == name for world in worlds for one in world.containers.values())

    def row(self, name: str) -> Container:
        """A container as the app sees it."""
        return next(one for one in self.app.view.containers.values() if one.name == name)

    async def select(self, name: str) -> None:
        """Move the cursor to a row with the arrow keys."""
        await self.pilot.press("home")
        for _ in range(len(self.app.view.containers)):
            if self.selected() == name:
                return
            await self.pilot.press("down")
        assert self.selected() == name

    def selected(self) -> str:
        """The name under the cursor."""
        key = self.table.selected
        return self.app.view.containers[key].name if key is not None else ""

    async def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            await self.pilot.press(key)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type into what has the focus, as fast as a terminal hands over what is pasted."""
        for one in text:
            self.app.post_message(events.Key(_KEYS.get(one, one), one))
        await self.pilot.pause()

    def toasts(self) -> str:
        """All that was said in toasts and stands yet."""
        return "\n".join(one.message for one in self.app._notifications)

    def on_top(self) -> str:
        """The class of the screen on top."""
        return type(self.app.screen).__name__


@asynccontextmanager
async def stage(
    state_dir: Path,
    *,
    size: tuple[int, int] = (120, 36),
    readonly: bool = False,
    timing: Timing | None = None,
    wrap: Callable[[Engine], Engine] | None = None,
    toasts: bool = False,
    beside: Sequence[Engine] = (),
    audit: AuditLog | None = None,
    keys: Mapping[str, str] | None = None,
) -> AsyncIterator[Stage]:
    """The app, mounted, with the demo fleet listed. wrap: what stands between each engine and the fleet.

    toasts: they are drawn too. beside: more engines. audit: where what is done is written down. keys: chosen ones.
    """
    docker, podman = demo_engines(look_s=0, act_s=0)
    every = [docker, podman, *beside]
    wrap = read_only if readonly else wrap or (lambda engine: engine)
    engines = [wrap(one) for one in every]
    fleet = Fleet(engines, read_only=readonly, timing=timing, audit=audit)

    async def open_fleet(_: object) -> Fleet:
        return fleet

    app = TranshipApp(open_fleet, Settings(demo=True, readonly=readonly, keys=keys or {}), state_dir=state_dir)
    async with app.run_test(size=size, notifications=toasts) as pilot:
        play = Stage(app, pilot, docker, podman, fleet)
        await play.until(lambda: _all_there(app, len(every)), "the fleet")
        await pilot.pause()
        yield play


def _all_there(app: TranshipApp, count: int) -> bool:
    engines = app.view.engines.values()
    return len(engines) == count and all(one.connection.link is Link.CONNECTED for one in engines)
