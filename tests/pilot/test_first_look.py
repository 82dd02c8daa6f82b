"""What is on the screen before the engines are: rows that stay where they are when the fleet comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from backends.engines.demo_fleet import demo_engines
from backends.model.container import ContainerState
from backends.model.events import ConnectionState, Link
from backends.model.fleet import EngineView, FleetView
from backends.model.ids import ContainerKey
from backends.services.changes import ContainersListed, EngineAdded
from backends.services.fleet import Fleet
from backends.services.store import Store
from tests.pilot.stage import Stage
from tui.app import TranshipApp
from tui.config import Settings
from tui.screens.fleet import FleetScreen


async def test_rows_are_there_before_the_fleet_and_stay(tmp_path: Path) -> None:
    docker, podman = demo_engines(look_s=0, act_s=0)
    seen = Store()
    for engine in (docker, podman):
        seen.apply(EngineAdded(EngineView(engine.id, ConnectionState(Link.CONNECTING))))
    await docker.connect()
    seen.apply(ContainersListed(docker.id, tuple(await docker.list_containers())))
    fleet = Fleet((docker, podman), seen=seen.view.containers.values())
    watched: list[frozenset[ContainerKey]] = []
    fleet.on_watch(watched.append)
    go_on = asyncio.Event()

    async def open_fleet(show: Callable[[FleetView], Awaitable[None]]) -> Fleet:
        await show(seen.view)
        await go_on.wait()
        return fleet

    app = TranshipApp(open_fleet, Settings(demo=True), state_dir=tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        play = Stage(app, pilot, docker, podman, fleet)
        await play.until(lambda: len(play.table.rows) == len(seen.view.containers), "the first look")
        names = play.shown()
        assert not any(row.stale for row in play.table.rows), "they are not old"
        chosen = next(one.key for one in seen.view.containers.values() if one.state is ContainerState.RUNNING)
        play.table.move_to(chosen)
        await play.press("s")
        await play.until(lambda: app._notifications, "that it is done later")
        other = next(key for key in seen.view.containers if key != chosen)
        fleet_screen = app.screen
        assert isinstance(fleet_screen, FleetScreen)
        fleet_screen.act_on(other, "container.stop")  # as its details do: never held for the row under the cursor
        assert fleet_screen._held.due(chosen, FleetView()) == "container.stop"
        await play.press("s")
        go_on.set()
        await play.until(lambda: all(one.connection.link is Link.CONNECTED for one in app.view.engines.values()))
        await play.until(lambda: len(app.view.containers) > len(names), "the other engine's")
        assert set(names) <= set(play.shown())
        assert play.table.selected == chosen
        await play.until(
            lambda: app.view.containers[chosen].state is ContainerState.EXITED, "what was asked for before"
        )
        await play.until(lambda: watched, "who is looked at")
        assert chosen in watched[-1]


async def test_leaving_before_the_fleet_is_there(tmp_path: Path) -> None:
    async def open_fleet(show: Callable[[FleetView], Awaitable[None]]) -> Fleet:
        await show(FleetView())
        await asyncio.Event().wait()
        raise AssertionError("never gets here")

    app = TranshipApp(open_fleet, Settings(demo=True), state_dir=tmp_path)
    async with app.run_test() as pilot:
        await pilot.press("q")
    assert not app.is_running


@pytest.mark.parametrize("turns", [15, 30])
async def test_a_screen_that_is_opened_at_once_holds_no_engine_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    """Textual forgets what waits for the first frame of a screen that another covers before it."""

    async def do_not_wait(*_: object, **__: object) -> bool:
        return True

    docker, podman = demo_engines(look_s=0, act_s=0)

    async def open_fleet(show: Callable[[FleetView], Awaitable[None]]) -> Fleet:
        await show(FleetView())
        return Fleet((docker, podman))

    app = TranshipApp(open_fleet, Settings(demo=True), state_dir=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Pilot, "_wait_for_screen", do_not_wait)
        async with app.run_test() as pilot:
            for _ in range(turns):  # turns of the loop: long before the first frame
                await asyncio.sleep(0)
            app.post_message(events.Key("question_mark", "?"))
            patch.undo()
            play = Stage(app, pilot, docker, podman, Fleet(()))
            await play.until(lambda: play.on_top() == "HelpScreen")
            await play.until(lambda: app.view.containers, "the containers")
            assert play.on_top() == "HelpScreen"
