"""Images on their way between real engines: missing layers only, whatever their names, and both of Docker's stores.

Containers are only created: what they run is not the matter here.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from backends.engines.docker import DockerEngine
from backends.migration import plan_migration
from backends.model.ids import EngineId, EngineKind
from backends.model.plan import Choices, ImageAction, ImageWay
from backends.wire.endpoint import Endpoint
from tests.engines_migration.yard import Yard
from tests.private import PrivateEngine
from tests.real import RealEngines

pytestmark = pytest.mark.engines

PAIRS = [("docker", "podman"), ("podman", "docker")]
TOP_BYTES = 200_000


def layered(yard: Yard, engine: str) -> str:
    """An image with one layer of its own on top of one that both engines have, and a container of it; its id."""
    grow = f"head -c {TOP_BYTES} /dev/urandom > /top"
    yard.cli(engine, "run", "--name", f"{yard.run}-base", *yard.marks, "test/web:1", "sh", "-c", grow)
    yard.cli(engine, "commit", "-c", f"ENV RUN={yard.run}", f"{yard.run}-base", yard.image)
    yard.cli(engine, "rm", "-v", f"{yard.run}-base")
    return yard.image_id(engine)


def names(yard: Yard, engine: str, image: str) -> list[str]:
    """All names of an image."""
    found = json.loads(yard.cli(engine, "image", "inspect", "-f", "{{json .RepoTags}}", image))
    return sorted(found or [])


@pytest.mark.parametrize(("here", "there"), PAIRS)
async def test_only_the_layer_that_is_missing_travels(
    yard: Yard, here: str, there: str, caplog: pytest.LogCaptureFixture
) -> None:
    yard.let_docker_know("test/web:1")
    image = layered(yard, here)
    yard.cli(here, "create", "--name", yard.run, *yard.marks, yard.image)
    caplog.set_level(logging.WARNING, "backends.migration")
    report = await yard.move(here, there, yard.run)
    assert report.equal, [check for check in report.checks if not check.equal]
    assert caplog.messages == [], "it did not fall back to another way"
    move = report.plan.image
    assert move is not None
    assert (move.action, move.way) == (ImageAction.SHIP, ImageWay.STORE)
    assert TOP_BYTES <= report.moved_bytes < 2 * TOP_BYTES
    assert move.facts.size_bytes > 10 * TOP_BYTES
    assert yard.image_id(there) == image
    assert [name.removeprefix("docker.io/") for name in names(yard, there, image)] == [f"test/{yard.run}:1"]


@pytest.mark.parametrize(("here", "there"), PAIRS)
async def test_an_archive_brings_the_same_image(yard: Yard, here: str, there: str) -> None:
    image = layered(yard, here)
    yard.cli(here, "create", "--name", yard.run, *yard.marks, yard.image)
    report = await yard.move(here, there, yard.run, choices=Choices(image_way=ImageWay.ARCHIVE))
    assert report.equal
    assert report.moved_bytes > 10 * TOP_BYTES
    assert yard.image_id(there) == image


@pytest.mark.parametrize(("here", "there"), PAIRS)
async def test_an_image_without_a_name_gets_none(yard: Yard, here: str, there: str) -> None:
    image = yard.build(here)
    if here == "docker":  # which forgets an image that loses its last name, but not where another takes the name
        yard.cli(here, "tag", "test/busybox:1", yard.image)
    else:
        yard.cli(here, "untag", yard.image)
    yard.cli(here, "create", "--name", yard.run, *yard.marks, image, "true")
    yard.answers(here, "rmi", yard.image)
    assert names(yard, here, image) == []
    try:
        report = await yard.move(here, there, yard.run)
        assert report.equal
        assert yard.ask(there, yard.run, "{{.Image}}").removeprefix("sha256:") == image
        assert names(yard, there, image) == []
    finally:
        for engine in (here, there):
            yard.answers(engine, "rm", "-f", yard.run)
            yard.answers(engine, "rmi", "-f", image)


@pytest.mark.parametrize(("here", "there"), PAIRS)
async def test_of_several_names_the_containers_own_comes_along(yard: Yard, here: str, there: str) -> None:
    image = yard.build(here)
    other, third = (f"docker.io/test/{yard.run}-{word}:2" for word in ("other", "third"))
    for name in (other, third):
        yard.cli(here, "tag", yard.image, name)
    yard.cli(here, "create", "--name", yard.run, *yard.marks, other, "true")
    try:
        assert (await yard.move(here, there, yard.run)).equal
        assert [name.removeprefix("docker.io/") for name in names(yard, there, image)] == [f"test/{yard.run}-other:2"]
        assert len(names(yard, here, image)) == 3, "the source keeps all of its own"
    finally:
        for engine in (here, there):
            yard.answers(engine, "rm", "-f", yard.run)
            yard.answers(engine, "rmi", "-f", image)


@pytest.mark.parametrize(("here", "there"), PAIRS)
async def test_an_image_that_is_known_by_its_digest_only(yard: Yard, here: str, there: str) -> None:
    image, name = yard.build(here), f"{yard.real.registry}/test/{yard.run}"
    plain = ["--tls-verify=false"] if here == "podman" else []
    yard.cli(here, "tag", yard.image, f"{name}:1")
    if here == "podman":
        written = yard.state_dir / "digest"
        yard.cli(here, "push", *plain, "--digestfile", str(written), f"{name}:1")
        digest = f"{name}@{written.read_text()}"
    else:
        yard.cli(here, "push", f"{name}:1")
        digest = yard.cli(here, "image", "inspect", "-f", "{{index .RepoDigests 0}}", f"{name}:1").strip()
    yard.cli(here, "rmi", yard.image, f"{name}:1")
    yard.cli(here, "pull", *plain, digest)
    yard.cli(here, "create", "--name", yard.run, *yard.marks, digest, "true")
    before = names(yard, there, "test/busybox:1")
    try:
        plan = await plan_migration(yard.engine(here), yard.run, yard.engine(there))
        said = next(field for field in plan.fields if field.field == "image")
        assert said.reason, "it cannot be known by that digest there: nobody pulled it"
        report = await yard.move(here, there, yard.run)
        assert report.equal
        facts = [await yard.engine(engine).image_facts(image_of(yard, engine)) for engine in (here, there)]
        assert facts[0].config_digest == facts[1].config_digest
        assert facts[0].diff_ids == facts[1].diff_ids
        assert names(yard, there, "test/busybox:1") == before
    finally:
        for engine in (here, there):
            made = image_of(yard, engine) if yard.has(engine, "container", yard.run) else image
            yard.answers(engine, "rm", "-f", yard.run)
            yard.answers(engine, "rmi", "-f", made)


def image_of(yard: Yard, engine: str) -> str:
    """The id of the image that the container has."""
    return yard.ask(engine, yard.run, "{{.Image}}").removeprefix("sha256:")


@pytest.fixture
def containerd(yard: Yard, real_engines: RealEngines) -> Iterator[PrivateEngine]:
    """A Docker with containerd's image store, "containerd" of the yard."""
    with PrivateEngine("docker", real_engines, config={"features": {"containerd-snapshotter": True}}) as daemon:
        yard.engines["containerd"] = DockerEngine(EngineId(EngineKind.DOCKER, "containerd"), Endpoint.parse(daemon.url))
        yield daemon


