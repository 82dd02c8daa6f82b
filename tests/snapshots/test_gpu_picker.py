"""Pictures of the GPU picker: on the demo's migrate screen, and of what the demo does not have."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from backends.model.gpu import GpuDevice, GpuProcess, GpuReading, GpuSnapshot, MigInstance, MigReading
from backends.model.values import Missing
from backends.model.wish import these
from tests.snapshots.still import still_app
from tests.snapshots.test_screens import Compare, script, until
from tui.app import TranshipApp
from tui.screens.migrate import MigrateScreen
from tui.screens.move_keys import Stage as MoveStage
from widgets.gpu_offer import GpuOffer
from widgets.gpu_picker import GpuPicker, Judged

GIB = 1 << 30
WEB = "c" * 64


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are in colour whatever the terminal of the test run is."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")


def offer() -> GpuOffer:
    """A device cut into MIG instances, one that is full, one that is lost."""
    mig = tuple(MigInstance(at, f"MIG-{at}", "3g.40gb", memory_total_bytes=40 * GIB) for at in range(2))
    cut, full, lost = (
        GpuDevice(
            at, f"GPU-{at}", "NVIDIA H100 80GB HBM3", "NVIDIA", memory_total_bytes=80 * GIB, mig=mig if not at else ()
        )
        for at in range(3)
    )
    held = (GpuProcess(7, "GPU-0", 30 * GIB, 60.0, WEB, "MIG-1"),)
    train = tuple(GpuProcess(pid, "GPU-1", 20 * GIB, 40.0, name="python3") for pid in (8, 9))
    readings = (
        GpuReading(
            cut, 0.0, Missing("Not Supported"), 1.0, 31 * GIB, processes=held,
            mig=(MigReading("MIG-0", GIB // 2), MigReading("MIG-1", 30 * GIB)),
        ),
        GpuReading(full, 0.0, 97.0, 51.0, 79 * GIB, processes=train),
        GpuReading(lost, 0.0, condition="the GPU is lost: Xid 79, it has fallen off the bus"),
    )  # fmt: skip
    return GpuOffer("nvidia.com/gpu=1", GpuSnapshot(readings), holders={WEB: "triton"})


def shown(picker: GpuPicker, *keys: str) -> Callable[[Pilot[None]], object]:
    """Opens the picker above the fleet, and presses keys."""

    async def run(pilot: Pilot[None]) -> None:
        await script()(pilot)
        pilot.app.push_screen(picker)
        await until(pilot, lambda: isinstance(pilot.app.screen, GpuPicker))
        for key in keys:
            await pilot.press(key)
            await pilot.pause()

    return run


def test_on_the_migrate_screen(snap_compare: Compare) -> None:
    def planned(app: TranshipApp) -> bool:
        return any(isinstance(one, MigrateScreen) and one.stage is MoveStage.PLANNED for one in app.screen_stack)

    before = script(*["down"] * 3, "m", then=planned, after=("g", "end", "space"))
    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=before)


def test_instances_and_a_refusal_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    refused = Judged(False, "GPU 0 is cut into MIG instances, and is not listed whole", "choose among 0:0, 0:1")
    picker = GpuPicker("GPUs for train on docker", offer(), these(["0"]), lambda _: refused)
    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=shown(picker))


def test_no_gpu_at_all(snap_compare: Compare) -> None:
    why = "the NVIDIA driver's library (libnvidia-ml.so.1) is not on this machine"
    none = GpuOffer("none", absent=why, hint="install the driver; tranship doctor says what is missing")
    said = Judged(True, "nvidia.com/gpu=all; by CDI name; the engine does not tell which names it has")
    picker = GpuPicker("GPUs for train on podman", none, these([]), lambda _: said)
    assert snap_compare(still_app(), terminal_size=(80, 24), run_before=shown(picker, "home", "down"))
