"""The images of a fleet of demo engines: looked at, named, removed, written to files, copied."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.engines.demo import DemoEngine
from backends.engines.demo_images import BuildStep, build
from backends.engines.wrap import read_only
from backends.model.errors import BackendError, Conflict, Denied, NotFound, Protocol, Refused, Unreachable
from backends.model.ids import EngineId, ImageKey
from backends.model.image import Image
from backends.model.image_sharing import ImageList, ImageShare
from backends.model.plan import StepProgress
from backends.model.values import Missing
from backends.model.workload import WorkloadSpec
from backends.services.audit import AuditLog
from backends.services.fleet import Fleet
from backends.services.image_copies import copy_image
from backends.services.image_files import load_image, save_image
from backends.services.images import FleetImages, find_images, removable
from tests.unit.services.fleet_facts import ONE, TWO

BUILT = datetime(2026, 1, 1, tzinfo=UTC)
BASE = BuildStep("ADD rootfs /", 1000)
WEB, BASE_NAME = "docker.io/library/web:1", "docker.io/library/base:1"


def put(engine: DemoEngine, *names: str, top: str = "", day: int = 1) -> str:
    """An image in the engine's store, on the common base; its id. top: what its upper layer holds."""
    steps = [BASE, BuildStep(f"RUN {top}", 300)] if top else [BASE]
    image = build(names, steps, {"Cmd": ["true"]}, BUILT.replace(day=day))
    engine.actions.add_image(image)
    return image.id


