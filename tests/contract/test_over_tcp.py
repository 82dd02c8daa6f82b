"""Both engines behind a TCP port, as remote ones are: every part of the adapters gets through, the SDKs' too."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from backends.model.container import ContainerState, LogStream
from backends.model.errors import NotFound, Unreachable
from backends.model.workload import WorkloadSpec
from tests.contract.conftest import REAL, real_engine
from tests.contract.lab import BUSYBOX, Lab, collect, eventually, one_chunk
from tests.door import Door, open_door
from tests.real import RealEngines


@dataclass
class Far:
    """An engine behind a door."""

    lab: Lab
    door: Door


@pytest.fixture(params=REAL)
async def far(request: pytest.FixtureRequest, run_label: dict[str, str]) -> AsyncIterator[Far]:
    """Each real engine in turn, reached over TCP."""
    real: RealEngines = request.getfixturevalue("real_engines")
    url = {"docker": real.docker, "podman": real.podman, "podman-rootless": real.rootless}[request.param]
    async with open_door(url) as door:
        engine = real_engine(request.param, door.url)
        lab = Lab(engine, await engine.connect(), run_label)
        try:
            yield Far(lab, door)
        finally:
            await lab.clean()
            await engine.close()


async def test_it_is_not_local_and_the_sdks_get_through(far: Far) -> None:
    """Create, lifecycle, rename and removal are the SDKs' part."""
    lab, engine = far.lab, far.lab.engine
    assert not lab.info.local
    assert engine.endpoint == far.door.url
    made = await lab.run()
    await lab.comes_to(made, ContainerState.RUNNING)
    name = lab.name()
    await engine.rename(made, name)
    assert (await engine.inspect_container(made)).name == name
    await engine.restart(made)
    await engine.stop(made, timeout_s=5)
    await lab.comes_to(made, ContainerState.EXITED)
    assert (await engine.workload_spec(made)).name == name
    await engine.remove(made)
    with pytest.raises(NotFound):
        await engine.inspect_container(made)


async def test_events_and_logs_stream(far: Far) -> None:
    engine = far.lab.engine
    async with engine.subscribe() as events:
        made = await far.lab.said("echo over; echo the wire >&2")
        async with asyncio.timeout(15):
            async for event in events:
                if event.id == made:
                    break
    async with engine.logs(made, follow=False) as lines:
        said = {(line.stream, line.text) async for line in lines}
    assert said == {(LogStream.STDOUT, "over"), (LogStream.STDERR, "the wire")}


@pytest.mark.one_podman
async def test_images_and_volumes_stream(far: Far) -> None:
    lab, engine = far.lab, far.lab.engine
    reference = lab.owns_image(f"docker.io/tranship-test/{lab.name()}:1")
    await engine.tag_image(BUSYBOX, reference)
    async with engine.export_image(reference) as chunks:
        archive = await collect(chunks)
    assert await engine.import_image(one_chunk(archive))
    volume = await lab.volume()
    async with engine.export_volume(volume, via_image=BUSYBOX) as chunks:
        before = await collect(chunks)
    await engine.import_volume(volume, one_chunk(before), via_image=BUSYBOX)
    async with engine.export_volume(volume, via_image=BUSYBOX) as chunks:
        after = await collect(chunks)
    assert hashlib.sha256(before).digest() == hashlib.sha256(after).digest()


async def test_a_recipe_is_made_again(far: Far) -> None:
    lab = far.lab
    spec = WorkloadSpec(lab.name(), BUSYBOX, command=("sleep", "9"), env={"A": "b c"}, labels=lab.label)
    again = await lab.engine.workload_spec(await lab.make(spec))
    assert (again.command, again.env["A"]) == (spec.command, "b c")


@pytest.mark.parametrize("kind", REAL)
async def test_a_port_where_nobody_listens_is_said(kind: str) -> None:
    engine = real_engine(kind, "tcp://127.0.0.1:9")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        await engine.connect()
    await engine.close()


async def test_no_connection_is_left_open(far: Far) -> None:
    engine = far.lab.engine
    for _ in range(3):
        async with engine.subscribe():
            await engine.list_containers()
    await engine.close()

    async def closed() -> bool:
        return far.door.open == 0

    await eventually(closed)
