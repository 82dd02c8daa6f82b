"""What registries do to real engines: refuse, fail, lie, stall, want a login. A small one of our own plays them."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.containerfile import instructions
from backends.engine import Engine, TransferStream
from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.model.build import BuildSpec, ImageBuilt
from backends.model.errors import BackendError, Denied, NotFound, RateLimited, Unavailable, Unsupported, Untrusted
from backends.model.ids import EngineId, EngineKind
from backends.model.transfer import LayerPhase, LayerProgress, Platform, Resolved, TransferEvent, Transferred
from backends.wire.endpoint import Endpoint
from tests.contract.lab import eventually
from tests.engines_docker.test_tls import authority, certificate
from tests.fake_registry import SECRET, USER, FakeRegistry
from tests.real import RealEngines, host_port
from tests.unit.layers.images import layer

pytestmark = pytest.mark.engines

FAILURES: dict[str, type[BackendError]] = {
    "unauthorized": Denied,
    "denied": Denied,
    "busy": RateLimited,
    "broken": Unavailable,
    "absent": NotFound,
    "wrong": Untrusted,
}


@pytest.fixture(params=["docker", "podman"])
async def engine(request: pytest.FixtureRequest, real_engines: RealEngines) -> AsyncIterator[Engine]:
    name = str(request.param)
    made: Engine
    if name == "docker":
        made = DockerEngine(EngineId(EngineKind.DOCKER, name), Endpoint.parse(real_engines.docker))
    else:
        made = PodmanEngine(EngineId(EngineKind.PODMAN, name), Endpoint.parse(real_engines.podman))
    yield made
    await made.close()


def pull(engine: Engine, name: str, *, platform: str = "") -> TransferStream:
    """Podman is told to do without TLS; Docker trusts all of this machine."""
    return engine.pull(name, platform=platform, insecure=engine.id.kind is EngineKind.PODMAN)


async def pulled(stream: TransferStream) -> list[TransferEvent]:
    async with stream as events:
        return [event async for event in events]


async def test_each_failure_has_its_own_words(engine: Engine, real_engines: RealEngines) -> None:
    titles = set()
    async with FakeRegistry().served(real_engines) as registry:
        for repository, kind in FAILURES.items():
            with pytest.raises(BackendError) as caught:
                await pulled(pull(engine, f"{registry.address}/{repository}/box:1"))
            error = caught.value
            assert type(error) is kind, (repository, error)
            assert registry.address in error.title
            assert error.hint, repository
            assert error.engine == engine.id
            titles.add(error.title)
        assert len(titles) == len(FAILURES)
        if engine.id.kind is EngineKind.PODMAN:
            with pytest.raises(Untrusted, match="plain HTTP"):
                await pulled(engine.pull(f"{registry.address}/box/box:1"))
        else:  # Docker trusts whatever listens on this machine
            with pytest.raises(Unsupported):
                await pulled(engine.pull(f"{registry.address}/box/box:1", insecure=True))
        many = f"{registry.address}/box/box:many"
        report = await engine.image_platforms(many, insecure=engine.id.kind is EngineKind.PODMAN)
        assert report.platforms == (Platform("linux", "amd64"), Platform("linux", "arm64", "v8"))
        assert not report.single
        with pytest.raises(NotFound, match="platform"):
            await pulled(pull(engine, many, platform="linux/riscv64"))
    with pytest.raises(Unavailable, match="does not answer"):
        await pulled(pull(engine, f"127.0.0.1:{host_port()}/box/box:1"))


async def test_a_certificate_that_nobody_vouches_for(real_engines: RealEngines, tmp_path: Path) -> None:
    authority(tmp_path, "ca")
    certificate(tmp_path, "server")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server-key.pem")
    podman = PodmanEngine(EngineId(EngineKind.PODMAN, "podman"), Endpoint.parse(real_engines.podman))
    try:
        async with FakeRegistry(layers=1).served(real_engines, context) as registry:
            name = f"{registry.address}/box/box:1"
            with pytest.raises(Untrusted, match="certificate") as caught:
                await pulled(podman.pull(name))
            assert "certs.d" in caught.value.hint
            await pulled(podman.pull(name, insecure=True))
            await podman.remove_image(name)
    finally:
        await podman.close()


async def test_a_pull_called_off_half_way_leaves_nothing_running(engine: Engine, real_engines: RealEngines) -> None:
    layers = 8  # more than either engine brings at once (Docker 3, Podman 6)
    registry = FakeRegistry(layers=layers, layer_bytes=300_000)
    registry.flowing.clear()  # each layer stops half-way
    async with registry.served(real_engines):
        name = f"{registry.address}/box/box:1"
        seen: set[LayerPhase] = set()
        async with pull(engine, name) as events:
            async for event in events:
                if isinstance(event, LayerProgress):
                    seen.add(event.phase)
                if isinstance(event, LayerProgress) and registry.open_blobs:
                    break
        assert seen <= {LayerPhase.WAITING, LayerPhase.DOWNLOADING}
        registry.flowing.set()

        async def quiet() -> bool:
            return registry.open_blobs == 0

        await eventually(quiet)
        asked = len(registry.asked)  # Docker may have asked for what waited; it throws the answers away
        await asyncio.sleep(2)  # a pull that still ran would be through
        assert (registry.open_blobs, len(registry.asked)) == (0, asked)
        with pytest.raises(NotFound):
            await engine.image_facts(name)


async def test_bytes_are_counted_and_a_login_is_taken_from_the_engines_own_store(
    engine: Engine, real_engines: RealEngines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = FakeRegistry(layers=1, layer_bytes=1_000_000, private=True)
    registry.pieces_s = 0.09  # 1.4 s in all: Podman counts once a second
    async with registry.served(real_engines):
        name = f"{registry.address}/box/box:1"
        with pytest.raises(Denied, match="login"):
            await pulled(pull(engine, name))
        entry = {"auth": base64.b64encode(f"{USER}:{SECRET}".encode()).decode()}
        (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.address: entry}}))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "config.json"))
        try:
            events = await pulled(pull(engine, name))
        finally:
            await engine.remove_image(name)
    assert isinstance(events[-1], Transferred)
    counted = [
        event
        for event in events
        if isinstance(event, LayerProgress) and event.phase is LayerPhase.DOWNLOADING and event.done_bytes
    ]
    assert counted
    assert all(event.total_bytes == len(registry.blobs[registry.big]) for event in counted)
    assert SECRET not in repr(events)


async def test_a_base_image_is_had_by_a_login_of_dockers_own_store(
    real_engines: RealEngines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Podman's service looks into its own store by itself."""
    engine = DockerEngine(EngineId(EngineKind.DOCKER, "docker"), Endpoint.parse(real_engines.docker))

    async def built(name: str, *, newer: bool = False) -> str:
        text = f"FROM {name} AS a\nLABEL a=b\n" + "ARG TARGETARCH\n" * newer

        async def context() -> AsyncIterator[bytes]:
            yield layer({"Containerfile": text.encode()})

        texts = tuple(one.text for one in instructions(text))
        spec = BuildSpec("Containerfile", beyond_classic=newer, instructions=texts)
        async with engine.build_image(spec, context()) as events:
            return [event.image async for event in events if isinstance(event, ImageBuilt)][-1]

    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    async with FakeRegistry(layers=1, private=True).served(real_engines) as registry:
        name = f"{registry.address}/box/box:1"
        for newer in (False, True):
            with pytest.raises(Denied, match="without a login") as caught:
                await built(name, newer=newer)
            assert f"tranship pull {name}" in caught.value.hint
        entry = {"auth": base64.b64encode(f"{USER}:{SECRET}".encode()).decode()}
        (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.address: entry}}))
        try:
            images = [await built(name), await built(name, newer=True)]  # the latter finds it pulled
            assert all(images)
        finally:
            await engine.remove_image(name)
        for image in dict.fromkeys(images):
            await engine.remove_image(image)
    await engine.close()


async def test_a_short_name_is_resolved_for_all_to_see(engine: Engine) -> None:
    """No registry of the world can be reached from here: what the name means is said before that, or in the failure."""
    meant = "docker.io/library/alpine:latest"
    if engine.id.kind is EngineKind.DOCKER:
        async with engine.pull("alpine") as events:
            assert await anext(events) == Resolved(meant, (meant,), "Docker Hub, as no registry is named")
    with pytest.raises(Unavailable, match="name server") as caught:
        await pulled(engine.pull("alpine"))
    if engine.id.kind is EngineKind.PODMAN:
        assert f"tried: {meant} (an alias of" in caught.value.detail
