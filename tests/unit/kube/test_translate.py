"""Pods to rows: states, GPUs, mounts, names, and what Kubernetes says of those that do not run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from backends.engines.kubernetes_stats import limits_of, quantity, readings_of
from backends.engines.kubernetes_translate import Place, containers_of, events_of, gpus_of, place_of
from backends.model.container import Container, ContainerState, Health, Mount, MountKind, Port
from backends.model.values import Missing
from tests.cluster.store import Json
from tests.unit.kube.conftest import LAB
from tests.unit.kube.pods import ENDED, RUNNING, container, pod, status


def row(made: Json) -> Container:
    (only,) = containers_of(LAB, made, with_namespace=False)
    return only


def test_a_running_container_with_all_that_a_row_tells() -> None:
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "imagenet"}},
        {"name": "node", "hostPath": {"path": "/srv"}},
        {"name": "shm", "emptyDir": {"medium": "Memory"}},
        {"name": "token", "projected": {}},
    ]
    mounts = [{"name": one["name"], "mountPath": f"/{one['name']}"} for one in volumes]
    spec = container(
        command=["python"],
        args=["train.py"],
        ports=[{"containerPort": 6006, "protocol": "TCP", "hostPort": 80}],
        resources={"limits": {"nvidia.com/gpu": "2", "memory": "64Gi", "nvidia.com/mig-1g.5gb": 1, "amd.com/gpu": "0"}},
        volumeMounts=mounts,
    )
    told = status(imageID="ghcr.io/lab/train@sha256:" + "ab" * 32, restartCount=2)
    made = row(pod(spec, volumes=volumes, status={"containerStatuses": [told]}, meta={"labels": {"app": "train"}}))
    assert (made.key.id, made.key.short, made.name, made.pod) == ("vision/train-0/app",) * 2 + ("train-0",) * 2
    assert (made.state, made.image_id, made.restarts, made.why) == (ContainerState.RUNNING, "ab" * 32, 2, "")
    assert made.created_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert made.started_at == datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)
    assert made.command == ("python", "train.py")
    assert made.ports == (Port(6006, "tcp", "", 80),)
    assert made.gpus_given == ("nvidia.com/gpu=×2", "nvidia.com/mig-1g.5gb=×1")
    assert [(one.kind, one.source) for one in made.mounts] == [
        (MountKind.VOLUME, "imagenet"),
        (MountKind.BIND, "/srv"),
        (MountKind.TMPFS, "shm"),
        (MountKind.OTHER, "projected token"),
    ]
    assert made.mounts[0] == Mount(MountKind.VOLUME, "imagenet", "/data", False)
    assert dict(made.labels) == {"app": "train"}


_WAITS = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling"}}
_CRASHES = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
_UNSCHEDULABLE = {
    "phase": "Pending",
    "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "Insufficient nvidia.com/gpu"}
    ],
}


@pytest.mark.parametrize(
    ("told", "state", "why"),
    [
        ({"containerStatuses": [status(state=_WAITS)]}, ContainerState.CREATED, "ImagePullBackOff: Back-off pulling"),
        (
            {"containerStatuses": [status(state=_CRASHES, restartCount=4, lastState={"terminated": ENDED})]},
            ContainerState.RESTARTING,
            "CrashLoopBackOff: back-off 10s",
        ),
        ({"containerStatuses": [status(state={"terminated": ENDED})]}, ContainerState.EXITED, "Error"),
        (
            {"containerStatuses": [status(state={"terminated": ENDED | {"exitCode": 0, "reason": "Completed"}})]},
            ContainerState.EXITED,
            "",
        ),
        (_UNSCHEDULABLE, ContainerState.CREATED, "Unschedulable: Insufficient nvidia.com/gpu"),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "low on memory"},
            ContainerState.DEAD,
            "Evicted: low on memory",
        ),
        ({"phase": "Unknown"}, ContainerState.UNKNOWN, ""),
    ],
)
def test_what_does_not_run_has_its_state_and_kubernetes_words(told: Json, state: ContainerState, why: str) -> None:
    made = row(pod(container(), status=told))
    assert (made.state, made.why) == (state, why)


def test_a_pod_that_is_to_go_stops_or_is_removed() -> None:
    leaving = {"deletionTimestamp": "2026-01-02T04:00:00Z"}
    runs = row(pod(container(), status={"containerStatuses": [status()]}, meta=leaving))
    ended = row(pod(container(), status={"containerStatuses": [status(state={"terminated": ENDED})]}, meta=leaving))
    assert (runs.state, ended.state, ended.exit_code) == (ContainerState.STOPPING, ContainerState.REMOVING, 3)


def test_memory_that_ran_out_is_told_after_the_restart_too() -> None:
    killed = {"terminated": ENDED | {"exitCode": 137, "reason": "OOMKilled"}}
    made = row(pod(container(), status={"containerStatuses": [status(lastState=killed, restartCount=1)]}))
    assert made.oom_killed
    assert made.state is ContainerState.RUNNING


def test_health_is_what_probes_came_to() -> None:
    probed = container(readinessProbe={"tcpSocket": {"port": 80}})

    def health(spec: Json, **told: Any) -> Health:
        return row(pod(spec, status={"containerStatuses": [status(**told)]})).health

    assert health(container()) is Health.NONE
    assert health(probed) is Health.HEALTHY
    assert health(probed, ready=False, started=True, restartCount=1) is Health.UNHEALTHY
    assert health(probed, ready=False, started=False) is Health.STARTING


def test_several_containers_are_named_by_both_and_done_init_ones_are_not_shown() -> None:
    done = status("fetch", state={"terminated": ENDED | {"exitCode": 0, "reason": "Completed"}})
    sidecar = status("proxy", state=RUNNING)
    made = pod(
        container(),
        initContainers=[container("fetch"), container("proxy", restartPolicy="Always")],
        status={"containerStatuses": [status()], "initContainerStatuses": [done, sidecar]},
    )
    assert [one.name for one in containers_of(LAB, made, with_namespace=True)] == [
        "vision/train-0/proxy",
        "vision/train-0/app",
    ]
    assert [one.pod for one in containers_of(LAB, made, with_namespace=True)] == ["vision/train-0"] * 2


def test_words_mean_places() -> None:
    assert place_of("a/b/c", "vision") == Place("a", "b", "c")
    assert place_of("b/c", "vision") == Place("vision", "b", "c")
    assert place_of("b", "vision") == Place("vision", "b")
    assert place_of("a/b", "") == Place("a", "b")
    assert place_of("b", "") is None
    assert place_of("a/b/c/d", "vision") is place_of("a//c", "vision") is None


def test_an_event_is_a_hint_for_each_container_and_a_bookmark_none() -> None:
    told = {"containerStatuses": [status(state={"terminated": ENDED})]}
    made = pod(container(), container("tb"), status=told)
    found = events_of(LAB, {"type": "MODIFIED", "object": made})
    assert [(one.action, one.id, one.exit_code) for one in found] == [
        ("change", "vision/train-0/app", 3),
        ("change", "vision/train-0/tb", None),
    ]
    assert events_of(LAB, {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}}) == []


def test_gpus_are_told_by_every_usual_name() -> None:
    limits = {"gpu.intel.com/i915": 1, "nvidia.com/gpu.shared": 1, "example.com/fpga": 1, "cpu": "4"}
    assert gpus_of({"resources": {"limits": limits}}) == ("gpu.intel.com/i915=×1", "nvidia.com/gpu.shared=×1")


@pytest.mark.parametrize(
    ("text", "value"),
    [("250m", 0.25), ("64Mi", 64 << 20), ("1500000n", 0.0015), ("2", 2), ("1e3", 1000), ("1.5Gi", 1.5 * (1 << 30))],
)
def test_quantities_are_read(text: str, value: float) -> None:
    assert quantity(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "x", "1 Mi", "1.2.3", "--1"])
def test_what_is_no_quantity_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="no quantity"):
        quantity(text)


def test_a_reading_has_the_limit_of_its_pod() -> None:
    made = pod(
        container(resources={"limits": {"memory": "64Mi"}}),
        container("side"),
        initContainers=[container("first", resources={"limits": {"memory": "odd"}})],
    )
    assert limits_of({"metadata": {}, "spec": []}) == {}
    assert limits_of(made) == {}  # what cannot be read limits nothing that can be told
    del made["spec"]["initContainers"]
    limits = limits_of(made)
    assert limits == {"vision/train-0/app": 64 << 20}
    usage = [{"name": name, "usage": {"cpu": "250m", "memory": "1Mi"}} for name in ("app", "side")]
    first, second = readings_of(LAB, {"metadata": made["metadata"], "containers": usage}, limits)
    assert (first.memory_bytes, first.memory_limit_bytes) == (1 << 20, 64 << 20)
    assert second.memory_limit_bytes == Missing("its Pod sets no memory limit")
