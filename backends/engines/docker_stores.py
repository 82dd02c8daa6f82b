"""What Docker keeps beside images: volumes, their content, and how much more fits. Changes no container."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from urllib.parse import quote

from backends.engine import ByteStream
from backends.engines import docker_translate_stores, docker_volumes
from backends.engines.docker_base import LIST_TIMEOUT_S, DockerBase
from backends.engines.docker_host import room_here
from backends.engines.docker_rows import listed_containers, listed_volumes
from backends.engines.ending import to_its_end
from backends.engines.mounted import SIZES_TIMEOUT_S, mounted_in
from backends.model.capabilities import Room
from backends.model.errors import Conflict, NotFound
from backends.model.workload import Volume, VolumeSpec


class DockerStores(DockerBase):
    """The volumes and the disk of one Docker daemon."""

    async def list_volumes(self) -> list[Volume]:
        """GET /volumes."""
        answer = await self._get("/volumes", timeout_s=LIST_TIMEOUT_S)
        with self._understood():
            return listed_volumes((answer or {}).get("Volumes"))

    async def inspect_volume(self, name: str) -> Volume:
        """GET /volumes/{name}."""
        item = await self._get(f"/volumes/{quote(name, safe='')}")
        with self._understood():
            return docker_translate_stores.volume(item)

    async def volume_users(self) -> Mapping[str, tuple[str, ...]]:
        """From the list of containers: Docker's names what each has mounted."""
        items = await self._get("/containers/json", {"all": True}, timeout_s=LIST_TIMEOUT_S)
        with self._understood():
            return mounted_in(listed_containers(self._id, items))

    async def volume_sizes(self) -> Mapping[str, int]:
        """GET /system/df, which counts each volume's files."""
        answer = await self._get("/system/df", {"type": "volume"}, timeout_s=SIZES_TIMEOUT_S)
        with self._understood():
            told = {item["Name"]: item.get("UsageData") or {} for item in answer.get("Volumes") or ()}
            return {name: int(usage["Size"]) for name, usage in told.items() if int(usage.get("Size", -1)) >= 0}

    async def create_volume(self, spec: VolumeSpec) -> None:
        """Docker's own call does not mind an existing volume: looked for first."""
        try:
            await self.inspect_volume(spec.name)
        except NotFound:
            options, labels = dict(spec.driver_options), dict(spec.labels)
            await to_its_end(self._act(lambda api: api.create_volume(spec.name, "local", options, labels)))
            return
        hint = "Choose another name, or remove the volume."
        raise Conflict(f"Volume {spec.name} exists already", hint=hint, engine=self._id)

    async def remove_volume(self, name: str) -> None:
        """Remove it."""
        await self._act(lambda api: api.remove_volume(name))

    def export_volume(self, name: str, *, via_image: str, paths: Sequence[str] = ()) -> ByteStream:
        """GET /containers/{helper}/archive."""
        return docker_volumes.exported(self._wire, self._path(""), name, via_image, paths)

    async def import_volume(self, name: str, archive: AsyncIterator[bytes], *, via_image: str) -> None:
        """PUT /containers/{helper}/archive."""
        await docker_volumes.imported(self._wire, await self._path(""), name, archive, via_image)

    def run_in_volume(
        self, name: str, argv: Sequence[str], *, via_image: str, read_only: bool = True, stdin: bytes = b""
    ) -> ByteStream:
        """A program of an image, in a helper container."""
        prefix = self._path("")
        return docker_volumes.ran(self._wire, prefix, name, argv, via_image, read_only=read_only, stdin=stdin)

    async def room(self) -> Room:
        """Of the graph root, where it is on this machine: Docker's API does not tell."""
        told = await self._known()
        if not told.local or not told.graph_root:
            return Room(told.graph_root)
        return await asyncio.to_thread(room_here, told.graph_root)


__all__ = ["DockerStores"]
