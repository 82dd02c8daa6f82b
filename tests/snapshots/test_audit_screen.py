"""Pictures of the audit trail: whole on a wide terminal, broken on a small one. Times injected."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.snapshots.still import still_app
from tests.snapshots.test_screens import Compare, colours, script
from tests.trail import write_trail
from tui.app import TranshipApp
from tui.screens.audit import AuditScreen
from widgets.live_table import LiveTable

pytestmark = pytest.mark.usefixtures(colours.__name__)


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def _there(app: TranshipApp) -> bool:
    return isinstance(app.screen, AuditScreen) and bool(app.screen.query_one("#audit", LiveTable).rows)


def test_whole(snap_compare: Compare, tmp_path: Path) -> None:
    write_trail(tmp_path / "audit.jsonl")
    before = script("J", then=_there, after=("down", "down"))
    assert snap_compare(still_app(state_dir=tmp_path), terminal_size=(200, 50), run_before=before)


def test_broken(snap_compare: Compare, tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    write_trail(log)
    log.write_text(log.read_text().replace('"ben"', '"bob"', 1))
    assert snap_compare(still_app(state_dir=tmp_path), terminal_size=(80, 24), run_before=script("J", then=_there))
