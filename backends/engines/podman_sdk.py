"""The podman package (podman-py) off the event loop: changes to containers, images and volumes.

None of its objects or exceptions leaves this module. It knows no TLS: `speaks` says which endpoints it can serve.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from backends.engines.daemon_threads import in_thread
from backends.model.errors import BackendError, Protocol
from backends.model.ids import EngineId
from backends.wire.endpoint import Endpoint
from backends.wire.failures import NO_JSON, Explain, from_os_error, from_status, late, lost, message_of

CALL_TIMEOUT_S = 30.0
_ALLOWANCE_S = 5.0  # for connecting and reading beyond the socket's own time limit


def speaks(endpoint: Endpoint) -> bool:
    """Whether podman-py can reach it (it has no TLS)."""
    return endpoint.tls is None


class PodmanSdk:
    """One podman-py client, made on the first call.

    base_url: where this machine reaches the engine ("unix:///path", "tcp://host:port"). Over SSH that is our own
    forward: podman-py's would accept any host key.
    """

    def __init__(
        self, endpoint: Endpoint, engine: EngineId, explain: Explain, base_url: Callable[[], Awaitable[str]]
    ) -> None:
        self._endpoint = endpoint
        self._engine = engine
        self._explain = explain
        self._base_url = base_url
        self._client: Any = None
        self._lock = threading.Lock()

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int | bool] | None = None,
        body: object = None,
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> Any:
        """The JSON of the answer, None where it is empty. path: below "/libpod". Raises the errors of the model."""
        url = await self._base_url()
        try:
            async with asyncio.timeout(timeout_s + _ALLOWANCE_S):
                return await in_thread("podman-py", lambda: self._call(url, method, path, params, body, timeout_s))
        except TimeoutError as error:
            raise late(self._endpoint, self._engine, timeout_s) from error

    async def close(self) -> None:
        """Close its connections; safe to call twice and when nothing was called."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(client.close)

    def _call(
        self,
        url: str,
        method: str,
        path: str,
        params: Mapping[str, str | int | bool] | None,
        body: object,
        timeout_s: float,
    ) -> Any:
        from podman.errors import APIError, PodmanError

        data = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        query = {key: str(value).lower() if isinstance(value, bool) else value for key, value in (params or {}).items()}
        self._knock(url)
        send = getattr(self._connected(url), method.lower())
        extra = {"data": data} if method in {"POST", "PUT"} else {}
        try:
            response = send(path, params=query, headers=headers, timeout=timeout_s, **extra)
            status, content = response.status_code, response.content
        except APIError as error:
            raise self._failure(error, timeout_s) from error
        except (PodmanError, ValueError) as error:
            title = "podman-py cannot make this call"
            raise Protocol(title, detail=str(error), engine=self._engine) from error
        except OSError as error:
            raise self._failure(error, timeout_s) from error
        if status >= 400:
            message = message_of(content)
            raise self._explain(status, message) or from_status(status, message, self._engine)
        if not content.strip():
            return None
        try:
            return json.loads(content)
        except NO_JSON:
            return content.decode("utf-8", "replace")

    def _knock(self, url: str) -> None:
        """podman-py never closes a socket that it could not connect: find out first."""
        scheme, _, path = url.partition("://")
        if scheme != "unix":
            return
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.settimeout(_ALLOWANCE_S)
                probe.connect(path)
            except OSError as error:
                raise from_os_error(error, self._endpoint, self._engine) from error

    def _connected(self, url: str) -> Any:
        from podman.api.client import APIClient

        scheme, _, rest = url.partition("://")
        with self._lock:
            if self._client is None:
                # 5.0.0: its prefix is served by every Podman 5; podman-py's own newest one would not be by older.
                self._client = APIClient(
                    base_url=f"http+unix://{rest}" if scheme == "unix" else f"http://{rest}", version="5.0.0"
                )
            return self._client

    def _failure(self, error: BaseException, timeout_s: float) -> BackendError:
        """The cause hides below podman-py's, requests' and urllib3's exceptions."""
        from requests.exceptions import Timeout

        seen: list[BaseException] = []
        queue: list[object] = [error]
        while queue:
            one = queue.pop(0)
            if not isinstance(one, BaseException) or one in seen:
                continue
            seen.append(one)
            queue += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        if any(isinstance(one, Timeout | TimeoutError) for one in seen):
            return late(self._endpoint, self._engine, timeout_s)
        for one in seen:
            if isinstance(one, OSError) and one.errno is not None:
                return from_os_error(one, self._endpoint, self._engine)
        return lost(self._endpoint, self._engine, seen[-1])
