"""Pictures of the security screen: small and without colour, and wide with all containers."""

from __future__ import annotations

import pytest

from tests.snapshots.still import still_app
from tests.snapshots.test_screens import Compare, colours, script
from tui.app import TranshipApp
from tui.screens.security import SecurityScreen
from widgets.live_table import LiveTable

pytestmark = pytest.mark.usefixtures(colours.__name__)


def there(app: TranshipApp) -> bool:
    """The screen has its findings."""
    screen = next((one for one in app.screen_stack if isinstance(one, SecurityScreen)), None)
    return screen is not None and bool(screen.query_one("#security", LiveTable).rows)


def all_there(app: TranshipApp) -> bool:
    """The screen has the findings of all containers."""
    screen = next((one for one in app.screen_stack if isinstance(one, SecurityScreen)), None)
    return screen is not None and len(screen.query_one("#security", LiveTable).rows) > 40


def test_one_container_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=script("H", then=there))


def test_all_containers(snap_compare: Compare) -> None:
    assert snap_compare(still_app(), terminal_size=(200, 50), run_before=script("H", "a", then=all_there))
