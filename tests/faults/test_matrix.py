"""An engine fails in every way it can: its rows stand, the other's live, and all is true again afterwards."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.matrix import FAULTS, Fault, strike
from tests.faults.scene import descriptors, standing
from tests.real import RealEngines
from tests.thorough import ON

pytestmark = pytest.mark.engines

DAILY = {("event storm", "podman")}
CASES = [
    pytest.param(kind, fault, id=f"{fault.name}-{kind}")
    for kind in ("docker", "podman")
    for fault in FAULTS
    if kind in fault.kinds and (ON or (fault.name, kind) in DAILY)
]
AGAIN = 4 if ON else 0
POOLED = 8
"""Connections that the clients in this process may keep for their next call."""


@pytest.mark.parametrize(("kind", "fault"), CASES)
async def test_a_fault_of_one_engine(kind: str, fault: Fault, real_engines: RealEngines) -> None:
    async with standing(kind, real_engines, fault.on) as there:
        await strike(there, fault)
        tasks, files = len(asyncio.all_tasks()), descriptors()
        for _ in range(AGAIN):
            await strike(there, fault)
        await there.comes(lambda: len(asyncio.all_tasks()) <= tasks, "its tasks ended")
        await there.comes(lambda: descriptors() <= files + POOLED, "its files closed")
