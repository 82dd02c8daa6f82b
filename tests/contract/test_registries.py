"""Registries on every adapter: pull and push with progress, cancelled, to be searched, by platform, with a login."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.engine import TransferStream
from backends.engines.demo_images import BuildStep, build, write_archive
from backends.model.errors import Conflict, NotFound, Unsupported
from backends.model.ids import EngineKind
from backends.model.transfer import (
    Credentials,
    LayerPhase,
    LayerProgress,
    Platform,
    Resolved,
    TransferEvent,
    Transferred,
)
from tests.contract.lab import Lab, one_chunk
from tests.real import folder

pytestmark = pytest.mark.one_podman

LAYERS = 4
REGISTRY = "127.0.0.1:5000"


async def all_events(stream: TransferStream) -> list[TransferEvent]:
    async with stream as events:
        return [event async for event in events]


async def pushed(lab: Lab) -> tuple[str, str]:
    """An image of several layers, new on the engine, brought to the registry: its name there, its id."""
    name = lab.owns_image(f"{REGISTRY}/tranship-test/{lab.name()}:1")
    steps = [BuildStep(f"RUN {name} {at}", 700 + at) for at in range(LAYERS)]
    image = build([name], steps, {"Cmd": ["true"]}, datetime(2026, 1, 1, tzinfo=UTC))
    await lab.engine.import_image(one_chunk(write_archive(image, [name])))
    events = await all_events(lab.engine.push(name))
    *_, last = events
    assert isinstance(last, Transferred)
    assert last.digest.startswith("sha256:")
    ends = {event.id: event.phase for event in events if isinstance(event, LayerProgress)}
    assert len(ends) == LAYERS
    assert all(phase.ended for phase in ends.values())
    return name, image.id


async def test_what_was_pushed_is_found_and_pulled_again_layer_by_layer(lab: Lab) -> None:
    name, id_ = await pushed(lab)
    report = await lab.engine.image_platforms(name)
    assert report.single
    assert report.platforms in {(), (Platform("linux", "amd64"),)}, "Podman does not tell it of one manifest"
    await check_search(lab, name.removesuffix(":1"))
    again = await all_events(lab.engine.pull(name))
    assert isinstance(again[-1], Transferred)
    assert not again[-1].changed, "it is there"
    await lab.engine.remove_image(name)
    events = await all_events(lab.engine.pull(name))
    assert isinstance(events[0], Resolved)
    assert events[0].reference == name
    assert isinstance(events[-1], Transferred)
    assert (events[-1].reference, events[-1].image_id, events[-1].changed) == (name, id_, True)
    assert (await lab.engine.image_facts(name)).key.id == id_
    check_layers(events)
    with pytest.raises(NotFound, match="platform"):
        await all_events(lab.engine.pull(name, platform="linux/riscv64"))
    await lab.engine.remove_image(name)
    await check_left(lab, name)


async def check_search(lab: Lab, name: str) -> None:
    """A registry is searched, or says that it is not."""
    if lab.engine.id.kind is EngineKind.DOCKER:
        with pytest.raises(Unsupported, match="search"):
            await lab.engine.search_images(name)
    else:
        assert name in {found.name for found in await lab.engine.search_images(name)}


def check_layers(events: list[TransferEvent]) -> None:
    """Each layer came to its end, and none had more bytes than all."""
    ends: dict[str, LayerPhase] = {}
    for event in events:
        if isinstance(event, LayerProgress):
            ends[event.id] = event.phase
            assert event.done_bytes is None or event.total_bytes is None or event.done_bytes <= event.total_bytes
    assert len(ends) in {LAYERS, LAYERS + 1}, "Podman counts the configuration too"
    assert set(ends.values()) <= {LayerPhase.DONE, LayerPhase.PRESENT}


async def check_left(lab: Lab, name: str) -> None:
    """A pull that is left brings nothing, or the whole where the engine was faster: never a part under the name."""
    async with lab.engine.pull(name) as events:
        async for event in events:
            if isinstance(event, LayerProgress):
                break
    try:
        facts = await lab.engine.image_facts(name)
    except NotFound:
        return
    assert len(facts.diff_ids) == LAYERS


async def test_what_is_not_there_is_said(lab: Lab) -> None:
    name = f"{REGISTRY}/tranship-test/{lab.name()}:none"
    with pytest.raises(NotFound, match="has no") as caught:
        await all_events(lab.engine.pull(name))
    assert caught.value.engine == lab.engine.id
    assert caught.value.hint
    with pytest.raises(NotFound):
        await lab.engine.image_platforms(name)
    with pytest.raises(NotFound):
        await all_events(lab.engine.push(name))
    with pytest.raises(Conflict, match="not by a digest"):
        await all_events(lab.engine.push(f"{name}@sha256:{'a' * 64}"))
    with pytest.raises(Conflict, match=r"(?i)no image name"):
        await all_events(lab.engine.pull("No Name"))


async def test_a_login_is_kept_in_the_engines_own_store_and_taken_out_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Path("/tmp") / lab.name()  # below /tmp, where the engines' own programs see it too
    place.mkdir(mode=0o700)
    monkeypatch.setenv("DOCKER_CONFIG", str(place))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(place / "config.json"))
    monkeypatch.setenv("PATH", f"{folder() / 'bin'}:{os.environ['PATH']}")
    try:
        assert await lab.engine.logins() == ()
        made = await lab.engine.login(REGISTRY, Credentials("ann", "very-secret"))
        assert (made.registry, made.username) == (REGISTRY, "ann")
        assert await lab.engine.logins() == (made,)
        assert "very-secret" not in repr(made)
        await lab.engine.logout(REGISTRY)
        assert await lab.engine.logins() == ()
        with pytest.raises(NotFound):
            await lab.engine.logout(REGISTRY)
    finally:
        for file in place.iterdir():
            file.unlink()
        place.rmdir()
