"""PCIe: counted where the driver counts, else measured, a few devices per sample, so that no sample is late."""

from __future__ import annotations

import pytest

from backends.gpu.nvidia import NvidiaProbe
from backends.model.values import Missing, Quantity
from tests.gpu.conftest import Fake
from tests.gpu.scenario import Gpu


def rates(probe: NvidiaProbe, gpu: int = 0) -> tuple[Quantity, Quantity]:
    reading = probe.sample().readings[gpu]
    return reading.pcie_rx_bytes_s, reading.pcie_tx_bytes_s


def test_a_driver_that_counts_is_read_by_differences_every_two_seconds(fake: Fake) -> None:
    del fake.scenario.gpus[1]
    values = fake.scenario.gpus[0].values
    values |= {"pcie_rx_bytes": 1000, "pcie_tx_bytes": 50}
    probe, seen = fake.probe(), []
    for step in range(1, 6):
        seen.append(rates(probe))
        values |= {"pcie_rx_bytes": 1000 + 500 * step, "pcie_tx_bytes": 50 + 10 * step}
        fake.scenario.write()
        fake.clock.now += 1.0
    first = Missing("first sample")
    assert seen == [(first, first), (first, first), (500.0, 10.0), (500.0, 10.0), (500.0, 10.0)]
    assert fake.calls()["nvmlDeviceGetPcieThroughput"] == 0


def test_counters_that_begin_anew_give_no_rate(fake: Fake) -> None:
    values = fake.scenario.gpus[0].values
    values |= {"pcie_rx_bytes": 1000, "pcie_tx_bytes": 1000}
    probe = fake.probe()
    values["pcie_rx_bytes"] = 10
    fake.scenario.write()
    fake.clock.now += 2.0
    assert rates(probe) == (Missing("first sample"), Missing("first sample"))


def test_a_counter_of_32_bits_wraps_too_often_to_be_used(fake: Fake) -> None:
    fake.scenario.gpus[0].values |= {"pcie_rx_bytes": 1, "pcie_tx_bytes": 1, "pcie_counter_bits": 32}
    assert rates(fake.probe()) == (4096 * 1024.0, 2048 * 1024.0)


@pytest.mark.parametrize("way", ["pcie_rx_kib", "pcie_tx_kib"])
def test_what_is_not_supported_is_missing(fake: Fake, way: str) -> None:
    del fake.scenario.gpus[0].values[way]
    received, sent = rates(fake.probe())
    assert isinstance(received, Missing) is (way == "pcie_rx_kib")
    assert isinstance(sent, Missing) is (way == "pcie_tx_kib")


def test_sixteen_devices_are_measured_in_turn_so_that_no_sample_is_late(fake: Fake) -> None:
    """At 20 ms each way, eight calls in one sample are 160 ms of its second."""
    fake.scenario.gpus = [Gpu(index) for index in range(16)]
    probe, told, measured = fake.probe(), list[int](), list[int]()
    for _ in range(6):
        readings = probe.sample().readings
        measured.append(fake.calls()["nvmlDeviceGetPcieThroughput"])
        told.append(sum(not isinstance(one.pcie_rx_bytes_s, Missing) for one in readings))
        fake.clock.now += 1.0
    assert told == [4, 8, 12, 16, 16, 16]
    assert measured == [8] * 6
