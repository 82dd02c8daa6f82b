"""A socket in front of an engine's own one, which passes all on or spoils the answers. Knows no fault. No test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web
from yarl import URL

from backends.wire.endpoint import Endpoint

Way = Callable[["Between", web.Request], Awaitable[web.StreamResponse]]
"""How a request is answered."""

_HOP = {"transfer-encoding", "connection", "keep-alive", "host", "content-length", "upgrade"}
"""Headers that are of one connection only, and what aiohttp writes itself (RFC 9110, 7.6.1)."""


class Between:
    """url: where Tranship is to look for the engine. way: how requests are answered. asked: how many came."""

    def __init__(self, engine_url: str) -> None:
        self._engine = Endpoint.parse(engine_url).address
        self.folder = Path(tempfile.mkdtemp(prefix="tb-", dir="/tmp"))  # short: socket paths end at 107 bytes
        self.socket = self.folder / "s.sock"
        self.url = f"unix://{self.socket}"
        self.way: Way = passed_on
        self.asked = 0
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.UnixConnector(self._engine, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{all:.*}", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await self.appear()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        assert self._session is not None
        await self._runner.cleanup()
        await self._session.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- the socket ------------------------------------------------------------------------------
    async def appear(self) -> None:
        """Listen."""
        assert self._runner is not None
        await web.UnixSite(self._runner, self.socket).start()

    async def vanish(self) -> None:
        """Listen no more, take the socket's file away, break off what is open."""
        assert self._runner is not None
        for site in list(self._runner.sites):
            await site.stop()
        self.socket.unlink(missing_ok=True)
        self.cut()

    def close_to(self, owner: int) -> None:
        """Nobody but that user may open the socket."""
        os.chown(self.socket, owner, owner)
        self.socket.chmod(0o600)

    def open_to_all(self) -> None:
        """Anybody may."""
        self.socket.chmod(0o666)

    def cut(self) -> None:
        """Break off all connections, in the middle of what they say; those too that wait for the next request."""
        assert self._runner is not None
        assert self._runner.server is not None
        for one in self._runner.server.connections:
            if one.transport is not None:
                one.transport.abort()

    # -- answers ---------------------------------------------------------------------------------
    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        transport = request.transport
        assert transport is not None
        try:
            return await self.way(self, request)
        except (aiohttp.ClientError, ConnectionError):
            transport.abort()  # the engine itself broke off
            return web.Response()

    def ask(self, request: web.Request, path: str = "") -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """The engine's answer to this request; a context. path: asked for in place of the request's own."""
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        if "content-length" in request.headers:
            headers["Content-Length"] = request.headers["Content-Length"]
        body = request.content if request.body_exists else None
        url = URL(f"http://localhost{path or request.raw_path}", encoded=True)
        return self._session.request(request.method, url, headers=headers, data=body)


def head_of(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """The headers of the engine's answer that are passed on."""
    return {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}


async def passed_on(between: Between, request: web.Request) -> web.StreamResponse:
    """As the engine says it, piece by piece."""
    async with between.ask(request) as answer:
        passed = web.StreamResponse(status=answer.status, headers=head_of(answer))
        await passed.prepare(request)
        async for chunk in answer.content.iter_any():
            await passed.write(chunk)
        await passed.write_eof()
    return passed


__all__ = ["Between", "Way", "head_of", "passed_on"]
