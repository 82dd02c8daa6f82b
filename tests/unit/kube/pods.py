"""Pods as the API's reference describes them, to be read by tests. No test."""

from __future__ import annotations

from typing import Any

from tests.cluster.store import Json

RUNNING: Json = {"running": {"startedAt": "2026-01-02T03:04:06Z"}}
ENDED: Json = {
    "exitCode": 3,
    "reason": "Error",
    "startedAt": "2026-01-02T03:04:06Z",
    "finishedAt": "2026-01-02T03:05:06Z",
}


def pod(*containers: Json, **more: Any) -> Json:
    """A Pod "train-0" in "vision". more: parts of its spec, and `status`, `meta`."""
    status, meta = more.pop("status", {}), more.pop("meta", {})
    named = {"name": "train-0", "namespace": "vision", "creationTimestamp": "2026-01-02T03:04:05Z", "uid": "u-1"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**named, "resourceVersion": "7", **meta},
        "spec": {"containers": list(containers), **more},
        "status": {"phase": "Running", **status},
    }


def container(name: str = "app", **more: Any) -> Json:
    return {"name": name, "image": "ghcr.io/lab/train:3", **more}


def status(name: str = "app", state: Json | None = None, **more: Any) -> Json:
    told = {"name": name, "image": "ghcr.io/lab/train:3", "imageID": "", "ready": True, "restartCount": 0}
    return told | {"state": RUNNING if state is None else state} | more
