"""Real images by a registry of ours, filled by a push or by `save`, and what only the missing layers cost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backends.migration import images
from backends.migration.images import ship
from backends.migration.planning import layer_bytes, stored_layers
from backends.migration.ways import finds_in_order, missing_bytes, present_layers
from backends.model.plan import ImageAction, ImageMove, ImageWay
from tests.engines_migration.yard import Yard
from tests.loopback import engines_pid, served_in

BUSYBOX_BYTES = 1_000_000
"""Less than the test image's base, which every engine has, takes in any form."""


async def shipped(yard: Yard, source: str, target: str, folder: Path) -> tuple[str, int]:
    """Ship the yard's image as a plan would; returns its id on the target, and the bytes."""
    here, there = yard.engine(source), yard.engine(target)
    for engine in (here, there):
        await engine.connect()
    facts = await here.image_facts(yard.image)
    stored = await stored_layers(there, [image.key.id for image in await there.list_images()])
    present = present_layers(facts.diff_ids, stored, in_order=finds_in_order(there.id))
    missing = missing_bytes(await layer_bytes(here, facts), present, facts.size_bytes)
    move = ImageMove(ImageAction.SHIP, facts, yard.image, ImageWay.REGISTRY, missing_bytes=missing)
    serve = served_in(engines_pid(yard.real.dir))
    landed, size = await ship(here, there, move, lambda _flow: None, serve=serve, folder=folder)
    await there.tag_image(landed.key.id, yard.image)
    return landed.key.id, size


@pytest.mark.parametrize("cores", [1.0, 64.0])
@pytest.mark.parametrize(("source", "target"), [("docker", "podman"), ("podman", "docker")])
async def test_an_image_on_a_base_that_is_there_brings_little(
    yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: float, source: str, target: str
) -> None:
    monkeypatch.setattr(images, "_free_cores", lambda: cores)
    yard.let_docker_know("test/busybox:1")
    made = yard.build(source)
    id_, size = await shipped(yard, source, target, tmp_path / "own")
    assert id_ == made == yard.image_id(target)
    assert size < BUSYBOX_BYTES
    assert os.listdir(tmp_path / "own") == []


@pytest.mark.parametrize("cores", [1.0, 64.0])
async def test_an_image_of_which_nothing_is_there_comes_whole(
    yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, cores: float
) -> None:
    monkeypatch.setattr(images, "_free_cores", lambda: cores)
    yard.build_bare("docker")
    id_, size = await shipped(yard, "docker", "podman", tmp_path / "own")
    assert id_ == yard.image_id("podman")
    assert size > BUSYBOX_BYTES // 2
    assert "failed" not in caplog.text
    assert os.listdir(tmp_path / "own") == []
