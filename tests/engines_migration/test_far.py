"""Moves from and to an engine on another machine: by TCP or SSH, it shares no file, port or memory with us."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.migration import plan_migration
from backends.model.ids import EngineId, EngineKind
from backends.model.plan import ImageWay
from backends.wire.endpoint import Endpoint
from tests import sshd
from tests.door import open_door
from tests.engines_migration.yard import Yard
from tests.real import host_port
from tests.sshd import HOST, PrivateSshd
from tests.thorough import thorough

pytestmark = pytest.mark.engines


@pytest.fixture
async def far(yard: Yard, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Yard]:
    """The yard, those engines of it that the test names reached over TCP, or as "ssh:NAME" over SSH."""
    async with AsyncExitStack() as doors:
        for asked in request.param:
            name = asked.removeprefix("ssh:")
            kind = EngineKind.DOCKER if name == "docker" else EngineKind.PODMAN
            adapter = DockerEngine if kind is EngineKind.DOCKER else PodmanEngine
            url = getattr(yard.real, name)
            if asked != name:
                if sshd.why_not():
                    pytest.skip(sshd.why_not())
                server = doors.enter_context(PrivateSshd())
                monkeypatch.setenv("PATH", str(server.bin), prepend=":")
                url = url.replace("unix://", f"ssh://{HOST}")
            else:
                url = (await doors.enter_async_context(open_door(url))).url
            engine = adapter(EngineId(kind, name), Endpoint.parse(url))
            await engine.connect()
            yard.engines[name] = engine
        yield yard
        for one in yard.engines.values():
            await one.close()


@pytest.mark.parametrize(
    ("far", "here", "there", "way"),
    [
        (("ssh:podman",), "docker", "podman", ImageWay.ARCHIVE),
        *thorough(
            (("docker",), "podman", "docker", ImageWay.STORE),  # Docker loads what it lacks from a stream
            (("docker", "podman"), "podman", "docker", ImageWay.ARCHIVE),
            (("docker",), "docker", "podman", ImageWay.ARCHIVE),
        ),
    ],
    indirect=["far"],
)
async def test_a_move_between_machines_is_proved_as_any_other(far: Yard, here: str, there: str, way: ImageWay) -> None:
    image = far.build(here)
    name = far.run_web(here, host_port())
    files, env = far.look(here, name), far.env(here, name)
    plan = await plan_migration(far.engine(here), name, far.engine(there))
    assert plan.image is not None
    assert plan.image.way is way, plan.image.why
    report = await far.move(here, there, name)
    assert report.equal, [check for check in report.checks if not check.equal]
    assert far.image_id(there) == image
    assert (far.look(there, name), far.env(there, name)) == (files, env)
    assert far.ask(here, name, "{{.State.Status}}") == "exited"
    assert not far.helpers(here)
    assert not far.helpers(there)
