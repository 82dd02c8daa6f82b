"""`make test-gpu`: Tranship's readings against nvidia-smi's on a machine with an NVIDIA GPU. Not part of `make test`.

Writes what was read to tests/gpu/recorded, where test_recorded.py tells it again on machines without a GPU. Allocates
memory on the first GPU for a few seconds; changes no setting.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from backends.gpu.hidden import in_a_container
from backends.gpu.nvidia import NvidiaProbe
from backends.model.codec import to_json
from backends.model.gpu import GpuReading, GpuSnapshot
from backends.model.values import Missing

RECORDED = Path(__file__).with_name("recorded")
ALLOCATED = 1 << 30
CONTEXT_AT_MOST = 2 << 30  # what CUDA itself takes for a process
DEADLINE_S = 30.0

# Field of nvidia-smi: (value of ours in its unit, by how much the two may differ: they are read at two moments).
_FIELDS: dict[str, tuple[Callable[[GpuReading], float | Missing], float]] = {
    "memory.total": (lambda one: _mib(one.device.memory_total_bytes), 1.0),
    "memory.used": (lambda one: _mib(one.memory_used_bytes), 64.0),
    "memory.free": (lambda one: _mib(one.memory_free_bytes), 64.0),
    "memory.reserved": (lambda one: _mib(one.memory_reserved_bytes), 8.0),
    "temperature.gpu": (lambda one: one.temperature_c, 4.0),
    "power.draw": (lambda one: one.power_w, 60.0),
    "enforced.power.limit": (lambda one: one.power_limit_w, 0.01),
    "fan.speed": (lambda one: one.fan_percent, 5.0),
    "clocks.sm": (lambda one: one.clocks.sm_mhz, 600.0),
    "clocks.mem": (lambda one: one.clocks.memory_mhz, 600.0),
    "clocks.max.sm": (lambda one: one.clocks.sm_max_mhz, 0.0),
    "clocks.max.mem": (lambda one: one.clocks.memory_max_mhz, 0.0),
    "ecc.errors.corrected.volatile.total": (lambda one: one.health.ecc_corrected, 0.0),
    "ecc.errors.uncorrected.volatile.total": (lambda one: one.health.ecc_uncorrected, 0.0),
}
_WORDS = ("uuid", "name", "pci.bus_id", "persistence_mode", "compute_mode", "driver_version")

_ALLOCATE = f"""
import ctypes, sys
cuda = ctypes.CDLL("libcuda.so.1")
device, context, memory = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
for code in (
    cuda.cuInit(0),
    cuda.cuDeviceGet(ctypes.byref(device), 0),
    cuda.cuCtxCreate_v2(ctypes.byref(context), 0, device),
    cuda.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t({ALLOCATED})),
):
    assert code == 0, code
print("ready", flush=True)
sys.stdin.read()
"""


def _mib(value: float | Missing) -> float | Missing:
    return value if isinstance(value, Missing) else value / (1 << 20)


@pytest.fixture(scope="module")
def probe() -> Iterator[NvidiaProbe]:
    one = NvidiaProbe()
    one.open()  # a machine without a GPU fails here, with the reason
    yield one
    one.close()


def smi() -> list[Mapping[str, str]]:
    """What nvidia-smi tells, by device and field."""
    fields = ["index", *_WORDS, *_FIELDS]
    argv = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    return [dict(zip(fields, re.split(r", ?", line), strict=True)) for line in done.stdout.splitlines()]


def test_readings_are_those_of_nvidia_smi(probe: NvidiaProbe) -> None:
    ours, theirs = probe.sample(), smi()
    assert [reading.device.index for reading in ours.readings] == [int(one["index"]) for one in theirs]
    wrong = []
    for reading, told in zip(ours.readings, theirs, strict=True):
        for name, value, same in compared(reading, told):
            sys.stdout.write(f"GPU {told['index']} {name:40} {value!s:>24} {told[name]:>24}\n")
            wrong += [] if same else [(told["index"], name, value, told[name])]
    assert wrong == []
    assert ours.driver_version == theirs[0]["driver_version"]
    record(ours)


def compared(reading: GpuReading, told: Mapping[str, str]) -> Iterator[tuple[str, object, bool]]:
    """Field, our value, whether they agree; "[N/A]" of theirs is Missing of ours."""
    device, health = reading.device, reading.health
    for name, mine in (("uuid", device.uuid), ("name", device.name), ("pci.bus_id", device.pci_bus_id)):
        yield name, mine, mine.casefold() == told[name].casefold()
    if isinstance(health.persistence, str):
        yield (
            "persistence_mode",
            health.persistence,
            (health.persistence == "on") == (told["persistence_mode"] == "Enabled"),
        )
    if isinstance(health.compute_mode, str):
        yield "compute_mode", health.compute_mode, health.compute_mode == told["compute_mode"].replace("_", " ").lower()
    for name, (value_of, tolerance) in _FIELDS.items():
        value = value_of(reading)
        if isinstance(value, Missing):
            yield name, value.reason, not re.fullmatch(r"[0-9.]+", told[name])
        else:
            yield name, value, abs(value - float(told[name])) <= tolerance


def record(snapshot: GpuSnapshot) -> None:
    """Keep it for test_recorded.py, a file for each kind of device and driver."""
    RECORDED.mkdir(exist_ok=True)
    kind = re.sub(r"[^a-z0-9]+", "-", snapshot.readings[0].device.name.lower()).strip("-")
    RECORDED.joinpath(f"{kind}-{snapshot.driver_version}.json").write_text(to_json(snapshot) + "\n")


@pytest.mark.skipif(in_a_container(), reason="the driver does not show a container the numbers of its processes")
def test_a_process_is_seen_with_the_memory_that_it_took(probe: NvidiaProbe) -> None:
    argv = [sys.executable, "-c", _ALLOCATE]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        try:
            deadline = time.monotonic() + DEADLINE_S
            while not (
                mine := [
                    one for reading in probe.sample().readings for one in reading.processes if one.pid == child.pid
                ]
            ):
                assert time.monotonic() < deadline, "the driver does not list it"
                time.sleep(0.2)
        finally:
            child.kill()
    (memory,) = {one.memory_bytes for one in mine}
    assert isinstance(memory, int)
    assert ALLOCATED <= memory <= ALLOCATED + CONTEXT_AT_MOST


def test_a_sample_costs_little(probe: NvidiaProbe) -> None:
    """Of the sampling thread's own time, over ten seconds at one sample a second; the driver's work is in it."""
    before, started = time.thread_time(), time.monotonic()
    for number in range(10):
        probe.sample()
        time.sleep(max(0.0, started + number + 1 - time.monotonic()))
    percent = 100 * (time.thread_time() - before) / (time.monotonic() - started)
    sys.stdout.write(f"sampling takes {percent:.2f} % of one core\n")
    assert percent < 5.0
