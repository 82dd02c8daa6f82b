"""A picture of two images compared. Times injected."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from backends.engines.demo_fleet import demo_engines
from tests.pilot.held import LARGE, with_held
from tests.snapshots import still
from tests.snapshots.still import still_app
from tests.snapshots.test_screens import Compare, colours, script
from tui.app import TranshipApp
from tui.screens.compare import CompareScreen
from tui.screens.images import ImagesScreen
from widgets.live_table import LiveTable

pytestmark = pytest.mark.usefixtures(colours.__name__)


@pytest.fixture(autouse=True)
def _images_that_hold_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(still, "demo_engines", with_held(demo_engines, LARGE))


def there(app: TranshipApp) -> bool:
    """The two images are listed; then they are marked; then their files stand there."""
    if isinstance(app.screen, CompareScreen):
        return bool(app.screen.query_one("#compare-files", LiveTable).rows)
    return isinstance(app.screen, ImagesScreen) and len(app.screen.query_one("#images", LiveTable).rows) == 2


def compared(app: TranshipApp) -> bool:
    """Not before the comparison is on top."""
    return isinstance(app.screen, CompareScreen) and there(app)


def test_two_images(snap_compare: Compare) -> None:
    first = script("a", "slash", *"quay.io/test", "enter", then=there, after=("home", "space", "down"))
    second = script("equals_sign", then=compared)

    async def both(pilot: Pilot[None]) -> None:
        await first(pilot)
        await second(pilot)

    assert snap_compare(still_app(), terminal_size=(120, 36), run_before=both)
