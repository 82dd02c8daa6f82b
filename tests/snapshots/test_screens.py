"""Pictures of the whole screens on the demo fleet, all times injected."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from tests.snapshots.samples import CONTAINERS, PODMAN, plan, report, step_progress
from tests.snapshots.still import still_app
from tui.app import TranshipApp
from tui.move import Move, State
from tui.screens.migrate import MigrateScreen
from tui.screens.move_keys import Stage as MoveStage
from widgets.layer_tree import LayerTree
from widgets.line import plain

Compare = Callable[..., bool]
Script = Callable[[Pilot[None]], Awaitable[None]]
DEADLINE_S = 20.0


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are in colour whatever the terminal of the test run is."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    """Wait until something holds, then until it is drawn."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline
        await pilot.pause(0.01)
    await pilot.pause()


def script(
    *keys: str,
    containers: int = 14,
    then: Callable[[TranshipApp], object] | None = None,
    after: tuple[str, ...] = (),
) -> Script:
    """What is done before the picture: the fleet comes, the layers too where they show, keys are pressed.

    then: what is waited for; after: keys that are pressed after that, each waited for in the same way.
    """

    async def run(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, TranshipApp)
        await until(pilot, lambda: len(app.view.engines) == 2 and len(app.view.containers) == containers)
        tree = app.screen_stack[0].query_one(LayerTree)
        if tree.display and containers:
            await until(pilot, lambda: any("STEP" in plain(one) for one in tree.lines))
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        if then is not None:
            await until(pilot, lambda: then(app))
        for key in after:
            await pilot.press(key)
            await until(pilot, lambda: then is None or then(app))

    return run


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_fleet(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still_app(), terminal_size=size, run_before=script("down", "down"))


def test_fleet_without_containers(snap_compare: Compare) -> None:
    app = still_app(empty=True, readonly=True)
    assert snap_compare(app, terminal_size=(80, 24), run_before=script(containers=0))


def test_fleet_with_an_engine_lost(snap_compare: Compare) -> None:
    assert snap_compare(still_app(lost=True), terminal_size=(120, 36), run_before=script("g"))


def test_fleet_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(still_app(lost=True), terminal_size=(80, 24), run_before=script("down"))


def test_help(snap_compare: Compare) -> None:
    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=script("question_mark"))


def test_confirm(snap_compare: Compare) -> None:
    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=script("down", "d"))


def test_migrate_plan(snap_compare: Compare) -> None:
    def planned(app: TranshipApp) -> bool:
        return isinstance(app.screen, MigrateScreen) and app.screen.stage is MoveStage.PLANNED

    before = script(*["down"] * 3, "m", then=planned)  # jupyter-lab: ports, volumes and a GPU
    assert snap_compare(still_app(), terminal_size=(120, 36), run_before=before)


def test_migrate_blocked(snap_compare: Compare) -> None:
    def blocked(app: TranshipApp) -> bool:
        return isinstance(app.screen, MigrateScreen) and app.screen.stage is MoveStage.PLANNED

    before = script(*["down"] * 3, "m", then=blocked, after=("v", "f"))
    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=before)


def look_at(move: Move) -> Script:
    """Opens the screen of a move, wherever that is."""

    async def run(pilot: Pilot[None]) -> None:
        await script()(pilot)
        pilot.app.push_screen(MigrateScreen(move.container, move.targets, move))
        await until(pilot, lambda: isinstance(pilot.app.screen, MigrateScreen))

    return run


def test_migrate_running(snap_compare: Compare) -> None:
    move = Move((plan(blocked=False),), CONTAINERS[0], (PODMAN,), progress=step_progress())
    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=look_at(move))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["80x24", "200x50"])
def test_migrate_done(snap_compare: Compare, size: tuple[int, int]) -> None:
    move = Move((plan(blocked=False),), CONTAINERS[0], (PODMAN,), state=State.WAITING, reports=(report(),))
    assert snap_compare(still_app(), terminal_size=size, run_before=look_at(move))
