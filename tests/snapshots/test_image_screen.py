"""Pictures of one image in full: files of a layer, the whole image, and what is wasted. Times injected."""

from __future__ import annotations

import pytest

from backends.engines.demo_fleet import demo_engines
from tests.pilot.held import LARGE, NAME, with_held
from tests.snapshots import still
from tests.snapshots.still import still_app
from tests.snapshots.test_screens import Compare, colours, script
from tui.app import TranshipApp
from tui.screens.image import ImageScreen
from widgets.line import plain
from widgets.live_table import LiveTable

pytestmark = pytest.mark.usefixtures(colours.__name__)
OPEN = ("slash", *NAME, "enter", "w")


@pytest.fixture(autouse=True)
def _an_image_that_holds_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(still, "demo_engines", with_held(demo_engines, LARGE))


def there(app: TranshipApp) -> bool:
    """All was read, the files stand there, and who shares the layers is known."""
    screen = app.screen
    if not isinstance(screen, ImageScreen):
        return False
    steps = screen.query_one("#layer-list", LiveTable).rows
    shared = any(plain(row.cells[4]) for row in steps)
    return shared and bool(screen.query_one("#layer-files", LiveTable).rows)


def at_the_last(app: TranshipApp) -> bool:
    """The files are those of the last layer, or of all up to it."""
    title = str(app.screen.query_one("#layer-files").border_title) if there(app) else ""
    return title.startswith(("Files of layer 4 · ", "The image up to layer 4 · "))


def test_files_of_a_layer(snap_compare: Compare) -> None:
    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=script(*OPEN, then=there))


def test_the_whole_image_beside_all_columns(snap_compare: Compare) -> None:
    before = script(*OPEN, "end", then=at_the_last, after=("a", "tab", "enter"))
    assert snap_compare(still_app(), terminal_size=(200, 50), run_before=before)


def test_what_is_wasted(snap_compare: Compare) -> None:
    before = script(*OPEN, then=there, after=("w",))
    assert snap_compare(still_app(), terminal_size=(120, 36), run_before=before)
