"""Files of Podman's containers, in and out with their owners. Changes no image and no volume of its own accord.

libpod's GET `/archive` gives every file to the container's user. So a container's root is mounted on the engine's
host, a helper of the container's own image sees it read-only, and that image's tar reads it; what lies in a volume or
a bind is read from there. An image without tar is read by GET `/export`, whose tar of the whole root has exact owners.
"""

from __future__ import annotations

import base64
import json
import posixpath
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from backends.engine import ByteStream
from backends.engines.ending import held, to_its_end
from backends.engines.podman_api import Params, segment
from backends.engines.podman_export import Picker
from backends.engines.podman_helper import Sight
from backends.engines.podman_looking import PodmanLooking
from backends.engines.podman_packing import packed
from backends.engines.podman_tar import without_padding
from backends.engines.podman_translate import Json, bare_id, mount_of
from backends.engines.podman_volumes import in_short
from backends.model.container import Mount, MountKind
from backends.model.errors import Conflict, NotFound, Unsupported

_PLACE = "/.tranship-files"  # in no image
_STAT = "X-Docker-Container-Path-Stat"
_IS_LINK = 1 << 27
"""Of the mode that libpod tells. Source: Go, io/fs, ModeSymlink."""
_TAR_TYPE = {"Content-Type": "application/x-tar"}


class PodmanFiles(PodmanLooking):
    """Files of the containers of one Podman service."""

    def read_files(self, container: str, path: str) -> ByteStream:
        """A file or folder as tar; names in it begin with the path's last part."""
        return self._read(container, path)

    @asynccontextmanager
    async def _read(self, container: str, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        raw: Json = await self.inspect_raw(container)
        with self._understood():
            made, image = str(raw["Id"]), bare_id(str(raw["Image"]))
            mounted = [(mount_of(entry), str(entry.get("SubPath") or "")) for entry in raw.get("Mounts") or ()]
        real = await self._real(made, path)
        mount, subpath = _covering(mounted, real)
        async with AsyncExitStack() as stack:
            if mount is not None:
                sight, place = self._mounted(image, mount, subpath, real)
                yield await stack.enter_async_context(packed(self._api, sight, *posixpath.split(place)))
                return
            sight = Sight(image, await stack.enter_async_context(self._root(made)), _PLACE)
            folder, member = posixpath.split(real)
            try:
                pieces = await stack.enter_async_context(packed(self._api, sight, _PLACE + folder, member or "."))
            except Unsupported:  # the image's programs do not suffice
                pieces = await stack.enter_async_context(self._exported(made, real))
            yield pieces

    def _mounted(self, image: str, mount: Mount, subpath: str, real: str) -> tuple[Sight, str]:
        """What a helper sees of a mount, and where it finds the path."""
        if mount.kind not in {MountKind.BIND, MountKind.VOLUME} or subpath:
            title = f"Podman cannot read {real}, where a {mount.kind.value} is mounted"
            detail = f"a part of the volume {mount.source}" if subpath else ""
            raise Unsupported(title, detail=detail, hint="Read it by a program in the container.", engine=self._id)
        place = f"{_PLACE}/{posixpath.basename(mount.destination)}"
        inside = posixpath.relpath(real, mount.destination)
        return Sight(image, mount.source, place), posixpath.normpath(f"{place}/{inside}")

    @asynccontextmanager
    async def _root(self, container: str) -> AsyncIterator[str]:
        """Where the container's root lies on the engine's host, mounted there meanwhile."""
        place = f"/containers/{segment(container)}"

        async def unmount(_: object = None) -> None:
            await self._api.send("POST", f"{place}/unmount", timeout_s=60.0)

        answer = await held(self._api.send("POST", f"{place}/mount", timeout_s=60.0), unmount)
        try:
            text = answer.decode("utf-8", "surrogateescape").strip()
            if text.startswith('"'):
                with self._understood():
                    text = str(json.loads(text))
            yield text
        finally:
            await to_its_end(unmount())

    @asynccontextmanager
    async def _exported(self, container: str, real: str) -> AsyncIterator[AsyncIterator[bytes]]:
        path = f"/containers/{segment(container)}/export"
        async with self._api.stream("GET", path, open_timeout_s=60.0) as chunks:
            pieces = Picker(real, self._id).picked(chunks)
            try:
                yield pieces
            finally:
                await pieces.aclose()

    async def write_files(self, container: str, path: str, archive: AsyncIterator[bytes]) -> None:
        """PUT /containers/{id}/archive; libpod would make a missing folder, Docker does not."""
        raw = await self.inspect_raw(container)
        made = str(raw.get("Id") or container)
        if not (await self._stat(made, path)).get("isDir"):
            raise Conflict(f"{path} is no folder in the container", hint="Name its folder.", engine=self._id)
        params: Params = {"path": path, "copyUIDGID": False, "noOverwriteDirNonDir": False}
        place = f"/containers/{segment(made)}/archive"
        with in_short("The files could not be written"):
            await self._api.send("PUT", place, params, data=without_padding(archive), headers=_TAR_TYPE)

    async def _real(self, container: str, path: str) -> str:
        """The path without links among its folders. NotFound where one of them is not there.

        The last part is not looked at: of a link whose target is missing libpod says that it is not there.
        """
        done, parts = "/", [part for part in path.split("/") if part not in {"", "."}]
        for part in parts[:-1]:
            here = posixpath.normpath(posixpath.join(done, part))
            stat = await self._stat(container, here)
            with self._understood():
                done = str(stat["linkTarget"]) if int(stat["mode"]) & _IS_LINK else here
        return posixpath.normpath(posixpath.join(done, *parts[-1:]))

    async def _stat(self, container: str, path: str) -> Json:
        """What libpod tells of a path. container: one that exists, so that "not found" means the path."""
        try:
            async with self._api.head(f"/containers/{segment(container)}/archive", {"path": path}) as headers:
                text = headers.get(_STAT, "")
        except NotFound as error:
            raise NotFound(f"There is no {path} in the container", engine=self._id) from error
        with self._understood():
            stat = json.loads(base64.b64decode(text))
            if not isinstance(stat, dict):
                raise TypeError(f"{_STAT} is no object")
            return stat


def _covering(mounted: list[tuple[Mount, str]], path: str) -> tuple[Mount | None, str]:
    """The innermost mount that the path is in, and the folder of its volume that is mounted."""
    found: tuple[Mount | None, str] = (None, "")
    for mount, subpath in mounted:
        at = mount.destination.rstrip("/")
        inside = path == at or path.startswith(f"{at}/")
        if inside and (found[0] is None or len(at) > len(found[0].destination)):
            found = (mount, subpath)
    return found


__all__ = ["PodmanFiles"]
