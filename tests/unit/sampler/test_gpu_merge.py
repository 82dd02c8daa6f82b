"""Several vendors' probes as one snapshot: what is said, what is left out, and a driver that hangs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from backends.gpu.merge import merge, silenced
from backends.gpu.probe import GpuAbsent, VendorAbsent
from backends.gpu.sampler import GpuTiming
from backends.model.fleet import FleetView
from backends.model.gpu import GpuSnapshot
from backends.model.values import Missing
from backends.services.gpu_gathering import Gathering
from backends.services.gpus import sample_gpus
from backends.services.store import Store
from tests.unit.sampler.gpu_facts import device, reading, snapshot

NO_NVIDIA = GpuSnapshot(absent="No NVIDIA driver on this machine", hint="install it", vendor_absent=True)
NO_AMD = GpuSnapshot(absent="No AMD GPU on this machine", vendor_absent=True)
MISMATCH = GpuSnapshot(absent="Library and kernel module differ", hint="restart the machine")
DENIED = GpuSnapshot(absent="No permission to read /dev/kfd", hint="join the group render")
NVIDIA = GpuSnapshot((reading(),), driver_version="580", cuda_version="13.0", notes=("run it with --pid=host",))
AMD = GpuSnapshot((reading(of=device(1, "AMD")), reading(of=device(0, "AMD"))), driver_version="6.12")


def test_readings_stand_by_probe_and_by_index() -> None:
    both = merge([NVIDIA, AMD])
    assert [(one.device.vendor, one.device.index) for one in both.readings] == [("NVIDIA", 0), ("AMD", 0), ("AMD", 1)]
    assert (both.driver_version, both.cuda_version, both.notes) == ("580", "13.0", NVIDIA.notes)


def test_a_vendor_that_is_not_here_says_nothing_where_another_is_read() -> None:
    assert merge([NO_NVIDIA, AMD]).notes == ()
    assert merge([NO_NVIDIA, AMD]).absent == ""


def test_a_driver_that_fails_beside_another_that_is_read_is_a_note() -> None:
    assert merge([MISMATCH, AMD, NO_AMD]).notes == ("Library and kernel module differ. Next: restart the machine",)


@pytest.mark.parametrize("parts", [[NO_NVIDIA, DENIED], [DENIED, NO_AMD]])
def test_of_reasons_the_one_that_can_be_mended_goes_first(parts: list[GpuSnapshot]) -> None:
    told = merge(parts)
    assert (told.absent, told.hint, told.vendor_absent) == (DENIED.absent, DENIED.hint, False)
    assert told.notes == ()


def test_where_nobody_is_here_the_first_one_says_so() -> None:
    assert merge([NO_NVIDIA, NO_AMD]) == NO_NVIDIA
    assert merge([]) == GpuSnapshot()


def test_two_failing_drivers_are_both_told() -> None:
    told = merge([MISMATCH, DENIED])
    assert told.absent == MISMATCH.absent
    assert told.notes == ("No permission to read /dev/kfd. Next: join the group render",)


def test_a_silent_driver_keeps_its_devices_and_none_of_its_values() -> None:
    (one,) = silenced(snapshot(reading(at=1.0, use=50.0)), 20.0).readings
    assert (one.device, one.sampled_at) == (device(), 20.0)
    assert one.gpu_percent == Missing("the driver does not answer")
    assert one.condition
    assert one.hint


class Told:
    """What a gathering published."""

    def __init__(self, *probes: str, interval_s: float = 0.02) -> None:
        self.seen: list[GpuSnapshot] = []
        self.gathering = Gathering(probes, self.seen.append, interval_s)
        self.take = self.gathering.take


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0.002)


async def test_the_first_answer_waits_for_all_probes() -> None:
    told = Told("nvidia", "amd")
    told.take("nvidia", NVIDIA)
    assert told.seen == []
    told.take("amd", AMD)
    assert [len(one.readings) for one in told.seen] == [3]
    told.gathering.close()


async def test_a_tick_is_one_snapshot_though_each_probe_tells_its_own() -> None:
    told = Told("nvidia", "amd", "intel")
    told.take("nvidia", NVIDIA)
    told.take("amd", AMD)
    told.take("intel", NO_AMD)
    for _ in range(5):
        told.take("amd", AMD)
        told.take("nvidia", NVIDIA)
    assert len(told.seen) == 6
    told.gathering.close()


async def test_a_late_probe_holds_the_others_up_for_an_interval_only() -> None:
    told = Told("nvidia", "amd")
    told.take("nvidia", NVIDIA)
    told.take("amd", AMD)
    newer = snapshot(reading(at=5.0))
    told.take("nvidia", newer)
    assert len(told.seen) == 1
    await until(lambda: len(told.seen) == 2)
    assert told.seen[1].readings[0].sampled_at == 5.0
    told.gathering.close()


async def test_a_hanging_driver_is_said_not_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.services.gpu_gathering._SILENT_AFTER_S", 0.02)
    told = Told("nvidia", "amd", interval_s=0.004)
    told.take("nvidia", NVIDIA)
    told.take("amd", NO_AMD)
    await until(lambda: bool(told.seen[-1].readings[0].condition))
    told.take("nvidia", NVIDIA)
    assert told.seen[-1].readings[0].condition == ""
    told.gathering.close()


class Probe:
    """A probe that gives one snapshot or one failure, and may hang."""

    def __init__(self, gives: GpuSnapshot | Exception, *, hangs: bool = False) -> None:
        self.gives = gives
        self.gate = threading.Event()
        if not hangs:
            self.gate.set()

    def open(self) -> None:
        if isinstance(self.gives, GpuAbsent):
            raise self.gives

    def sample(self) -> GpuSnapshot:
        self.gate.wait()
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives

    def close(self) -> None:
        """Nothing to close."""


async def first_view(probes: list[Probe], wanted: Callable[[FleetView], bool]) -> FleetView:
    store = Store()
    timing = GpuTiming(interval_s=0.01, absent_s=0.01)
    task = asyncio.create_task(sample_gpus(store, dict(zip(("NVIDIA", "AMD"), probes, strict=True)), timing=timing))
    await until(lambda: wanted(store.view))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return store.view


async def test_vendors_are_read_beside_each_other() -> None:
    probes = [Probe(VendorAbsent("No NVIDIA driver", hint="install it")), Probe(AMD)]
    view = await first_view(probes, lambda view: bool(view.gpus.readings))
    assert [one.device.vendor for one in view.gpus.readings] == ["AMD", "AMD"]
    assert view.gpus.notes == ()


async def test_a_bug_in_one_probe_is_told_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    probes = [Probe(ZeroDivisionError("oops")), Probe(AMD)]
    view = await first_view(probes, lambda view: bool(view.gpus.notes))
    assert len(view.gpus.readings) == 2
    assert "ZeroDivisionError('oops')" in view.gpus.notes[0]
    assert "report it" in view.gpus.notes[0]
    assert "sampling of Probe ended" in caplog.text


async def test_a_probe_that_hangs_from_the_start_hides_the_others_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("backends.services.gpu_gathering._FIRST_TOGETHER_S", 0.02)
    hanging = Probe(NVIDIA, hangs=True)
    view = await first_view([hanging, Probe(AMD)], lambda view: bool(view.gpus.readings))
    hanging.gate.set()
    assert len(view.gpus.readings) == 2
    assert view.gpus.notes[0].startswith("The driver of NVIDIA GPUs has not answered yet. Next: ")
