"""GPU snapshots into the store, joined to the containers that it knows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from backends.gpu.demo import DemoProbe
from backends.gpu.probe import GpuAbsent
from backends.gpu.sampler import GpuTiming
from backends.model.capabilities import EngineInfo
from backends.model.container import Container, ContainerState
from backends.model.events import ConnectionState, Link
from backends.model.fleet import EngineView, FleetView
from backends.model.gpu import GpuSnapshot
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.services.changes import ContainerSeen, EngineAdded
from backends.services.gpus import sample_gpus
from backends.services.store import Store

DEMO = EngineId(EngineKind.DEMO, "demo-docker")
FAST = GpuTiming(interval_s=0.005, absent_s=0.005)


class AbsentProbe:
    """No driver."""

    def open(self) -> None:
        raise GpuAbsent("No NVIDIA driver on this machine", hint="install it")

    def sample(self) -> GpuSnapshot:
        raise GpuAbsent("not open")

    def close(self) -> None:
        """Nothing to close."""


async def first_change(store: Store) -> FleetView:
    changed: asyncio.Future[FleetView] = asyncio.get_running_loop().create_future()
    end = store.subscribe(lambda view: None if changed.done() else changed.set_result(view))
    async with asyncio.timeout(10):
        view = await changed
    end()
    return view


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_readings_use_and_cdi_names_reach_the_view() -> None:
    store = Store()
    info = EngineInfo("1", "1", rootless=False, local=True, cdi_devices=("nvidia.com/gpu=0",))
    store.apply(EngineAdded(EngineView(DEMO, ConnectionState(Link.CONNECTED), info)))
    key, at = ContainerKey(DEMO, "a" * 64), datetime(2026, 1, 1, tzinfo=UTC)
    row = Container(key, "train", "i:1", "0" * 64, ContainerState.RUNNING, at, gpus_given=("nvidia.com/gpu=1",))
    store.apply(ContainerSeen(row))
    task = asyncio.create_task(sample_gpus(store, {"demo": DemoProbe(store.view.containers.values)}, timing=FAST))
    view = await first_change(store)
    await ended(task)
    assert view.gpus.demo
    assert view.gpu_use[key].device_indexes == (1,)
    assert [reading.device.cdi_name for reading in view.gpus.readings] == ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]


async def test_an_absent_driver_is_a_reason_in_the_view() -> None:
    store = Store()
    task = asyncio.create_task(sample_gpus(store, {"NVIDIA": AbsentProbe()}, timing=FAST))
    view = await first_change(store)
    await ended(task)
    assert view.gpus == GpuSnapshot(absent="No NVIDIA driver on this machine", hint="install it")
