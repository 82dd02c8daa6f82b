"""Docker on containerd's image store, where an image's id is no config digest: a daemon of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from backends.engines.docker import DockerEngine
from backends.engines.docker_registry import forget
from backends.model.errors import Conflict, NotFound, Unsupported
from backends.model.workload import WorkloadSpec
from backends.services.fleet import Fleet
from backends.services.images import FleetImages, find_images
from backends.wire.client import WireClient
from backends.wire.endpoint import Endpoint
from tests.engines_docker.conftest import BUSYBOX, ENGINE
from tests.private import PrivateEngine
from tests.real import RealEngines

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def daemon(real_engines: RealEngines) -> Iterator[PrivateEngine]:
    """One with BUSYBOX in its store."""
    with PrivateEngine("docker", real_engines, config={"features": {"containerd-snapshotter": True}}) as engine:
        engine.take_image("test/busybox:1")
        yield engine


@pytest.fixture
async def docker(daemon: PrivateEngine) -> AsyncIterator[DockerEngine]:
    engine = DockerEngine(ENGINE, Endpoint.parse(daemon.url))
    assert (await engine.connect()).image_store == "containerd"
    yield engine
    await engine.close()


async def test_facts_are_those_of_the_other_store(docker: DockerEngine, real_engines: RealEngines) -> None:
    classic = DockerEngine(ENGINE, Endpoint.parse(real_engines.docker))
    theirs, ours = await classic.image_facts(BUSYBOX), await docker.image_facts(BUSYBOX)
    await classic.close()
    assert ours.key.id != theirs.key.id
    assert (ours.config_digest, ours.diff_ids) == (theirs.config_digest, theirs.diff_ids)
    assert (ours.architecture, ours.tags) == (theirs.architecture, theirs.tags)
    assert (await docker.image_facts(ours.key.id)).config_digest == ours.config_digest
    layers = (await docker.image_layers(BUSYBOX)).layers
    assert tuple(layer.diff_id for layer in layers if not layer.empty) == ours.diff_ids


async def test_an_image_goes_out_and_comes_in_the_same(docker: DockerEngine) -> None:
    tag = "docker.io/tranship-test/again:1"
    await docker.tag_image(BUSYBOX, tag)
    before = await docker.image_facts(tag)
    async with docker.export_image(tag) as chunks:
        data = [chunk async for chunk in chunks]
    await docker.remove_image(tag)
    with pytest.raises(NotFound):
        await docker.image_facts(tag)

    async def again() -> AsyncIterator[bytes]:
        for chunk in data:
            yield chunk

    assert await docker.import_image(again()) == (tag,)
    assert (await docker.image_facts(tag)).config_digest == before.config_digest
    await docker.remove_image(tag)


async def test_a_commit_has_the_images_own_settings_or_is_refused(docker: DockerEngine) -> None:
    before, tag = await docker.image_facts(BUSYBOX), "docker.io/tranship-test/committed:1"
    plain = await docker.create_container(WorkloadSpec("test-plain", BUSYBOX, command=("true",)))
    changed = await docker.create_container(WorkloadSpec("test-changed", BUSYBOX, env={"SECRET": "x"}))
    try:
        assert (await docker.commit_container(plain, tag)) == (await docker.image_facts(tag)).key.id
        assert (await docker.image_facts(tag)).diff_ids[: len(before.diff_ids)] == before.diff_ids
        await docker.remove_image(tag)
        with pytest.raises(Unsupported, match="settings into the image"):
            await docker.commit_container(changed, tag)
        assert [image.tags for image in await docker.list_images()] == [before.tags]
    finally:
        for made in (plain, changed):
            await docker.remove(made, force=True)


async def test_an_image_loses_its_last_name_and_stays(docker: DockerEngine, daemon: PrivateEngine) -> None:
    plain = await docker.create_container(WorkloadSpec("test-named", BUSYBOX, command=("true",)))
    there = "127.0.0.1:5000/tranship-test/named:1"
    image = await docker.commit_container(plain, there)
    await docker.remove(plain, force=True)
    wire = WireClient(Endpoint.parse(daemon.url), ENGINE)
    try:
        await forget(wire, "/v1.45", there)
        with pytest.raises(NotFound):
            await docker.image_facts(there)
        facts = await docker.image_facts(image)
        assert (facts.key.id, facts.tags) == (image, ())
        await docker.tag_image(image, there)
        await docker.tag_image(image, "docker.io/tranship-test/named:1")
        await forget(wire, "/v1.45", there)
        assert (await docker.image_facts(image)).tags == ("docker.io/tranship-test/named:1",)
        await docker.remove_image("docker.io/tranship-test/named:1")
        left = await asyncio.to_thread(daemon.cli, "images", "-aq")
        assert len(left.split()) == 1
    finally:
        await wire.close()


async def test_the_list_knows_users_sharing_and_the_nameless(docker: DockerEngine, daemon: PrivateEngine) -> None:
    fleet = Fleet([docker])
    images = FleetImages(fleet)
    await fleet.start()
    assert await fleet.ready(20)
    container = await docker.create_container(WorkloadSpec("test-listed", BUSYBOX, command=("true",)))
    there = "127.0.0.1:5000/tranship-test/listed:1"
    made = await docker.commit_container(container, there)
    wire = WireClient(Endpoint.parse(daemon.url), ENGINE)
    try:
        await forget(wire, "/v1.45", there)
        seen = (await images.look()).images
        (base,), (nameless,) = find_images(seen, BUSYBOX), find_images(seen, made)
        assert base.containers == ("test-listed",)
        assert nameless.dangling
        assert nameless.base_name == BUSYBOX
        assert [layer.own for layer in base.layers] == [False] * len(base.layers)
        with pytest.raises(Conflict):
            await images.remove(base)
        await images.remove(nameless)
        assert made not in {image.key.id for image in await docker.list_images(nameless=True)}
    finally:
        await docker.remove(container, force=True)
        await wire.close()
        await fleet.close()
