"""How pairs of devices reach each other: by the real pynvml on the fake driver, told once."""

from __future__ import annotations

from backends.model.gpu import GpuLink
from tests.gpu.conftest import Fake
from tests.gpu.scenario import NOT_SUPPORTED, Gpu


def test_pairs_are_told_and_asked_for_once(fake: Fake) -> None:
    fake.scenario.gpus = [Gpu(index) for index in range(4)]
    fake.scenario.gpus[0].lines += ["link 1 10 0 0", "link 2 50 0 5", "link 3 30 3 5"]
    fake.scenario.gpus[1].lines += ["link 2 - 0 -"]
    probe = fake.probe()
    assert probe.sample().links == (
        GpuLink(0, 1, "one PCIe switch", "", True),
        GpuLink(0, 2, "the link between CPUs", "", False),
        GpuLink(0, 3, "one PCIe host bridge", "the path between them does not support it", False),
        GpuLink(1, 2, "", "", False),
    )
    fake.calls()
    probe.sample()
    assert fake.calls()["nvmlDeviceGetP2PStatus"] == 0


def test_a_driver_that_does_not_tell_gives_none(fake: Fake) -> None:
    fake.scenario.gpus[0].lines.append("link 1 10 0 0")
    fake.scenario.fails["nvmlDeviceGetP2PStatus"] = NOT_SUPPORTED
    assert fake.probe().sample().links == ()


def test_an_old_driver_without_the_calls_is_read_all_the_same(old_fake: Fake) -> None:
    snapshot = old_fake.probe().sample()
    assert len(snapshot.readings) == 2
    assert snapshot.links == ()
