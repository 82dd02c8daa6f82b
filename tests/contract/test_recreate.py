"""A container made again with other settings, on every engine: the one before is kept, or all is put back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from backends.migration.journal import Status, list_journals
from backends.model.container import ContainerState, MountKind, Port
from backends.model.errors import BackendError, Refused
from backends.model.ids import ContainerKey, EngineKind
from backends.model.settings import ProcessSpec
from backends.model.workload import MountSpec, RestartName, RestartPolicy
from backends.services.fleet import Fleet
from backends.services.recreate import Before, read_before, recreate
from tests.contract.lab import Lab
from tests.real import host_port

pytestmark = pytest.mark.one_podman


@asynccontextmanager
async def _before(lab: Lab, **changes: object) -> AsyncIterator[tuple[Fleet, Before]]:
    """A fleet of the one engine, and a container of it that serves, has a file of its own and a volume without name."""
    volume = MountSpec(MountKind.VOLUME, "", "/kept", anonymous=True)
    process = ProcessSpec(stop_timeout_s=1)
    ports = (Port(8080, "tcp", "127.0.0.1", host_port()),)
    spec = replace(
        lab.spec(), ports=ports, mounts=(volume,), process=process, restart=RestartPolicy(RestartName.ON_FAILURE, 2)
    )
    made = await lab.run(spec=replace(spec, **changes))  # type: ignore[arg-type]  # fields of the recipe
    await lab.serves(made, times=1)
    fleet = Fleet([lab.engine])
    await fleet.start()
    try:
        assert await fleet.ready(15)
        row = fleet.store.view.containers[ContainerKey(lab.engine.id, made)]
        yield fleet, await read_before(fleet, row)
    finally:
        await fleet.close()


async def test_what_fails_is_put_back_and_what_runs_keeps_the_one_before(lab: Lab, tmp_path: Path) -> None:
    async with _before(lab) as (fleet, before):
        await _fails(lab, fleet, before, tmp_path)
        wanted = replace(before.spec, env={**before.spec.env, "MODE": "new"})
        launched = await recreate(fleet, before, wanted, state_dir=tmp_path)
        lab.owns(launched.key.id)
        new, old = launched.key.id, before.container.key.id
        assert await lab.state(new) is ContainerState.RUNNING
        assert await lab.state(old) is ContainerState.EXITED
        assert (await lab.engine.inspect_container(old)).name == before.kept_name
        assert (await lab.engine.inspect_container(new)).name == before.container.name
        spec = await lab.engine.workload_spec(new)
        assert spec.env["MODE"] == "new"
        assert spec.restart == RestartPolicy(RestartName.ON_FAILURE, 2)
        assert [mount.source for mount in spec.mounts] == list(before.volumes), "the same volume"
        assert (await lab.engine.workload_spec(old)).restart == RestartPolicy()
        assert {one.status for one in await list_journals(tmp_path)} == {Status.UNDONE, Status.CONFIRMED}


async def _fails(lab: Lab, fleet: Fleet, before: Before, state_dir: Path) -> None:
    """A program that is not there; the demo's images have every program, so there it ends at once."""
    demo = lab.engine.id.kind is EngineKind.DEMO
    wanted = replace(before.spec, command=("sh", "-c", "exit 3") if demo else ("no-such-program",))
    with pytest.raises(BackendError) as failed:
        await recreate(fleet, before, wanted, state_dir=state_dir, settle_s=60)
    assert failed.value.engine == lab.engine.id
    old = before.container.key.id
    row = await lab.engine.inspect_container(old)
    assert (row.name, row.state) == (before.container.name, ContainerState.RUNNING)
    assert await lab.engine.workload_spec(old) == before.spec
    names = [one.name for one in await lab.engine.list_containers()]
    assert before.kept_name not in names
    assert names.count(before.container.name) == 1


@pytest.mark.parametrize("engine", ["demo"], indirect=True)
async def test_one_that_removes_itself_is_refused(lab: Lab) -> None:
    with pytest.raises(Refused, match="--rm"):
        async with _before(lab, process=ProcessSpec(auto_remove=True, stop_timeout_s=1), restart=RestartPolicy()):
            pytest.fail("it was read")
