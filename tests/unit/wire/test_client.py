"""The client against a small server on a real unix socket: answers, errors, broken streams, no leaks."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from backends.model.errors import (
    BackendError,
    Conflict,
    Denied,
    NotFound,
    Protocol,
    TimedOut,
    Unreachable,
    Unsupported,
)
from backends.model.ids import EngineId, EngineKind
from backends.wire.client import WireClient
from backends.wire.endpoint import Endpoint

ENGINE = EngineId(EngineKind.DOCKER, "docker")
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def engine(path: Path, answer: Serve) -> AsyncIterator[WireClient]:
    """A server that reads one request's head for each connection and lets `answer` write; and a client of it."""
    done: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        done.add(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went away: part of the test
        finally:
            writer.close()

    server = await asyncio.start_unix_server(handle, path)
    client = WireClient(Endpoint.parse(str(path)), ENGINE)
    try:
        yield client
    finally:
        await client.close()
        server.close()
        async with asyncio.timeout(10):
            await asyncio.gather(*done)  # the client is closed: each has seen the end of its connection


def fixed(status: str, body: bytes) -> Serve:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    return answer


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "e.sock"


async def test_json(socket: Path) -> None:
    async with engine(socket, fixed("200 OK", b'{"a": [1]}')) as client:
        assert await client.json("GET", "/x", params={"all": True, "n": 3}) == {"a": [1]}


async def test_an_empty_answer_is_none(socket: Path) -> None:
    async with engine(socket, fixed("204 No Content", b"")) as client:
        assert await client.json("POST", "/x", body={"b": 1}) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Protocol),
        (401, Denied),
        (403, Denied),
        (404, NotFound),
        (405, Unsupported),
        (409, Conflict),
        (500, Protocol),
        (501, Unsupported),
        (503, Protocol),
    ],
)
async def test_statuses(socket: Path, status: int, kind: type[BackendError]) -> None:
    async with engine(socket, fixed(f"{status} X", b'{"message": "it went wrong"}')) as client:
        with pytest.raises(kind) as caught:
            await client.json("GET", "/x")
    assert type(caught.value) is kind
    assert caught.value.title == "It went wrong"
    assert caught.value.engine == ENGINE


async def test_an_error_that_comes_in_parts_is_told_whole(socket: Path) -> None:
    body = b'{"message": "no such container: box"}'

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n" % len(body))
        for byte in body:
            writer.write(bytes([byte]))
            for _ in range(10):
                await asyncio.sleep(0)  # the client, in the same loop, reads what there is

    async with engine(socket, answer) as client:
        with pytest.raises(NotFound) as caught:
            await client.json("GET", "/x")
    assert caught.value.title == "No such container: box"


async def test_hooks_refine_errors(socket: Path) -> None:
    async with engine(socket, fixed("500 X", b'{"message": "no pause"}')) as plain:
        client = WireClient(plain.endpoint, ENGINE, classify=lambda status, _: Unsupported if status == 500 else None)
        with pytest.raises(Unsupported, match="No pause"):
            await client.call("POST", "/x")
        await client.close()
        client = WireClient(plain.endpoint, ENGINE, explain=lambda _, message: Conflict(f"explained {message}"))
        with pytest.raises(Conflict, match="explained no pause"):
            await client.call("POST", "/x")
        await client.close()


async def test_no_json_raises(socket: Path) -> None:
    async with engine(socket, fixed("200 OK", b"<html>")) as client:
        with pytest.raises(Protocol, match="no JSON"):
            await client.json("GET", "/x")


@pytest.mark.parametrize("status", ["200 OK", "500 Internal Server Error"])
async def test_brackets_that_nest_too_deep_are_no_json(socket: Path, status: str) -> None:
    async with engine(socket, fixed(status, b"[" * 60_000)) as client:
        with pytest.raises(Protocol):
            await client.json("GET", "/x")


async def test_what_is_no_http_raises(socket: Path) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")

    async with engine(socket, answer) as client:
        with pytest.raises(Protocol):
            await client.json("GET", "/x")


async def test_no_socket(tmp_path: Path) -> None:
    client = WireClient(Endpoint.parse(str(tmp_path / "none.sock")), ENGINE)
    with pytest.raises(Unreachable, match="Nothing listens"):
        await client.json("GET", "/x")
    await client.close()


async def test_a_dead_socket(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    server = await asyncio.start_unix_server(lambda _r, _w: None, path)
    server.close()
    assert path.exists()
    client = WireClient(Endpoint.parse(str(path)), ENGINE)
    with pytest.raises(Unreachable):
        await client.json("GET", "/x")
    await client.close()


async def test_a_hung_engine_times_out(socket: Path) -> None:
    async def answer(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with engine(socket, answer) as client:
        with pytest.raises(TimedOut):
            await client.json("GET", "/x", timeout_s=0.05)
        with pytest.raises(TimedOut):
            async with client.stream("GET", "/x", open_timeout_s=0.05):
                raise AssertionError("it opened")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_stream_that_ends_ends(socket: Path) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")

    async with engine(socket, answer) as client, client.stream("GET", "/x") as chunks:
        assert b"".join([chunk async for chunk in chunks]) == b"abcde"


async def test_a_chunk_is_no_longer_than_was_asked_for(socket: Path) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + b"3\r\nabc\r\n" * 50 + b"0\r\n\r\n")

    async with engine(socket, answer) as client, client.stream("GET", "/x", chunk_bytes=7) as chunks:
        found = [chunk async for chunk in chunks]
    assert b"".join(found) == b"abc" * 50
    assert max(map(len, found)) <= 7


@pytest.mark.parametrize("sent", [b"3\r\nabc\r\n", b"3\r\na", b"ff\r\nabc"])
async def test_a_stream_that_breaks_raises(socket: Path, sent: bytes) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + sent)

    async with engine(socket, answer) as client, client.stream("GET", "/x") as chunks:
        with pytest.raises(Unreachable, match="broke off"):
            [chunk async for chunk in chunks]


