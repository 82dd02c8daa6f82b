"""A connection that an engine hands over after one HTTP request, for bytes both ways. Knows no engine's API.

Written by hand on asyncio's streams: aiohttp has no public way to what is left of a connection after its upgrade.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlencode, urlsplit

from backends.model.errors import Denied, Protocol, Unsupported
from backends.wire.client import CALL_TIMEOUT_S, CONNECT_TIMEOUT_S, WireClient, tls_context
from backends.wire.failures import NO_ENGINE, from_os_error, late, lost, message_of

_HEAD_BYTES = 64 << 10
_CHUNK_BYTES = 64 << 10
_UNIX = "unix://"
_END_OF_CHUNKS = b"0\r\n\r\n"


class RawStream:
    """Bytes both ways over one connection. Not safe for two readers, nor for two writers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wire: WireClient) -> None:
        self._reader, self._writer, self._wire = reader, writer, wire

    async def chunks(self) -> AsyncIterator[bytes]:
        """What comes, until the peer ends it. Unreachable where it breaks off."""
        while True:
            try:
                chunk = await self._reader.read(_CHUNK_BYTES)
            except OSError as error:
                raise lost(self._wire.endpoint, self._wire.engine, error) from error
            if not chunk:
                return
            yield chunk

    async def send(self, data: bytes) -> None:
        """Write, and wait while the peer takes nothing. Unreachable where the connection is gone."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise lost(self._wire.endpoint, self._wire.engine, error) from error

    async def close_write(self) -> None:
        """Nothing more is sent; reading goes on. Raises Unsupported over TLS, which cannot be half closed."""
        if not self._writer.can_write_eof():
            title = "The end of the input cannot be told to a program over TLS"
            hint = "Give it a terminal (-t), or reach the engine over SSH."
            raise Unsupported(title, hint=hint, engine=self._wire.engine)
        with suppress(OSError):  # the peer is gone: reading tells
            self._writer.write_eof()


@asynccontextmanager
async def hijacked(
    wire: WireClient, method: str, path: str, *, params: Mapping[str, str] | None = None, body: object = None
) -> AsyncIterator[RawStream]:
    """The connection, once the engine has handed it over (101, or 200 as engines did before). Raises as a call does.

    body: sent as JSON. Leaving closes the connection.
    """
    reader, writer = await _connected(wire)
    try:
        target = f"{path}?{urlencode(params)}" if params else path
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                writer.write(_request(method, target, body))
                await writer.drain()
                status, headers = _head(await reader.readuntil(b"\r\n\r\n"), wire)
                if status >= 400:
                    raise wire.refusal(status, message_of(await _rest(reader, headers)))
        except TimeoutError as error:
            raise late(wire.endpoint, wire.engine, CALL_TIMEOUT_S) from error
        except (asyncio.IncompleteReadError, OSError) as error:
            raise lost(wire.endpoint, wire.engine, error) from error
        except asyncio.LimitOverrunError as error:
            raise _no_http(wire, str(error)) from error
        if status not in {101, 200}:
            raise _no_http(wire, f"HTTP status {status}")
        yield RawStream(reader, writer, wire)
    finally:
        writer.transport.abort()


async def _connected(wire: WireClient) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = await wire.base_url()
    parts, tls = urlsplit(url), wire.endpoint.tls
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            if url.startswith(_UNIX):
                return await asyncio.open_unix_connection(url.removeprefix(_UNIX), limit=_HEAD_BYTES)
            context = await asyncio.to_thread(tls_context, tls) if tls else None
            return await asyncio.open_connection(parts.hostname, parts.port, ssl=context, limit=_HEAD_BYTES)
    except TimeoutError as error:
        raise late(wire.endpoint, wire.engine, CONNECT_TIMEOUT_S) from error
    except ssl.SSLError as error:
        raise Denied(f"TLS with {wire.endpoint} failed", detail=str(error), engine=wire.engine) from error
    except OSError as error:
        raise from_os_error(error, wire.endpoint, wire.engine) from error


def _request(method: str, target: str, body: object) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{method} {target} HTTP/1.1",
        "Host: localhost",
        "Connection: Upgrade",
        "Upgrade: tcp",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
    ]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + content


def _head(head: bytes, wire: WireClient) -> tuple[int, Mapping[str, str]]:
    """Status and headers, their names in small letters."""
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    code = rest[:3]
    if not version.startswith("HTTP/1.") or not code.isdecimal():
        raise _no_http(wire, first[:200])
    pairs = (line.partition(":") for line in lines if line)
    return int(code), {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _rest(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    """The body of a refusal, as far as it says something."""
    length = headers.get("content-length", "")
    if length.isdecimal():
        return await reader.readexactly(min(int(length), _HEAD_BYTES))
    content = bytearray()
    while len(content) < _HEAD_BYTES and not content.endswith(_END_OF_CHUNKS):
        piece = await reader.read(4096)
        if not piece:
            break
        content += piece
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return b"".join(_chunks(bytes(content)))
    return bytes(content)


def _chunks(content: bytes) -> list[bytes]:
    """The pieces of a chunked body (RFC 9112, 7.1); what is not whole is left out."""
    pieces: list[bytes] = []
    while True:
        size, mark, content = content.partition(b"\r\n")
        try:
            length = int(size.partition(b";")[0], 16)
        except ValueError:
            return pieces
        if not mark or not length:
            return pieces
        pieces.append(content[:length])
        content = content[length + 2 :]


def _no_http(wire: WireClient, detail: str) -> Protocol:
    title = f"{wire.endpoint} does not hand its connection over"
    return Protocol(title, detail=detail, hint=NO_ENGINE, engine=wire.engine)


__all__ = ["RawStream", "hijacked"]
