"""Manifests to a cluster: what is made, checked first, refused, and taken over."""

from __future__ import annotations

import pytest

from backends.engine import Engine
from backends.engines.demo import DemoEngine
from backends.model.errors import Conflict, Denied, NotFound, Unsupported
from tests.cluster.server import FakeCluster
from tests.cluster.store import KINDS, PODS, Name
from tests.unit.kube.test_engine import manifest
from tests.unit.services.fleet_facts import ONE

_SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}


async def test_objects_are_made_in_order_and_the_second_time_changed(cluster: FakeCluster, lab: Engine) -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"}}
    job["spec"] = {"template": {"metadata": {"labels": {"a": "b"}}, "spec": manifest("x")["spec"]}}
    checked = await lab.apply_manifests([_SERVICE, job], namespace="train", dry_run=True)
    assert [(str(one), one.created) for one in checked] == [("service/web", True), ("job/job", True)]
    assert cluster.store.listed(KINDS[1], "") == cluster.store.listed(PODS, "") == []
    made = await lab.apply_manifests([_SERVICE, job], namespace="train")
    assert [(str(one), one.namespace, one.created) for one in made] == [
        ("service/web", "train", True),
        ("job/job", "train", True),
    ]
    (pod,) = cluster.store.listed(PODS, "train")  # the controller's
    assert pod["metadata"]["name"].startswith("job-")
    assert [one.created for one in await lab.apply_manifests([_SERVICE], namespace="train")] == [False]
    managed = cluster.store.objects[Name(KINDS[1], "train", "web")]["metadata"]["managedFields"]
    assert managed == [{"manager": "tranship", "operation": "Apply"}]


async def test_what_others_manage_is_left_to_them_unless_forced(cluster: FakeCluster, lab: Engine) -> None:
    other = {"managedFields": [{"manager": "helm", "operation": "Update"}]}
    name = Name(KINDS[1], "default", "web")
    await cluster.store.put(name, _SERVICE | {"metadata": {"name": "web"} | other})
    with pytest.raises(Conflict, match="Others manage fields of service/web") as caught:
        await lab.apply_manifests([_SERVICE])
    assert 'conflict with "helm"' in caught.value.detail
    assert "--force-conflicts" in caught.value.hint
    await lab.apply_manifests([_SERVICE], force=True)
    assert cluster.store.objects[name]["metadata"]["managedFields"][0]["manager"] == "tranship"


async def test_what_a_cluster_does_not_take_is_said_with_its_field(cluster: FakeCluster, lab: Engine) -> None:
    empty = manifest("empty") | {"spec": {"containers": []}}
    with pytest.raises(Unsupported, match=r"does not take pod/empty: Pod .empty. is invalid") as caught:
        await lab.apply_manifests([empty])
    assert "spec.containers: Required value" in caught.value.detail
    for version, kind in (("v1", "Gadget"), ("example.com/v1", "Gadget"), ("", "")):
        with pytest.raises(Unsupported):
            await lab.apply_manifests([{"apiVersion": version, "kind": kind, "metadata": {"name": "x"}}])
    with pytest.raises(NotFound, match='Namespaces "nowhere" not found') as missing:
        await lab.apply_manifests([_SERVICE], namespace="nowhere", dry_run=True)
    assert "create namespace nowhere" in missing.value.hint
    cluster.forbidden.add("patch services")
    with pytest.raises(Denied, match="forbidden"):
        await lab.apply_manifests([_SERVICE])


async def test_an_engine_that_is_no_cluster_says_so() -> None:
    with pytest.raises(Unsupported, match="Kubernetes cluster only") as caught:
        await DemoEngine(ONE).apply_manifests([_SERVICE])
    assert caught.value.engine == ONE
