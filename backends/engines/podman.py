"""Podman behind the Engine interface: all that is asked of one service, put together. Here: volumes.

Calls only; what they mean is in podman_translate, podman_recipe, podman_spec, podman_images and podman_stats.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from backends.engine import ByteStream
from backends.engines import podman_volumes
from backends.engines.ending import to_its_end
from backends.engines.mounted import SIZES_TIMEOUT_S, mounted_in
from backends.engines.no_cluster import NoCluster
from backends.engines.podman_acting import PodmanActing
from backends.engines.podman_api import segment
from backends.engines.podman_files import PodmanFiles
from backends.engines.podman_networks import PodmanNetworks
from backends.engines.podman_sessions import PodmanSessions
from backends.engines.podman_transfers import PodmanTransfers
from backends.engines.podman_translate import volume_of
from backends.engines.podman_workloads import PodmanWorkloads
from backends.engines.row_by_row import rows_of
from backends.model.container import Container
from backends.model.errors import NotFound
from backends.model.workload import Volume, VolumeSpec

_ASKED_AT_ONCE = 8


class PodmanEngine(
    PodmanActing, PodmanSessions, PodmanWorkloads, PodmanTransfers, PodmanFiles, PodmanNetworks, NoCluster
):
    """One Podman service, rootful or rootless. No connection is made before `connect`."""

    async def list_volumes(self) -> list[Volume]:
        """All volumes."""
        entries = await self._api.get("/volumes/json")
        with self._understood():
            return rows_of(entries, volume_of, "Name")

    async def inspect_volume(self, name: str) -> Volume:
        """One volume."""
        entry = await self._api.get(f"/volumes/{segment(name)}/json")
        with self._understood():
            return volume_of(entry)

    async def volume_users(self) -> Mapping[str, tuple[str, ...]]:
        """Podman's list of containers tells where something is mounted, not what: those are asked one by one."""
        turn = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def asked(container: str) -> Container | None:
            async with turn:
                try:
                    return await self.inspect_container(container)
                except NotFound:  # removed meanwhile
                    return None

        rows = await self.list_containers()
        seen = await asyncio.gather(*(asked(row.key.id) for row in rows if row.mounts))
        return mounted_in(row for row in seen if row is not None)

    async def volume_sizes(self) -> Mapping[str, int]:
        """GET /system/df, which counts each volume's files."""
        answer = await self._api.get("/system/df", timeout_s=SIZES_TIMEOUT_S)
        with self._understood():
            return {str(entry["VolumeName"]): int(entry["Size"]) for entry in answer.get("Volumes") or ()}

    async def create_volume(self, spec: VolumeSpec) -> None:
        """Create it; libpod itself answers a conflict where it exists."""
        body = {"Name": spec.name, "Labels": dict(spec.labels), "Options": dict(spec.driver_options)}
        await to_its_end(self._api.change("POST", "/volumes/create", body=body))

    async def remove_volume(self, name: str) -> None:
        """Remove it."""
        await self._api.change("DELETE", f"/volumes/{segment(name)}")

    def export_volume(self, name: str, *, via_image: str, paths: Sequence[str] = ()) -> ByteStream:
        """The volume's content as a tar whose entries are relative to its root."""
        return podman_volumes.export_volume(self._api, name, via_image, paths)

    def run_in_volume(
        self, name: str, argv: Sequence[str], *, via_image: str, read_only: bool = True, stdin: bytes = b""
    ) -> ByteStream:
        """A program of an image, in a helper container."""
        return podman_volumes.run_in_volume(self._api, name, argv, via_image, read_only=read_only, stdin=stdin)

    async def import_volume(self, name: str, archive: AsyncIterator[bytes], *, via_image: str) -> None:
        """Unpack such a tar into the volume."""
        await podman_volumes.import_volume(self._api, name, archive, via_image)


__all__ = ["PodmanEngine"]
