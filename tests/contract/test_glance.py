"""What is seen at first sight is what the adapter's own list says, on each engine that has a socket here."""

from __future__ import annotations

import asyncio

import pytest

from backends.engine import Engine
from backends.engines.discover import Found
from backends.engines.glance import glance
from backends.wire.endpoint import Endpoint
from tests.contract.conftest import REAL
from tests.contract.lab import Lab


@pytest.mark.parametrize("engine", REAL, indirect=True)
async def test_the_first_look_and_the_list_tell_the_same(engine: Engine, lab: Lab) -> None:
    made = [await lab.run(), await lab.make()]
    found = Found(engine.id, engine.id.kind, Endpoint.parse(engine.endpoint))
    seen, listed = await asyncio.gather(glance([found]), engine.list_containers())
    ours = [{one.key.id: one for one in rows if one.key.id in made} for rows in (seen[engine.id], listed)]
    assert set(ours[0]) == set(made)
    assert ours[0] == ours[1]
