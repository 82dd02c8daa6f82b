"""What GPUs told, told again by the fake library: the same readings come out.

tests/gpu/recorded holds what `make test-gpu` wrote down on machines with a GPU.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backends.model.codec import from_json, to_json
from backends.model.gpu import GpuReading, GpuSnapshot
from backends.model.values import Missing
from tests.gpu.conftest import Fake
from tests.gpu.replay import scenario_of
from tests.gpu.scenario import GIB, Scenario, with_mig

RECORDED = sorted(Path(__file__).with_name("recorded").glob("*.json"))


def comparable(reading: GpuReading) -> dict[str, object]:
    """Without when it was, the driver's words for what it does not tell, and its rounding of PCIe."""

    def seen(value: object) -> object:
        return "not told" if isinstance(value, Missing) else value

    plain = {name: seen(getattr(reading, name)) for name in GpuReading.__dataclass_fields__}
    for part in ("clocks", "health", "device"):
        whole = getattr(reading, part)
        plain[part] = {name: seen(getattr(whole, name)) for name in type(whole).__dataclass_fields__}
    for name in ("sampled_at", "pcie_rx_bytes_s", "pcie_tx_bytes_s"):
        del plain[name]
    plain["processes"] = [
        (one.pid, one.mig_uuid, seen(one.memory_bytes), seen(one.sm_percent)) for one in reading.processes
    ]
    return plain


def told_again(fake: Fake, snapshot: GpuSnapshot) -> GpuSnapshot:
    fake.scenario = scenario_of(snapshot, fake.scenario.path)
    return fake.probe().sample()


def busy(scenario: Scenario) -> Scenario:
    """Every value that there is, and some that there are not."""
    first, second = scenario.gpus
    first.values |= {"reasons": 0x24, "fan_percent": 30, "compute_mode": 3, "persistence": 0}
    first.process(41, None, 60)
    del second.values["ecc_corrected"], second.values["power_mw"]
    second.process(42, GIB, None, instance=(7, 0))
    return scenario


def told(fake: Fake, path: Path | None) -> GpuSnapshot:
    """A recording; where there is none, what a machine of every kind of value told."""
    if path is not None:
        return from_json(GpuSnapshot, path.read_text())
    fake.scenario = busy(with_mig(fake.scenario.path, [11, 12, 13]))
    probe = fake.probe()
    try:
        return from_json(GpuSnapshot, to_json(probe.sample()))
    finally:
        probe.close()


@pytest.mark.parametrize("path", [None, *RECORDED], ids=lambda path: path.stem if path else "made-up")
def test_what_gpus_told_is_read_the_same_again(fake: Fake, path: Path | None) -> None:
    first = told(fake, path)
    again = told_again(fake, first)
    assert list(map(comparable, again.readings)) == list(map(comparable, first.readings))
    assert comparable(replace(again.readings[0], gpu_percent=-1.0)) != comparable(first.readings[0])
