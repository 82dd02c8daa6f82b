"""The GPU thread: delivers on the loop, stops promptly, and a probe that hangs or is absent harms nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from backends.gpu.probe import GpuAbsent
from backends.gpu.sampler import GpuSampler, GpuTiming
from backends.model.gpu import GpuDevice, GpuProcess, GpuReading, GpuSnapshot

A, B = "a" * 64, "b" * 64
FAST = GpuTiming(interval_s=0.005, absent_s=0.005, lost_s=0.005)
DEADLINE_S = 10.0


def snapshot(pid: int = 41) -> GpuSnapshot:
    device = GpuDevice(0, "GPU-0", "H100", "NVIDIA")
    return GpuSnapshot((GpuReading(device, 1.0, processes=(GpuProcess(pid, "GPU-0", 5, 1.0),)),))


class Probe:
    """A probe whose behaviour tests set; notes the threads that it is called in."""

    def __init__(self) -> None:
        self.absent = ""
        self.opened = 0
        self.closed = 0
        self.threads: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()

    def open(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.opened += 1
        if self.absent:
            raise GpuAbsent(self.absent, hint="install it")

    def sample(self) -> GpuSnapshot:
        self.threads.add(threading.current_thread().name)
        self.waiting.set()
        self.gate.wait()
        if self.absent:
            raise GpuAbsent(self.absent)
        return snapshot()

    def close(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.closed += 1


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not true():  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0.002)


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_snapshots_arrive_on_the_loop_joined_to_containers(tmp_path: Path) -> None:
    (tmp_path / "41").mkdir()
    (tmp_path / "41" / "cgroup").write_text(f"0::/docker/{A}/docker/{B}\n")
    (tmp_path / "41" / "status").write_text("Name:\tpython3\nUid:\t1000\t0\t0\t0\n")
    probe, seen, where = Probe(), list[GpuSnapshot](), set[str]()

    def deliver(one: GpuSnapshot) -> None:
        where.add(threading.current_thread().name)
        seen.append(one)

    task = asyncio.create_task(GpuSampler(probe, deliver, known=lambda: {A}, proc_root=tmp_path, timing=FAST).run())
    await until(lambda: len(seen) >= 3)
    await ended(task)
    joined = seen[0].readings[0].processes[0]
    assert (joined.container_id, joined.name, joined.user_id) == (A, "python3", 1000)
    assert seen[0].notes == ()
    assert where == {threading.current_thread().name}
    assert probe.threads == {"tranship-gpu"}
    assert (probe.opened, probe.closed) == (1, 1)


async def test_nothing_is_delivered_after_the_end() -> None:
    seen: list[GpuSnapshot] = []
    task = asyncio.create_task(GpuSampler(Probe(), seen.append, timing=FAST).run())
    await until(lambda: bool(seen))
    await ended(task)
    count = len(seen)
    for _ in range(20):
        await asyncio.sleep(0.002)
    assert len(seen) == count


async def test_a_probe_that_hangs_holds_up_neither_the_loop_nor_the_end() -> None:
    probe, seen = Probe(), list[GpuSnapshot]()
    probe.gate.clear()
    task = asyncio.create_task(GpuSampler(probe, seen.append, timing=FAST).run())
    await until(probe.waiting.is_set)
    async with asyncio.timeout(DEADLINE_S):
        await ended(task)
    assert probe.closed == 0  # the thread hangs in the driver still
    probe.gate.set()
    await until(lambda: probe.closed == 1)
    assert seen == []


async def test_an_absent_driver_says_so_and_is_looked_for_again() -> None:
    probe, seen = Probe(), list[GpuSnapshot]()
    probe.absent = "No NVIDIA driver on this machine"
    task = asyncio.create_task(GpuSampler(probe, seen.append, timing=FAST).run())
    await until(lambda: len(seen) >= 2)
    assert set(seen) == {GpuSnapshot(absent="No NVIDIA driver on this machine", hint="install it")}
    probe.absent = ""
    await until(lambda: bool(seen[-1].readings))
    probe.absent = "The GPU is lost"
    await until(lambda: seen[-1].absent == "The GPU is lost")
    await ended(task)


async def test_an_absent_driver_is_looked_for_seldom() -> None:
    probe, seen = Probe(), list[GpuSnapshot]()
    probe.absent = "No NVIDIA driver on this machine"
    timing = GpuTiming(interval_s=0.001, absent_s=DEADLINE_S * 2)
    task = asyncio.create_task(GpuSampler(probe, seen.append, timing=timing).run())
    await until(lambda: bool(seen))
    for _ in range(20):
        await asyncio.sleep(0.002)
    assert probe.opened == 1
    await ended(task)
    await until(lambda: probe.closed == 2)  # the long wait is broken off


async def test_a_driver_that_worked_before_is_looked_for_soon() -> None:
    probe, seen = Probe(), list[GpuSnapshot]()
    timing = GpuTiming(interval_s=0.001, absent_s=DEADLINE_S * 2, lost_s=0.001)
    task = asyncio.create_task(GpuSampler(probe, seen.append, timing=timing).run())
    await until(lambda: bool(seen))
    probe.absent = "The driver was unloaded"
    await until(lambda: probe.opened >= 4)
    probe.absent = ""
    await until(lambda: bool(seen[-1].readings))
    await ended(task)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("hidden", [False, True])
async def test_processes_that_are_hidden_from_a_container_are_said_to_be(
    tmp_path: Path, inside: bool, hidden: bool
) -> None:
    if not hidden:
        (tmp_path / "41").mkdir()
    seen: list[GpuSnapshot] = []
    sampler = GpuSampler(Probe(), seen.append, proc_root=tmp_path, timing=FAST, inside=lambda: inside)
    task = asyncio.create_task(sampler.run())
    await until(lambda: bool(seen))
    await ended(task)
    (notes,) = {one.notes for one in seen}
    assert bool(notes) is (inside and hidden)
    assert all("--pid=host" in note for note in notes)


async def test_a_bug_in_a_probe_is_raised_by_run() -> None:
    class Broken(Probe):
        def sample(self) -> GpuSnapshot:
            raise ZeroDivisionError

    probe = Broken()
    with pytest.raises(ZeroDivisionError):
        await GpuSampler(probe, lambda _: None, timing=FAST).run()
    assert probe.closed == 1
