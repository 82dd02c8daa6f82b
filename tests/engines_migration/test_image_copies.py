"""Images copied between the real engines, and what the list says beforehand against what then travels."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from backends.migration.images import ship
from backends.services import image_copies
from backends.services.fleet import Fleet
from backends.services.image_copies import copy_image
from backends.services.images import FleetImages, find_images
from tests.engines_migration.yard import Yard
from tests.loopback import engines_pid, served_in

NO_FILES = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
"""The layer that is an empty tar: what a build step that changes no file makes."""


@pytest.mark.parametrize(("source", "target"), [("docker", "podman"), ("podman", "docker")])
async def test_a_copy_brings_what_the_list_said(
    yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, target: str
) -> None:
    monkeypatch.setattr(image_copies, "ship", partial(ship, serve=served_in(engines_pid(yard.real.dir))))
    yard.let_docker_know("test/busybox:1")
    made = yard.build(source)
    here, there = yard.engine(source), yard.engine(target)
    fleet = Fleet([here, there])
    await fleet.start()
    assert await fleet.ready(20)
    seen = await FleetImages(fleet).look()
    (share,) = find_images(seen.images, yard.image)
    layers = {
        one.image.key: [layer.diff_id for layer in one.layers if layer.diff_id != NO_FILES] for one in seen.images
    }
    (busybox,) = [
        one.image.key for one in find_images(seen.images, "test/busybox:1") if one.image.key.engine == here.id
    ]
    assert share.base is not None
    assert layers[share.base] == layers[busybox], "busybox, or what another test made of it without changing a file"
    said = share.travels[there.id]
    assert isinstance(said, int)
    assert said < 100_000, "the base is there already"
    done = await copy_image(fleet, share, there.id, [yard.image], lambda _update: None, folder=tmp_path)
    assert done.notes == ()
    assert done.moved_bytes < 200_000
    assert yard.image_id(target) == made
    again = await copy_image(fleet, share, there.id, [yard.image], lambda _update: None, folder=tmp_path)
    assert again.moved_bytes == 0
    await fleet.close()


async def test_unique_sizes_are_dockers_own(yard: Yard) -> None:
    """`docker system df -v` counts them in the daemon, from its layer store."""
    yard.build("docker")
    fleet = Fleet([yard.engine("docker")])
    await fleet.start()
    assert await fleet.ready(20)
    seen = await FleetImages(fleet).look()
    await fleet.close()
    listing = "{{range .Images}}{{.ID}} {{.SharedSize}}\n{{end}}"
    shared = dict(
        line.split() for line in yard.cli("docker", "system", "df", "-v", "--format", listing).splitlines() if line
    )
    (share,) = find_images(seen.images, yard.image)
    (base,) = find_images(seen.images, "test/busybox:1")
    for one in (share, base):
        assert isinstance(one.shared_bytes, int)
        assert f"{one.shared_bytes / 1e6:.3f}MB" == shared[f"sha256:{one.image.key.id}"]
