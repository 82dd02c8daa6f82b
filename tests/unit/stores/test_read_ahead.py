"""Pieces that are made, or awaited, ahead: the same, in order, with their errors; nothing stays open."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing

import pytest

from backends.model.errors import Unsupported
from backends.streams import ahead, read_ahead


class Source:
    """Numbered pieces; closed: the generator has ended, whichever way."""

    def __init__(self, count: int, *, fails: bool = False) -> None:
        self.count, self.fails = count, fails
        self.made = 0
        self.closed = threading.Event()

    def pieces(self) -> Generator[bytes, None, None]:
        try:
            for number in range(self.count):
                self.made += 1
                yield b"%d" % number
            if self.fails:
                raise Unsupported("no more")
        finally:
            self.closed.set()


async def test_all_pieces_in_order() -> None:
    source = Source(50)
    assert [piece async for piece in read_ahead(source.pieces())] == [b"%d" % number for number in range(50)]
    assert source.closed.is_set()


async def test_an_error_comes_after_what_was_before_it() -> None:
    source, got = Source(3, fails=True), list[bytes]()

    async def collect() -> None:
        async for piece in read_ahead(source.pieces()):
            got.append(piece)

    with pytest.raises(Unsupported):
        await collect()
    assert got == [b"0", b"1", b"2"]
    assert source.closed.is_set()


async def test_whoever_stops_early_closes_it() -> None:
    source = Source(50, fails=True)
    async with aclosing(read_ahead(source.pieces())) as pieces:
        async for _piece in pieces:
            break
    assert source.closed.is_set()
    assert source.made <= 2, "no more than one piece is made ahead"


async def test_cancelled_while_a_thread_makes_a_piece() -> None:
    begun, go, closed = threading.Event(), threading.Event(), threading.Event()

    def pieces() -> Generator[bytes, None, None]:
        try:
            begun.set()
            go.wait(10)
            yield b"late"
        finally:
            closed.set()

    async def read() -> None:
        async with aclosing(read_ahead(pieces())) as stream:
            async for _piece in stream:
                pass

    task = asyncio.create_task(read())
    assert await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed.is_set()


# -- awaited ahead ---------------------------------------------------------------------------------
async def awaited(source: Source) -> AsyncGenerator[bytes, None]:
    for piece in source.pieces():
        await asyncio.sleep(0)
        yield piece


async def test_awaited_pieces_come_in_order_and_their_error_last() -> None:
    source, got = Source(30, fails=True), list[bytes]()

    async def collect() -> None:
        async for piece in ahead(awaited(source)):
            got.append(piece)

    with pytest.raises(Unsupported):
        await collect()
    assert got == [b"%d" % number for number in range(30)]
    assert source.closed.is_set()


async def test_one_piece_is_awaited_while_another_is_used() -> None:
    source = Source(50)
    async with aclosing(ahead(awaited(source))) as pieces:
        async for _piece in pieces:
            for _turn in range(10):
                await asyncio.sleep(0)
            break
    assert source.made == 2
    assert source.closed.is_set()


async def test_cancelled_while_a_piece_is_awaited() -> None:
    begun, closed = asyncio.Event(), asyncio.Event()

    async def hanging() -> AsyncGenerator[bytes, None]:
        try:
            yield b"first"
            begun.set()
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def read() -> None:
        async with aclosing(ahead(hanging())) as pieces:
            async for _piece in pieces:
                pass

    task = asyncio.create_task(read())
    await asyncio.wait_for(begun.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed.is_set()
