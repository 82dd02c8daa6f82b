"""Docker with containerd's store: it tells of a pull in other words, and keeps images by other ids."""

from __future__ import annotations

import pytest

from backends.engines.docker import DockerEngine
from backends.model.errors import BackendError, NotFound
from backends.model.ids import EngineId, EngineKind
from backends.model.transfer import LayerPhase, LayerProgress, Transferred
from backends.model.transfer_state import TransferAsk, TransferState
from backends.wire.endpoint import Endpoint
from tests.contract.lab import eventually
from tests.engines_registry.test_bad_registries import FAILURES
from tests.fake_registry import FakeRegistry
from tests.private import PrivateEngine
from tests.real import RealEngines
from tests.thorough import ON

pytestmark = [pytest.mark.engines, pytest.mark.skipif(not ON, reason="a thorough run tries it")]

LAYERS = 3


async def test_a_pull_is_seen_called_off_and_done(real_engines: RealEngines) -> None:
    config = {"features": {"containerd-snapshotter": True}}
    with PrivateEngine("docker", real_engines, config=config) as private:
        engine = DockerEngine(EngineId(EngineKind.DOCKER, "other"), Endpoint.parse(private.url))
        assert (await engine.connect()).image_store == "containerd"
        registry = FakeRegistry(layers=LAYERS, layer_bytes=2_000_000)
        registry.pieces_s = 0.02
        registry.flowing.clear()  # each layer stops half-way
        async with registry.served(real_engines, pid=private.pid):
            name = f"{registry.address}/box/box:1"
            async with engine.pull(name) as events:
                async for event in events:
                    if isinstance(event, LayerProgress) and event.done_bytes:
                        break
            registry.flowing.set()

            async def quiet() -> bool:
                return registry.open_blobs == 0

            await eventually(quiet)
            with pytest.raises(NotFound):
                await engine.image_facts(name)

            state, phases = TransferState(TransferAsk(engine.id, name)), set[LayerPhase]()
            async with engine.pull(name) as events:
                async for event in events:
                    state = state.after(event)
                    phases |= {event.phase} if isinstance(event, LayerProgress) else set()
            assert {LayerPhase.WAITING, LayerPhase.DOWNLOADING, LayerPhase.DOWNLOADED} <= phases
            assert (state.ended_layers, len(state.layers)) == (LAYERS, LAYERS)
            assert state.done_bytes == state.total_bytes == sum(len(registry.blobs[layer]) for layer in registry.layers)
            assert isinstance(state.result, Transferred)
            assert (await engine.image_facts(name)).key.id == state.result.image_id
        async with FakeRegistry().served(real_engines, pid=private.pid) as bad:
            for repository, kind in FAILURES.items():
                with pytest.raises(BackendError) as caught:
                    async with engine.pull(f"{bad.address}/{repository}/box:1") as events:
                        _ = [event async for event in events]
                assert (type(caught.value), bool(caught.value.hint)) == (kind, True), caught.value.detail
        await engine.close()
