"""Pods of builds whose Tranship was killed are swept; those of one that only cannot be seen from here are not."""

from __future__ import annotations

import os
from typing import Any, cast

from backends.engines.podman_api import PodmanApi
from backends.engines.podman_build_place import build_place
from backends.model.ids import EngineId, EngineKind
from backends.model.labels import HELPER_LABEL
from backends.wire.endpoint import Endpoint

_NOBODY = str((1 << 22) + 1)
"""No process has this number: Linux' pids end at 2^22."""


class _Service:
    """Knows the pods of three builds; makes none."""

    endpoint, engine = Endpoint.parse("/nowhere"), EngineId(EngineKind.PODMAN, "podman")

    def __init__(self) -> None:
        self.removed: list[str] = []

    async def get(self, path: str, _params: object = None) -> Any:
        here = os.readlink("/proc/self/ns/pid")
        told = {"killed": (_NOBODY, here), "lives": (str(os.getpid()), here), "elsewhere": (_NOBODY, "pid:[1]")}
        pods = [
            {"Name": name, "Labels": {HELPER_LABEL: owner, "tranship.helper.pids": place}}
            for name, (owner, place) in told.items()
        ]
        return pods if path == "/pods/json" else {}

    async def change(self, method: str, path: str, *_args: object, **_named: object) -> None:
        if method == "DELETE":
            self.removed.append(path.rpartition("/")[2])


async def test_only_what_nobody_uses_any_more_is_swept() -> None:
    service = _Service()
    async with build_place(cast(PodmanApi, service)) as (place, why):
        assert (place, "unknown shape" in why) == ("", True)
        assert service.removed == ["killed"]
    assert len(service.removed) == 2, "its own"
