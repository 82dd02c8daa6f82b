"""What stands in a real API server's place answers by Kubernetes' own schemas, or tests with it prove little."""

from __future__ import annotations

from kubernetes_validate.utils import validate

from backends.engine import Engine
from tests.cluster.server import FakeCluster
from tests.cluster.store import PODS
from tests.contract.lab import eventually
from tests.unit.kube.pods import container
from tests.unit.kube.test_engine import manifest


async def test_pods_in_each_state_are_valid_by_the_schemas(cluster: FakeCluster, lab: Engine) -> None:
    crash = container(command=["sh", "-c", "exit 3"])
    missing = container(image="missing/box:1")
    names = ("runs", "crashes", "misses", "ends")
    bodies = [[container(command=["sleep", "60"])], [crash], [missing], [crash]]
    made = [manifest(name, *body) for name, body in zip(names, bodies, strict=True)]
    made[3]["spec"]["restartPolicy"] = "Never"
    await lab.apply_manifests(made)

    async def settled() -> bool:
        rows = {one.name: one for one in await lab.list_containers()}
        return bool(
            rows["runs"].started_at and rows["crashes"].restarts and rows["misses"].why and rows["ends"].exit_code
        )

    await eventually(settled)
    for pod in cluster.store.listed(PODS, ""):
        told = {one["name"]: one for one in pod["status"]["containerStatuses"]}
        assert told
        validate(pod, "1.34", strict=True)
