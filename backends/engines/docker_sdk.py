"""docker-py, kept off the event loop and behind the error tree. Its objects and exceptions end in this module."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

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
_SOCKET_TIMEOUT_S = 60  # of docker-py's sockets: ends a thread whose caller gave up long ago
_THREADS = 8


class DockerSdk:
    """One docker-py client with threads of its own, so that a hung Docker never takes another engine's threads."""

    def __init__(self, engine: EngineId, wire: WireClient, name_of: NameOf) -> None:
        self._engine = engine
        self._wire = wire
        self._name_of = name_of
        self._client: APIClient | None = None
        self._version = ""
        self._threads: ThreadPoolExecutor | None = None
        self._lock = asyncio.Lock()

    async def call(self, version: str, act: Callable[[APIClient], T], *, timeout_s: float = CALL_TIMEOUT_S) -> T:
        """Run `act` in a thread with a client of that API version. Raises errors of our tree only."""
        loop = asyncio.get_running_loop()
        url = await self._wire.base_url()
        endpoint = self._wire.endpoint
        try:
            async with asyncio.timeout(timeout_s):
                async with self._lock:
                    if self._threads is None:
                        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"sdk-{self._engine}")
                    threads = self._threads
                    if self._client is None or self._version != version:
                        stale, self._client = self._client, None
                        self._client = await loop.run_in_executor(
                            threads, self._guarded, lambda: _make(url, version, endpoint)
                        )
                        self._version = version
                        if stale is not None:
                            await loop.run_in_executor(threads, stale.close)
                    client = self._client
                return await loop.run_in_executor(threads, self._guarded, lambda: act(client))
        except TimeoutError as error:
            raise late(endpoint, self._engine, timeout_s) from error

    async def close(self) -> None:
        """Close docker-py's connections; safe to call twice."""
        async with self._lock:
            client, self._client = self._client, None
            threads, self._threads = self._threads, None
        if client is not None and threads is not None:
            await asyncio.get_running_loop().run_in_executor(threads, client.close)
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)

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
