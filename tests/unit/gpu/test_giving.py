"""From a wish to what the engine is asked for: by CDI, by Docker's nvidia driver, by AMD's nodes, or why not."""

from __future__ import annotations

from typing import Any

import pytest

from backends.giving import UNSEEN, VISIBLE, Gift, Refusal, give, listed_gpus, own_gpus
from backends.model.capabilities import Capabilities, Capability, EngineInfo
from backends.model.gpu import GpuDevice, GpuReading, GpuSnapshot, MigInstance
from backends.model.ids import EngineKind
from backends.model.wish import ALL, KEEP, NONE, first, read_wish
from backends.model.workload import GpuRequest

DOCKER, PODMAN = EngineKind.DOCKER, EngineKind.PODMAN
NVIDIA_NAMES = ("nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=all")
UUID = "GPU-8d1b2c3d"
BY_UUID = (f"nvidia.com/gpu={UUID}-0", f"nvidia.com/gpu={UUID}-1")


def info(*names: str, cdi: bool = True, version: str = "28.0.1", **changes: Any) -> EngineInfo:
    """An engine that tells these CDI names. cdi: it can give by CDI name."""
    lacking = {} if cdi else {Capability.CDI: "CDI is off in this Docker"}
    values: dict[str, Any] = {
        "rootless": False,
        "local": True,
        "cdi_devices": names,
        "capabilities": Capabilities(lacking),
    } | changes
    return EngineInfo(version, "1", **values)


def device(index: int, vendor: str = "NVIDIA", **changes: Any) -> GpuReading:
    """A device that is there."""
    values: dict[str, Any] = {"uuid": f"{UUID}-{index}", "name": f"{vendor} X", "vendor": vendor} | changes
    return GpuReading(GpuDevice(index, **values), 0.0)


def seen(*readings: GpuReading) -> GpuSnapshot:
    """What the probe saw."""
    return GpuSnapshot(readings)


CUT = device(0, mig=(MigInstance(0, "MIG-aa", "1g.10gb"), MigInstance(1, "MIG-bb", "2g.20gb")))
TWO = seen(device(0), device(1))
AMD_TWO = seen(device(0, "AMD", uuid="0x1"), device(1, "AMD", uuid="0x2"))


def names(given: Gift | Refusal) -> tuple[str, ...]:
    """The CDI names that are asked for."""
    assert isinstance(given, Gift), given
    assert given.request is not None
    assert not given.devices
    return given.request.cdi_devices


def refused(given: Gift | Refusal) -> tuple[str, str]:
    """Why, and what to do: both are always said."""
    assert isinstance(given, Refusal), given
    assert given.reason
    assert given.remedy
    return given.reason, given.remedy


@pytest.mark.parametrize("kind", [DOCKER, PODMAN])
@pytest.mark.parametrize(
    ("listed", "gpus", "wish", "wanted"),
    [
        (NVIDIA_NAMES, TWO, "all", ("nvidia.com/gpu=all",)),
        (NVIDIA_NAMES[:2], TWO, "all", ("nvidia.com/gpu=0", "nvidia.com/gpu=1")),
        (NVIDIA_NAMES, TWO, "2", ("nvidia.com/gpu=0", "nvidia.com/gpu=1")),
        (NVIDIA_NAMES, TWO, "device=1", ("nvidia.com/gpu=1",)),
        (NVIDIA_NAMES, UNSEEN, "1,0", ("nvidia.com/gpu=1", "nvidia.com/gpu=0")),
        (NVIDIA_NAMES, TWO, f"{UUID}-1", ("nvidia.com/gpu=1",)),
        (BY_UUID, TWO, "device=1", (BY_UUID[1],)),
        (BY_UUID, UNSEEN, f"{UUID}-1", (BY_UUID[1],)),
        (BY_UUID, TWO, "1", (BY_UUID[0],)),
        ((*NVIDIA_NAMES, "vendor.com/net=eth"), TWO, "vendor.com/net=eth", ("vendor.com/net=eth",)),
        ((*NVIDIA_NAMES, "vendor.com/net=eth"), TWO, "all", ("nvidia.com/gpu=all",)),
        (("amd.com/gpu=0", "amd.com/gpu=all"), UNSEEN, "all", ("amd.com/gpu=all",)),
        (("nvidia.com/gpu=10", "nvidia.com/gpu=9"), UNSEEN, "1", ("nvidia.com/gpu=9",)),
    ],
)
def test_names_that_the_engine_lists_are_asked_for(
    kind: EngineKind, listed: tuple[str, ...], gpus: GpuSnapshot, wish: str, wanted: tuple[str, ...]
) -> None:
    given = give(read_wish(wish), kind, info(*listed), gpus)
    assert names(given) == wanted
    assert isinstance(given, Gift)
    assert not given.unsure


