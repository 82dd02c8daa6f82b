"""Whose turn it is, of several that send at once: the first by rank. Knows nothing of what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager

PATIENCE_S = 1.0
"""So long one waits for those before it: whoever reads theirs may have stopped. From then on it waits no more."""


class Turns:
    """Those that send, by rank; the same rank may be taken more than once."""

    def __init__(self) -> None:
        self._ranks: list[int] = []
        self._left = asyncio.Event()

    async def in_turn(self, rank: int, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """The same pieces, each held back while one before this rank sends, for PATIENCE_S at most in one go."""
        patient = True
        with self._taking(rank):
            async for piece in pieces:
                patient = patient and await self._mine(rank)
                yield piece

    @contextmanager
    def _taking(self, rank: int) -> Iterator[None]:
        self._ranks.append(rank)
        try:
            yield
        finally:
            self._ranks.remove(rank)
            self._left.set()
            self._left = asyncio.Event()

    async def _mine(self, rank: int) -> bool:
        """Wait; whether its turn came."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while min(self._ranks) < rank:
                    await self._left.wait()
        except TimeoutError:
            return False
        return True


__all__ = ["PATIENCE_S", "Turns"]
