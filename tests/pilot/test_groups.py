"""Several containers at once: marked rows and groups, by keys, seen on the engines."""

from __future__ import annotations

from pathlib import Path

from backends.model.container import ContainerState
from tests.pilot.stage import Stage, stage
from tui.screens.logs import LogScreen
from widgets.dialogs import ConfirmDialog
from widgets.line import plain
from widgets.log_view import LogView

RUNNING = ContainerState.RUNNING


async def _at_group(play: Stage, name: str) -> None:
    await play.press("g", "g", "home")
    for _ in range(60):
        if play.table.group == name:
            return
        await play.press("up" if play.table.selected else "down")
    raise AssertionError(name)


async def test_all_rows_shown_are_marked_and_acted_on_with_one_question(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.press("slash", *"mlops", "enter")
        shown = play.shown()
        await play.press("asterisk")
        assert len(play.table.marked) == len(shown) > 1
        await play.press("s")
        assert isinstance(play.app.screen, ConfirmDialog)
        running = [name for name in shown if play.state(name) is RUNNING]
        await play.press("n")
        assert [name for name in shown if play.state(name) is RUNNING] == running
        await play.press("s", "y")
        await play.until(lambda: all(play.state(name) is ContainerState.EXITED for name in running))
        await play.until(lambda: f"stop: {len(running)} of {len(running)} containers" in play.toasts())
        assert play.table.marked == ()
        await play.press("asterisk", "asterisk")
        assert play.table.marked == ()


async def test_marks_are_turned_round(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.press("home", "space")
        play.app.screen_stack[0].action_act("fleet.invert_marks")  # type: ignore[attr-defined]
        assert len(play.table.marked) == len(play.shown()) - 1


async def test_a_groups_header_stands_for_all_of_it(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await _at_group(play, "mlops")
        members = [play.app.view.containers[key].name for key in play.table.members]
        assert len(members) > 1
        await play.press("l")
        screen = play.app.screen
        assert isinstance(screen, LogScreen)
        log = screen.query_one(LogView)
        await play.until(lambda: set(log.look.names) == set(members))
        await play.until(lambda: all(any(name in line for line in log.saved()) for name in members), "a line of each")
        await play.press("escape")
        await play.press("d", "y")
        await play.until(lambda: not any(play.exists(name) for name in members))
        await play.until(lambda: all(plain(row.cells[0]).split("  ")[0] != "mlops" for row in play.table.rows))
