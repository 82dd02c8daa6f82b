"""Layers read from the real engines' own folders: what they have, what a move takes of it, what it does without.

Tests run as root: so it may read Docker's store, Podman's, and a rootless Podman's.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from backends.engine import Engine
from backends.migration.images import ship
from backends.migration.planning import store_of
from backends.model.image import ImageFacts
from backends.model.plan import ImageAction, ImageMove, ImageWay
from backends.stores import StoredImage, find_image, rebuild, tar_bytes
from tests.engines_migration.yard import Yard
from tests.loopback import engines_pid, served_in

pytestmark = pytest.mark.engines

TOP_BYTES, BASE_BYTES = 300_000, 2_000_000
LOOK = ("sh", "-c", "sha256sum /new/é/top /hard; ls -lA /new; ls -l /soft; ls /bin | wc -l")


def layered(yard: Yard, engine: str) -> None:
    """The yard's image: a layer of its own on top of what both engines have, with names that are hard to write down."""
    grow = (
        f"mkdir -p '/new/é' && head -c {TOP_BYTES} /dev/urandom > '/new/é/top' && ln /new/é/top /hard && ln -s / /soft"
    )
    more = "&& touch \"$(printf '/new/\\377')\" && head -c 600 /dev/zero > \"$(printf '/\\351')\" && rm /bin/true"
    yard.cli(engine, "run", "--name", f"{yard.run}-base", *yard.marks, "test/web:1", "sh", "-c", f"{grow} {more}")
    yard.cli(engine, "commit", "-c", f"ENV RUN={yard.run}", f"{yard.run}-base", yard.image)
    yard.cli(engine, "rm", "-v", f"{yard.run}-base")


def checked(image: StoredImage) -> int:
    """Rebuilds each layer (which compares its digest); returns the bytes."""
    total = 0
    for layer in image.layers:
        size = sum(map(len, rebuild(layer)))
        assert size == tar_bytes(layer)
        total += size
    return total


@pytest.mark.parametrize("name", ["docker", "podman", "podman-rootless"])
async def test_every_layer_of_a_real_store_is_rebuilt_to_its_digest(yard: Yard, name: str, tmp_path: Path) -> None:
    engine = yard.engine(name)
    info = await engine.connect()
    for reference in ("test/web:1", "test/busybox:1"):
        facts = await engine.image_facts(reference)
        image = await asyncio.to_thread(find_image, engine.id.kind, info, engine.endpoint, facts)
        assert await asyncio.to_thread(checked, image) > BASE_BYTES
        assert [layer.diff_id for layer in image.layers] == list(facts.diff_ids)
    elsewhere = replace(info, graph_root=str(tmp_path))
    assert await store_of(engine, elsewhere, facts) == ("", "a part of it is not in its folders")
    assert await store_of(engine, replace(info, local=False), facts) == ("", "the engine is not one of this machine")


async def sent(
    yard: Yard, source: Engine, target: Engine, store: str, folder: Path
) -> tuple[ImageFacts, int, list[str]]:
    """Ship the yard's image by STORE; returns what landed (named there), the bytes, and what was said."""
    await target.connect()
    said: list[str] = []
    facts = await source.image_facts(yard.image)
    move = ImageMove(ImageAction.SHIP, facts, yard.image, ImageWay.STORE, store=store)
    serve = served_in(engines_pid(yard.real.dir))
    landed, size = await ship(source, target, move, lambda _flow: None, serve=serve, folder=folder, note=said.append)
    await target.tag_image(landed.key.id, yard.image)
    assert not [name for name in os.listdir(folder) if name.startswith("registry-")]
    return landed, size, said


async def test_what_the_target_lacks_comes_from_a_rootless_store(yard: Yard, tmp_path: Path) -> None:
    here, there = "podman-rootless", "podman"
    layered(yard, here)
    source, target = yard.engine(here), yard.engine(there)
    facts = await source.image_facts(yard.image)
    store, why = await store_of(source, await source.connect(), facts)
    assert why == ""
    landed, size, said = await sent(yard, source, target, store, tmp_path)
    assert (landed.key.id, said) == (facts.key.id, [])
    assert TOP_BYTES <= size < 2 * TOP_BYTES, "only the layer that is missing"
    assert yard.cli(here, "run", "--rm", *yard.marks, yard.image, *LOOK) == yard.cli(
        there, "run", "--rm", *yard.marks, yard.image, *LOOK
    )


def copied(image: StoredImage, engine: str, at: Path) -> None:
    """A copy of what is read of the image in its store."""
    name = Path(image.root)
    parts = [layer.files for layer in image.layers]
    if engine == "docker":
        parts += [name / "image/overlay2/imagedb/content", *(layer.split.parent for layer in image.layers)]
    else:
        parts += [name / "overlay-images", name / "overlay-layers/layers.json", *(one.split for one in image.layers)]
    for part in parts:
        to = at / part.relative_to(name)
        to.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", str(part), str(to)], check=True)


@pytest.mark.parametrize(("here", "there"), [("docker", "podman"), ("podman", "docker")])
async def test_a_store_that_changes_under_the_move_is_found_out(
    yard: Yard, tmp_path: Path, here: str, there: str
) -> None:
    """A file has another content of the same size: seen by the digest only, when nearly all of the layer has passed."""
    layered(yard, here)
    source, target = yard.engine(here), yard.engine(there)
    facts = await source.image_facts(yard.image)
    image = await asyncio.to_thread(find_image, source.id.kind, await source.connect(), source.endpoint, facts)
    copy = tmp_path / "store"
    copied(image, here, copy)
    top = copy / image.layers[-1].files.relative_to(image.root) / "new/é/top"
    top.write_bytes(os.urandom(TOP_BYTES))
    landed, _, said = await sent(yard, source, target, str(copy), tmp_path / "own")
    assert len(said) == 1
    assert "not what its digest says" in said[0]
    assert landed.key.id == facts.key.id
    assert yard.cli(here, "run", "--rm", *yard.marks, yard.image, *LOOK) == yard.cli(
        there, "run", "--rm", *yard.marks, yard.image, *LOOK
    )
