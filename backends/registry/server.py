"""Serves one move's registry on 127.0.0.1: the part of the OCI distribution API that push and pull use. Knows no plan.

Whoever is to use it must know its repository's name, which has 128 random bits in it; every other name is not found.
aiohttp is imported when it is first opened, in a thread: the first frame must not wait for it.
"""

from __future__ import annotations

import asyncio
import importlib
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from backends.model.errors import BackendError
from backends.registry.archive import Part
from backends.registry.depot import DIGEST, PIECE_BYTES, Damaged, Depot, digest_of
from backends.registry.manifests import Manifest, read_manifest
from backends.registry.turns import Turns

if TYPE_CHECKING:
    from aiohttp import web

MARK = "tranship"
"""The first part of every repository's name: what is left over on an engine is known by it."""

TAG = "move"
_MAX_MANIFEST_BYTES = 4 << 20  # OCI distribution spec, "Pushing Manifests": registries should take at least 4 MiB
_HEADERS = {"Docker-Distribution-Api-Version": "registry/2.0"}


class Registry:
    """One move's registry.

    presumed: told the digest of a blob that is not here, whether to answer that it is. declines: manifests are taken
    in, but answered with an error: the engine that pushes then does not note that its image has a name here.
    most_uploads: blobs that one push may send, None = any number; overrun: it tried to send more, and was refused.
    lent: blobs by digest that lie elsewhere, and are read when they are asked for, the first of them first. failed: why
    one of them could not be read to its end. on_bytes: told how many bytes have come in or gone out.
    called: blobs that were presumed to be here. images: manifests that were pushed. lacking: blobs that were asked for
    and are not here. requests: how many were heard, whatever they asked for.
    """

    def __init__(self, depot: Depot, port: int) -> None:
        self.depot = depot
        self.address = f"127.0.0.1:{port}"
        self.repository = f"{MARK}/{secrets.token_hex(16)}"
        self.presumed: Callable[[str], bool] = lambda _digest: False
        self.declines = False
        self.most_uploads: int | None = None
        self.overrun = False
        self.lent: dict[str, Part] = {}
        self.failed: BackendError | None = None
        self.on_bytes: Callable[[int], None] = lambda _count: None
        self.called: set[str] = set()
        self.images: list[Manifest] = []
        self.lacking: set[str] = set()
        self.requests = 0
        self._begun = 0
        self._turns = Turns()
        self._manifests: dict[str, tuple[bytes, str]] = {}

    @property
    def name(self) -> str:
        """The full reference under which it takes and gives its one image."""
        return f"{self.address}/{self.repository}:{TAG}"

    def offer(self, data: bytes, media_type: str) -> None:
        """This manifest is the image that is pulled by `name`."""
        digest = digest_of(data)
        self._manifests[digest] = self._manifests[TAG] = (data, media_type)

    def begin_push(self, presumed: Callable[[str], bool]) -> None:
        """Forget the manifests of the push before. presumed: as above, for this push."""
        self.presumed = presumed
        self.images.clear()
        self.called.clear()
        self.overrun = False
        self._begun = 0

    # -- blobs -----------------------------------------------------------------------------------
    async def _blob(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        digest = self._digest(request.match_info["digest"])
        blob = self.depot.blobs.get(digest)
        headers = {**_HEADERS, "Docker-Content-Digest": digest, "Content-Type": "application/octet-stream"}
        if digest in self.lent:
            return await self._lent(request, digest, headers)
        if blob is None:
            if request.method == "HEAD" and self.presumed(digest):
                self.called.add(digest)
                return web.Response(headers={**headers, "Content-Length": "0"})
            if request.method == "GET":
                self.lacking.add(digest)
            raise _failure(404, "BLOB_UNKNOWN", digest)
        if request.method == "GET":
            self.on_bytes(blob.size)
        return web.FileResponse(blob.path, chunk_size=PIECE_BYTES, headers=headers)

    async def _lent(self, request: web.Request, digest: str, headers: Mapping[str, str]) -> web.StreamResponse:
        """One after the other: whoever pulls unpacks the first layer while the next one is on its way."""
        from aiohttp import web

        part, rank = self.lent[digest], list(self.lent).index(digest)
        if self.failed is not None:
            raise _failure(404, "BLOB_UNKNOWN", self.failed.title)
        response = web.StreamResponse(headers={**headers, "Content-Length": str(part.size)})
        await response.prepare(request)
        if request.method == "GET":
            try:
                async with aclosing(part.pieces()) as pieces, aclosing(self._turns.in_turn(rank, pieces)) as sent:
                    async for piece in sent:
                        await response.write(piece)
                        self.on_bytes(len(piece))
            except ConnectionError:
                pass  # whoever asked has gone
            except BackendError as error:
                self.failed = error
                if request.transport is not None:
                    request.transport.abort()  # whoever reads must not take it for the end
        return response

    async def _begin(self, request: web.Request) -> web.StreamResponse:
        self._begun += 1
        if self.overrun or (self.most_uploads is not None and self._begun > self.most_uploads):
            self.overrun = True
            raise _failure(403, "DENIED", "more is sent than is asked for")
        name = self.depot.begin()
        digest = request.query.get("digest", "")
        if digest:
            await self._receive(name, request)
            return await self._commit(name, self._digest(digest))
        return self._accepted(name)

    async def _more(self, request: web.Request) -> web.StreamResponse:
        name = self._upload(request)
        await self._receive(name, request)
        return self._accepted(name)

    async def _end(self, request: web.Request) -> web.StreamResponse:
        name = self._upload(request)
        digest = self._digest(request.query.get("digest", ""))
        await self._receive(name, request)
        return await self._commit(name, digest)

    async def _drop(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        self.depot.drop(self._upload(request))
        return web.Response(status=204, headers=_HEADERS)

    async def _state(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        answer = self._accepted(self._upload(request))
        return web.Response(status=204, headers=answer.headers)

    async def _receive(self, name: str, request: web.Request) -> None:
        upload = self.depot.uploads[name]
        async for chunk in request.content.iter_any():
            await upload.write(chunk)
            self.on_bytes(len(chunk))

    async def _commit(self, name: str, digest: str) -> web.StreamResponse:
        from aiohttp import web

        try:
            await self.depot.commit(name, digest)
        except Damaged as error:
            raise _failure(400, "DIGEST_INVALID", str(error)) from error
        place = f"/v2/{self.repository}/blobs/{digest}"
        return web.Response(status=201, headers={**_HEADERS, "Location": place, "Docker-Content-Digest": digest})

    def _accepted(self, name: str) -> web.Response:
        from aiohttp import web

        last = max(0, self.depot.uploads[name].size - 1)
        place = f"/v2/{self.repository}/blobs/uploads/{name}"
        headers = {"Location": place, "Range": f"0-{last}", "Docker-Upload-UUID": name}
        return web.Response(status=202, headers={**_HEADERS, **headers})

    # -- manifests -------------------------------------------------------------------------------
    async def _manifest(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        found = self._manifests.get(request.match_info["reference"])
        if found is None:
            raise _failure(404, "MANIFEST_UNKNOWN", request.match_info["reference"])
        data, media_type = found
        headers = {**_HEADERS, "Docker-Content-Digest": digest_of(data), "Content-Type": media_type}
        return web.Response(body=data, headers=headers)

    async def _put_manifest(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        data = await request.content.read(_MAX_MANIFEST_BYTES + 1)
        while not request.content.at_eof() and len(data) <= _MAX_MANIFEST_BYTES:
            data += await request.content.read(_MAX_MANIFEST_BYTES)
        if len(data) > _MAX_MANIFEST_BYTES:
            raise _failure(413, "SIZE_INVALID", "the manifest is larger than 4 MiB")
        try:
            manifest = read_manifest(data, request.content_type)
        except ValueError as error:
            raise _failure(400, "MANIFEST_INVALID", str(error)) from error
        if manifest is not None:
            self.images.append(manifest)
        if self.declines and request.match_info["reference"] == TAG:
            raise _failure(403, "DENIED", "the image has been taken in; no name is kept here")
        headers = {"Location": str(request.rel_url), "Docker-Content-Digest": digest_of(data)}
        return web.Response(status=201, headers={**_HEADERS, **headers})

    async def _hello(self, _request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        return web.json_response({}, headers=_HEADERS)

    # -- who asks --------------------------------------------------------------------------------
    def _digest(self, text: str) -> str:
        if not DIGEST.fullmatch(text):
            raise _failure(400, "DIGEST_INVALID", "not a sha256 digest")
        return text

    def _upload(self, request: web.Request) -> str:
        name = request.match_info["upload"]
        if name not in self.depot.uploads:
            raise _failure(404, "BLOB_UPLOAD_UNKNOWN", "no such upload")
        return name

    def application(self) -> web.Application:
        """Its routes; what another repository is asked for is not found."""
        from aiohttp import web

        @web.middleware
        async def guard(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            self.requests += 1
            name = request.match_info.get("name")
            if name is not None and not secrets.compare_digest(name.encode(), self.repository.encode()):
                raise _failure(404, "NAME_UNKNOWN", "no such repository")
            try:
                return await handler(request)
            except OSError as error:
                raise _failure(507, "UNKNOWN", error.strerror or str(error)) from error

        app = web.Application(middlewares=[guard])
        blobs, manifests = "/v2/{name:.+}/blobs/", "/v2/{name:.+}/manifests/{reference}"
        app.add_routes(
            [
                web.get("/v2/", self._hello),
                web.post(blobs + "uploads/", self._begin),
                web.patch(blobs + "uploads/{upload}", self._more),
                web.put(blobs + "uploads/{upload}", self._end),
                web.get(blobs + "uploads/{upload}", self._state),
                web.delete(blobs + "uploads/{upload}", self._drop),
                web.get(blobs + "{digest}", self._blob),
                web.get(manifests, self._manifest),
                web.put(manifests, self._put_manifest),
            ]
        )
        return app


def _failure(status: int, code: str, message: str) -> Exception:
    """An error as the distribution spec writes it ("Error Codes")."""
    import json

    from aiohttp import web

    kinds = {400: web.HTTPBadRequest, 403: web.HTTPForbidden, 404: web.HTTPNotFound, 507: web.HTTPInsufficientStorage}
    text = json.dumps({"errors": [{"code": code, "message": message}]})
    if status == 413:
        return web.HTTPRequestEntityTooLarge(_MAX_MANIFEST_BYTES, _MAX_MANIFEST_BYTES + 1, text=text)
    return kinds[status](text=text, content_type="application/json", headers=_HEADERS)


async def load_server() -> None:
    """Load what a registry needs, in a thread: a tenth of a second that a move need not wait for if it was planned."""
    await asyncio.to_thread(importlib.import_module, "aiohttp.web")


@asynccontextmanager
async def open_registry(folder: Path, *, port: int = 0, unix_socket: Path | None = None) -> AsyncIterator[Registry]:
    """A registry that listens while the context stands; leaving removes all its files, whatever happened.

    folder: where its own folder is made. port: 0 = any that is free. unix_socket: it listens there too.
    Raises OSError where it cannot listen or write.
    """
    await load_server()
    from aiohttp import web

    listener = socket.create_server(("127.0.0.1", port))
    depot: Depot | None = None
    runner: web.AppRunner | None = None
    try:
        depot = await asyncio.to_thread(Depot, folder)
        registry = Registry(depot, listener.getsockname()[1])
        runner = web.AppRunner(registry.application(), access_log=None, read_bufsize=PIECE_BYTES, shutdown_timeout=1.0)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        if unix_socket is not None:
            await web.UnixSite(runner, str(unix_socket)).start()
        yield registry
    finally:
        if runner is not None:
            await runner.cleanup()
        listener.close()
        if depot is not None:
            await asyncio.to_thread(depot.close)


__all__ = ["MARK", "TAG", "Registry", "load_server", "open_registry"]
