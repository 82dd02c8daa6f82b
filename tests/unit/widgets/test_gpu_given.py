"""Which GPUs a container was given and which it uses, from requests as engines write them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backends.model.fleet import FleetView
from backends.model.gpu import GpuSnapshot, GpuUse
from tests.snapshots.gpu_samples import NOTEBOOK, NOW, TRAINER, TRITON, busy_fleet, device, reading
from tests.snapshots.samples import DOCKER
from widgets.gpu_given import (
    DeviceNames,
    devices_of,
    given_text,
    idle_s,
    is_idle,
    names_of,
    used_text,
    which_text,
)

SNAPSHOT = GpuSnapshot((reading(0), reading(1, instances=2), reading(2), reading(3)))


@pytest.mark.parametrize(
    ("given", "text", "devices"),
    [
        (("nvidia.com/gpu=0",), "0", {"GPU-0"}),
        (("nvidia.com/gpu=0", "nvidia.com/gpu=1"), "0,1", {"GPU-0", "GPU-1"}),
        (("nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=2"), "0-2", {"GPU-0", "GPU-1", "GPU-2"}),
        (("nvidia.com/gpu=all",), "all", {"GPU-0", "GPU-1", "GPU-2", "GPU-3"}),
        (("all",), "all", {"GPU-0", "GPU-1", "GPU-2", "GPU-3"}),
        (("amd.com/gpu=all",), "all", set()),
        (("GPU-2",), "2", {"GPU-2"}),
        (("nvidia.com/gpu=GPU-2",), "2", {"GPU-2"}),
        (("MIG-1-1",), "1:1", {"GPU-1"}),
        (("nvidia.com/gpu=1:0",), "1:0", {"GPU-1"}),
        (("0", "3"), "0,3", {"GPU-0", "GPU-3"}),
        (("2",), "2", set()),  # a count or an index: Docker's list does not say which
        (("vendor.com/thing=x\x1b[2J",), "x", set()),
        ((), "", set()),
    ],
)
def test_requests_name_devices(given: tuple[str, ...], text: str, devices: set[str]) -> None:
    names = names_of(SNAPSHOT)
    view = busy_fleet()
    container = replace(view.containers[TRITON], gpus_given=given)
    assert given_text(given, names) == text
    assert devices_of(replace(view, gpus=SNAPSHOT, gpu_use={}), container, names) == devices


def test_given_and_used_stand_beside_each_other_where_they_differ() -> None:
    assert which_text("0,1", "0,1") == "0,1"
    assert which_text("all", "0") == "all→0"
    assert which_text("0", "") == "0"
    assert which_text("", "1") == "→1"
    names = names_of(SNAPSHOT)
    assert used_text(GpuUse(1, 1.0, (0, 1), ("GPU-0", "GPU-1"), ("MIG-1-0",)), names) == "0,1:0"
    assert used_text(None, DeviceNames()) == ""


def test_what_a_container_on_another_machine_was_given_is_not_here() -> None:
    view = busy_fleet()
    engine = view.engines[DOCKER]
    assert engine.info is not None
    away = replace(engine, info=replace(engine.info, local=False))
    elsewhere: FleetView = replace(view, engines={**view.engines, DOCKER: away}, gpu_use={})
    names = names_of(view.gpus)
    assert devices_of(view, view.containers[TRAINER], names) == {"GPU-0", "GPU-1"}
    assert devices_of(elsewhere, view.containers[TRAINER], names) == frozenset()


def test_devices_of_two_vendors_with_the_same_index_are_told_apart() -> None:
    other = replace(device(0, name="AMD MI300X", vendor="AMD"), uuid="", cdi_name="")
    names = names_of(GpuSnapshot((reading(0), replace(reading(0), device=other))))
    view = busy_fleet()
    container = replace(view.containers[TRITON], gpus_given=("amd.com/gpu=0",))
    assert devices_of(replace(view, gpu_use={}), container, names) == {"AMD:0"}


@pytest.mark.parametrize(
    ("since", "idle", "called"), [(None, None, False), (NOW - 599, 599.0, False), (NOW - 600, 600.0, True)]
)
def test_idle_is_who_holds_memory_and_computes_nothing_for_long(
    since: float | None, idle: float | None, called: bool
) -> None:
    use = replace(busy_fleet().gpu_use[NOTEBOOK], idle_since=since)
    assert idle_s(use, NOW) == idle
    assert is_idle(use, NOW, 600.0) is called
    assert not is_idle(None, NOW, 0.0)
