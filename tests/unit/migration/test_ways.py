"""How an image travels: which layers are there, which way is taken, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.migration.facts import SourceFacts, TargetFacts
from backends.migration.ways import choose_way, missing_bytes, obstacle, pours, present_layers
from backends.model.capabilities import EngineInfo
from backends.model.container import Container, ContainerState
from backends.model.errors import Refused
from backends.model.ids import ContainerKey, EngineId, EngineKind, ImageKey
from backends.model.image import ImageFacts
from backends.model.plan import ImageWay
from backends.model.workload import WorkloadSpec

DOCKER, PODMAN = EngineId(EngineKind.DOCKER, "docker"), EngineId(EngineKind.PODMAN, "podman")
DEMO = EngineId(EngineKind.DEMO, "demo")
INFO = EngineInfo(version="1", api_version="1", rootless=False, local=True, arch="amd64", os="Debian")
REMOTE = replace(INFO, local=False)
ID = "ab" * 32
LAYERS = ("sha256:a", "sha256:b", "sha256:c", "sha256:d")
GB = 10**9
IMAGE = ImageFacts(ImageKey(DOCKER, ID), (), f"sha256:{ID}", LAYERS, "amd64", "linux", GB)


def source(engine: EngineId = DOCKER, info: EngineInfo = INFO) -> SourceFacts:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    container = Container(ContainerKey(engine, "12" * 32), "web", "a:1", ID, ContainerState.RUNNING, now)
    spec = WorkloadSpec(name="web", image="a:1", image_id=ID)
    quarters = (GB // 4,) * len(LAYERS)
    return SourceFacts(engine, info, container, spec, IMAGE, ID, layer_bytes=quarters)


def stored_source(engine: EngineId = DOCKER) -> SourceFacts:
    """Its layers can be read in its own store."""
    return replace(source(engine), store="/var/lib/store", unread="")


def target(*stored: tuple[str, ...], engine: EngineId = PODMAN, info: EngineInfo = INFO) -> TargetFacts:
    return TargetFacts(engine, info, image_layers=stored)


def test_podman_finds_a_layer_wherever_it_is() -> None:
    assert present_layers(LAYERS, [("sha256:x", "sha256:c")], in_order=False) == {2}


def test_docker_finds_layers_only_on_top_of_the_same() -> None:
    stored = [("sha256:x", "sha256:b"), LAYERS[:2], (LAYERS[0], "sha256:x", LAYERS[2])]
    assert present_layers(LAYERS, stored, in_order=True) == {0, 1}


@given(st.lists(st.lists(st.sampled_from(LAYERS))))
def test_what_is_found_in_order_is_found_in_any_order(stored: list[list[str]]) -> None:
    in_order = present_layers(LAYERS, stored, in_order=True)
    assert in_order <= present_layers(LAYERS, stored, in_order=False)
    assert in_order == set(range(len(in_order)))


@pytest.mark.parametrize(
    ("sizes", "present", "expected"),
    [((1, 2, 4), {0, 2}, 2), ((), {0}, None), ((1, None, 4), {0}, None), ((), set(), 7), ((1, 2, 4), {0, 1, 2}, 0)],
)
def test_missing_bytes(sizes: tuple[int | None, ...], present: set[int], expected: int | None) -> None:
    assert missing_bytes(sizes, frozenset(present), 7) == expected


def test_only_what_is_missing_travels_and_the_plan_says_so() -> None:
    way, why, size = choose_way(source(), target(LAYERS[:3]), ImageWay.AUTO)
    assert (way, size) == (ImageWay.REGISTRY, GB // 4)
    assert "podman has 3 of 4 layers" in why


def test_a_wish_for_the_archive_is_granted() -> None:
    way, why, size = choose_way(source(), target(LAYERS[:3]), ImageWay.ARCHIVE)
    assert (way, size) == (ImageWay.ARCHIVE, GB)
    assert "asked for" in why


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (source(info=REMOTE), target()),
        (source(), target(info=REMOTE)),
        (source(DEMO), target()),
        (source(PODMAN), target(engine=DOCKER, info=replace(INFO, image_store="io.containerd.snapshotter.v1"))),
    ],
)
def test_where_no_registry_can_be_the_archive_goes_and_a_wish_is_refused(here: SourceFacts, there: TargetFacts) -> None:
    reason = obstacle(here.engine, here.info, there.engine, there.info)
    way, why, size = choose_way(here, there, ImageWay.AUTO)
    assert (way, size) == (ImageWay.ARCHIVE, GB)
    assert reason
    assert reason in why
    with pytest.raises(Refused) as caught:
        choose_way(here, there, ImageWay.REGISTRY)
    assert caught.value.detail == reason


def test_a_remote_docker_may_be_the_target() -> None:
    way, _, _ = choose_way(source(PODMAN), target(engine=DOCKER, info=REMOTE), ImageWay.AUTO)
    assert way is ImageWay.REGISTRY


def test_one_free_core_pours_the_whole_and_pushes_a_little() -> None:
    assert pours(DOCKER, PODMAN, IMAGE, GB, 1)
    assert not pours(DOCKER, PODMAN, IMAGE, GB // 10, 1)


@pytest.mark.parametrize("cores", [1.5, 2, 64])
def test_more_cores_always_push(cores: float) -> None:
    assert not pours(DOCKER, PODMAN, IMAGE, GB, cores)


def test_podman_containerd_and_unknown_sizes_never_pour() -> None:
    assert not pours(PODMAN, DOCKER, IMAGE, GB, 1)
    assert not pours(DOCKER, PODMAN, replace(IMAGE, config_digest=f"sha256:{'cd' * 32}"), GB, 1)
    assert not pours(DOCKER, PODMAN, IMAGE, None, 1)


@pytest.mark.parametrize("engine", [DOCKER, PODMAN])
def test_layers_that_can_be_read_in_the_store_are_read_there(engine: EngineId) -> None:
    there = target(LAYERS[:3], engine=PODMAN if engine is DOCKER else DOCKER)
    way, why, size = choose_way(stored_source(engine), there, ImageWay.AUTO)
    assert (way, size) == (ImageWay.STORE, GB // 4)
    assert why == f"{there.engine} has 3 of 4 layers: only the others travel, read from {engine}'s own store"
    assert choose_way(stored_source(engine), there, ImageWay.REGISTRY)[0] is ImageWay.REGISTRY
    assert choose_way(stored_source(engine), there, ImageWay.STORE)[1] == f"asked for; {there.engine} has 3 of 4 layers"


def test_why_the_store_is_not_read_stands_in_the_plan() -> None:
    unread = replace(source(), unread="its folders may not be read by this user")
    way, why, _ = choose_way(unread, target(LAYERS[:3]), ImageWay.AUTO)
    assert way is ImageWay.REGISTRY
    assert why.endswith("; docker's own store is not read: its folders may not be read by this user")
    with pytest.raises(Refused) as error:
        choose_way(unread, target(LAYERS[:3]), ImageWay.STORE)
    assert "may not be read by this user" in error.value.detail


def test_a_target_that_takes_whole_images_only_gets_an_archive_all_the_same() -> None:
    there = target(info=REMOTE)
    assert choose_way(stored_source(), there, ImageWay.AUTO)[0] is ImageWay.ARCHIVE
    with pytest.raises(Refused) as error:
        choose_way(stored_source(), there, ImageWay.STORE)
    assert "on another machine" in error.value.detail
