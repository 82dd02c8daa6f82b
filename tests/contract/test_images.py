"""Images on every adapter: with and without a name, used or not, and what the engine itself says that they take."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.engines.demo_images import BuildStep, build, write_archive
from backends.model.errors import Conflict, NotFound
from backends.model.image_sharing import ImageShare
from backends.model.workload import WorkloadSpec
from backends.services.fleet import Fleet
from backends.services.image_files import load_image, save_image
from backends.services.images import FleetImages, find_images, removable
from tests.contract.lab import BUSYBOX, Lab, one_chunk

pytestmark = pytest.mark.one_podman


@pytest.fixture
async def fleet(lab: Lab) -> AsyncIterator[Fleet]:
    """The engine as the only one of a fleet. The lab closes it."""
    made = Fleet([lab.engine])
    await made.start()
    assert await made.ready(15)
    yield made
    await made.close()


async def made(lab: Lab, *, named: bool) -> tuple[str, str]:
    """An image of two layers that no other has, loaded; its id and its name ("" where it has none)."""
    name = lab.owns_image(f"docker.io/tranship-test/{lab.name()}:1")
    steps = [BuildStep(f"ADD {name}", 5000), BuildStep(f"RUN {name}", 700)]
    image = build([name], steps, {"Cmd": ["true"]}, datetime(2026, 1, 1, tzinfo=UTC))
    await lab.engine.import_image(one_chunk(write_archive(image, [name] if named else [])))
    lab.owns_image(image.id)
    return (await lab.engine.image_facts(name if named else image.id)).key.id, name if named else ""


async def find(fleet: Fleet, word: str) -> ImageShare:
    """The image as it is now."""
    (share,) = find_images((await FleetImages(fleet).look()).images, word)
    return share


async def test_an_image_without_a_name_is_listed_where_asked_for(lab: Lab, fleet: Fleet) -> None:
    id_, _ = await made(lab, named=False)
    assert id_ in {image.key.id for image in await lab.engine.list_images(nameless=True)}
    share = await find(fleet, id_)
    assert share.dangling
    assert share in removable([share])
    await FleetImages(fleet).remove(share)
    assert id_ not in {image.key.id for image in await lab.engine.list_images(nameless=True)}


async def test_its_own_layers_are_unique_and_the_base_is_known(lab: Lab, fleet: Fleet) -> None:
    id_, name = await made(lab, named=True)
    share = await find(fleet, name)
    assert share.image.key.id == id_
    assert [layer.own for layer in share.layers] == [True, True]
    assert share.unique_bytes == share.total_bytes
    assert share.shared_bytes == 0
    container = await lab.make()
    await lab.engine.commit_container(container, lab.owns_image(f"docker.io/tranship-test/{lab.name()}:2"))
    on_it = await find(fleet, BUSYBOX)
    assert all(not layer.own for layer in on_it.layers), "the committed image has them too"
    assert on_it.unique_bytes == 0


async def test_a_used_image_is_refused_and_an_unused_one_goes_with_all_its_names(lab: Lab, fleet: Fleet) -> None:
    id_, name = await made(lab, named=True)
    other = lab.owns_image(f"docker.io/tranship-test/{lab.name()}:3")
    images = FleetImages(fleet)
    await images.tag(await find(fleet, name), other)
    container = await lab.engine.create_container(WorkloadSpec(lab.name(), name, labels=lab.label))
    try:
        share = await find(fleet, name)
        assert set(share.image.tags) == {name, other}
        assert share.containers
        with pytest.raises(Conflict):
            await images.remove(share)
        assert set((await lab.engine.image_facts(id_)).tags) == {name, other}
    finally:
        await lab.engine.remove(container, force=True)
    await images.remove(await find(fleet, other))
    for word in (id_, name, other):
        with pytest.raises(NotFound):
            await lab.engine.image_facts(word)


async def test_out_to_a_file_and_in_again(lab: Lab, fleet: Fleet, tmp_path: Path) -> None:
    id_, name = await made(lab, named=True)
    path = tmp_path / "image.tar"
    share = await find(fleet, name)
    assert await save_image(fleet, share, name, path, lambda _flow: None) == path.stat().st_size
    await FleetImages(fleet).remove(share)
    assert name in await load_image(fleet, lab.engine.id, path, lambda _flow: None)
    assert (await lab.engine.image_facts(name)).diff_ids == tuple(layer.diff_id for layer in share.layers)
    assert os.listdir(tmp_path) == ["image.tar"]
    assert (await lab.engine.image_facts(name)).key.id == id_
