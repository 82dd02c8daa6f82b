"""A volume's content in and out of Docker, which has no call for it: through a helper container.

Content goes in and out of one that never starts; a program runs in one that sees nothing but the volume, as root and
without a network.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence
from contextlib import aclosing, asynccontextmanager
from urllib.parse import quote

from backends.engines.docker_base import NOT_ITS_API
from backends.engines.ending import to_its_end
from backends.engines.helper_program import WITH_STDIN, ended, helper_labels, needs, output_of, stdin_tar
from backends.model.errors import NotFound
from backends.tar import reroot
from backends.wire.client import WireClient
from backends.wire.failures import understood
from backends.wire.frames import log_frames

FOLDER = "tranship-volume"  # where the helper mounts the volume; not in any sane image
WORKPLACE = "/volume"  # where programs find it
_FEW = 256
_NO_FILE = "Could not find the file"  # moby daemon/archive_unix.go, containerArchivePath


@asynccontextmanager
async def _helper(
    wire: WireClient,
    prefix: str,
    volume: str,
    image: str,
    *,
    argv: Sequence[str] = ("tranship-never-started",),
    place: str = f"/{FOLDER}",
    read_only: bool = False,
) -> AsyncIterator[str]:
    """A container with the volume at `place`, created and not started; removed on leaving, also on cancel.

    prefix: "/v1.45". Raises NotFound where there is no such image.
    """
    name = f"tranship-helper-{uuid.uuid4().hex[:12]}"
    body = {
        "Image": image,
        "Entrypoint": [argv[0]],
        "Cmd": list(argv[1:]),
        "User": "0:0",
        "WorkingDir": place,
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": helper_labels(),
        "NetworkDisabled": True,
        "HostConfig": {
            # NoCopy: what the image has at that path must not be copied into an empty volume.
            "Mounts": [
                {
                    "Type": "volume",
                    "Source": volume,
                    "Target": place,
                    "ReadOnly": read_only,
                    "VolumeOptions": {"NoCopy": True},
                }
            ],
            "NetworkMode": "none",
            "LogConfig": {"Type": "none"},
        },
    }
    params = {"name": name}
    try:
        await to_its_end(wire.json("POST", f"{prefix}/containers/create", params=params, body=body, timeout_s=60))
        yield name
    finally:
        await to_its_end(_remove(wire, prefix, name))


async def _remove(wire: WireClient, prefix: str, name: str) -> None:
    try:
        await wire.call("DELETE", f"{prefix}/containers/{name}", params={"force": True}, timeout_s=30)
    except NotFound:
        return  # it was never made


@asynccontextmanager
async def exported(
    wire: WireClient, asked: Awaitable[str], volume: str, image: str, paths: Sequence[str] = ()
) -> AsyncIterator[AsyncIterator[bytes]]:
    """A tar of the volume, entries as Docker names them for a path that ends in "/.": "./", "./a". asked: the prefix.

    Few paths are fetched one by one, about 10 ms each; more by Docker's archive of everything.
    """
    prefix = await asked
    await wire.json("GET", f"{prefix}/volumes/{quote(volume, safe='')}")  # creating the helper would make a missing one
    async with _helper(wire, prefix, volume, image) as name:
        place = f"{prefix}/containers/{name}/archive"
        if paths and len(paths) <= _FEW and all(map(_sendable, paths)):
            members = _one_by_one(wire, place, paths)
            try:
                yield members
            finally:
                await members.aclose()
            return
        async with wire.stream("GET", place, params={"path": f"/{FOLDER}/."}, open_timeout_s=60) as chunks:
            yield chunks


def _sendable(path: str) -> bool:
    """Whether a query string can say it: JSON and aiohttp know no names that are not UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


async def _one_by_one(wire: WireClient, place: str, paths: Sequence[str]) -> AsyncGenerator[bytes, None]:
    """A tar of each. A path that is there no more is left out, as it is of Docker's archive of everything."""
    for path in paths:
        params = {"path": f"/{FOLDER}/{path}"}
        above = "/".join((".", *path.split("/")[:-1]))
        try:
            async with wire.stream("GET", place, params=params, open_timeout_s=60) as chunks:
                async for piece in reroot(chunks, above, engine=wire.engine):
                    yield piece
        except NotFound as error:
            if _NO_FILE not in error.title:  # it is the helper that has gone
                raise
    yield bytes(1024)  # the end of an archive: where all have gone it is empty, and still one


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


@asynccontextmanager
async def ran(
    wire: WireClient,
    asked: Awaitable[str],
    volume: str,
    argv: Sequence[str],
    image: str,
    *,
    read_only: bool,
    stdin: bytes,
) -> AsyncIterator[AsyncIterator[bytes]]:
    """What a program of the image writes, the volume being its working directory. asked: the prefix."""
    prefix = await asked
    await wire.json("GET", f"{prefix}/volumes/{quote(volume, safe='')}")
    words = (*WITH_STDIN, *argv) if stdin else argv
    async with _helper(wire, prefix, volume, image, argv=words, place=WORKPLACE, read_only=read_only) as name:
        place = f"{prefix}/containers/{name}"
        if stdin:
            headers = {"Content-Type": "application/x-tar"}
            await wire.call("PUT", f"{place}/archive", params={"path": "/"}, data=stdin_tar(stdin), headers=headers)
        params = {"stream": True, "stdout": True, "stderr": True}
        async with wire.stream("POST", f"{place}/attach", params=params, open_timeout_s=60) as chunks:
            with needs(words[0], image):
                await wire.call("POST", f"{place}/start", timeout_s=60)
            pieces = _said(wire, place, argv[0], image, chunks)
            try:
                yield pieces
            finally:
                await pieces.aclose()


async def _said(
    wire: WireClient, place: str, program: str, image: str, chunks: AsyncIterator[bytes]
) -> AsyncGenerator[bytes, None]:
    complaint = bytearray()
    pieces = ((stream, piece) async for stream, piece, _ in log_frames(chunks, engine=wire.engine))
    async with aclosing(output_of(pieces, complaint)) as out:
        async for piece in out:
            yield piece
    answer = await wire.json("POST", f"{place}/wait", timeout_s=60)
    with understood(NOT_ITS_API, wire.engine):
        code = int(answer["StatusCode"])
    ended(code, bytes(complaint), program, image, wire.engine)


__all__ = ["exported", "imported", "ran"]
