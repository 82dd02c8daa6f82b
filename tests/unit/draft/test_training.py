"""What a training on several GPUs is told before it starts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backends.draft.training import given_indexes, training_remarks
from backends.model.gpu import GpuDevice, GpuLink, GpuReading, GpuSnapshot
from backends.model.ids import EngineKind
from backends.model.settings import DeviceSpec, NamespaceSpec, NetworkingSpec, ResourceSpec, SecuritySpec, Ulimit
from backends.model.workload import GpuRequest, WorkloadSpec

FOUR = GpuSnapshot(tuple(GpuReading(GpuDevice(n, f"GPU-{n}", "H100", "NVIDIA"), 1.0) for n in range(4)))
ALL = GpuRequest(count=-1)
BARE = WorkloadSpec("train", "docker.io/a/b:1", gpu=ALL)
WELL = replace(
    BARE,
    namespaces=NamespaceSpec(shm_bytes=8 << 30),
    resources=ResourceSpec(ulimits=(Ulimit("memlock", -1, -1),), pids_limit=-1),
)


def fields(spec: WorkloadSpec, kind: EngineKind = EngineKind.DOCKER, gpus: GpuSnapshot = FOUR) -> list[str]:
    """The fields that something is said of."""
    return [one.field for one in training_remarks(spec, kind, gpus, training=False)]


def test_one_that_has_all_is_told_nothing() -> None:
    assert fields(WELL) == fields(WELL, EngineKind.PODMAN) == []


def test_a_bare_one_is_told_what_it_lacks() -> None:
    assert fields(BARE) == ["shm_size", "ulimits"]
    assert fields(BARE, EngineKind.PODMAN) == ["shm_size", "ulimits", "pids"]
    assert fields(replace(BARE, namespaces=NamespaceSpec(ipc="host"))) == ["ulimits"]
    assert fields(replace(BARE, namespaces=NamespaceSpec(shm_bytes=1 << 20))) == ["shm_size", "ulimits"]


@pytest.mark.parametrize("gpu", [None, GpuRequest(cdi_devices=("nvidia.com/gpu=1",)), GpuRequest(count=1)])
def test_one_gpu_or_none_needs_nothing_unless_it_trains(gpu: GpuRequest | None) -> None:
    spec = replace(BARE, gpu=gpu)
    assert fields(spec) == []
    assert bool(training_remarks(spec, EngineKind.DOCKER, FOUR, training=True)) is (gpu is not None)


def test_all_of_a_machine_with_one_is_one() -> None:
    assert fields(BARE, gpus=replace(FOUR, readings=FOUR.readings[:1])) == []
    assert fields(BARE, gpus=GpuSnapshot()), "where nobody knows how many there are, it may be many"


def test_a_limit_of_processes() -> None:
    few = replace(WELL, resources=replace(WELL.resources, pids_limit=100))
    assert fields(few) == ["pids"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NCCL_SOCKET_IFNAME", "ib0", True),
        ("NCCL_SOCKET_IFNAME", "eth0", False),
        ("NCCL_SOCKET_IFNAME", "^docker0", False),
        ("NCCL_P2P_DISABLE", "1", True),
        ("NCCL_P2P_DISABLE", "0", False),
        ("NCCL_SHM_DISABLE", "1", True),
        ("NCCL_IB_DISABLE", "0", True),
        ("NCCL_DEBUG", "INFO", False),
    ],
)
def test_nccls_variables(name: str, value: str, said: bool) -> None:
    assert fields(replace(WELL, env={name: value})) == (["env"] if said else [])


def test_what_makes_the_variables_right() -> None:
    host = replace(WELL, env={"NCCL_SOCKET_IFNAME": "ib0"}, network=NetworkingSpec("host"))
    assert fields(host) == []
    nodes = SecuritySpec(devices=(DeviceSpec("/dev/infiniband", "/dev/infiniband"),))
    assert fields(replace(WELL, env={"NCCL_IB_DISABLE": "0"}, security=nodes)) == []


def test_pairs_that_do_not_reach_each_other() -> None:
    links = (
        GpuLink(0, 1, "one PCIe switch", nvlink=True),
        GpuLink(0, 2, "the link between CPUs"),
        GpuLink(1, 3, "one CPU", "the chipset does not support it"),
    )
    told = training_remarks(WELL, EngineKind.DOCKER, replace(FOUR, links=links), training=False)
    assert [one.finding.title for one in told] == [
        "training: no peer access between GPUs 1–3: the chipset does not support it; NCCL goes through /dev/shm",
        "training: GPUs 0–2 reach each other across the link between CPUs, which is slow",
    ]
    near = replace(WELL, gpu=GpuRequest(cdi_devices=("nvidia.com/gpu=0", "nvidia.com/gpu=GPU-1")))
    assert given_indexes(near.gpu, FOUR) == (0, 1)
    assert fields(near, gpus=replace(FOUR, links=links)) == []
