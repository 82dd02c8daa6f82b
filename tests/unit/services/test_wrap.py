"""The read-only wrap covers every member of the Protocol: a new one must be sorted in."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from backends.engine import Engine
from backends.engines.demo import DemoEngine
from backends.engines.wrap import CHANGING, LOOKING, read_only
from backends.model.errors import Conflict, Refused
from tests.unit.services.fleet_facts import ONE

_MEMBERS = {name for name in vars(Engine) if not name.startswith("_")}


def test_each_member_of_the_protocol_changes_or_looks() -> None:
    assert CHANGING | LOOKING == _MEMBERS
    assert not CHANGING & LOOKING


async def _call(method: Callable[..., object], positional: list[object], named: dict[str, object]) -> None:
    result = method(*positional, **named)
    if inspect.isawaitable(result):
        await result


@pytest.mark.parametrize("name", sorted(CHANGING))
async def test_what_changes_is_refused_before_the_engine_hears_of_it(name: str) -> None:
    engine = DemoEngine(ONE)
    engine.faults.fail(name, Conflict("the engine was asked", engine=ONE))
    method = getattr(read_only(engine), name)
    needed = [one for one in inspect.signature(getattr(Engine, name)).parameters.values() if one.default is one.empty]
    positional = [object() for one in needed[1:] if one.kind is not one.KEYWORD_ONLY]
    named = {one.name: object() for one in needed if one.kind is one.KEYWORD_ONLY}
    with pytest.raises(Refused, match="read-only") as refused:
        await _call(method, positional, named)
    assert refused.value.engine == ONE


async def test_looking_passes() -> None:
    engine = read_only(DemoEngine(ONE))
    assert engine.id == ONE
    assert (await engine.connect()).version == "demo"
    assert await engine.list_containers() == []
    async with engine.subscribe():
        pass
    with pytest.raises(AttributeError):
        engine.no_such_member  # type: ignore[attr-defined]  # noqa: B018 - that it does not pass is the point
