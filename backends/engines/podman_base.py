"""The connection to one Podman service: hello, facts, shapes of answers. Asks nothing more of it.

The libpod API, never the compat one, which is slower and loses fields.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from backends.engines.podman_api import NOT_ITS_API, PodmanApi, image_path, segment
from backends.engines.podman_defaults import HostDefaults
from backends.engines.podman_errors import full_disk
from backends.engines.podman_host import described, room_here, room_told, told_by_files
from backends.engines.podman_translate import engine_info
from backends.model.capabilities import Capability, EngineInfo, Room
from backends.model.errors import NotFound, Protocol, Unsupported
from backends.model.ids import EngineId
from backends.wire.endpoint import Endpoint
from backends.wire.failures import NO_ENGINE, understood

_FREEZE_BYTES = 1 << 20
"""Free space with which SQLite surely can write one state: its journal takes some pages of 4 KiB."""


class PodmanBase:
    """One Podman service, rootful or rootless. No connection is made before `connect`."""

    def __init__(self, engine_id: EngineId, endpoint: Endpoint, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._id = engine_id
        self._endpoint = endpoint
        self._clock = clock
        self._api = PodmanApi(endpoint, engine_id)
        self._info: EngineInfo | None = None
        self._host = HostDefaults()
        self._pod_names: dict[str, str] = {}

    @property
    def id(self) -> EngineId:
        """Who it is."""
        return self._id

    @property
    def endpoint(self) -> str:
        """Where it is, for people."""
        return str(self._endpoint)

    async def connect(self) -> EngineInfo:
        """Ask what it is. Protocol where something else than Podman answers."""
        title = f"What answers at {self._endpoint} is no Podman service"
        try:
            headers = await self._api.ping()
        except (NotFound, Protocol) as error:
            detail = f"{error.title}: {error.detail}" if error.detail else error.title
            raise Protocol(title, detail=detail, hint=NO_ENGINE, engine=self._id) from error
        if "libpod-api-version" not in {name.lower() for name in headers}:
            raise Protocol(title, detail="no libpod API there", hint=NO_ENGINE, engine=self._id)
        info = await self._api.get("/info")
        if not isinstance(info, dict) or not isinstance(info.get("host"), dict):
            raise Protocol(title, detail="its libpod info has no host", hint=NO_ENGINE, engine=self._id)
        with self._understood():
            told = described(engine_info(info, local=self._endpoint.local), info)
            host = HostDefaults.of(info)
        if told.local:
            told = await asyncio.to_thread(told_by_files, told)
        self._info, self._host = told, host
        return told

    async def close(self) -> None:
        """Close every connection; safe to call twice and when never connected."""
        await self._api.close()

    async def room(self) -> Room:
        """What the service says of its graph root; the temporary folder is looked at where the engine is here."""
        info = await self._api.get("/info")
        with self._understood():
            room, size = room_told(info)
        return await asyncio.to_thread(room_here, room, size) if self._endpoint.local else room

    async def _expect_room_to_freeze(self) -> None:
        """Raises Conflict where its database cannot write that a container is paused.

        Podman 5.4 freezes first: without room the container stays frozen, is called running, and is never resumed.
        """
        room = await self.room()
        if room.free_bytes is not None and room.free_bytes < _FREEZE_BYTES:
            told = f"{room.free_bytes} bytes are free in {room.graph_root}; pausing needs {_FREEZE_BYTES}"
            raise full_disk(told, self._id)

    async def _known(self) -> EngineInfo:
        return self._info or await self.connect()

    async def inspect_raw(self, container: str) -> dict[str, object]:
        """Podman's own inspect JSON."""
        raw = await self._api.get(f"/containers/{segment(container)}/json")
        if not isinstance(raw, dict):
            raise Protocol("Podman's inspect answer is no JSON object", engine=self._id)
        return raw

    async def _image(self, reference: str) -> dict[str, Any]:
        if not reference:
            raise NotFound("The container has no image", engine=self._id)
        image = await self._api.get(f"/images/{image_path(reference)}/json")
        if not isinstance(image, dict):
            raise Protocol("Podman's image answer is no JSON object", engine=self._id)
        return image

    async def _expect(self, capability: Capability) -> None:
        why = (await self._known()).capabilities.why_not(capability)
        if why:
            hint = "Use a rootful engine, or a host with cgroup v2."
            raise Unsupported(f"This engine cannot do that: {capability.value}", detail=why, hint=hint, engine=self._id)

    def _understood(self) -> AbstractContextManager[None]:
        return understood(NOT_ITS_API, self._id)


__all__ = ["PodmanBase"]
