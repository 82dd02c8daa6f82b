"""Text that would obey a terminal, from every engine call, on every screen: shown as it is, and nothing is upset."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.widgets import Input

from backends import cdi
from backends.engines.demo_fleet import demo_engines
from backends.services import gpu_facts
from tests.pilot import stage as scenery
from tests.pilot.held import NAME, with_held
from tests.pilot.poison import HUGE, POISON, SEEN, huge_engine, poison_engine, poisoned, wrong_with
from tests.pilot.stage import Stage, stage
from tests.pilot.test_gpu_screen import with_gpus
from tests.pilot.walks import WALKS, Kind, Walk, all_screens
from tests.thorough import thorough
from tests.trail import write_trail
from tests.unit.layers.images import Content, link
from tui.plain_screen import InertFilter
from tui.screens.base import TranshipScreen
from tui.screens.doctor import DoctorScreen
from tui.screens.fleet import FleetScreen
from tui.screens.image import ImageScreen
from tui.screens.search import SearchScreen
from tui.screens.transfers import TransfersScreen

DAILY = (FleetScreen,)
LARGE = tuple(kind for kind in WALKS if issubclass(kind, TranshipScreen))
NONE_LARGE = (SearchScreen, DoctorScreen, TransfersScreen)
"""Nothing on these begins with the letter that makes it large (poison.py): they are walked all the same."""
SIZES = [(120, 36), *thorough((80, 24), (200, 50))]


def drawn(play: Stage) -> list[str]:
    """The lines on the screen, as they go to the terminal."""
    return [strip.text for strip in play.app.screen._compositor.render_strips()]


class Gate(InertFilter):
    """The last gate, which tells what it had to hold back: only what a field holds may come so far."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[str] = []

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        passed = super().apply(segments, background)
        self.held += [before.text for before, after in zip(segments, passed, strict=True) if before.text != after.text]
        return passed


def seen(text: str) -> str:
    """What can be seen of it."""
    return "".join(character for character in text if character.isprintable() and character != " ")


def spoiled(line: dict[str, Any], poison: str = POISON) -> dict[str, Any]:
    """A line of the trail whose every value is poisoned."""
    return {key: poisoned(value, poison) for key, value in line.items()}


def crashes(folder: Path) -> list[Path]:
    """The crash logs there."""
    return list(folder.glob("crash-*.log"))


async def looks_right(play: Stage, gate: Gate, what: str) -> None:
    await play.pilot.pause()
    where = f"{play.on_top()} after {what}"
    assert wrong_with(drawn(play)) == [], where
    fields = (field.value for screen in play.app.screen_stack for field in screen.query(Input))
    typed = seen("".join(fields))
    raw = [text[:200] for text in gate.held if seen(text) not in typed]
    assert raw == [], f"{where}: not inert where it is made"
    gate.held.clear()


async def walked(play: Stage, gate: Gate, kind: Kind, walk: Walk, poison: str) -> None:
    """Go there, look at each picture on the way, and at all of its parts."""
    await play.select(poisoned(walk.row, poison))
    for step in walk.steps:
        await (play.press(step) if isinstance(step, str) else step(play))
        await looks_right(play, gate, str(step))
    await play.until(
        lambda: type(play.app.screen) is kind, f"{kind.__name__}; {play.on_top()}: {play.toasts()[:200]!a}"
    )
    if not walk.mute:
        await play.until(lambda: SEEN in "".join(drawn(play)), "text from outside")
    for step in ("", *walk.more):
        if step:
            await (play.press(step) if isinstance(step, str) else step(play))
        await looks_right(play, gate, f"{kind.__name__}, {step}")


def test_every_screen_has_a_way() -> None:
    missing = sorted(f"{one.__module__}.{one.__name__}" for one in all_screens() - WALKS.keys())
    assert missing == [], "a new screen: put the way to it into tests/pilot/walks.py"
    assert WALKS.keys() <= all_screens()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(
    "kind", [*DAILY, *thorough(*(one for one in WALKS if one not in DAILY))], ids=lambda kind: kind.__name__
)
async def test_hostile_text_is_inert_on(
    kind: Kind, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where a sweep writes its results
    write_trail(tmp_path / "audit.jsonl", change=spoiled)
    await shown(kind, size, tmp_path, POISON)


@pytest.mark.parametrize("kind", thorough(*LARGE), ids=lambda kind: kind.__name__)
async def test_texts_of_a_mebibyte_are_cut_on(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_trail(tmp_path / "audit.jsonl", change=partial(spoiled, poison=HUGE))
    await shown(kind, (120, 36), tmp_path, HUGE)


@pytest.mark.parametrize("size", thorough((80, 24), (200, 50)), ids=str)
async def test_names_of_files_in_layers_are_inert(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = POISON.replace("\0", "").replace("/", "")
    layers: list[tuple[str, dict[str, Content]]] = [
        ("RUN one", {f"usr/{name}/{name}": bytes(9000), "usr/gone": bytes(9)}),
        ("RUN two", {f"usr/{name}/{name}": link(name), "usr/.wh.gone": b"", name * 40: b"x"}),
    ]
    monkeypatch.setattr(scenery, "demo_engines", with_held(demo_engines, layers))
    async with stage(tmp_path, size=size, toasts=True) as play:
        walk = Walk(("w", lambda play: play.until(lambda: SEEN in "".join(drawn(play)), "the files")), row=NAME)
        ways = replace(walk, more=("tab", "enter", "down", "enter", "a", "c", "w", "o"))
        await walked(play, gated(play), ImageScreen, ways, "")
    assert crashes(tmp_path) == []


@pytest.fixture(autouse=True)
def evil_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its CDI specifications have such names too, one of them is broken."""
    folder = tmp_path / "machine" / "etc" / "cdi"
    folder.mkdir(parents=True)
    name = POISON.replace("\0", "").replace("/", "")
    device = {"name": name.replace("\udcff", ""), "containerEdits": {}}
    spec = json.dumps({"cdiVersion": "0.6.0", "kind": "nvidia.com/gpu", "devices": [device]})
    (folder / f"{name}.json").write_text(spec)
    (folder / f"broken{name}.yaml").write_text(spec.replace("[", "{"))
    monkeypatch.setattr(gpu_facts, "read_files", lambda folders, _root: cdi.read_files(folders, tmp_path / "machine"))


def gated(play: Stage) -> Gate:
    """A gate that tells, in place of the app's own."""
    gate = Gate()
    play.app._filters[:] = [gate if isinstance(one, InertFilter) else one for one in play.app._filters]
    return gate


async def shown(kind: Kind, size: tuple[int, int], tmp_path: Path, poison: str) -> None:
    """Walk there and back in a fleet that is poisoned so."""
    wrap = huge_engine if poison is HUGE else poison_engine
    async with stage(tmp_path, size=size, wrap=wrap, toasts=True) as play:
        gate = gated(play)
        await with_gpus(play, change=lambda snapshot: poisoned(snapshot, poison))
        walk = WALKS[kind]
        if poison is HUGE:
            walk = replace(walk, row="tensorboard", mute=walk.mute or kind in NONE_LARGE)
        await walked(play, gate, kind, walk, poison)
        for _ in range(6):
            if play.on_top() != "FleetScreen":
                await play.press("escape")
        assert play.app.is_running
    assert crashes(tmp_path) == []
