"""Helper containers of Podman: made for a moment to run one program, or none. Knows neither volumes nor files.

Each sees what is mounted in it and nothing else: no network, no log, no volumes of its image.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from backends.engines.ending import to_its_end
from backends.engines.helper_program import ended, helper_labels, needs, output_of
from backends.engines.podman_api import Params, PodmanApi
from backends.engines.podman_spec import image_reference
from backends.engines.podman_tar import without_padding
from backends.model.container import LogStream
from backends.model.errors import NotFound, Protocol, Unsupported
from backends.wire.frames import log_frames

_ATTACHED: Params = {"stream": True, "stdout": True, "stderr": True, "stdin": False}
_TAR_TYPE = {"Content-Type": "application/x-tar"}


@dataclass(frozen=True, slots=True)
class Sight:
    """What a helper sees. image: a name, or an id as bare hex. source: a volume's name, or a path of the engine's host.

    place: where it is mounted.
    """

    image: str
    source: str
    place: str
    read_only: bool = True

    def mounts(self) -> dict[str, Any]:
        """As parts of SpecGenerator JSON."""
        options = ["ro"] if self.read_only else []
        if self.source.startswith("/"):
            bind = {"type": "bind", "source": self.source, "destination": self.place, "options": ["bind", *options]}
            # What lies there has the label of another container.
            return {"mounts": [bind], "selinux_opts": ["disable"]}
        return {"volumes": [{"Name": self.source, "Dest": self.place, "Options": ["nocopy", *options]}]}


class Helper:
    """One helper container that was created and not started. name: its own."""

    def __init__(self, api: PodmanApi, name: str, image: str) -> None:
        self.name = name
        self._api = api
        self._image = image

    async def put(self, folder: str, archive: bytes | AsyncIterator[bytes], *, timeout_s: float | None = None) -> None:
        """Unpack a tar under a folder of it, owners and modes as in the tar (but the folder's own owner)."""
        params: Params = {"path": folder, "copyUIDGID": False, "noOverwriteDirNonDir": False}
        body = archive if isinstance(archive, bytes) else without_padding(archive)
        path = f"/containers/{self.name}/archive"
        await self._api.send("PUT", path, params, data=body, headers=_TAR_TYPE, timeout_s=timeout_s)

    @asynccontextmanager
    async def says(self, program: str) -> AsyncIterator[AsyncGenerator[tuple[LogStream, bytes], None]]:
        """Start it; pieces of both streams. Raises Unsupported where the image lacks `program`, its first word."""
        path = f"/containers/{self.name}"
        async with AsyncExitStack() as stack:
            try:
                with needs(program, self._image):  # it is looked for on attaching already
                    opened = self._api.stream("POST", f"{path}/attach", _ATTACHED, open_timeout_s=60.0)
                    chunks = await stack.enter_async_context(opened)
                    await self._api.change("POST", f"{path}/start")
            except Unsupported as error:
                error.hint = "Pull an image that has it into that engine, such as busybox, and try again."
                raise
            pieces = _pairs(chunks, self._api)
            try:
                yield pieces
            finally:
                await pieces.aclose()

    async def exit_code(self) -> int:
        """Wait until it has ended. Raises Protocol where Podman tells no code."""
        answer = await self._api.send("POST", f"/containers/{self.name}/wait", timeout_s=60.0)
        try:
            return int(answer)
        except ValueError as error:
            detail = answer[:200].decode("utf-8", "replace")
            raise Protocol("Podman told no exit code", detail=detail, engine=self._api.engine) from error

    async def output(self, pieces: AsyncIterator[tuple[LogStream, bytes]], program: str) -> AsyncGenerator[bytes, None]:
        """Its standard output. Raises Unsupported or Conflict, with what it complained of, where it failed."""
        words = bytearray()
        async with aclosing(output_of(pieces, words)) as out:
            async for piece in out:
                yield piece
        ended(await self.exit_code(), bytes(words), program, self._image, self._api.engine)


async def _pairs(chunks: AsyncIterator[bytes], api: PodmanApi) -> AsyncGenerator[tuple[LogStream, bytes], None]:
    async for stream, piece, _ in log_frames(chunks, engine=api.engine):
        yield stream, piece


@asynccontextmanager
async def helper(api: PodmanApi, sight: Sight, words: Sequence[str], *, workdir: str = "/") -> AsyncIterator[Helper]:
    """A container that would run `words` as root; removed on exit, also when cancelled while it is being made."""
    name = f"tranship-helper-{uuid.uuid4().hex[:12]}"
    body = {
        "name": name,
        "image": image_reference(sight.image),
        "labels": helper_labels(),
        "entrypoint": [words[0]],
        "command": list(words[1:]),
        "user": "0:0",
        "work_dir": workdir,
        "netns": {"nsmode": "none"},
        "image_volume_mode": "ignore",
        "log_configuration": {"driver": "none"},
        **sight.mounts(),
    }
    try:
        await to_its_end(api.change("POST", "/containers/create", body=body))
        yield Helper(api, name, sight.image)
    finally:
        await to_its_end(_remove(api, name))


async def _remove(api: PodmanApi, name: str) -> None:
    try:
        await api.change("DELETE", f"/containers/{name}", {"force": True, "timeout": 0})
    except NotFound:
        return  # it was never made


async def all_said(api: PodmanApi, sight: Sight, words: Sequence[str]) -> AsyncIterator[bytes]:
    """What a program of the image writes to both streams, however it ends."""
    async with helper(api, sight, words) as made, made.says(words[0]) as pieces:
        async for _, piece in pieces:
            yield piece


__all__ = ["Helper", "Sight", "all_said", "helper"]
