"""A connection that is handed over, against a small server on a real unix socket."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from backends.model.errors import BackendError, Conflict, NotFound, Protocol, Unreachable
from backends.wire.hijack import hijacked
from tests.unit.wire.test_client import Serve, engine, fixed


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nfirst ")
    while data := await reader.read(100):
        writer.write(data)
    writer.write(b" last")


async def test_bytes_go_both_ways_and_the_input_ends_alone(tmp_path: Path) -> None:
    path = tmp_path / "s#1?%20"  # no part of it is a query or a fragment
    async with engine(path, _echo) as wire, hijacked(wire, "POST", "/x", params={"a": "b c"}) as raw:
        await raw.send(b"\0\xff")
        await raw.close_write()
        assert b"".join([chunk async for chunk in raw.chunks()]) == b"first \0\xff last"


CHUNKED = b"HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n18\r\n" + (
    b'{"message":"it is gone"}\r\n0\r\n\r\n'
)


def _raw(answer: bytes) -> Serve:
    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return write


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (fixed("404 Not Found", b'{"message":"no such exec"}'), NotFound, "No such exec"),
        (_raw(CHUNKED), Conflict, "It is gone"),
        (fixed("204 No Content", b""), Protocol, "does not hand"),
        (_raw(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), Protocol, "does not hand"),
        (_raw(b"HTTP/1.1 101 "), Unreachable, "broke off"),
        (_raw(b"x" * (70 << 10)), Protocol, "does not hand"),
    ],
)
async def test_what_is_no_connection_is_told(
    tmp_path: Path, answer: Serve, kind: type[BackendError], words: str
) -> None:
    async with engine(tmp_path / "s", answer) as wire:
        with pytest.raises(kind, match=words) as caught:
            async with hijacked(wire, "POST", "/x"):
                raise AssertionError("nothing was handed over")
        assert caught.value.engine == wire.engine


async def test_nobody_there_is_unreachable(tmp_path: Path) -> None:
    async with engine(tmp_path / "s", _echo) as wire:
        (tmp_path / "s").unlink()
        with pytest.raises(Unreachable):
            async with hijacked(wire, "POST", "/x"):
                raise AssertionError("nobody is there")
