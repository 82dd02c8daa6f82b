"""The files of Docker's containers: what changed, tars out and in. Touches no volume that is not mounted there."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from backends.engine import ByteStream
from backends.engines import docker_translate
from backends.engines.docker_looking import DockerLooking
from backends.model.container import ChangedPath
from backends.model.errors import Conflict, NotFound, Unsupported
from backends.tar import reroot

_CHANGES_TIMEOUT_S = 600.0  # Docker walks the whole layer for it
_OPEN_TIMEOUT_S = 60.0
_FOLDER_BIT, _LINK_BIT = 1 << 31, 1 << 27  # of Go's io/fs: ModeDir, ModeSymlink
_STAT_HEADER = "X-Docker-Container-Path-Stat"


class DockerFiles(DockerLooking):
    """The files in the containers of one Docker daemon."""

    async def changed_paths(self, container: str) -> tuple[ChangedPath, ...]:
        """GET /containers/{id}/changes, without the folders that were made to mount something there."""
        item: dict[str, Any] = await self.inspect_raw(container)
        items = await self._get(f"/containers/{quote(container, safe='')}/changes", timeout_s=_CHANGES_TIMEOUT_S)
        with self._understood():
            return docker_translate.changed_paths(items or (), docker_translate.mount_points(item))

    def read_files(self, container: str, path: str) -> ByteStream:
        """GET /containers/{id}/archive."""
        return self._read_files(container, path)

    @asynccontextmanager
    async def _read_files(self, container: str, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        place, params = await self._archive(container), {"path": self._sendable(path)}
        async with self._wire.stream("GET", place, params=params, open_timeout_s=_OPEN_TIMEOUT_S) as chunks:
            yield chunks

    async def write_files(self, container: str, path: str, archive: AsyncIterator[bytes]) -> None:
        """PUT /containers/{id}/archive, at the root: as docker_volumes.imported says, what else loses modes."""
        place = await self._archive(container)
        folder = (await self._folder(place, container, path)).strip("/")
        await self._wire.call(
            "PUT",
            place,
            params={"path": "/"},
            data=reroot(archive, folder, engine=self._id) if folder else archive,
            headers={"Content-Type": "application/x-tar"},
            timeout_s=None,
        )

    async def _archive(self, container: str) -> str:
        return await self._path(f"/containers/{quote(container, safe='')}/archive")

    async def _folder(self, place: str, container: str, path: str) -> str:
        """The folder that this path is; a link is followed, since the archive's "./" would take its place."""
        mode, target = await self._stat(place, container, path)
        if mode & _LINK_BIT and target:
            path = target
            mode, _ = await self._stat(place, container, path)
        if not mode & _FOLDER_BIT:
            raise Conflict(f"{path} is no folder in the container {self._name_of(container)}", engine=self._id)
        return path

    async def _stat(self, place: str, container: str, path: str) -> tuple[int, str]:
        """HEAD /containers/{id}/archive: the mode as Go writes it, and where a link leads in the end."""
        params = {"path": self._sendable(path).rstrip("/") or "/"}
        try:
            async with self._wire.headers("HEAD", place, params=params, timeout_s=_OPEN_TIMEOUT_S) as headers:
                with self._understood():
                    told = json.loads(base64.b64decode(headers[_STAT_HEADER]))
                    return int(told["mode"]), str(told.get("linkTarget") or "")
        except NotFound as error:  # of the path or of the container: such an answer has no words
            await self.inspect_raw(container)
            title = f"There is no {path} in the container {self._name_of(container)}"
            raise NotFound(title, engine=self._id) from error

    def _sendable(self, path: str) -> str:
        try:
            path.encode()
        except UnicodeEncodeError as error:
            title = "Docker's API takes no path that is not UTF-8"
            hint = "Ask for the folder that holds it."
            raise Unsupported(title, detail=ascii(path), hint=hint, engine=self._id) from error
        return path


__all__ = ["DockerFiles"]
