"""The two ways to one Podman service: aiohttp for looking and streams, podman-py for changes. Knows no model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import quote

from backends.engines.podman_errors import explain
from backends.engines.podman_sdk import CALL_TIMEOUT_S, PodmanSdk, speaks
from backends.model.ids import EngineId
from backends.wire.client import HELLO_TIMEOUT_S, WireClient
from backends.wire.endpoint import Endpoint
from backends.wire.hijack import RawStream, hijacked

Params = Mapping[str, str | int | bool]
_PREFIX = "/v5.0.0/libpod"
NOT_ITS_API = "Podman's answer has an unknown shape"


def segment(name: str) -> str:
    """A container's or volume's name as one path segment."""
    return quote(name, safe="")


def image_path(reference: str) -> str:
    """An image's name in a path; libpod takes its slashes as they are."""
    return quote(reference, safe="/:@")


class PodmanApi:
    """Calls below "/libpod". Every error is one of the model's, with the engine set."""

    def __init__(self, endpoint: Endpoint, engine: EngineId) -> None:
        self.endpoint = endpoint
        self.engine = engine
        self.wire = WireClient(endpoint, engine, explain=explain(engine))
        self._sdk = PodmanSdk(endpoint, engine, explain(engine), self.wire.base_url)

    async def get(self, path: str, params: Params | None = None, *, timeout_s: float = 10.0) -> Any:
        """The JSON of a GET."""
        return await self.wire.json("GET", _PREFIX + path, params=params, timeout_s=timeout_s)

    async def change(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        *,
        body: object = None,
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> Any:
        """A change, by podman-py where it can reach the engine. Returns the answer's JSON, None where empty."""
        if speaks(self.endpoint):
            return await self._sdk.call(method, path, params=params, body=body, timeout_s=timeout_s)
        return await self.wire.json(method, _PREFIX + path, params=params, body=body, timeout_s=timeout_s)

    async def send(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        *,
        data: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> bytes:
        """A call with a streamed body; no time limit unless given."""
        return await self.wire.call(
            method, _PREFIX + path, params=params, data=data, headers=headers, timeout_s=timeout_s
        )

    def stream(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        *,
        body: object = None,
        data: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        open_timeout_s: float | None = 10.0,
        chunk_bytes: int | None = None,
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The answer's body as it comes. body: sent as JSON; data: sent as it comes; see WireClient.stream."""
        return self.wire.stream(
            method,
            _PREFIX + path,
            params=params,
            body=body,
            data=data,
            headers=headers,
            open_timeout_s=open_timeout_s,
            chunk_bytes=chunk_bytes,
        )

    def hijacked(
        self, path: str, params: Mapping[str, str] | None = None, *, body: object = None
    ) -> AbstractAsyncContextManager[RawStream]:
        """The connection that the service hands over for a POST."""
        return hijacked(self.wire, "POST", _PREFIX + path, params=params, body=body)

    def head(self, path: str, params: Params | None = None) -> AbstractAsyncContextManager[Mapping[str, str]]:
        """The headers of a HEAD."""
        return self.wire.headers("HEAD", _PREFIX + path, params=params)

    async def ping(self) -> Mapping[str, str]:
        """The headers of `/libpod/_ping`."""
        async with self.wire.headers("GET", "/libpod/_ping", timeout_s=HELLO_TIMEOUT_S) as headers:
            return dict(headers)

    async def close(self) -> None:
        """Close every connection; safe to call twice."""
        await self.wire.close()
        await self._sdk.close()
