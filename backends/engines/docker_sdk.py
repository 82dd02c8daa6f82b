"""docker-py, kept off the event loop and behind the error tree. Its objects and exceptions end in this module."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from backends.engines.daemon_threads import in_thread
from backends.engines.docker_errors import NameOf, explain
from backends.model.errors import BackendError, Denied, Protocol
from backends.model.ids import EngineId
from backends.wire.client import WireClient
from backends.wire.endpoint import Endpoint
from backends.wire.failures import from_os_error, from_status, late, lost

if TYPE_CHECKING:
    from docker import APIClient

T = TypeVar("T")

CALL_TIMEOUT_S = 30.0
_SOCKET_TIMEOUT_S = 150  # of docker-py's sockets, longer than any call: ends a thread whose caller gave up long ago


class DockerSdk:
    """One docker-py client, each call in a thread of its own: a hung Docker holds up nothing else, nor the exit."""

    def __init__(self, engine: EngineId, wire: WireClient, name_of: NameOf) -> None:
        self._engine = engine
        self._wire = wire
        self._name_of = name_of
        self._client: APIClient | None = None
        self._version = ""
        self._lock = asyncio.Lock()

    async def call(self, version: str, act: Callable[[APIClient], T], *, timeout_s: float = CALL_TIMEOUT_S) -> T:
        """Run `act` in a thread with a client of that API version. Raises errors of our tree only."""
        url = await self._wire.base_url()
        try:
            async with asyncio.timeout(timeout_s):
                client = await self._made(url, version)
                return await self._run(lambda: act(client))
        except TimeoutError as error:
            raise late(self._wire.endpoint, self._engine, timeout_s) from error

    async def _made(self, url: str, version: str) -> APIClient:
        async with self._lock:
            if self._client is None or self._version != version:
                stale, self._client = self._client, None
                self._client = await self._run(lambda: _make(url, version, self._wire.endpoint))
                self._version = version
                if stale is not None:
                    await self._run(stale.close)
            return self._client

    async def close(self) -> None:
        """Close docker-py's connections; safe to call twice."""
        async with self._lock:
            client, self._client = self._client, None
        if client is not None:
            await self._run(client.close)

    async def _run(self, act: Callable[[], T]) -> T:
        return await in_thread(f"sdk-{self._engine}", lambda: self._guarded(act))

    def _guarded(self, act: Callable[[], T]) -> T:
        """In the thread: docker-py's and requests' exceptions become ours."""
        import requests
        from docker.errors import APIError, DockerException

        endpoint = self._wire.endpoint
        try:
            return act()
        except APIError as error:
            raise self._api_error(error) from error
        except requests.exceptions.SSLError as error:
            raise Denied(f"TLS with {endpoint} failed", detail=str(error), engine=self._engine) from error
        except requests.exceptions.Timeout as error:
            raise late(endpoint, self._engine, None) from error
        except requests.exceptions.ConnectionError as error:
            cause = _os_error(error)
            raise (
                from_os_error(cause, endpoint, self._engine) if cause else lost(endpoint, self._engine, error)
            ) from error
        except (requests.exceptions.RequestException, DockerException) as error:
            raise Protocol("The call to Docker failed", detail=str(error), engine=self._engine) from error
        except OSError as error:
            raise from_os_error(error, endpoint, self._engine) from error

    def _api_error(self, error: Exception) -> BackendError:
        response = getattr(error, "response", None)
        message = str(getattr(error, "explanation", "") or error)
        known = explain(message, self._engine, self._name_of)
        return known or from_status(getattr(response, "status_code", 500) or 500, message, self._engine)


def _make(url: str, version: str, endpoint: Endpoint) -> APIClient:
    from docker import APIClient
    from docker.tls import TLSConfig

    files = endpoint.tls
    tls: TLSConfig | bool = False
    if files is not None:
        pair = (files.cert, files.key) if files.cert else None
        tls = TLSConfig(client_cert=pair, ca_cert=files.ca or None, verify=files.verify)
    client = APIClient(base_url=url, version=version, timeout=_SOCKET_TIMEOUT_S, tls=tls)
    client.trust_env = False  # else requests lets $REQUESTS_CA_BUNDLE win over this engine's own CA file
    return client


def _os_error(error: BaseException) -> OSError | None:
    """The system's own error inside requests' and urllib3's wrappings, None where there is none."""
    import requests

    seen: list[object] = [error]
    for item in seen:
        if isinstance(item, OSError) and item.errno and not isinstance(item, requests.RequestException):
            return item
        if isinstance(item, BaseException) and len(seen) < 32:
            seen += [
                part for part in (*item.args, item.__cause__, item.__context__, getattr(item, "reason", None)) if part
            ]
    return None


__all__ = ["CALL_TIMEOUT_S", "DockerSdk"]
