"""A pull for which the engine's disk has no room: its own words and remedy, and what is kept of it."""

from __future__ import annotations

import asyncio

import pytest

from backends.engine import Engine
from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.model.errors import Conflict, NotFound
from backends.model.ids import EngineId, EngineKind
from backends.model.transfer import Transferred
from backends.wire.endpoint import Endpoint
from tests.fake_registry import FakeRegistry
from tests.faults.services import Small, SmallDocker, SmallPodman
from tests.real import RealEngines
from tests.thorough import thorough

pytestmark = pytest.mark.engines

STORE_MB, ROOM_MB, LAYER_MB = 96, 20, 12  # of two layers one fits; Docker unpacks beside what it brought


@pytest.mark.parametrize("kind", thorough(SmallDocker, SmallPodman))
async def test_it_says_so_and_goes_on_where_there_is_room_again(kind: type[Small], real_engines: RealEngines) -> None:
    with kind(real_engines, STORE_MB) as small:
        docker = kind is SmallDocker
        engine: Engine = (DockerEngine if docker else PodmanEngine)(
            EngineId(kind.KIND, "small"), Endpoint.parse(small.url)
        )
        registry = FakeRegistry(layers=2, layer_bytes=LAYER_MB << 20)
        async with registry.served(real_engines, pid=small.pid if docker else None):
            name = f"{registry.address}/box/box:1"

            async def pull() -> object:
                async with engine.pull(name, insecure=not docker) as events:
                    return [event async for event in events][-1]

            await asyncio.to_thread(small.fill, ROOM_MB << 20)
            with pytest.raises(Conflict, match="disk is full") as caught:
                await pull()
            assert "no space left" in caught.value.detail
            assert "tranship image prune" in caught.value.hint
            assert ("not kept" in caught.value.hint) is docker
            assert caught.value.engine == engine.id
            with pytest.raises(NotFound):
                await engine.image_facts(name)
            await asyncio.to_thread(small.empty)
            registry.asked.clear()
            assert isinstance(await pull(), Transferred)
            asked = {path for path in registry.asked if path.endswith(tuple(registry.layers))}
            assert len(asked) == (2 if engine.id.kind is EngineKind.DOCKER else 1)
        await engine.close()
