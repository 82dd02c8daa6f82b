"""Pictures of the export screen: Quadlet, small and without colour; a project for Kubernetes, wide."""

from __future__ import annotations

import pytest

from tests.snapshots.still import still_app
from tests.snapshots.test_screens import Compare, colours, script
from tui.app import TranshipApp
from tui.screens.export import ExportScreen
from widgets.line import plain
from widgets.lines_pane import LinesPane

pytestmark = pytest.mark.usefixtures(colours.__name__)


def _shows(word: str, app: TranshipApp) -> bool:
    screen = next((one for one in app.screen_stack if isinstance(one, ExportScreen)), None)
    return screen is not None and any(word in plain(one) for one in screen.query_one("#export", LinesPane).lines)


@pytest.fixture(autouse=True)
def no_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own generator would be asked."""
    monkeypatch.setattr("backends.services.quadlet_check.GENERATORS", ())


def test_quadlet_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    there = script("X", "2", then=lambda app: _shows("[Container]", app))
    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=there)


def test_kubernetes(snap_compare: Compare) -> None:
    there = script("X", "4", then=lambda app: _shows("apiVersion", app))
    assert snap_compare(still_app(), terminal_size=(200, 50), run_before=there)
