"""Pictures of a sweep under way, and of its form. Runs and times injected."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.draft.spec import Around
from backends.engines.demo_fleet import DEMO_DOCKER
from backends.model.fleet import FleetView
from backends.model.sweep import SweepRow, SweepState
from backends.model.sweep_board import SweepBoard
from backends.sweep.asked import AskedSweep
from backends.sweep.commands import from_grid
from tests.snapshots.still import MONOTONIC, still_app
from tests.snapshots.test_screens import Compare, Script, colours, script, until
from tui.app import TranshipApp
from tui.screens.sweep import SweepScreen
from tui.screens.sweep_form import SweepForm
from tui.sweep_commands import KeptSweep, SweepTexts
from widgets.form import FormField
from widgets.line import plain
from widgets.live_table import LiveTable

pytestmark = pytest.mark.usefixtures(colours.__name__)

TRAIN = "docker.io/pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime"
AXES = [("lr", ("0.1", "0.03", "0.01")), ("seed", tuple("12345678"))]
COMMAND = ("python", "train.py", "--lr", "{lr}", "--seed", "{seed}")


def under_way() -> KeptSweep:
    """A sweep at its middle: runs of all states, on two GPUs."""
    runs = from_grid(TRAIN, AXES, COMMAND)
    board = SweepBoard(runs, {runs[0].id, runs[1].id})
    for run in runs[2:9]:
        failed = run.number == 6
        row = SweepRow(run, SweepState.RUNNING, (str(run.number % 2),), 1 + failed, MONOTONIC - 400)
        board.take(row)
        code, said = (137, "CUDA error: out of memory") if failed else (0, f"epoch 20 of 20  loss 0.{run.number}31")
        state = SweepState.FAILED if failed else SweepState.DONE
        board.take(SweepRow(run, state, row.gpus, row.attempt, row.began_s, 180.0 + run.number, code, said))
    for run in runs[9:11]:
        said = f"epoch {run.number} of 20  loss 0.{run.number}07"
        gpus = (str(run.number % 2),)
        board.take(SweepRow(run, SweepState.RUNNING, gpus, 1, MONOTONIC - 7.25 * run.number, last_line=said))
    asked = AskedSweep(TRAIN, tuple(runs), 2, 1, 1, Path("/srv/sweeps/lr.jsonl"))
    texts = SweepTexts(DEMO_DOCKER, {}, FleetView, Around({}, str))
    return KeptSweep(texts, asked, board, MONOTONIC - 1264, skipped=2)


def with_sweep(*after: str) -> Script:
    """The fleet comes, the sweep is there already, its screen is opened."""

    async def run(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, TranshipApp)
        app.commands.sweeps.known.append(under_way())
        await script("B", then=_rows_there, after=after)(pilot)

    return run


def _rows_there(app: TranshipApp) -> bool:
    return isinstance(app.screen, SweepScreen) and bool(app.screen.query_one("#sweep", LiveTable).rows)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_sweep_under_way(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still_app(), terminal_size=size, run_before=with_sweep("down", "down", "down", "down"))


def test_the_form(snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def run(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, TranshipApp)
        await script("B", then=lambda app: isinstance(app.screen, SweepForm))(pilot)
        texts = {"image": [TRAIN], "command": [" ".join(COMMAND)], "grid": ["lr=0.1,0.03", "seeds=1..8"], "jobs": ["0"]}
        for name, lines in texts.items():
            await app.screen.query_one(f"#field-{name}", FormField).show(lines)
        await until(pilot, lambda: "not used" in said(app) or "nowhere" in said(app))
        app.screen.query_one("#field-grid", FormField).focus_text(1)

    def said(app: TranshipApp) -> str:
        rows = [row for field in app.screen.query(FormField) for row in field.query("FormRow")]
        return " ".join(plain(one) for row in rows for one in getattr(row, "_said", ()))

    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=run)
