"""Pictures of the form of a new container: a preset, narrow and wide, and what is wrong without colour."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from tests.snapshots.still import still_app
from tests.snapshots.test_screens import Compare, colours, script
from tui.app import TranshipApp
from tui.screens.run import RunScreen
from widgets.preset_picker import PresetPicker

pytestmark = pytest.mark.usefixtures(colours.__name__)


def judged(app: TranshipApp) -> bool:
    """What is typed was judged, with what the engine says; or the list of presets is open."""
    if isinstance(app.screen, PresetPicker):
        return True
    for box in app.screen.query(Input):
        box.cursor_blink = False
        box._cursor_visible = True
    busy = any(one.group in {"draft", "draft-names"} and not one.is_finished for one in app.workers)
    screen = app.screen
    return (
        isinstance(screen, RunScreen) and screen.judged is not None and not busy and screen.judged.draft == screen.draft
    )


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["80x24", "200x50"])
def test_a_preset(snap_compare: Compare, size: tuple[int, int]) -> None:
    before = script("n", then=judged, after=("down", "down", "down", "enter"))
    assert snap_compare(still_app(), terminal_size=size, run_before=before)


def test_what_is_wrong_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    before = script("n", then=judged, after=("enter", *"web", "tab", "x", "ctrl+s"))
    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=before)


def test_the_presets(snap_compare: Compare) -> None:
    before = script("n", then=judged, after=("end", "k", "k"))
    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=before)
