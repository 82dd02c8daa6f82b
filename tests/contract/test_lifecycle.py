"""A container's life, the same on every engine."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from backends.model.capabilities import Capability
from backends.model.container import ContainerState, MountKind
from backends.model.errors import Conflict, NotFound, Unsupported
from backends.model.workload import MountSpec
from tests.contract.conftest import EVERY
from tests.contract.lab import BUSYBOX, Lab


async def test_a_container_lives_through_all_its_states(lab: Lab) -> None:
    engine = lab.engine
    made = await lab.make()
    assert len(made) == 64
    row = await engine.inspect_container(made)
    assert (row.key.id, row.key.engine, row.state, row.started_at) == (made, engine.id, ContainerState.CREATED, None)
    assert (await engine.image_facts(BUSYBOX)).key.id == row.image_id
    await engine.start(made)
    await engine.start(made)
    row = await engine.inspect_container(made)
    assert (row.state, row.exit_code) == (ContainerState.RUNNING, None)
    assert row.started_at is not None
    assert row.started_at.tzinfo is not None
    await engine.restart(made)
    again = await engine.inspect_container(made)
    assert again.state is ContainerState.RUNNING
    assert again.started_at is not None
    assert again.started_at > row.started_at
    await lab.serves(made, times=2)
    await engine.stop(made, timeout_s=5)
    await engine.stop(made, timeout_s=5)
    row = await engine.inspect_container(made)
    assert (row.state, row.exit_code) == (ContainerState.EXITED, 0)
    assert row.finished_at is not None
    await engine.start(made)
    await engine.kill(made)
    await lab.comes_to(made, ContainerState.EXITED)
    assert (await engine.inspect_container(made)).exit_code == 137
    name = lab.name()
    await engine.rename(made, name)
    assert (await engine.inspect_container(name)).name == name
    await engine.remove(made)
    with pytest.raises(NotFound):
        await engine.inspect_container(made)


async def test_the_list_has_all_whatever_their_state(lab: Lab) -> None:
    running, ended, new = await lab.run(), await lab.said("exit 3"), await lab.make()
    rows = {row.key.id: row for row in await lab.engine.list_containers()}
    assert rows[running].state is ContainerState.RUNNING
    assert rows[ended].state is ContainerState.EXITED
    assert rows[new].state is ContainerState.CREATED
    for id in (running, ended, new):
        seen = await lab.engine.inspect_container(id)
        listed = rows[id]
        assert (listed.name, listed.image, listed.image_id, listed.labels, listed.exit_code) == (
            seen.name,
            seen.image,
            seen.image_id,
            seen.labels,
            seen.exit_code,
        )
        assert listed.command[:1] == seen.command[:1]  # Docker's list has it as one text without its quotes
        assert abs((listed.created_at - seen.created_at).total_seconds()) <= 1
    assert dict(rows[new].labels).items() >= dict(lab.label).items()


@pytest.mark.parametrize("engine", EVERY, indirect=True)
async def test_waiting_gives_the_exit_code(lab: Lab) -> None:
    made = await lab.run(("sh", "-c", "sleep 0.3; exit 3"))
    assert await asyncio.wait_for(lab.engine.wait_exit(made), 15) == 3
    row = await lab.engine.inspect_container(made)
    assert (row.state, row.exit_code) == (ContainerState.EXITED, 3)


async def test_pausing_freezes_or_is_refused_with_a_reason(lab: Lab) -> None:
    made = await lab.run()
    if not lab.can(Capability.PAUSE):
        with pytest.raises(Unsupported):
            await lab.engine.pause(made)
        assert lab.info.capabilities.why_not(Capability.PAUSE)
        return
    await lab.engine.pause(made)
    assert await lab.state(made) is ContainerState.PAUSED
    await lab.engine.unpause(made)
    assert await lab.state(made) is ContainerState.RUNNING


async def test_a_running_one_is_removed_by_force_only_with_its_anonymous_volumes(lab: Lab) -> None:
    engine = lab.engine
    named = await lab.volume()
    mounts = (MountSpec(MountKind.VOLUME, named, "/n"), MountSpec(MountKind.VOLUME, "", "/a", anonymous=True))
    made = await lab.run(spec=replace(lab.spec(), mounts=mounts))
    sources = {mount.source for mount in (await engine.inspect_container(made)).mounts}
    assert len(sources) == 2
    with pytest.raises(Conflict):
        await engine.remove(made)
    await engine.remove(made, force=True, volumes=True)
    left = {volume.name for volume in await engine.list_volumes()}
    assert sources & left == {named}
