"""`python -m tests.snapshots.gallery [--to FOLDER] [NAME…]`: every screen, on the living demo fleet, to be looked at.

Each scene at three sizes, dark, light and without colour: FOLDER/NAME-80x24-dark.svg and so on. With --best, one size
and look of each and a page with all of them, for screenshots/all. Compares nothing: that is what the snapshots are for.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textual.filter import Monochrome
from textual.pilot import Pilot
from textual.widgets import Input

from backends.engines import demo_fleet
from backends.services.fleet import Fleet
from tests.pilot.held import LARGE, with_held
from tests.snapshots.gallery_scenes import SCENES, Scene, Size
from tests.trail import write_trail
from tui import theme
from tui.app import TranshipApp
from tui.bootstrap import open_fleet
from tui.config import Settings

DEADLINE_S = 30.0
SIZES: tuple[Size, ...] = ((80, 24), (120, 36), (200, 50))
LOOKS = ("dark", "light", "plain")
_HISTORY_S = 4.0
"""How long the demo's readings are gathered, so that plots have something to show."""


def shown(app: TranshipApp) -> str:
    """What is on the screen, as text."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


@dataclass
class Easel:
    """The app of one scene, driven by keys. folder: a place of its own."""

    app: TranshipApp
    pilot: Pilot[None]
    folder: Path

    async def wait(self, what: str | Callable[[TranshipApp], object]) -> None:
        """Until a regular expression is on the screen, or something holds."""
        deadline = time.monotonic() + DEADLINE_S
        while not (re.search(what, shown(self.app)) if isinstance(what, str) else what(self.app)):
            if time.monotonic() > deadline:
                raise AssertionError(f"never came: {what}\n{shown(self.app)}")
            await self.pilot.pause(0.05)

    async def press(self, *keys: str) -> None:
        """One key after the other."""
        for key in keys:
            await self.pilot.press(key)
        await self.pilot.pause()

    async def look(self, look: str) -> None:
        """dark, light, or plain: without colour, as NO_COLOR has it."""
        app, plain = self.app, look == "plain"
        app._filters = [one for one in app._filters if not isinstance(one, Monochrome)]
        if plain:
            app._filters.append(Monochrome())
        app.no_color = plain
        app.theme = theme.LIGHT.name if look == "light" else theme.DARK.name
        for screen in app.screen_stack:
            for widget in screen.walk_children():
                widget.notify_style_update()
        app.refresh_css(animate=False)
        app.refresh(layout=True)
        await self.pilot.pause(0.1)

    async def resize(self, size: Size) -> None:
        """As dragging the window does."""
        if (self.app.size.width, self.app.size.height) != size:
            await self.pilot.resize_terminal(*size)
            await self.pilot.pause(0.4)

    def picture(self, path: Path) -> None:
        """Write the screen as an SVG."""
        for box in self.app.screen.query(Input):
            box.cursor_blink = False
        text = self.app.export_screenshot(title="tranship")
        path.write_text(text.replace("<svg ", '<svg xml:space="preserve" ', 1))


@asynccontextmanager
async def easel(size: Size) -> AsyncIterator[Easel]:
    """The app on the demo fleet, its readings there."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_trail(folder / "audit.jsonl")
        os.environ["XDG_CACHE_HOME"] = place
        settings = Settings(demo=True)
        fleet: list[Fleet] = []

        async def opened(_: object) -> Fleet:
            fleet.append(await open_fleet(settings))
            return fleet[0]

        app = TranshipApp(opened, settings, state_dir=folder)
        async with app.run_test(size=size) as pilot:
            made = Easel(app, pilot, folder)
            await made.wait(lambda app: len(app.view.containers) >= 14 and app.view.stats and app.view.gpus.readings)
            await pilot.pause(0.3)
            yield made


async def take(scene: Scene, folder: Path, *, best: bool) -> None:
    """All pictures of a scene, or its best."""
    sizes = [scene.best] if best else SIZES
    async with easel(sizes[0]) as made:
        if scene.history:
            await made.pilot.pause(_HISTORY_S)
        await scene.play(made)
        for size in sizes:
            await made.resize(size)
            for look in (scene.look or "dark",) if best else LOOKS:
                await made.look(look)
                name = scene.name if best else f"{scene.name}-{size[0]}x{size[1]}-{look}"
                made.picture(folder / f"{name}.svg")


def index(folder: Path) -> str:
    """The pictures of a folder as a page, in the order of the scenes."""
    there = [scene.name for scene in SCENES if (folder / f"{scene.name}.svg").exists()]
    pictures = [f"## {name}\n\n![{name}]({name}.svg)\n" for name in there]
    head = "# Screens\n\nThe demo fleet, by `python -m tests.snapshots.gallery --best --to screenshots/all`.\n"
    return "\n".join([head, *pictures])


def main(argv: list[str]) -> int:
    """Take them; returns how many could not be."""
    parser = argparse.ArgumentParser(prog="python -m tests.snapshots.gallery", description=__doc__)
    parser.add_argument("--to", type=Path, default=Path("gallery"), help="the folder for the pictures")
    parser.add_argument("--best", action="store_true", help="one picture of each scene")
    parser.add_argument("--after", default="", help="begin behind this scene")
    parser.add_argument("names", nargs="*", help="only these scenes")
    chosen = parser.parse_args(argv)
    chosen.to.mkdir(parents=True, exist_ok=True)
    demo_fleet.demo_engines = with_held(demo_fleet.demo_engines, LARGE)
    os.environ |= {"COLORTERM": "truecolor", "TERM": "xterm-256color"}
    failed = 0
    places = [scene.name for scene in SCENES]
    for scene in SCENES[places.index(chosen.after) + 1 if chosen.after else 0 :]:
        if (scene.name not in chosen.names) if chosen.names else (scene.look and not chosen.best):
            continue
        try:
            asyncio.run(take(scene, chosen.to, best=chosen.best))
            sys.stdout.write(f"{scene.name}\n")
        except Exception as error:  # noqa: BLE001 - the others are taken all the same; it is told and counted
            failed += 1
            sys.stdout.write(f"✕ {scene.name}: {error}\n")
        sys.stdout.flush()
    if chosen.best:
        (chosen.to / "README.md").write_text(index(chosen.to))
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