async def test_containerds_store_takes_and_gives_whole_images(yard: Yard, containerd: PrivateEngine) -> None:
    """Its ids are no configuration's digests: the image is told by its configuration and layers."""
    there = yard.engine("containerd")
    image = layered(yard, "podman")
    yard.cli("podman", "create", "--name", yard.run, "--network", "none", *yard.marks, yard.image)
    plan = await plan_migration(yard.engine("podman"), yard.run, there)
    assert plan.image is not None
    assert (plan.image.way, "containerd" in plan.image.why) == (ImageWay.ARCHIVE, True)
    assert (await yard.move("podman", "containerd", yard.run)).equal
    facts = await there.image_facts(yard.image)
    assert facts.key.id != image
    assert facts.config_digest.removeprefix("sha256:") == image
    assert containerd.cli("inspect", "-f", "{{.Config.Image}}", yard.run).strip().endswith(f"test/{yard.run}:1")

    yard.cli("podman", "rm", yard.run)
    yard.cli("podman", "rmi", yard.image)
    back = Choices(name=f"{yard.run}-back", image_way=ImageWay.ARCHIVE)
    report = await yard.move("containerd", "podman", yard.run, choices=back)
    assert report.equal
    assert yard.image_id("podman") == image
    assert report.moved_bytes > 10 * TOP_BYTES