@pytest.mark.parametrize(
    ("wish", "wanted"),
    [
        ("0:1", "nvidia.com/gpu=0:1"),
        ("MIG-bb", "nvidia.com/gpu=0:1"),
        ("nvidia.com/gpu=0:0", "nvidia.com/gpu=0:0"),
    ],
)
def test_a_mig_instance_is_found_by_its_indexes_and_by_its_uuid(wish: str, wanted: str) -> None:
    listed = ("nvidia.com/gpu=0:0", "nvidia.com/gpu=0:1", "nvidia.com/gpu=1", "nvidia.com/gpu=all")
    assert names(give(read_wish(wish), PODMAN, info(*listed), seen(CUT, device(1)))) == (wanted,)


def test_a_device_that_is_cut_into_instances_says_which_there_are() -> None:
    listed = ("nvidia.com/gpu=0:0", "nvidia.com/gpu=0:1", "nvidia.com/gpu=1")
    reason, remedy = refused(give(read_wish("device=0"), PODMAN, info(*listed), seen(CUT, device(1))))
    assert "cut into MIG instances" in reason
    assert "0:0, 0:1" in remedy
    assert names(give(first(1), PODMAN, info(*listed), seen(CUT, device(1)))) == ("nvidia.com/gpu=1",)


@pytest.mark.parametrize(
    ("wish", "told", "gpus", "reason", "remedy"),
    [
        ("device=7", info(*NVIDIA_NAMES), TWO, "no GPU 7: it has 2 GPUs, 0, 1", "choose among"),
        ("3", info(*NVIDIA_NAMES), TWO, "3 GPUs are asked for and the machine has 2", "ask for fewer"),
        ("3", info(*NVIDIA_NAMES), UNSEEN, "lists 2 whole GPUs", "ask for fewer"),
        ("device=7", info(*NVIDIA_NAMES), UNSEEN, "no CDI device for GPU 7", "nvidia-ctk cdi generate"),
        ("nvidia.com/gpu=7", info(*NVIDIA_NAMES), TWO, "does not know nvidia.com/gpu=7", "nvidia-ctk cdi generate"),
        ("amd.com/gpu=7", info(*NVIDIA_NAMES), TWO, "does not know amd.com/gpu=7", "amd-ctk cdi generate"),
        ("all", info("vendor.com/net=eth"), UNSEEN, "no GPU among its CDI devices", "nvidia-ctk cdi generate"),
        ("device=0", info("nvidia.com/gpu=0", "amd.com/gpu=0"), UNSEEN, "of several vendors", "amd.com/gpu=0"),
        ("all", info(version="4.0.3"), UNSEEN, "knows no CDI devices", "update Podman to 4.1"),
    ],
)
def test_podman_says_why_not_and_what_to_do(
    wish: str, told: EngineInfo, gpus: GpuSnapshot, reason: str, remedy: str
) -> None:
    why, what = refused(give(read_wish(wish), PODMAN, told, gpus))
    assert reason in why
    assert remedy in what


@pytest.mark.parametrize(
    ("wish", "request_"),
    [
        ("all", GpuRequest(count=-1, driver="nvidia", capabilities=(("gpu",),))),
        ("nvidia.com/gpu=all", GpuRequest(count=-1, driver="nvidia", capabilities=(("gpu",),))),
        ("2", GpuRequest(count=2, driver="nvidia", capabilities=(("gpu",),))),
        ("device=1", GpuRequest(device_ids=("1",), driver="nvidia", capabilities=(("gpu",),))),
        ("GPU-a,MIG-b", GpuRequest(device_ids=("GPU-a", "MIG-b"), driver="nvidia", capabilities=(("gpu",),))),
        ("0:1", GpuRequest(device_ids=("0:1",), driver="nvidia", capabilities=(("gpu",),))),
        ("nvidia.com/gpu=1", GpuRequest(device_ids=("1",), driver="nvidia", capabilities=(("gpu",),))),
    ],
)
@pytest.mark.parametrize(
    "told",
    [
        info(cdi=False, runtimes=("runc", "nvidia")),
        info(runtimes=("runc", "nvidia")),
        info("vendor.com/net=eth", runtimes=("runc", "nvidia-cdi")),
    ],
    ids=["CDI is off", "no names are told", "other names are listed"],
)
def test_a_docker_with_the_nvidia_runtime_is_asked_by_it(told: EngineInfo, wish: str, request_: GpuRequest) -> None:
    given = give(read_wish(wish), DOCKER, told)
    assert isinstance(given, Gift)
    assert given.request == request_
    assert "nvidia runtime" in given.why
    assert not given.unsure


def test_listed_names_come_before_the_nvidia_runtime() -> None:
    told = info(*NVIDIA_NAMES, runtimes=("runc", "nvidia"))
    assert names(give(read_wish("device=1"), DOCKER, told)) == ("nvidia.com/gpu=1",)


