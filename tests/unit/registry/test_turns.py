"""Several that send at once: the first goes first, and one that stops holds nobody up for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from backends.registry import turns
from backends.registry.turns import Turns


async def three(word: bytes) -> AsyncIterator[bytes]:
    for _ in range(3):
        await asyncio.sleep(0)
        yield word


async def send(all_turns: Turns, rank: int, sent: list[bytes]) -> None:
    async with aclosing(all_turns.in_turn(rank, three(b"%d" % rank))) as pieces:
        async for piece in pieces:
            sent.append(piece)


async def test_the_first_goes_first_whoever_asked_first() -> None:
    every, sent = Turns(), list[bytes]()
    await asyncio.gather(*(send(every, rank, sent) for rank in (2, 0, 1)))
    assert b"".join(sent) == b"000111222"
    await send(every, 5, sent)
    assert sent[-1] == b"5", "nobody is before it any more"


async def test_one_that_fails_makes_room() -> None:
    every, sent = Turns(), list[bytes]()

    async def failing() -> AsyncIterator[bytes]:
        yield b"0"
        raise OSError("gone")

    async def first() -> None:
        async with aclosing(every.in_turn(0, failing())) as pieces:
            async for piece in pieces:
                sent.append(piece)

    told = await asyncio.gather(first(), send(every, 1, sent), return_exceptions=True)
    assert isinstance(told[0], OSError)
    assert sent == [b"0", b"1", b"1", b"1"]


async def test_one_that_nobody_reads_holds_up_the_others_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_S", 0.01)
    every, sent = Turns(), list[bytes]()
    async with aclosing(every.in_turn(0, three(b"0"))) as stopped:
        assert await anext(stopped) == b"0"
        await asyncio.wait_for(send(every, 1, sent), 10)
    assert sent == [b"1"] * 3
