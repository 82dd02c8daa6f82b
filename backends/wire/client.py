"""One HTTP client per engine over unix socket, TCP with TLS, or SSH. Knows no engine's API; raises only our errors.

aiohttp is imported on the first call, in a thread: the first frame must not wait for it (189 ms).
"""

from __future__ import annotations

import asyncio
import importlib
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from backends.model.errors import BackendError, Denied, Protocol, Unreachable
from backends.model.ids import EngineId
from backends.wire.endpoint import Endpoint, Scheme, TlsFiles
from backends.wire.failures import (
    NO_ENGINE,
    NO_JSON,
    Classify,
    Explain,
    from_os_error,
    from_status,
    late,
    lost,
    message_of,
)
from backends.wire.ssh import SshForward
from backends.wire.tls_port import GO_SAYS, speaks_tls, without_tls

if TYPE_CHECKING:
    import aiohttp

Params: TypeAlias = Mapping[str, str | int | bool]

CONNECT_TIMEOUT_S = 3.0
CALL_TIMEOUT_S = 10.0
_REFUSAL_BYTES = 64 << 10  # of an engine's words for why it refuses
HELLO_TIMEOUT_S = 5.0  # of the first question to an engine: a person waits for it
_READ_BUFFER_BYTES = 1 << 20  # per stream: image tars come in 1 MiB pieces, and no more than twice that is held


