"""A TCP door in front of an engine's unix socket, as a remote engine has it; notes what was asked for. No test."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from backends.wire.endpoint import Endpoint

_REQUEST = re.compile(rb"^(?:GET|POST|PUT|DELETE|HEAD) \S+ HTTP/1\.1\r\n")
_END_S = 10.0


@dataclass
class Door:
    """address: "host:port". requests: the first lines of all requests, without the protocol. open: connections now."""

    address: str = ""
    requests: list[str] = field(default_factory=list)
    open: int = 0

    @property
    def url(self) -> str:
        """As people write it."""
        return f"tcp://{self.address}"

    def note(self, data: bytes) -> None:
        """Take a piece that a client sent; each request begins a piece of its own."""
        found = _REQUEST.match(data)
        if found:
            self.requests.append(found.group().decode(errors="replace").rsplit(" ", 1)[0])


@asynccontextmanager
async def open_door(socket_url: str, *, context: ssl.SSLContext | None = None) -> AsyncIterator[Door]:
    """Listen on a free port of 127.0.0.1. context: with TLS."""
    door = Door()
    tasks: set[asyncio.Task[None]] = set()
    near: list[asyncio.WriteTransport] = []

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asked: bool) -> None:
        try:
            while data := await reader.read(65536):
                if asked:
                    door.note(data)
                writer.write(data)
                await writer.drain()
        except (ConnectionError, ssl.SSLError):
            return
        finally:
            writer.close()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        near.append(writer.transport)
        task.add_done_callback(tasks.discard)
        door.open += 1
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(Endpoint.parse(socket_url).address)
            await asyncio.gather(copy(reader, far_writer, asked=True), copy(far_reader, writer, asked=False))
        finally:
            if not writer.is_closing():  # closed twice, one with TLS can no longer be aborted (Python 3.11)
                writer.close()
            door.open -= 1

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    door.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield door
    finally:
        server.close()
        left = list(tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for transport in near:
            transport.abort()  # with TLS a close waits for the other side's, longer than the test's loop runs
        async with asyncio.timeout(_END_S):  # a handshake that failed ends its connection a turn or two later
            while getattr(server, "_active_count", 0):  # noqa: ASYNC110  # wait_closed does it from Python 3.12 on
                await asyncio.sleep(0.001)
