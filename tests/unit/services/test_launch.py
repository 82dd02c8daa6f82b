"""A container that is started: what its start comes to, also where it goes wrong twice."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from backends.engine import Engine
from backends.model.container import Container
from backends.model.errors import NotFound
from backends.services.launch import exit_within


class Gone:
    """An engine whose container goes on until nobody waits for it any more, and is gone then (--rm)."""

    async def wait_exit(self, _container: str) -> int:
        await asyncio.Event().wait()
        raise AssertionError

    async def inspect_container(self, container: str) -> Container:
        raise NotFound(f"there is no {container}")


async def test_one_that_is_gone_after_the_wait_has_not_failed() -> None:
    assert await exit_within(cast(Engine, cast(Any, Gone())), "x", 0.001) == ""