class WireClient:
    """Calls to one endpoint. Cheap to make; connects on the first call; `close` when done."""

    def __init__(
        self,
        endpoint: Endpoint,
        engine: EngineId,
        *,
        classify: Classify | None = None,
        explain: Explain | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.engine = engine
        self._classify = classify
        self._explain = explain
        self._session: aiohttp.ClientSession | None = None
        self._forward = SshForward(endpoint, engine) if endpoint.scheme is Scheme.SSH else None
        self._lock = asyncio.Lock()

    async def json(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = CALL_TIMEOUT_S,
    ) -> Any:
        """The JSON value of the answer, None where it is empty. body: sent as JSON. Raises Protocol for no JSON."""
        data, headers = _as_json(body, headers)
        answer = await self.call(method, path, params=params, data=data, headers=headers, timeout_s=timeout_s)
        if not answer.strip():
            return None
        try:
            return json.loads(answer)
        except NO_JSON as error:
            shown = answer[:200].decode("utf-8", "replace")
            raise Protocol(f"{method} {path} answered no JSON", detail=shown, engine=self.engine) from error

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        data: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = CALL_TIMEOUT_S,
    ) -> bytes:
        """The whole answer. data: the body, also as a stream (an error that the stream raises comes out unchanged).

        Raises the error of the status for 400 and up; TimedOut after timeout_s (None = never).
        """
        source = _Source(data) if data is not None and not isinstance(data, bytes) else None
        sent = source.pieces() if source else data
        try:
            async with self._answer(method, path, params, sent, headers, timeout_s) as response, self._errors():
                try:
                    async with asyncio.timeout(timeout_s):
                        return await response.read()
                except TimeoutError as error:
                    raise late(self.endpoint, self.engine, timeout_s) from error
        except BackendError:
            if source and source.failure:
                raise source.failure from None
            raise
        finally:
            if source:
                await source.close()

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: object = None,
        data: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        open_timeout_s: float | None = CALL_TIMEOUT_S,
        chunk_bytes: int | None = None,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Chunks of the answer's body as they come. On entry the engine has answered with its headers.

        body: sent as JSON; data: sent as it comes (an error that it raises before the answer comes out unchanged).
        open_timeout_s: for these headers; None where the engine works long before it answers (image save). The
        iterator raises Unreachable where the peer breaks off. Leaving closes the connection at once. chunk_bytes: no
        chunk is longer; None = all that has come, which of a flood of short messages takes long to be joined.
        """
        source = _Source(data) if data is not None else None
        plain, headers = _as_json(body, headers)
        try:
            async with self._answered(method, path, params, plain, source, headers, open_timeout_s) as response:
                chunks = self._chunks(response, chunk_bytes)
                try:
                    yield chunks
                finally:
                    response.close()
                    await chunks.aclose()
        finally:
            if source:
                await source.close()

    @asynccontextmanager
    async def _answered(
        self,
        method: str,
        path: str,
        params: Params | None,
        plain: bytes | None,
        source: _Source | None,
        headers: Mapping[str, str] | None,
        timeout_s: float | None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        sent = source.pieces() if source else plain
        answered = False
        try:
            async with self._answer(method, path, params, sent, headers, timeout_s) as response:
                answered = True
                yield response
        except BackendError:
            if source and source.failure and not answered:
                raise source.failure from None
            raise

    @asynccontextmanager
    async def headers(
        self, method: str, path: str, *, params: Params | None = None, timeout_s: float | None = CALL_TIMEOUT_S
    ) -> AsyncIterator[Mapping[str, str]]:
        """The headers of an answer whose body is not read (HEAD)."""
        async with self._answer(method, path, params, None, None, timeout_s) as response:
            yield response.headers

    async def base_url(self) -> str:
        """Where another client of this machine reaches the same engine: "unix:///path", "tcp://host:port".

        Over SSH this is the forwarded local socket. Raises what opening the forward raises.
        """
        if self._forward is not None:
            return f"unix://{await self._forward.ensure()}"
        scheme = "unix" if self.endpoint.scheme is Scheme.UNIX else ("https" if self.endpoint.tls else "tcp")
        return f"{scheme}://{self.endpoint.address}"

    def refusal(self, status: int, message: str) -> BackendError:
        """The error of an answer of status 400 and up. message: the engine's words."""
        if GO_SAYS in message:
            return without_tls(self.endpoint, self.engine, message)
        explained = self._explain(status, message) if self._explain else None
        return explained or from_status(status, message, self.engine, self._classify)

    async def close(self) -> None:
        """Close all connections; safe to call twice. A call after it opens anew."""
        async with self._lock:
            session, self._session = self._session, None
            if session is not None:
                await session.close()
                # Its transports are closed at the loop's next turn. Source: aiohttp's manual, "Graceful Shutdown".
                await asyncio.sleep(0)
        if self._forward is not None:
            await self._forward.close()

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        params: Params | None,
        data: bytes | AsyncIterator[bytes] | None,
        headers: Mapping[str, str] | None,
        timeout_s: float | None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        session = await self._open()
        sent = {
            key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in (params or {}).items()
        }
        try:
            async with self._errors():
                try:
                    async with asyncio.timeout(timeout_s):
                        response = await session.request(method, path, params=sent, data=data, headers=headers)
                except TimeoutError as error:
                    raise late(self.endpoint, self.engine, timeout_s) from error
        except (Unreachable, Protocol) as error:
            if self._forward is not None and isinstance(error, Unreachable):
                raise await self._forward.explain(error) from error
            if await speaks_tls(self.endpoint, lambda: tls_context(TlsFiles(verify=False))):
                raise without_tls(self.endpoint, self.engine, str(error.__cause__)) from error
            raise
        async with response:
            if response.status >= 400:
                await self._raise_status(response)
            yield response

    async def _raise_status(self, response: aiohttp.ClientResponse) -> None:
        words = bytearray()
        async with self._errors():
            try:
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    while piece := await response.content.read(_REFUSAL_BYTES - len(words)):  # it may come in parts
                        words += piece
            except TimeoutError:
                pass  # what has come is told
        raise self.refusal(response.status, message_of(bytes(words)))

    @asynccontextmanager
    async def _errors(self) -> AsyncIterator[None]:
        """Nothing of aiohttp's or the system's passes."""
        import aiohttp

        try:
            yield
        except aiohttp.ClientSSLError as error:
            raise Denied(f"TLS with {self.endpoint} failed", detail=str(error), engine=self.engine) from error
        except (aiohttp.ServerTimeoutError, aiohttp.ConnectionTimeoutError) as error:
            raise late(self.endpoint, self.engine, CONNECT_TIMEOUT_S) from error
        except aiohttp.ClientConnectorError as error:
            raise from_os_error(error.os_error, self.endpoint, self.engine) from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise lost(self.endpoint, self.engine, error) from error
        except aiohttp.ClientError as error:
            title = f"{self.endpoint} does not answer HTTP as it should"
            raise Protocol(title, detail=str(error), hint=NO_ENGINE, engine=self.engine) from error
        except OSError as error:
            raise from_os_error(error, self.endpoint, self.engine) from error

    async def _chunks(self, response: aiohttp.ClientResponse, most: int | None) -> AsyncGenerator[bytes, None]:
        while True:
            async with self._errors():
                chunk = await (response.content.readany() if most is None else response.content.read(most))
            if not chunk:
                return
            yield chunk

    async def _open(self) -> aiohttp.ClientSession:
        async with self._lock:
            if self._forward is not None:
                await self._forward.ensure()
            if self._session is None:
                await asyncio.to_thread(importlib.import_module, "aiohttp")
                self._session = await self._new_session()
            return self._session

    async def _new_session(self) -> aiohttp.ClientSession:
        import aiohttp

        base = "http://localhost"
        connector: aiohttp.BaseConnector
        if self._forward is not None:
            connector = aiohttp.UnixConnector(await self._forward.ensure(), limit=0)
        elif self.endpoint.scheme is Scheme.UNIX:
            # limit=0: the default of 100 lets streams starve every other call.
            connector = aiohttp.UnixConnector(self.endpoint.address, limit=0)
        else:
            tls = self.endpoint.tls
            context = await self._tls(tls) if tls else None
            connector = aiohttp.TCPConnector(limit=0, ssl=context or True)
            base = f"{'https' if tls else 'http'}://{self.endpoint.address}"
        # Docker compresses archives by gzip where it may: 300 MB of random bytes took 6.6 s, and 0.4 s as they are.
        local = self.endpoint.scheme is Scheme.UNIX
        return aiohttp.ClientSession(
            base,
            headers={"Accept-Encoding": "identity"} if local else None,
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            read_bufsize=_READ_BUFFER_BYTES,
            auto_decompress=True,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def _tls(self, files: TlsFiles) -> ssl.SSLContext:
        try:
            return await asyncio.to_thread(tls_context, files)
        except OSError as error:
            named = ", ".join(path for path in (files.ca, files.cert, files.key) if path)
            detail = f"{error.strerror or error} ({named})"
            raise Denied(
                f"The TLS files for {self.endpoint} cannot be used", detail=detail, engine=self.engine
            ) from error


class _Source:
    """A body that comes from elsewhere: remembers the error that ended it, which aiohttp would hide."""

    def __init__(self, data: AsyncIterator[bytes]) -> None:
        self._data = data
        self._pieces: Any = None
        self._ended = asyncio.Event()
        self.failure: BackendError | None = None

    def pieces(self) -> AsyncIterator[bytes]:
        self._pieces = self._iterate()
        iterator: AsyncIterator[bytes] = self._pieces
        return iterator

    async def _iterate(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._data:
                yield piece
        except BackendError as error:
            self.failure = error
            raise
        finally:
            self._ended.set()

    async def close(self) -> None:
        if self._pieces.ag_running:  # aiohttp has cancelled its writer a moment ago, it is still inside
            await self._ended.wait()
        await self._pieces.aclose()


def _as_json(body: object, headers: Mapping[str, str] | None) -> tuple[bytes | None, Mapping[str, str] | None]:
    if body is None:
        return None, headers
    return json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """A client context from PEM files. Reads files: call it in a thread. Raises OSError (SSLError included)."""
    context = ssl.create_default_context(cafile=files.ca or None)
    if not files.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if files.cert:
        context.load_cert_chain(files.cert, files.key or None)
    return context


__all__ = ["CALL_TIMEOUT_S", "CONNECT_TIMEOUT_S", "HELLO_TIMEOUT_S", "Params", "WireClient", "tls_context"]