class Scene:
    """Two demo engines, a fleet of them, and the images of both."""

    def __init__(self, folder: Path) -> None:
        self.one, self.two = DemoEngine(ONE, look_s=0, act_s=0), DemoEngine(TWO, look_s=0, act_s=0)
        self.audit = folder / "audit.jsonl"
        self.fleet = Fleet([self.one, self.two], audit=AuditLog(self.audit))
        self.images = FleetImages(self.fleet)

    async def find(self, word: str, engine: EngineId = ONE) -> ImageShare:
        """The one image of that name or id."""
        seen = await self.images.look()
        (found,) = find_images([share for share in seen.images if share.image.key.engine == engine], word)
        return found

    async def names(self, engine: DemoEngine) -> set[str]:
        """All tags of an engine."""
        return {tag for image in await engine.list_images(nameless=True) for tag in image.tags}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A fleet that is connected, closed afterwards."""
    made = Scene(tmp_path)
    put(made.one, BASE_NAME)
    put(made.one, WEB, top="web")
    put(made.two, BASE_NAME)
    await made.fleet.start()
    assert await made.fleet.ready(10)
    yield made
    await made.fleet.close()


async def test_all_images_of_all_engines_with_what_they_share(scene: Scene) -> None:
    seen = await scene.images.look()
    assert [(share.image.key.engine, share.name) for share in seen.images] == [
        (ONE, BASE_NAME),
        (ONE, WEB),
        (TWO, BASE_NAME),
    ]
    base, web, _ = seen.images
    assert (base.unique_bytes, web.unique_bytes, web.shared_bytes, web.total_bytes) == (0, 300, 1000, 1300)
    assert web.base_name == BASE_NAME
    assert len(web.layers[0].holders) == 3
    assert web.travels == {TWO: 1300}, "demo engines take whole images only"
    assert base.travels == {TWO: 0}


async def test_nameless_images_are_seen_and_are_what_a_pruning_removes(scene: Scene) -> None:
    lone = put(scene.one, top="lone")
    used = put(scene.one, top="used")
    await scene.one.create_container(WorkloadSpec("worker", used))
    seen = await scene.images.look()
    assert {share.image.key.id for share in seen.images if share.dangling} == {lone, used}
    assert {share.image.key.id for share in removable(seen.images)} == {lone}
    doubtful = [replace(share, image=replace(share.image, why="not all read: RepoTags")) for share in seen.images]
    assert removable(doubtful, named=True) == ()
    unused = {share.name for share in removable(seen.images, named=True)}
    assert unused == {lone[:12], WEB, BASE_NAME}


async def test_one_engine_that_fails_does_not_hide_the_other(scene: Scene) -> None:
    scene.two.faults.fail("list_images", Unreachable("gone", engine=TWO), times=1)
    seen = await scene.images.look()
    assert {share.image.key.engine for share in seen.images} == {ONE}
    assert [error.engine for error in seen.errors] == [TWO]


async def test_layers_that_cannot_be_read_are_missing_with_the_reason(scene: Scene) -> None:
    scene.one.faults.fail("image_layers", Protocol("the history is garbled", engine=ONE), times=1)
    first = await scene.images.look()
    reasons = [share.total_bytes.reason for share in first.images if isinstance(share.total_bytes, Missing)]
    assert reasons == ["the history is garbled"]
    again = await scene.images.look()
    assert not any(isinstance(share.total_bytes, Missing) for share in again.images), "it is asked again"


async def test_layers_are_read_once(scene: Scene) -> None:
    await scene.images.look()
    scene.one.faults.fail("image_layers", Protocol("asked twice", engine=ONE))
    seen = await scene.images.look()
    assert len(seen.images) == 3
    assert not any(isinstance(share.total_bytes, Missing) for share in seen.images)


async def test_the_name_that_a_move_gives_in_passing_is_not_shown(scene: Scene) -> None:
    await scene.one.tag_image(WEB, "127.0.0.1:43511/tranship/033aad753bb84529:move")
    assert (await scene.find("web:1")).image.tags == (WEB,)


async def test_a_name_more_and_one_less(scene: Scene) -> None:
    assert await scene.images.tag(await scene.find("web:1"), "team/web") == "docker.io/team/web:latest"
    share = await scene.find("team/web")
    assert set(share.image.tags) == {WEB, "docker.io/team/web:latest"}
    await scene.images.untag(share, WEB)
    assert (await scene.find("team/web")).image.tags == ("docker.io/team/web:latest",)
    await scene.fleet.close()
    lines = [json.loads(line) for line in scene.audit.read_text().splitlines()]
    assert [(line["action"], line["outcome"]) for line in lines] == [("image.tag", "done"), ("image.untag", "done")]
    assert lines[0]["container"] == share.image.key.id


async def test_the_only_name_is_not_taken_away(scene: Scene) -> None:
    with pytest.raises(Refused, match="only name"):
        await scene.images.untag(await scene.find("web:1"), WEB)
    assert WEB in await scene.names(scene.one)


async def test_a_name_that_another_image_has_is_taken_over_only_when_asked_for(scene: Scene) -> None:
    share = await scene.find("web:1")
    with pytest.raises(Refused, match="another image") as refused:
        await scene.images.tag(share, "base:1")
    assert refused.value.hint
    assert (await scene.one.image_facts(BASE_NAME)).key != share.image.key
    await scene.images.tag(share, "base:1", take=True)
    assert (await scene.one.image_facts(BASE_NAME)).key == share.image.key


@pytest.mark.parametrize("name", ["Capital", "a b", "web@sha256:" + "a" * 64, ""])
async def test_what_is_no_name_is_refused_in_words(scene: Scene, name: str) -> None:
    with pytest.raises(Refused) as refused:
        await scene.images.tag(await scene.find("web:1"), name)
    assert refused.value.hint


async def test_an_image_goes_with_all_its_names(scene: Scene) -> None:
    share = await scene.find("web:1")
    await scene.images.tag(share, "other:1")
    await scene.images.tag(share, "third:1")
    await scene.images.remove(await scene.find("web:1"))
    assert await scene.names(scene.one) == {BASE_NAME}


async def test_an_image_that_is_used_stays_as_it_is(scene: Scene) -> None:
    await scene.one.create_container(WorkloadSpec("worker", WEB))
    share = await scene.find("web:1")
    with pytest.raises(Conflict, match="worker"):
        await scene.images.remove(share)
    stale = replace(share, containers=())  # it was looked at before the container was made
    await scene.images.tag(share, "other:1")
    stale = replace(stale, image=(await scene.find("web:1")).image)
    with pytest.raises(Conflict):
        await scene.images.remove(stale)
    assert await scene.names(scene.one) == {BASE_NAME, WEB, "docker.io/library/other:1"}, "its names are given back"


async def test_read_only_changes_nothing(scene: Scene) -> None:
    share = await scene.find("web:1")
    fleet = Fleet([read_only(scene.one)], read_only=True)
    images = FleetImages(fleet)
    with pytest.raises(Refused):
        await images.tag(share, "x:1")
    with pytest.raises(Refused):
        await images.remove(share)
    assert await scene.names(scene.one) == {BASE_NAME, WEB}


# -- files ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
async def test_a_saved_image_loads_on_the_other_engine(scene: Scene, tmp_path: Path, mask: int, mode: int) -> None:
    path = tmp_path / "web.tar"
    before = os.umask(mask)
    try:
        size = await save_image(scene.fleet, await scene.find("web:1"), WEB, path, lambda _flow: None)
    finally:
        os.umask(before)
    assert path.stat().st_size == size
    assert path.stat().st_mode & 0o777 == mode
    assert await load_image(scene.fleet, TWO, path, lambda _flow: None) == (WEB,)
    assert (await scene.two.image_facts(WEB)).diff_ids == (await scene.one.image_facts(WEB)).diff_ids


def _left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"audit.jsonl", "audit.head"}


async def test_a_file_that_is_there_is_never_overwritten(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "web.tar"
    path.write_bytes(b"mine")
    with pytest.raises(Conflict, match="exists"):
        await save_image(scene.fleet, await scene.find("web:1"), WEB, path, lambda _flow: None)
    assert path.read_bytes() == b"mine"
    assert _left(tmp_path) == {"web.tar"}


@pytest.mark.parametrize("failure", [Unreachable("cut", engine=ONE), asyncio.CancelledError()])
async def test_what_fails_on_the_way_leaves_no_file(scene: Scene, tmp_path: Path, failure: BaseException) -> None:
    share = await scene.find("web:1")

    def fail(_flow: object) -> None:
        raise failure

    with pytest.raises(type(failure)):
        await save_image(scene.fleet, share, WEB, tmp_path / "web.tar", fail)
    assert _left(tmp_path) == set()


async def test_a_folder_that_is_not_there_is_said(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(Denied) as denied:
        await save_image(scene.fleet, await scene.find("web:1"), WEB, tmp_path / "no" / "web.tar", lambda _flow: None)
    assert "No such file" in denied.value.detail


@pytest.mark.parametrize(
    ("content", "error"),
    [(None, NotFound), (b"", Protocol), (b"no archive" * 500, Protocol)],
    ids=["none", "empty", "junk"],
)
async def test_what_cannot_be_loaded_is_said(
    scene: Scene, tmp_path: Path, content: bytes | None, error: type[BackendError]
) -> None:
    path = tmp_path / "junk.tar"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error):
        await load_image(scene.fleet, TWO, path, lambda _flow: None)
    assert await scene.names(scene.two) == {BASE_NAME}


# -- copies --------------------------------------------------------------------------------------
async def test_a_copy_is_the_same_image_under_its_name(scene: Scene) -> None:
    said: list[StepProgress] = []
    done = await copy_image(scene.fleet, await scene.find("web:1"), TWO, [WEB, "mirror:2"], said.append)
    facts = await scene.two.image_facts("docker.io/library/mirror:2")
    assert facts.key == done.key == ImageKey(TWO, (await scene.one.image_facts(WEB)).key.id)
    assert set(facts.tags) == {WEB, "docker.io/library/mirror:2"}
    assert done.moved_bytes > 0
    assert {progress.step.title for progress in said} == {f"copy {WEB} to two"}


async def test_what_the_target_has_is_only_named(scene: Scene) -> None:
    done = await copy_image(scene.fleet, await scene.find("base:1"), TWO, ["mirror:1"], lambda _update: None)
    assert done.moved_bytes == 0
    assert await scene.names(scene.two) == {BASE_NAME, "docker.io/library/mirror:1"}


async def test_a_name_of_another_image_on_the_target_is_not_taken(scene: Scene) -> None:
    put(scene.two, WEB, top="another web")
    with pytest.raises(Refused, match="another image"):
        await copy_image(scene.fleet, await scene.find("web:1"), TWO, [WEB], lambda _update: None)
    assert len(await scene.two.list_images(nameless=True)) == 2


async def test_to_the_own_engine_is_refused(scene: Scene) -> None:
    with pytest.raises(Refused, match="already"):
        await copy_image(scene.fleet, await scene.find("web:1"), ONE, [WEB], lambda _update: None)


@pytest.mark.parametrize("method", ["export_image", "import_image", "tag_image"])
async def test_a_copy_that_fails_leaves_the_target_as_it_was(scene: Scene, method: str) -> None:
    engine = scene.one if method == "export_image" else scene.two
    engine.faults.fail(method, Unreachable("cut", engine=engine.id), times=1)
    share = await scene.find("web:1")
    with pytest.raises(Unreachable):
        await copy_image(scene.fleet, share, TWO, [WEB], lambda _update: None)
    held: Mapping[str, Image] = {image.key.id: image for image in await scene.two.list_images(nameless=True)}
    assert share.image.key.id not in held
    assert await scene.names(scene.two) == {BASE_NAME}


def test_images_are_found_by_name_digest_and_id() -> None:
    digest = "docker.io/library/web@sha256:" + "d" * 64
    share = ImageShare(Image(ImageKey(ONE, "ab" * 32), (WEB,), 1, None, (digest,)), (), 0, 0, 0)
    seen = ImageList((share,))
    for word in ("web:1", WEB, "docker.io/web:1", digest, "abab", "sha256:" + "ab" * 32):
        assert find_images(seen.images, word) == (share,), word
    for word in ("web", "web:2", "", "sha256:", "ba"):
        assert find_images(seen.images, word) == (), word