@pytest.mark.parametrize(
    ("told", "remedies"),
    [
        (info(cdi=False), ["nvidia-ctk runtime configure", '"cdi": true']),
        (info(cdi=False, version="24.0.7"), ["nvidia-ctk runtime configure", "update Docker to 25"]),
    ],
)
def test_a_docker_that_supports_neither_names_both_ways_out(told: EngineInfo, remedies: list[str]) -> None:
    reason, remedy = refused(give(ALL, DOCKER, told))
    assert "CDI is off" in reason
    assert "no nvidia runtime" in reason
    assert all(one in remedy for one in remedies)


@pytest.mark.parametrize("kind", [DOCKER, PODMAN])
@pytest.mark.parametrize(
    ("wish", "gpus", "wanted"),
    [
        ("all", UNSEEN, ("nvidia.com/gpu=all",)),
        ("2", UNSEEN, ("nvidia.com/gpu=0", "nvidia.com/gpu=1")),
        ("device=1", UNSEEN, ("nvidia.com/gpu=1",)),
        ("amd.com/gpu=3", UNSEEN, ("amd.com/gpu=3",)),
        (f"{UUID}-1", TWO, (f"nvidia.com/gpu={UUID}-1",)),
        ("all", seen(device(0), device(0, "AMD", uuid="x")), ("nvidia.com/gpu=all", "amd.com/gpu=all")),
    ],
)
def test_an_engine_that_tells_no_names_is_asked_by_those_that_the_vendors_tools_write(
    kind: EngineKind, wish: str, gpus: GpuSnapshot, wanted: tuple[str, ...]
) -> None:
    given = give(read_wish(wish), kind, info(), gpus)
    assert names(given) == wanted
    assert isinstance(given, Gift)
    assert given.unsure


def test_an_index_that_two_vendors_have_is_asked_back() -> None:
    gpus = seen(device(0), device(0, "AMD", uuid="x"))
    _, remedy = refused(give(read_wish("device=0"), PODMAN, info(), gpus))
    assert "nvidia.com/gpu=0 or amd.com/gpu=0" in remedy


@pytest.mark.parametrize("kind", [DOCKER, PODMAN])
@pytest.mark.parametrize("wish", ["all", "2", "0,1"])
def test_amd_without_cdi_names_is_given_by_its_nodes(kind: EngineKind, wish: str) -> None:
    given = give(read_wish(wish), kind, info(cdi=kind is PODMAN), AMD_TWO)
    assert isinstance(given, Gift)
    assert given.request is None
    assert [node.host_path for node in given.devices] == ["/dev/kfd", "/dev/dri"]
    assert "/dev/kfd, /dev/dri" in given.words


def test_one_of_several_amd_gpus_needs_a_cdi_name() -> None:
    reason, remedy = refused(give(read_wish("device=1"), PODMAN, info(), AMD_TWO))
    assert "all together" in reason
    assert "amd-ctk cdi generate" in remedy
    assert names(give(read_wish("device=1"), PODMAN, info("amd.com/gpu=0", "amd.com/gpu=1"), AMD_TWO)) == (
        "amd.com/gpu=1",
    )


def test_a_rootless_engine_is_told_of_amds_groups() -> None:
    given = give(ALL, PODMAN, info(rootless=True), AMD_TWO)
    assert isinstance(given, Gift)
    assert "video and render" in given.why


def test_no_gpu_asks_for_nothing_but_tells_a_default_nvidia_runtime() -> None:
    assert give(NONE, DOCKER, info(*NVIDIA_NAMES, runtimes=("runc", "nvidia"))) == Gift()
    given = give(NONE, DOCKER, info(runtimes=("nvidia", "runc")))
    assert isinstance(given, Gift)
    assert given.env == {VISIBLE: "void"}
    assert given.request is None


def test_as_it_is_gives_back_what_stands() -> None:
    stands = GpuRequest(cdi_devices=("nvidia.com/gpu=9",))
    assert give(KEEP, PODMAN, info(*NVIDIA_NAMES), TWO, current=stands) == Gift(stands)


def test_only_the_engines_own_machine_counts() -> None:
    assert own_gpus(PODMAN, info(), TWO) is TWO
    assert own_gpus(PODMAN, info(local=False), TWO) == UNSEEN
    assert own_gpus(PODMAN, None, TWO) == UNSEEN
    demo = GpuSnapshot(TWO.readings, demo=True)
    assert own_gpus(EngineKind.DEMO, info(local=False), demo) is demo
    assert own_gpus(EngineKind.DEMO, info(local=False), TWO) == UNSEEN


def test_only_gpus_are_listed() -> None:
    assert listed_gpus(info("nvidia.com/gpu=0", "vendor.com/net=eth", "intel.com/gpu=gpu0")) == (
        "nvidia.com/gpu=0",
        "intel.com/gpu=gpu0",
    )
    assert listed_gpus(None) == ()
