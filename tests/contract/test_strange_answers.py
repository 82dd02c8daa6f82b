"""Whatever stands behind an address, it is said plainly, with a next step, within the time limit of a first call."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from backends.engines import docker_base, podman_api
from backends.model.errors import BackendError, Protocol, TimedOut, Unreachable
from backends.model.events import Link
from backends.model.fleet import FleetView
from backends.model.ids import EngineId
from backends.services.fleet import Fleet
from backends.services.supervisor import Timing
from tests.contract.conftest import demo_engine, real_engine

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def _closes(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"\x00\xff\x13 hello \x1b[31m\r\n" * 20)
    writer.close()


async def _endless_headers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X-A: b\r\n")
        await writer.drain()
        await asyncio.sleep(0.2)


def _says(status: str, kind: str, body: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            api = "Api-Version: 1.45\r\nLibpod-Api-Version: 5.4.2\r\n" if kind == "application/json" else ""
            head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{api}Content-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()

    return answer


HELLO_S = 1.0
"""The time limit of a first call here, where something hangs: Tranship's own one would only be waited out."""

STRANGE: dict[str, tuple[Answer, type[BackendError]]] = {
    "silent": (_silent, TimedOut),
    "endless headers": (_endless_headers, TimedOut),
    "closes": (_closes, Unreachable),
    "garbage": (_garbage, Protocol),
    "a web page": (_says("200 OK", "text/html", b"<html><h1>hello</h1></html>"), Protocol),
    "not found": (_says("404 Not Found", "text/plain", b""), Protocol),
    "gateway": (_says("502 Bad Gateway", "text/plain", b"Bad Gateway"), Protocol),
    "a JSON list": (_says("200 OK", "application/json", json.dumps([1, {"a": None}]).encode()), Protocol),
    "empty JSON": (_says("200 OK", "application/json", b"{}"), Protocol),
    "JSON null": (_says("200 OK", "application/json", b"null"), Protocol),
}


@pytest.fixture
def place() -> Iterator[Path]:
    """Where a socket can be: a path of it holds 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="ts-", dir="/tmp") as folder:
        yield Path(folder) / "s.sock"


@pytest.fixture(params=STRANGE)
async def strange(
    request: pytest.FixtureRequest, place: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[type[BackendError]]:
    """Something that is no engine listens; the error that is wanted."""
    answer, error = STRANGE[request.param]
    if error is TimedOut:
        monkeypatch.setattr(docker_base, "HELLO_TIMEOUT_S", HELLO_S)
        monkeypatch.setattr(podman_api, "HELLO_TIMEOUT_S", HELLO_S)
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await answer(reader, writer)
        writer.close()

    server = await asyncio.start_unix_server(handle, place)
    yield error
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("kind", ["docker", "podman"])
async def test_it_is_said_with_a_next_step(kind: str, place: Path, strange: type[BackendError]) -> None:
    engine = real_engine(kind, str(place))
    try:
        with pytest.raises(strange) as caught:
            await engine.connect()
    finally:
        await engine.close()
    assert caught.value.engine == engine.id
    assert caught.value.hint
    assert str(place) in caught.value.title


@pytest.mark.parametrize("kind", ["docker", "podman"])
async def test_it_delays_no_other_engine(kind: str, place: Path, strange: type[BackendError]) -> None:
    """Where this one hangs, the other one is there before it has failed."""
    other = demo_engine()
    fleet = Fleet([real_engine(kind, str(place)), other], timing=Timing(backoff_first_s=60, backoff_last_s=60))
    order: list[EngineId] = []

    def note(view: FleetView) -> None:
        settled = (Link.CONNECTED, Link.LOST)
        order.extend(id for id, one in view.engines.items() if one.connection.link in settled and id not in order)

    fleet.store.subscribe(note)
    await fleet.start()
    try:
        assert await fleet.ready(30)
        links = [engine.connection for engine in fleet.store.view.engines.values()]
        assert [one.link for one in links] == [Link.LOST, Link.CONNECTED]
        assert isinstance(links[0].error, strange)
        assert strange is not TimedOut or order[0] == other.id
    finally:
        await fleet.close()


@pytest.mark.parametrize("kind", ["docker", "podman"])
async def test_a_socket_file_behind_which_nobody_listens(kind: str, place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(place))
    engine = real_engine(kind, str(place))
    with pytest.raises(Unreachable, match="Nothing listens") as caught:
        await engine.connect()
    await engine.close()
    assert caught.value.hint
