"""Which fleet the settings open: real, demo, read-only, with engines of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from backends.engines import discover as discovery
from backends.engines.discover import Found
from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.gpu.amd import AmdProbe
from backends.gpu.demo import COUNT_VARIABLE, DemoProbe
from backends.gpu.listed import ListedProbe
from backends.gpu.nvidia import NvidiaProbe
from backends.gpu.probe import GpuProbe
from backends.model.errors import Refused
from backends.model.events import Link
from backends.model.ids import EngineId, EngineKind
from backends.services import gpus as gpu_service
from backends.services.gpu_usage_recorder import UsageRecorder
from backends.wire.endpoint import Endpoint
from tui.bootstrap import demo_reason, open_fleet
from tui.config import ConfigError, EngineSetting, Settings

DOCKER = EngineId(EngineKind.DOCKER, "docker")
PODMAN = EngineId(EngineKind.PODMAN, "podman")
HERE = Found(DOCKER, EngineKind.DOCKER, Endpoint.parse("unix:///nowhere/docker.sock"))
GONE = Found(PODMAN, EngineKind.PODMAN, None, "no podman here", "install it")


def finds(monkeypatch: pytest.MonkeyPatch, *found: Found) -> None:
    """Let discovery find these."""

    async def discover(_: Mapping[str, str]) -> Sequence[Found]:
        return found

    monkeypatch.setattr(discovery, "discover", discover)


async def test_what_is_found_is_supervised_and_what_is_absent_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    finds(monkeypatch, HERE, GONE)
    fleet = await open_fleet(Settings())
    assert [type(engine) for engine in fleet.engines] == [DockerEngine]
    podman = fleet.store.view.engines[PODMAN]
    assert podman.connection.link is Link.ABSENT
    assert str(podman.connection.error) == "podman: no podman here"
    assert demo_reason(fleet.store.view) == ""
    await fleet.close()


async def test_nothing_found_is_the_demo_fleet_with_the_reasons_or_no_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    finds(monkeypatch, GONE)
    fleet = await open_fleet(Settings())
    assert {engine.id.kind for engine in fleet.engines} == {EngineKind.DEMO}
    assert demo_reason(fleet.store.view) == "no engine found (podman: no podman here)"
    await fleet.close()
    fleet = await open_fleet(Settings(), demo_if_none=False)
    assert fleet.engines == ()
    await fleet.close()


async def test_the_demo_fleet_that_was_asked_for_needs_no_reason() -> None:
    fleet = await open_fleet(Settings(demo=True), only={"demo-podman"})
    assert [engine.id.name for engine in fleet.engines] == ["demo-podman"]
    assert demo_reason(fleet.store.view) == ""
    await fleet.close()


async def test_engines_of_the_settings_go_before_found_ones_of_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    finds(monkeypatch, HERE)
    ours = EngineSetting("docker", EngineKind.PODMAN, "tcp://lab:2376", "/certs")
    fleet = await open_fleet(Settings(engines=(ours,)))
    assert [(type(engine), engine.endpoint) for engine in fleet.engines] == [(PodmanEngine, "https://lab:2376")]
    await fleet.close()


async def test_an_engine_that_cannot_be_meant_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    finds(monkeypatch, HERE)
    with pytest.raises(ConfigError, match="engine “lab”: 'gopher://x' is no engine address"):
        await open_fleet(Settings(engines=(EngineSetting("lab", EngineKind.DOCKER, "gopher://x"),)))
    with pytest.raises(ConfigError, match="no engine is called “dokcer”") as caught:
        await open_fleet(Settings(), only={"dokcer"})
    assert caught.value.hint == "did you mean “docker”?"


async def test_read_only_holds_in_the_engines_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    finds(monkeypatch, HERE)
    fleet = await open_fleet(Settings(readonly=True))
    with pytest.raises(Refused):
        await fleet.engine(DOCKER).remove("any", force=True)
    assert fleet.read_only
    await fleet.close()


async def sampled(monkeypatch: pytest.MonkeyPatch, settings: Settings, **options: Any) -> dict[str, Any]:
    """With what the GPUs of such a fleet are sampled."""
    given: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    async def sample_gpus(_: object, probes: dict[str, GpuProbe], **more: Any) -> None:
        given.set_result({"probes": {name: type(probe) for name, probe in probes.items()}, **more})

    monkeypatch.setattr(gpu_service, "sample_gpus", sample_gpus)
    fleet = await open_fleet(settings, **options)
    await fleet.start()
    try:
        async with asyncio.timeout(10):
            return await given
    finally:
        await fleet.close()


async def test_gpus_of_all_vendors_are_sampled_and_their_use_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    finds(monkeypatch, HERE)
    given = await sampled(monkeypatch, Settings(refresh_s=5.0))
    assert given["probes"] == {"NVIDIA": NvidiaProbe, "AMD": AmdProbe, "other": ListedProbe}
    assert isinstance(given["recorder"], UsageRecorder)
    assert given["timing"].interval_s == 5.0


@pytest.mark.parametrize("options", [{"recording": False}, {"only": {"docker"}}])
async def test_nothing_is_written_down_of_a_short_look_or_of_a_part_of_the_engines(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    finds(monkeypatch, HERE)
    assert (await sampled(monkeypatch, Settings(), **options))["recorder"] is None


async def test_a_demo_has_invented_gpus_with_a_past_and_writes_nothing_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COUNT_VARIABLE, "1")
    given = await sampled(monkeypatch, Settings(demo=True))
    assert given["probes"] == {"demo": DemoProbe}
    assert "recorder" not in given
    assert len(next(iter(given["earlier"]())).readings) == 1


async def test_a_number_of_demo_gpus_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COUNT_VARIABLE, "17")
    with pytest.raises(ConfigError, match="TRANSHIP_DEMO_GPUS='17' is no number from 0 to 16"):
        await open_fleet(Settings(demo=True))


async def test_clusters_are_those_that_were_named_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    finds(monkeypatch, HERE, GONE)
    monkeypatch.setenv("KUBECONFIG", "/nowhere/kubeconfig")
    fleet = await open_fleet(Settings(), demo_if_none=False)
    assert [engine.id.name for engine in fleet.engines] == ["docker"]
    await fleet.close()
    named = Settings(kubernetes=("lab", "prod=vision"), readonly=True)
    fleet = await open_fleet(named)
    assert [engine.id.name for engine in fleet.engines] == ["docker", "k8s-lab", "k8s-prod-vision"]
    with pytest.raises(Refused):
        await fleet.engines[2].remove("a/b/c", force=True)
    with pytest.raises(Refused):
        await fleet.engines[2].apply_manifests([])
    await fleet.close()
    finds(monkeypatch, GONE)
    fleet = await open_fleet(named, only={"k8s-lab"})
    assert [engine.id.name for engine in fleet.engines] == ["k8s-lab"]
    await fleet.close()
    fleet = await open_fleet(Settings(kubernetes=("lab",), demo=True))
    assert {engine.id.kind for engine in fleet.engines} == {EngineKind.DEMO}
    await fleet.close()
