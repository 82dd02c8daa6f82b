"""A window with no room says so, and all is as before when it has room again."""

from __future__ import annotations

from pathlib import Path

from tests.pilot.stage import stage
from tui.plain_screen import TooSmall


async def test_too_small_and_large_again(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.press("down")
        before = play.selected()
        await play.pilot.resize_terminal(30, 10)
        await play.until(lambda: isinstance(play.app.screen, TooSmall))
        await play.pilot.resize_terminal(31, 10)
        await play.pilot.pause()
        assert sum(isinstance(one, TooSmall) for one in play.app.screen_stack) == 1
        await play.pilot.resize_terminal(60, 16)
        await play.until(lambda: play.on_top() == "FleetScreen")
        assert play.selected() == before
