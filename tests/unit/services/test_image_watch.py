"""The list of images comes again when an image or a container changes, whoever changed it, and after a lost engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from backends.model.errors import Unreachable
from backends.model.image_sharing import ImageList
from backends.model.workload import WorkloadSpec
from tests.unit.services.fleet_facts import ONE
from tests.unit.services.test_images import BASE_NAME, WEB, Scene, put

PATIENCE_S = 10.0


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """One image on the first engine, none on the other."""
    made = Scene(tmp_path)
    put(made.one, BASE_NAME)
    await made.fleet.start()
    assert await made.fleet.ready(10)
    yield made
    await made.fleet.close()


def lists(scene: Scene) -> AsyncGenerator[ImageList, None]:
    """What is seen, with short pauses."""
    return scene.images.watched(settle_s=0.01, retry_s=0.01)


async def come_to(seen: AsyncGenerator[ImageList, None], names: set[str]) -> ImageList:
    """The first list with just these names."""
    async with asyncio.timeout(PATIENCE_S):
        async for images in seen:
            if {share.name for share in images.images} == names:
                return images
    raise AssertionError("the lists ended")


async def test_images_come_and_go_without_being_asked_for(scene: Scene) -> None:
    async with aclosing(lists(scene)) as seen:
        await come_to(seen, {BASE_NAME})
        put(scene.one, WEB, top="web")
        await come_to(seen, {BASE_NAME, WEB})
        await scene.one.remove_image(WEB)
        await come_to(seen, {BASE_NAME})
        await scene.one.tag_image(BASE_NAME, WEB)
        await scene.one.remove_image(BASE_NAME)
        await come_to(seen, {WEB})


async def test_a_container_that_begins_to_use_an_image_is_seen(scene: Scene) -> None:
    async with aclosing(lists(scene)) as seen:
        await come_to(seen, {BASE_NAME})
        await scene.one.create_container(WorkloadSpec("worker", BASE_NAME))
        async with asyncio.timeout(PATIENCE_S):
            async for images in seen:
                if images.images[0].containers == ("worker",):
                    return


async def test_an_engine_whose_events_fail_is_asked_again(scene: Scene) -> None:
    scene.one.faults.fail("subscribe", Unreachable("cut", engine=ONE), times=3)
    async with aclosing(lists(scene)) as seen:
        await come_to(seen, {BASE_NAME})
        put(scene.one, WEB, top="web")
        await come_to(seen, {BASE_NAME, WEB})


async def test_closing_leaves_no_task(scene: Scene) -> None:
    before = {task.get_name() for task in asyncio.all_tasks()}
    async with aclosing(lists(scene)) as seen:
        await come_to(seen, {BASE_NAME})
        assert {task.get_name() for task in asyncio.all_tasks()} > before
    assert {task.get_name() for task in asyncio.all_tasks()} == before