async def test_an_answer_that_breaks_raises(socket: Path) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")

    async with engine(socket, answer) as client:
        with pytest.raises(Unreachable):
            await client.call("GET", "/x")


async def test_leaving_a_stream_closes_its_connection(socket: Path) -> None:
    closed = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + b"1\r\na\r\n")
        await writer.drain()
        await reader.read()  # until the client has gone
        closed.set()

    async with engine(socket, answer) as client:
        async with client.stream("GET", "/x") as chunks:
            assert await anext(chunks) == b"a"
        async with asyncio.timeout(10):
            await closed.wait()


async def test_cancel_in_a_stream_is_a_cancel(socket: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + b"1\r\na\r\n")
        await writer.drain()
        await reader.read()

    started = asyncio.Event()

    async with engine(socket, answer) as client:

        async def read() -> None:
            async with client.stream("GET", "/x") as chunks:
                async for _ in chunks:
                    started.set()

        task = asyncio.create_task(read())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_hundred_streams_starve_nobody(socket: Path) -> None:
    calls = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        if calls <= 110:
            writer.write(CHUNKED + b"1\r\na\r\n")
            await writer.drain()
            await reader.read()
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    async with engine(socket, answer) as client:
        streams = [client.stream("GET", "/x") for _ in range(110)]
        for stream in streams:
            await stream.__aenter__()
        assert await client.json("GET", "/y") == {}
        for stream in streams:
            await stream.__aexit__(None, None, None)


async def test_the_error_of_a_source_comes_out_unchanged(socket: Path) -> None:
    async def answer(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def source() -> AsyncIterator[bytes]:
        yield b"a" * 10
        raise Unreachable("the other engine is gone")

    async with engine(socket, answer) as client:
        with pytest.raises(Unreachable, match="the other engine is gone"):
            await client.call("PUT", "/x", data=source())


async def test_a_sent_stream_arrives(socket: Path) -> None:
    received = bytearray()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not received.endswith(b"0\r\n\r\n"):
            received.extend(await reader.read(1024))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def source() -> AsyncIterator[bytes]:
        yield b"abc"
        yield b"def"

    async with engine(socket, answer) as client:
        await client.call("PUT", "/x", data=source())
    assert received == b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"


async def test_an_early_refusal_ends_a_blocked_source(socket: Path) -> None:
    ended = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with engine(socket, fixed("409 X", b'{"message": "no"}')) as client:
        with pytest.raises(Conflict):
            await client.call("PUT", "/x", data=source())
    assert ended.is_set()


async def test_cancel_in_an_upload_ends_its_source(socket: Path) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            started.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def answer(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with engine(socket, answer) as client:
        task = asyncio.create_task(client.call("PUT", "/x", data=source(), timeout_s=None))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ended.is_set()


async def test_close_twice_and_use_again(socket: Path) -> None:
    async with engine(socket, fixed("200 OK", b"{}")) as client:
        assert await client.json("GET", "/x") == {}
        await client.close()
        await client.close()
        assert await client.json("GET", "/x") == {}


def test_aiohttp_is_not_imported_before_the_first_call() -> None:
    code = "import sys, backends.wire.client, backends.engines.docker; print({'aiohttp', 'docker'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


async def _silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize("wants_ours", [False, True], ids=["any client", "clients with certificates"])
async def test_a_port_that_speaks_tls_and_is_spoken_to_without_is_told(tmp_path: Path, wants_ours: bool) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    make = [*words, "-keyout", str(key), "-out", str(certificate)]
    await asyncio.to_thread(partial(subprocess.run, make, check=True, capture_output=True))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if wants_ours:
        context.load_verify_locations(certificate)
        context.verify_mode = ssl.CERT_REQUIRED
    async with await asyncio.start_server(_silent, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        client = WireClient(Endpoint.parse(f"tcp://127.0.0.1:{port}"), ENGINE)
        with pytest.raises(Denied, match="speaks TLS, and is spoken to without") as raised:
            await client.json("GET", "/version")
        await client.close()
    assert "tls_dir" in raised.value.hint


async def test_a_port_that_breaks_off_and_speaks_no_tls_broke_off() -> None:
    async with await asyncio.start_server(_silent, "127.0.0.1", 0) as server:
        client = WireClient(Endpoint.parse(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"), ENGINE)
        with pytest.raises(Unreachable, match="broke off"):
            await client.json("GET", "/version")
        await client.close()


async def test_go_says_itself_that_its_port_speaks_tls(socket: Path) -> None:
    said = b"Client sent an HTTP request to an HTTPS server.\n"
    async with engine(socket, fixed("400 Bad Request", said)) as client:
        with pytest.raises(Denied, match="speaks TLS"):
            await client.json("GET", "/version")
