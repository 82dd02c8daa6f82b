"""Pictures of the GPU screen: none to sixteen GPUs, MIG, a lost one, those that hold memory idly. Times injected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from backends.model.gpu import GpuReading, GpuSnapshot
from backends.model.values import Missing
from tests.snapshots.still import Change, still_app
from tests.snapshots.test_screens import Compare, colours, script
from tui.app import TranshipApp
from tui.screens.gpus import GpuScreen

pytestmark = pytest.mark.usefixtures(colours.__name__, "users")
SMALL, WIDE = (80, 24), (200, 50)
LOST = "the GPU is lost: it fell off the bus"


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> None:
    """Users are called the same on every machine."""
    names = {0: "root", 1000: "ana", 1001: "bo", 1002: "cleo"}
    monkeypatch.setattr("tui.cli.users.user_names", lambda ids: {one: names[one] for one in ids if one in names})


def there(app: TranshipApp) -> bool:
    """The GPU screen is open and knows its users."""
    screen = app.screen
    return isinstance(screen, GpuScreen) and (not app.view.gpus.readings or bool(screen.users))


def on_gpu(index: int, change: Callable[[GpuReading], GpuReading]) -> Change:
    """Changes the readings of one device."""

    def changed(snapshot: GpuSnapshot) -> GpuSnapshot:
        readings = [change(one) if one.device.index == index else one for one in snapshot.readings]
        return replace(snapshot, readings=tuple(readings))

    return changed


def lost(reading: GpuReading) -> GpuReading:
    """A device that can no longer be read."""
    gone = GpuReading(reading.device, reading.sampled_at, condition=LOST, hint="reboot, or reset it: nvidia-smi -r")
    missing = Missing(LOST)
    return replace(gone, gpu_percent=missing, memory_used_bytes=missing, temperature_c=missing, power_w=missing)


def told(snapshot: GpuSnapshot) -> GpuSnapshot:
    """A driver that has something to say besides."""
    note = "processes of the host are not seen from inside this container: start it with --pid=host"
    return replace(snapshot, notes=(note,))


@pytest.mark.parametrize("size", [SMALL, WIDE], ids=["80x24", "200x50"])
@pytest.mark.parametrize("count", [1, 8])
def test_gpus_in_full(snap_compare: Compare, count: int, size: tuple[int, int]) -> None:
    assert snap_compare(still_app(gpus=count), terminal_size=size, run_before=script("z", then=there))


def test_sixteen_gpus_over_the_last_hour(snap_compare: Compare) -> None:
    app = still_app(gpus=16, change=told)
    assert snap_compare(app, terminal_size=(120, 36), run_before=script("z", "h", then=there))


@pytest.mark.parametrize("size", [SMALL, WIDE], ids=["80x24", "200x50"])
def test_no_gpu(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still_app(gpus=0), terminal_size=size, run_before=script("z", then=there))


def test_an_instance_of_a_gpu(snap_compare: Compare) -> None:
    before = script("z", *["down"] * 4, "a", then=there)
    assert snap_compare(still_app(gpus=8), terminal_size=(120, 36), run_before=before)


def test_a_lost_gpu(snap_compare: Compare) -> None:
    app = still_app(gpus=2, change=on_gpu(1, lost))
    assert snap_compare(app, terminal_size=SMALL, run_before=script("z", "down", then=there))


def test_who_holds_memory_idly(snap_compare: Compare) -> None:
    assert snap_compare(still_app(), terminal_size=SMALL, run_before=script("I", then=there))


def test_gpus_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = still_app(gpus=2, change=on_gpu(1, lost))
    assert snap_compare(app, terminal_size=SMALL, run_before=script("z", then=there))


def test_the_pane_points_at_containers(snap_compare: Compare) -> None:
    before = script("G", "tab", "down", then=lambda app: bool(app.view.gpus.readings))
    assert snap_compare(still_app(gpus=2, change=told), terminal_size=SMALL, run_before=before)
