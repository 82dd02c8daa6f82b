"""The fleet screen: filter, sort, group, panes, and a selection that survives everything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from backends.model.container import ContainerState
from backends.model.errors import Unreachable
from backends.model.events import Link
from backends.model.ids import ContainerKey
from backends.services.changes import ContainerSeen, ContainersListed
from backends.services.supervisor import Timing
from tests.pilot.stage import Stage, stage
from tui.screens.frame import TitleBar
from tui.screens.panes import Panes
from widgets.layer_tree import LayerTree
from widgets.line import plain
from widgets.status_bar import StatusBar

QUICK = Timing(backoff_first_s=0.2, backoff_last_s=0.2)


def title(play: Stage) -> str:
    """What the title line says, modes included."""
    return " ".join(str(part.render()) for part in play.app.screen.query_one(TitleBar).query("Static"))


async def test_filter_as_typed_then_cleared(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        everything = play.shown()
        await play.press("slash", *"mlops")
        await play.until(lambda: play.shown() == [name for name in everything if "mlops" in name])
        assert "3 of 14 shown" in title(play)
        await play.press("enter", "s")  # the keys are the table's again
        first = play.selected()
        await play.until(lambda: play.state(first) is ContainerState.EXITED)
        await play.press("escape")
        await play.until(lambda: len(play.shown()) == len(everything))


async def test_keys_typed_into_the_filter_act_on_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.press("slash", *"sKdq?")
        assert play.on_top() == "FleetScreen"
        assert play.app.view.operations == {}
        assert play.app.is_running


async def test_sort_goes_through_the_columns_and_turns(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        by_name = play.shown()
        assert by_name == sorted(by_name)
        await play.press("O")
        assert play.shown() == by_name[::-1]
        orders = set()
        for _ in range(12):
            await play.press("o")
            orders.add(tuple(play.shown()))
        assert len(orders) > 3
        assert all(sorted(order) == by_name for order in orders)


async def test_group_by_engine_by_project_and_not(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        headings = []
        for _ in range(3):
            await play.press("g")
            headings.append([plain(row.cells[0]) for row in play.table.rows if row.heading])
        assert [len(group) for group in headings] == [2, len(headings[1]), 0]
        assert any("mlops" in heading for heading in headings[1])


async def test_selection_survives_a_storm_of_refreshes(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.select("rag-redis")
        store = play.fleet.store
        for turn in range(200):
            row = play.row("tensorboard")
            state = ContainerState.RUNNING if turn % 2 else ContainerState.PAUSED
            store.apply(ContainerSeen(replace(row, state=state)))
            mine = [one for one in store.view.containers.values() if one.key.engine == play.podman.id]
            store.apply(ContainersListed(play.podman.id, tuple(reversed(mine))))
            if turn % 20 == 0:
                await play.press("down", "up")
        await play.pilot.pause()
        assert play.selected() == "rag-redis"


async def test_selection_goes_to_a_neighbour_when_its_row_goes(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("scratch")
        order = play.shown()
        await play.podman.remove(play.row("scratch").key.id, force=True)
        await play.until(lambda: "scratch" not in play.shown())
        assert play.selected() == order[order.index("scratch") + 1]


async def test_a_lost_engine_is_greyed_counts_down_and_comes_back(tmp_path: Path) -> None:
    async with stage(tmp_path, timing=QUICK) as play:
        gone = Unreachable("the daemon is gone", engine=play.docker.id)
        play.docker.faults.down = gone
        play.docker.world.break_streams(gone)
        await play.until(lambda: play.app.view.engines[play.docker.id].connection.link is Link.LOST)
        await play.until(lambda: any(row.stale for row in play.table.rows), "greyed rows")
        stale = {row.key.engine for row in play.table.rows if row.stale}  # type: ignore[attr-defined]
        assert stale == {play.docker.id}
        await play.until(lambda: "lost" in "".join(map(plain, play.app.screen.query_one(StatusBar).lines)))
        await play.select("tensorboard")
        await play.press("s")
        assert "is not connected" in play.toasts()
        # The other engine answers all the while.
        await play.select("rag-redis")
        await play.press("s")
        await play.until(lambda: play.row("rag-redis").state is ContainerState.EXITED)
        play.docker.faults.clear()
        await play.press("ctrl+r")
        await play.until(lambda: not any(row.stale for row in play.table.rows))


async def test_layers_follow_the_cursor_and_are_asked_for_once(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(200, 50)) as play:
        asked: list[str] = []
        real = play.docker.image_layers

        async def counted(reference: str) -> object:
            asked.append(reference)
            return await real(reference)

        play.docker.image_layers = counted  # type: ignore[method-assign, assignment]
        tree = play.app.screen.query_one(LayerTree)
        await play.select("mlops-postgres-1")
        image = play.row("mlops-postgres-1").image_id
        await play.until(lambda: image[:12] in "".join(map(plain, tree.lines)))
        await play.select("tensorboard")
        await play.until(lambda: play.row("tensorboard").image_id[:12] in "".join(map(plain, tree.lines)))
        await play.select("mlops-postgres-1")
        await play.until(lambda: image[:12] in "".join(map(plain, tree.lines)))
        assert asked.count(image) == 1


async def test_hidden_layers_are_not_asked_for(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        panes = play.app.screen.query_one(Panes)
        assert panes.chosen == "gpus"
        assert not play.app.screen.query_one(LayerTree).display
        await play.press("L")
        await play.until(lambda: "layers" in "".join(map(plain, play.app.screen.query_one(LayerTree).lines)))


async def test_tab_goes_through_the_panes_and_back_to_the_table(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        seen = []
        for _ in range(4):
            await play.press("tab")
            await play.pilot.pause()
            seen.append(play.app.focused.id if play.app.focused is not None else None)
        assert seen == ["gpus", "layers", "info", None]
        await play.press("tab", "escape")
        assert play.table.has_focus


async def test_demo_is_said(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        assert "DEMO" in title(play)


async def test_readonly_says_so_refuses_and_shows_no_changing_key(tmp_path: Path) -> None:
    async with stage(tmp_path, readonly=True) as play:
        assert "READ-ONLY" in title(play)
        await play.select("tensorboard")
        for key in ("s", "d", "K", "R", "m", "p"):
            await play.press(key)
            assert play.on_top() == "FleetScreen", key
        assert "Read-only" in play.toasts()
        assert play.state("tensorboard") is ContainerState.RUNNING
        await play.press("l")
        assert play.on_top() == "LogScreen"


async def test_the_engines_are_told_which_rows_are_looked_at(tmp_path: Path) -> None:
    """Those in sight and the one under the cursor, told again only where they are others."""
    async with stage(tmp_path, size=(100, 14)) as play:
        told: list[frozenset[ContainerKey]] = []
        play.fleet.on_watch(told.append)

        def in_sight() -> frozenset[ContainerKey]:
            lines = [play.table.render_line(y).text for y in range(1, play.table.size.height)]
            return frozenset(key for key, one in play.app.view.containers.items() if any(one.name in x for x in lines))

        assert 0 < len(in_sight()) < len(play.app.view.containers)
        await play.until(lambda: told and told[-1] == in_sight())
        before = told[-1]
        await play.press("end")
        await play.until(lambda: told[-1] == in_sight() != before)
        count = len(told)
        name = play.selected()
        await play.press("slash", *name, "enter")
        await play.until(lambda: told[-1] == {play.row(name).key})
        await play.press("space")
        assert count < len(told) <= count + len(name)
        await play.pilot.resize_terminal(100, 40)
        await play.press("escape")
        await play.until(lambda: told[-1] == frozenset(play.app.view.containers))
