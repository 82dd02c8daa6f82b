"""Small facts that the tests of the services are made of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from backends.model.container import Container, ContainerState
from backends.model.ids import ContainerKey, EngineId, EngineKind

ONE = EngineId(EngineKind.DEMO, "one")
TWO = EngineId(EngineKind.DEMO, "two")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def key(number: int, engine: EngineId = ONE) -> ContainerKey:
    """A container's key."""
    return ContainerKey(engine, f"{number:064x}")


def row(
    number: int, engine: EngineId = ONE, state: ContainerState = ContainerState.RUNNING, name: str = ""
) -> Container:
    """A container's row."""
    return Container(key(number, engine), name or f"c{number}", "image:1", "f" * 64, state, LONG_AGO)


async def until(true: Callable[[], object], *, deadline_s: float = 10.0) -> None:
    """Wait until something holds; AssertionError where it does not within the deadline."""
    try:
        async with asyncio.timeout(deadline_s):
            while not true():  # noqa: ASYNC110 - what is waited for is state, and has no event to wait on
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError("it did not come true in time") from None
