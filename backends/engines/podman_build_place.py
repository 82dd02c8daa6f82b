"""Where the programs of a build run on Podman: in the pid namespace of a pod, with which they end. Builds nothing.

Podman lets a RUN step go on when its client leaves (github.com/containers/buildah/issues/6786). A pod's own first
process is another one's to end: when the pod is removed, the kernel ends all that runs in its pid namespace. Works the
same on remote engines, rootful and rootless; a pod of no containers needs no image of the user's.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backends.engines.ending import to_its_end
from backends.engines.helper_program import helper_labels
from backends.engines.podman_api import NOT_ITS_API, PodmanApi, segment
from backends.model.errors import BackendError, NotFound
from backends.model.labels import HELPER_LABEL, HELPER_STARTED_LABEL
from backends.owner import is_gone
from backends.wire.failures import understood

_NAMESPACE_LABEL = "tranship.helper.pids"
_START_TIMEOUT_S = 60.0  # Podman makes its own pause image at the first pod


@asynccontextmanager
async def build_place(api: PodmanApi) -> AsyncIterator[tuple[str, str]]:
    """(the build's `nsoptions`, why there is none): one of the two is "". On exit all that runs in it ends."""
    await _sweep(api)
    name = f"tranship-build-{uuid.uuid4().hex[:12]}"
    try:
        try:
            place, why = await to_its_end(_made(api, name)), ""
        except BackendError as error:
            place, why = "", str(error)
        yield place, why
    finally:
        await to_its_end(_remove(api, name))


async def _made(api: PodmanApi, name: str) -> str:
    body = {
        "name": name,
        "shared_namespaces": ["pid"],
        "netns": {"nsmode": "none"},
        "labels": {**helper_labels(), _NAMESPACE_LABEL: _namespace()},
    }
    await api.change("POST", "/pods/create", body=body, timeout_s=_START_TIMEOUT_S)
    await api.change("POST", f"/pods/{name}/start", timeout_s=_START_TIMEOUT_S)
    pod = await api.get(f"/pods/{name}/json")
    with understood(NOT_ITS_API, api.engine):
        first = await api.get(f"/containers/{segment(str(pod['InfraContainerID']))}/json")
        path = f"/proc/{int(first['State']['Pid'])}/ns/pid"  # as the service sees it, which is what it is asked to use
    return json.dumps([{"Name": "pid", "Host": False, "Path": path}])


async def _sweep(api: PodmanApi) -> None:
    """Remove the pods of builds whose Tranship was killed: on this machine it can be told that it is gone.

    But not of one in another pid namespace (on the host, seen from a container): it is not to be seen while it lives.
    """
    here = _namespace()
    if not api.endpoint.local or not here:
        return
    filters = json.dumps({"label": [HELPER_LABEL]})
    pods = await api.get("/pods/json", {"filters": filters})
    with understood(NOT_ITS_API, api.engine):
        found = {str(pod["Name"]): dict(pod.get("Labels") or {}) for pod in pods or ()}
    for name, labels in found.items():
        owner, started = str(labels.get(HELPER_LABEL)), str(labels.get(HELPER_STARTED_LABEL) or "")
        if labels.get(_NAMESPACE_LABEL) == here and is_gone(owner, started):
            await _remove(api, name)


def _namespace() -> str:
    """The pid namespace that our own number is of; "" where the kernel does not tell."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


async def _remove(api: PodmanApi, name: str) -> None:
    try:
        await api.change("DELETE", f"/pods/{segment(name)}", {"force": True, "timeout": 0})
    except NotFound:
        return  # it was never made


__all__ = ["build_place"]
