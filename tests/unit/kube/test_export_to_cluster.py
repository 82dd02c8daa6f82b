"""An export on its way to a cluster: names at a registry, what no cluster gets, checked, applied, written down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from backends.engine import Engine
from backends.export.exported import Member
from backends.export.kubernetes import Workload, kubernetes, only_here
from backends.model.container import ContainerState
from backends.model.errors import NotFound, Refused
from backends.model.events import OperationUpdate
from backends.model.ids import EngineId, EngineKind, ImageKey
from backends.model.image import ImageFacts
from backends.model.workload import WorkloadSpec
from backends.services.cluster_apply import apply, check, manifests_of, refuse_images_of_here
from backends.services.export_push import push_of, renamed
from backends.services.exports import Target, export, read_members
from backends.services.fleet import Fleet
from tests.cluster.server import FakeCluster
from tests.cluster.store import KINDS, PODS
from tests.contract.conftest import demo_engine
from tests.contract.lab import BUSYBOX
from tests.unit.kube.conftest import LAB
from tests.unit.services.fleet_facts import until

_KEY = ImageKey(EngineId(EngineKind.DOCKER, "docker"), "ab" * 32)
_IMAGE = ImageFacts(_KEY, (), "", (), "amd64", "linux", 1)


def member(image: str, name: str = "api") -> Member:
    return Member(WorkloadSpec(name, image), EngineKind.DOCKER, image=_IMAGE)


@pytest.fixture
async def fleet(lab: Engine) -> AsyncIterator[Fleet]:
    """A demo engine with one container, and the cluster."""
    demo = demo_engine()
    spec = WorkloadSpec("api", BUSYBOX, command=("sh", "-c", "echo hello; sleep 60"), env={"API_TOKEN": "s3cret"})
    await demo.start(await demo.create_container(spec))
    made = Fleet([demo, lab])
    await made.start()
    await made.ready(10)
    yield made
    await made.close()


async def test_it_is_checked_by_the_cluster_then_applied_and_runs_there(fleet: Fleet, cluster: FakeCluster) -> None:
    ended: list[OperationUpdate] = []
    fleet.operations.subscribe(ended.append)
    (row,) = [one for one in fleet.store.view.containers.values() if one.name == "api"]
    members = await read_members(fleet, [row])
    refuse_images_of_here(one.spec.image for one in members)
    made = export(Target.KUBERNETES, members)
    assert [one["kind"] for one in manifests_of(made)] == ["Secret", "Deployment"]
    found = await check(fleet, LAB, made)
    assert [str(one) for one in found if one.created] == ["secret/api-env", "deployment/api"]
    assert cluster.store.listed(KINDS[5], "") == []
    await apply(fleet, LAB, made, namespace="train")
    (pod,) = cluster.store.listed(PODS, "train")
    assert pod["spec"]["containers"][0]["image"] == BUSYBOX
    (told,) = ended
    assert (told.action, told.key.engine) == ("cluster.apply", LAB)
    assert told.record["plan"] == {
        "objects": ["Secret/api-env", "Deployment/api"],
        "namespace": "train",
        "force": False,
    }
    assert "s3cret" not in repr(told)
    again = await check(fleet, LAB, made, namespace="train")
    assert not any(one.created for one in again)


async def test_what_is_applied_comes_into_the_fleet_by_itself(fleet: Fleet) -> None:
    (row,) = [one for one in fleet.store.view.containers.values() if one.name == "api"]
    await apply(fleet, LAB, export(Target.KUBERNETES, await read_members(fleet, [row]), workload=Workload.POD))

    def runs() -> bool:
        pods = [one for one in fleet.store.view.containers.values() if one.key.engine == LAB]
        return [(one.key.id, one.state) for one in pods] == [("default/api/api", ContainerState.RUNNING)]

    await until(runs)


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ("localhost/api:2", "ghcr.io/team/api:2"),
        ("docker.io/acme/tools/api", "ghcr.io/team/api:latest"),
        ("sha256:" + "ab" * 32, "ghcr.io/team/my-api:latest"),
        ("reg.example:5000/api:3@sha256:" + "cd" * 32, "ghcr.io/team/api:3"),
    ],
)
def test_an_image_goes_below_the_prefix_under_its_own_name(image: str, reference: str) -> None:
    push = push_of(member(image, "My_Api"), "ghcr.io/team/")
    assert (push.reference, push.image) == (reference, _IMAGE.key)


def test_a_prefix_that_is_no_registry_and_an_image_that_is_gone_are_refused() -> None:
    with pytest.raises(Refused, match="names no registry"):
        push_of(member("api:1"), "team")
    with pytest.raises(Refused, match="is no name of an image"):
        push_of(member("api:1"), "ghcr.io/Team")
    with pytest.raises(NotFound, match="is not on its engine"):
        push_of(replace(member("api:1"), image=None), "ghcr.io/team")


def test_pushed_images_are_named_by_digest_in_the_manifest() -> None:
    members = [member("localhost/api:2")]
    push = push_of(members[0], "ghcr.io/team")
    digest = "sha256:" + "cd" * 32
    (named,) = renamed(members, {push.image: (push, digest)})
    assert named.spec.image == f"ghcr.io/team/api@{digest}"
    assert f"image: 'ghcr.io/team/api@{digest}'" in kubernetes([named]).files[0].text
    assert renamed(members, {push.image: (push, "")})[0].spec.image == "ghcr.io/team/api:2"
    assert renamed(members, {}) == tuple(members)


def test_images_that_no_cluster_gets_are_refused_before_anything_is_made() -> None:
    assert [only_here(one) for one in ("localhost/a:1", "a", "sha256:" + "ab" * 32, "a:1", "ghcr.io/a@sha256:1")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    with pytest.raises(Refused, match="localhost/api:2 is on its engine alone") as caught:
        refuse_images_of_here(["localhost/api:2", "ghcr.io/team/api:2"])
    assert "--push" in caught.value.hint
