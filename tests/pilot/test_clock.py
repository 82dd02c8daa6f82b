"""A clock that jumps by years, forwards and back: ages, countdowns and logs are drawn, and nothing ends."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.pilot.stage import stage
from tests.pilot.test_gpu_screen import with_gpus
from tests.thorough import thorough
from tui.clock import Clock

KEYS = ("enter", "escape", "a", "escape", "l", "t", "escape", "z", "h", "escape", "down")


@pytest.mark.parametrize(
    "by",
    thorough(timedelta(days=-4000), timedelta(days=4000), timedelta(hours=1), timedelta(seconds=-1)),
    ids=str,
)
async def test_a_clock_that_jumps_upsets_no_screen(tmp_path: Path, by: timedelta) -> None:
    """Both the wall's clock and the one that only counts (as after a suspended machine), and back again."""
    real = Clock()
    async with stage(tmp_path) as play:
        await with_gpus(play)
        play.docker.go_down()
        for jumped in (Clock(lambda: real.now() + by, lambda: real.monotonic() + by.total_seconds()), real):
            play.app.clock = jumped
            await play.press(*KEYS)
        assert play.app.is_running
        play.docker.come_back()
        play.fleet.retry_now()
        await play.until(lambda: all(not one.stale for one in play.app.view.engines.values()), "both engines again")
    assert not crashed(tmp_path)


def crashed(folder: Path) -> list[Path]:
    """The crash logs there."""
    return list(folder.glob("crash-*.log"))
