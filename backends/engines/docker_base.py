"""The connection to one Docker daemon: hello, calls, errors. What is asked of it stands in the modules beside.

Why two ways: docker-py knows contexts, TLS and the shape of every action; its lists inspect each container (242 ms for
200 against 17 ms) and its streams hold a thread each (DECISIONS 4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from backends.engines import docker_translate
from backends.engines.docker_defaults import HostDefaults
from backends.engines.docker_errors import explain
from backends.engines.docker_host import containerd_store, described, host_defaults, told_by_files
from backends.engines.docker_sdk import CALL_TIMEOUT_S, DockerSdk
from backends.model.capabilities import Capability, EngineInfo
from backends.model.errors import BackendError, NotFound, Protocol
from backends.model.ids import EngineId
from backends.wire.client import HELLO_TIMEOUT_S, WireClient
from backends.wire.endpoint import Endpoint
from backends.wire.failures import NO_ENGINE, understood

if TYPE_CHECKING:
    from docker import APIClient

T = TypeVar("T")

LIST_TIMEOUT_S = 20.0
NOT_ITS_API = "Docker's answer does not follow its API"


class DockerBase:
    """The connection to one Docker daemon; connects on the first call."""

    def __init__(self, id: EngineId, endpoint: Endpoint) -> None:
        self._id = id
        self._endpoint = endpoint
        self._names: dict[str, str] = {}
        self._wire = WireClient(endpoint, id, explain=self._explain)
        self._streams = WireClient(endpoint, id, explain=self._explain)  # stats: never in the way of other calls
        self._sdk = DockerSdk(id, self._wire, self._name_of)
        self._api = ""
        self._version: tuple[int, ...] = ()
        self._info: EngineInfo | None = None
        self._defaults = HostDefaults()
        self._lacking_pause = ""
        self._containerd_store = False

    @property
    def id(self) -> EngineId:
        """Who it is."""
        return self._id

    @property
    def endpoint(self) -> str:
        """Where it is, for people."""
        return str(self._endpoint)

    async def connect(self) -> EngineInfo:
        """GET /version and /info. Raises Unsupported where the daemon is older than API 1.40."""
        title = f"What answers at {self._endpoint} is not Docker"
        try:
            version = await self._wire.json("GET", "/version", timeout_s=HELLO_TIMEOUT_S)
        except (NotFound, Protocol) as error:
            detail = f"{error.title}: {error.detail}" if error.detail else error.title
            raise Protocol(title, detail=detail, hint=NO_ENGINE, engine=self._id) from error
        if not isinstance(version, dict) or not version.get("ApiVersion"):
            raise Protocol(title, hint=NO_ENGINE, engine=self._id)
        api = docker_translate.negotiated(self._id, version)
        info = await self._wire.json("GET", f"/v{api}/info", timeout_s=LIST_TIMEOUT_S)
        with self._understood():
            told = docker_translate.engine_info(version, info, api_version=api, local=self._endpoint.local)
            told = described(told, info)
        if told.local:
            with self._understood():
                told = await asyncio.to_thread(told_by_files, told, info, self._endpoint)
        self._api = api
        self._version = tuple(int(part) for part in api.split("."))
        self._lacking_pause = told.capabilities.why_not(Capability.PAUSE)
        self._defaults = host_defaults(told, info)
        self._containerd_store = containerd_store(info)
        self._info = told
        return told

    async def close(self) -> None:
        """Close every connection."""
        await self._sdk.close()
        await self._streams.close()
        await self._wire.close()

    async def _known(self) -> EngineInfo:
        """What the daemon said when connected."""
        return self._info or await self.connect()

    async def _path(self, path: str) -> str:
        """With the negotiated version in front; connects where that was not done yet."""
        if not self._api:
            await self.connect()
        return f"/v{self._api}{path}"

    async def _get(self, path: str, params: dict[str, str | bool] | None = None, *, timeout_s: float = 10.0) -> Any:
        return await self._wire.json("GET", await self._path(path), params=params, timeout_s=timeout_s)

    async def _post(self, path: str, body: object = None, *, timeout_s: float | None = CALL_TIMEOUT_S) -> Any:
        return await self._wire.json("POST", await self._path(path), body=body, timeout_s=timeout_s)

    async def _act(self, act: Callable[[APIClient], T], *, timeout_s: float = CALL_TIMEOUT_S) -> T:
        if not self._api:
            await self.connect()
        return await self._sdk.call(self._api, act, timeout_s=timeout_s)

    def _understood(self) -> AbstractContextManager[None]:
        return understood(NOT_ITS_API, self._id)

    def _name_of(self, container: str) -> str:
        """The name of a container as last seen, else its short id, else what came in."""
        if container in self._names:
            return self._names[container]
        if len(container) == 12:
            return next((name for id, name in self._names.items() if id.startswith(container)), container)
        return container[:12] if len(container) == 64 else container

    def _explain(self, _status: int, message: str) -> BackendError | None:
        return explain(message, self._id, self._name_of)


__all__ = ["LIST_TIMEOUT_S", "NOT_ITS_API", "DockerBase"]
