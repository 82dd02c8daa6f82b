"""What copies reached on GPUs: the most of what was seen of them, once they were looked at; else the reason."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from backends.gpu.demo_devices import devices
from backends.model.fleet import FleetView
from backends.model.gpu import GpuReading, GpuSnapshot, GpuUse
from backends.model.values import Missing
from backends.trial import reached
from backends.trial.reached import GpuReached
from tests.unit.services.fleet_facts import key, row

COPY = key(1)


def view(at_s: float, memory_bytes: int | None = None, percent: float = 0.0) -> FleetView:
    """One GPU sampled then; the copy on it takes so much."""
    snapshot = GpuSnapshot((GpuReading(devices(1)[0], at_s),))
    use = {} if memory_bytes is None else {COPY: GpuUse(memory_bytes, percent)}
    return replace(FleetView(), gpus=snapshot, gpu_use=use, containers={COPY: row(1)})


async def test_it_waits_for_a_sample_that_was_taken_while_the_copy_was_ready() -> None:
    gpus = GpuReached()
    gpus.look(view(1.0, 700, 90.0))
    asked = asyncio.create_task(gpus.of(COPY, 2.0))
    await asyncio.sleep(0)
    assert not asked.done()
    gpus.look(view(2.5, 500, 95.0))
    assert await asked == (700.0, 95.0), "the most of each"


async def test_a_copy_that_no_sample_has_is_said_to_be_on_no_gpu() -> None:
    gpus = GpuReached()
    gpus.look(replace(view(3.0), containers={}))
    asked = asyncio.create_task(gpus.of(COPY, 2.0))
    await asyncio.sleep(0)
    assert not asked.done(), "the fleet does not know it yet, so no process could be joined to it"
    gpus.look(view(3.5))
    memory, percent = await asked
    assert isinstance(memory, Missing)
    assert "no process" in memory.reason
    assert percent == memory


async def test_no_gpu_and_no_sample_have_their_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = GpuReached()
    gpus.look(replace(FleetView(), gpus=GpuSnapshot(absent="no NVIDIA driver")))
    assert (await gpus.of(COPY, 0.0))[0] == Missing("no NVIDIA driver")
    monkeypatch.setattr(reached, "WAIT_S", 0.0)
    gpus.look(view(1.0))
    memory, _ = await gpus.of(COPY, 2.0)
    assert isinstance(memory, Missing)
    assert "no sample" in memory.reason
