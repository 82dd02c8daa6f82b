"""Toasts: three at most, the newest tells of those folded, and what failed stays."""

from __future__ import annotations

from dataclasses import replace

from textual.widgets._toast import Toast

from backends.model.container import ContainerState
from backends.model.errors import BackendError
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey
from tests.unit.services.fleet_facts import ONE
from tests.unit.services.test_notices import RUNS
from tui.config import NotifySetting
from tui.notifying import Notifier
from tui.saying import Saying
from tui.toasts import AT_MOST


def texts(app: Saying) -> list[str]:
    """What the toasts on the screen say."""
    return [str(toast.render()) for toast in app.screen.query(Toast)]


async def test_a_burst_of_toasts_leaves_the_screen_free_and_the_failure_in_sight() -> None:
    app = Saying()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.fail(BackendError("No such image", engine=ONE))
        for number in range(20):
            app.notify(f"run {number}: done", timeout=60)
            await pilot.pause()
        shown = texts(app)
        assert len(shown) == AT_MOST
        assert "No such image" in shown[0]
        assert shown[1:] == ["run 18: done", "run 19: done\n+18 more, folded"]


async def test_one_by_one_nothing_is_folded() -> None:
    app = Saying()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        for word in "abc":
            app.notify(word, timeout=60)
        await pilot.pause()
        assert texts(app) == ["a", "b", "c"]
        for word in "ccac":
            app.notify(word, timeout=60)
            await pilot.pause()
        assert texts(app) == ["b", "a", "c"], "said again, it is not said twice"


async def test_many_ends_at_once_ring_once_and_post_three_notifications() -> None:
    sent: list[str] = []
    rung: list[bool] = []

    class Told(Saying):
        def write_to_terminal(self, sequence: str) -> None:
            sent.append(sequence)

        def bell(self) -> None:
            rung.append(True)

    running = [replace(RUNS, key=ContainerKey(ONE, f"{number:064}"), name=f"run{number}") for number in range(9)]
    app = Told()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        notifier = Notifier(app, NotifySetting(), 10.0)
        notifier.take(FleetView(containers={one.key: one for one in running}))
        ended = [replace(one, state=ContainerState.EXITED, exit_code=0) for one in running]
        notifier.take(FleetView(containers={one.key: one for one in ended}))
        await pilot.pause()
        assert (len(sent), rung, len(texts(app))) == (3, [True], AT_MOST)
        assert "and 6 more" in sent[-1]
