"""Pictures of the images screen: small, wide, without colour, and the question before a removal. Times injected."""

from __future__ import annotations

import pytest

from tests.snapshots.still import still_app
from tests.snapshots.test_screens import Compare, colours, script
from tui.app import TranshipApp
from tui.screens.images import ImagesScreen
from widgets.live_table import LiveTable

pytestmark = pytest.mark.usefixtures(colours.__name__)


def there(app: TranshipApp) -> bool:
    """The screen has its images."""
    screen = next((one for one in app.screen_stack if isinstance(one, ImagesScreen)), None)
    return screen is not None and len(screen.query_one("#images", LiveTable).rows) == 20


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["80x24", "200x50"])
def test_all_images(snap_compare: Compare, size: tuple[int, int]) -> None:
    before = script("a", then=there, after=("down", "space"))
    assert snap_compare(still_app(), terminal_size=size, run_before=before)


def test_a_removal_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    before = script("a", then=there, after=("down", "d"))
    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=before)
