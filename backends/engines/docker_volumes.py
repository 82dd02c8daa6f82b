"""A volume's content in and out of Docker, which has no call for it: through a helper container that never starts."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

from backends.model.errors import NotFound
from backends.model.workload import HELPER_LABEL
from backends.wire.client import WireClient
from backends.wire.tar import reroot

FOLDER = "tranship-volume"  # where the helper mounts the volume; not in any sane image


@asynccontextmanager
async def _helper(wire: WireClient, prefix: str, volume: str, image: str) -> AsyncIterator[str]:
    """A container with the volume at /tranship-volume, created and not started; removed on leaving, also on cancel.

    prefix: "/v1.45". Raises NotFound where there is no such image.
    """
    name = f"tranship-helper-{uuid.uuid4().hex[:12]}"
    body = {
        "Image": image,
        "Cmd": ["tranship-never-started"],
        "Labels": {HELPER_LABEL: str(os.getpid())},
        "NetworkDisabled": True,
        "HostConfig": {
            # NoCopy: what the image has at that path must not be copied into an empty volume.
            "Mounts": [{"Type": "volume", "Source": volume, "Target": f"/{FOLDER}", "VolumeOptions": {"NoCopy": True}}],
            "NetworkMode": "none",
        },
    }
    creation = asyncio.ensure_future(
        wire.json("POST", f"{prefix}/containers/create", params={"name": name}, body=body, timeout_s=60)
    )
    try:
        try:
            await asyncio.shield(creation)
        except asyncio.CancelledError:
            await asyncio.wait([creation])  # what the engine is making right now must exist before it can be removed
            raise
        yield name
    finally:
        await asyncio.shield(asyncio.ensure_future(_remove(wire, prefix, name)))


async def _remove(wire: WireClient, prefix: str, name: str) -> None:
    try:
        await wire.call("DELETE", f"{prefix}/containers/{name}", params={"force": True}, timeout_s=30)
    except NotFound:
        return  # it was never made


@asynccontextmanager
async def exported(wire: WireClient, prefix: str, volume: str, image: str) -> AsyncIterator[AsyncIterator[bytes]]:
    """A tar of the volume, entries as Docker names them for a path that ends in "/.": "./", "./a"."""
    await wire.json("GET", f"{prefix}/volumes/{quote(volume, safe='')}")  # creating the helper would make a missing one
    params = {"path": f"/{FOLDER}/."}
    async with (
        _helper(wire, prefix, volume, image) as name,
        wire.stream("GET", f"{prefix}/containers/{name}/archive", params=params, open_timeout_s=60) as chunks,
    ):
        yield chunks


async def imported(wire: WireClient, prefix: str, volume: str, archive: AsyncIterator[bytes], image: str) -> None:
    """Unpack a tar of "./…" entries into the volume.

    It is sent to the helper's root, its names moved under the mount point: unpacked at the mount point itself, Docker
    skips "./" (the root's owner and mode stay) and loses the set-id bits of hard-linked files (moby pkg/archive).
    """
    await wire.json("GET", f"{prefix}/volumes/{quote(volume, safe='')}")
    async with _helper(wire, prefix, volume, image) as name:
        await wire.call(
            "PUT",
            f"{prefix}/containers/{name}/archive",
            params={"path": "/"},
            data=reroot(archive, FOLDER, engine=wire.engine),
            headers={"Content-Type": "application/x-tar"},
            timeout_s=None,
        )


__all__ = ["exported", "imported"]
