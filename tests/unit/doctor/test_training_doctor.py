"""What doctor says of training on several GPUs."""

from __future__ import annotations

from dataclasses import replace

from backends.model.capabilities import EngineInfo
from backends.model.events import ConnectionState, Link
from backends.model.fleet import EngineView
from backends.model.gpu import GpuDevice, GpuLink, GpuReading, GpuSnapshot
from backends.model.ids import EngineId, EngineKind
from backends.services.doctor import Level
from backends.services.training_doctor import examine_training

TWO = GpuSnapshot(tuple(GpuReading(GpuDevice(n, f"GPU-{n}", "H100", "NVIDIA"), 1.0) for n in range(2)))


def engine(kind: EngineKind, *, rootless: bool = False, local: bool = True) -> EngineView:
    """A connected engine."""
    info = EngineInfo("1", "1", rootless, local)
    return EngineView(EngineId(kind, kind.value), ConnectionState(Link.CONNECTED), info, "unix:///x")


ENGINES = (engine(EngineKind.DOCKER), engine(EngineKind.PODMAN, rootless=True))


def test_nothing_without_several_gpus() -> None:
    assert examine_training(replace(TWO, readings=TWO.readings[:1]), ENGINES, -1) == []
    assert examine_training(replace(TWO, demo=True), ENGINES, -1) == []


def test_how_they_reach_each_other() -> None:
    links = (GpuLink(0, 1, "one PCIe switch", nvlink=True), GpuLink(0, 2, "", "the GPU does not support it"))
    fine, apart = examine_training(replace(TWO, links=links), (), -1)
    assert (fine.level, fine.sentence) == (Level.OK, "peer access between 0–1, over NVLink")
    assert apart.level is Level.NOTE
    assert "0–2: the GPU does not support it" in apart.sentence
    assert "does not tell" in examine_training(TWO, (), -1)[0].sentence


def test_limits_of_local_engines() -> None:
    said = [one.sentence for one in examine_training(TWO, ENGINES, 8 << 20)]
    assert any("docker gives containers 64 MiB" in one for one in said)
    assert any("podman allows a container 2048 processes" in one for one in said)
    assert any("podman may lock 8 MiB" in one for one in said)
    assert not any("docker may lock" in one for one in said)
    far = [engine(EngineKind.DOCKER, local=False)]
    assert len(examine_training(TWO, far, 8 << 20)) == 1
