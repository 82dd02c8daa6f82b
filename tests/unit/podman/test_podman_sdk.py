"""podman-py behind the adapter: its exceptions come out as ours, and a hung engine is left in time."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backends.engines.podman_errors import explain
from backends.engines.podman_sdk import PodmanSdk, speaks
from backends.model.errors import BackendError, Conflict, NotFound, Protocol, TimedOut, Unreachable
from backends.wire.client import WireClient
from backends.wire.endpoint import Endpoint, TlsFiles
from tests.unit.podman.recorded import ENGINE

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def _sdk_at(path: str) -> PodmanSdk:
    endpoint = Endpoint.parse(path)
    return PodmanSdk(endpoint, ENGINE, explain(ENGINE), WireClient(endpoint, ENGINE).base_url)


@asynccontextmanager
async def _sdk(answer: Answer) -> AsyncIterator[PodmanSdk]:
    """podman-py at a server that answers each request with `answer`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        except asyncio.IncompleteReadError:
            return  # it only knocked
        finally:
            writer.close()

    with tempfile.TemporaryDirectory() as folder:  # tmp_path may be too long for a socket
        path = Path(folder) / "s"
        server = await asyncio.start_unix_server(serve, path)
        sdk = _sdk_at(str(path))
        try:
            yield sdk
        finally:
            await sdk.close()
            server.close()
            await server.wait_closed()


def _says(status: str, body: str) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write((head + body).encode())
        await writer.drain()

    return answer


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        ("404 Not Found", "no such container", NotFound),
        ("409 Conflict", "boom", Conflict),
        ("500 Internal Server Error", "that name is already in use", Conflict),
        ("500 Internal Server Error", "boom", Protocol),
    ],
)
async def test_statuses(status: str, message: str, kind: type[BackendError]) -> None:
    async with _sdk(_says(status, f'{{"cause":"{message}","message":"{message}"}}')) as sdk:
        with pytest.raises(kind) as caught:
            await sdk.call("POST", "/containers/x/start")
    assert type(caught.value) is kind
    assert caught.value.engine == ENGINE


async def test_answers() -> None:
    async with _sdk(_says("200 OK", '{"Id": "1"}')) as sdk:
        assert await sdk.call("POST", "/containers/create", body={"a": 1}, params={"b": True}) == {"Id": "1"}
    async with _sdk(_says("204 No Content", "")) as sdk:
        assert await sdk.call("DELETE", "/containers/x") is None


async def test_a_hung_engine_is_left_in_time() -> None:
    over = asyncio.Event()

    async def hang(_: asyncio.StreamWriter) -> None:
        await over.wait()

    async with _sdk(hang) as sdk:
        with pytest.raises(TimedOut) as caught:
            await sdk.call("POST", "/containers/x/stop", timeout_s=0.2)
        over.set()
    assert caught.value.engine == ENGINE


async def test_a_call_can_be_cancelled_at_once() -> None:
    over = asyncio.Event()

    async def hang(_: asyncio.StreamWriter) -> None:
        await over.wait()

    async with _sdk(hang) as sdk:
        task = asyncio.create_task(sdk.call("POST", "/containers/x/stop", timeout_s=2.0))
        await asyncio.wait({task}, timeout=0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        over.set()


async def test_an_engine_that_breaks_off_is_unreachable() -> None:
    async def break_off(_: asyncio.StreamWriter) -> None:
        return

    async with _sdk(break_off) as sdk:
        with pytest.raises(Unreachable):
            await sdk.call("POST", "/containers/x/start")


async def test_nobody_there_is_unreachable() -> None:
    sdk = _sdk_at("/nowhere/s")
    with pytest.raises(Unreachable):
        await sdk.call("POST", "/containers/x/start")
    await sdk.close()


def test_it_has_no_tls() -> None:
    assert speaks(Endpoint.parse("tcp://h:1"))
    assert not speaks(Endpoint.parse("tcp://h:1", TlsFiles()))
