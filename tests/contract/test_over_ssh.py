"""Each engine behind a real SSH server: all parts get through, a cut link comes back, and what is amiss is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from backends.engine import Engine
from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.model.capabilities import Capability
from backends.model.container import ContainerState
from backends.model.errors import BackendError, Denied, Unreachable
from backends.model.events import Link
from backends.model.ids import EngineId, EngineKind
from backends.services.store import Store
from backends.services.supervisor import Supervisor, Timing
from backends.wire.endpoint import Endpoint
from backends.wire.ssh import SshForward
from tests import sshd
from tests.contract.conftest import REAL, real_engine
from tests.contract.lab import Lab, eventually
from tests.real import RealEngines
from tests.sshd import HOST, PrivateSshd

DOCKER = EngineId(EngineKind.DOCKER, "far")
PODMAN = EngineId(EngineKind.PODMAN, "far")


@pytest.fixture(scope="module")
def server() -> Iterator[PrivateSshd]:
    """One server for all tests here; why there is none is said."""
    reason = sshd.why_not()
    if reason:
        pytest.skip(reason)
    with PrivateSshd() as made:
        yield made


@pytest.fixture(autouse=True)
def settings(server: PrivateSshd, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ssh` is one whose settings know the server."""
    monkeypatch.setenv("PATH", str(server.bin), prepend=":")


@pytest.fixture(params=REAL)
async def far(request: pytest.FixtureRequest, real_engines: RealEngines) -> AsyncIterator[Engine]:
    """Each real engine in turn, behind the server."""
    urls = {"docker": real_engines.docker, "podman": real_engines.podman, "podman-rootless": real_engines.rootless}
    engine = real_engine(request.param, urls[request.param].replace("unix://", f"ssh://{HOST}"))
    yield engine
    await engine.close()


async def test_a_life_of_a_container_over_ssh(far: Engine, run_label: dict[str, str]) -> None:
    """Lists, SDK calls, logs, stats, exec and events: the ways that an engine is spoken to."""
    lab = Lab(far, await far.connect(), run_label)
    assert not lab.info.local
    assert far.endpoint.startswith(f"ssh://{HOST}/")
    try:
        async with far.subscribe() as events:
            made = await lab.run()
            async with asyncio.timeout(15):
                async for event in events:
                    if event.id == made:
                        break
        await lab.serves(made, times=1)
        assert (await far.execute(made, ["echo", "far"])).stdout == b"far\n"
        if lab.can(Capability.STATS_API):
            async with asyncio.timeout(20), far.stats([made]) as batches:
                assert {reading.key.id for reading in await anext(batches)} == {made}
        await far.stop(made, timeout_s=5)
        await lab.comes_to(made, ContainerState.EXITED)
        assert made in {row.key.id for row in await far.list_containers()}
    finally:
        await lab.clean()


@pytest.mark.engines
async def test_a_cut_link_is_lost_and_comes_back(server: PrivateSshd, real_engines: RealEngines) -> None:
    engine = real_engine("docker", real_engines.docker.replace("unix://", f"ssh://{HOST}"))
    store, timing = Store(), Timing(backoff_first_s=0.05, backoff_last_s=0.3)
    task = asyncio.create_task(Supervisor(engine, store, timing=timing).run())

    async def comes_to(link: Link, words: str = "") -> None:
        async def there() -> bool:
            view = store.view.engines.get(engine.id)
            error = view.connection.error if view else None
            return view is not None and view.connection.link is link and words in (error.title if error else "")

        await eventually(there, deadline_s=40)

    try:
        await comes_to(Link.CONNECTED)
        rows = set(store.view.containers)
        await asyncio.to_thread(server.stop)
        await comes_to(Link.LOST, "No SSH server answers at gpu01")
        assert rows <= set(store.view.containers)
        assert store.view.engines[engine.id].stale
        await asyncio.to_thread(server.start)
        await comes_to(Link.CONNECTED)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await engine.close()


async def _failure(who: EngineId, url: str, far_socket: str = "") -> BackendError:
    adapter = DockerEngine if who.kind is EngineKind.DOCKER else PodmanEngine
    engine = adapter(who, Endpoint.parse(url, far_socket=far_socket))
    try:
        with pytest.raises(BackendError) as caught:
            await engine.connect()
    finally:
        await engine.close()
    return caught.value


@pytest.mark.engines
async def test_what_is_amiss_is_said_with_the_next_step(real_engines: RealEngines) -> None:
    """Each is told in its own words, and none asks on the terminal."""
    socket = real_engines.docker.removeprefix("unix://")
    amiss = {
        f"ssh://stranger{socket}": (DOCKER, Denied, "host key of stranger is not known here", "accept it"),
        f"ssh://nokey{socket}": (DOCKER, Denied, "nokey refuses the login", "ssh-add"),
        f"ssh://dead{socket}": (DOCKER, Unreachable, "No SSH server answers at dead", "Start sshd"),
        f"ssh://no-such-host.invalid{socket}": (DOCKER, Unreachable, "There is no host no-such-host", "ssh -G"),
        f"ssh://noforward{socket}": (DOCKER, BackendError, "noforward", "AllowStreamLocalForwarding"),
        f"ssh://{HOST}/none/docker.sock": (DOCKER, Unreachable, f"on {HOST}", "another socket"),
        f"ssh://{HOST}": (PODMAN, Unreachable, f"on {HOST}", "socket"),
    }
    found = await asyncio.gather(*(_failure(who, url) for url, (who, *_) in amiss.items()))
    for error, (who, kind, title, hint) in zip(found, amiss.values(), strict=True):
        assert isinstance(error, kind), (error, error.hint)
        assert (title in error.title, error.engine) == (True, who), error.title
        assert hint in error.hint or "name its socket" in error.hint, error.hint


@pytest.mark.engines
async def test_a_master_of_the_users_is_used_and_outlives_us(server: PrivateSshd, real_engines: RealEngines) -> None:
    ssh = str(server.bin / "ssh")
    master = await asyncio.create_subprocess_exec(ssh, "-M", "-N", "shared", stdin=asyncio.subprocess.DEVNULL)
    try:

        async def stands() -> bool:
            return (server.folder / "master").is_socket()

        await eventually(stands)
        far = real_engines.docker.replace("unix://", "ssh://shared")
        forward = SshForward(Endpoint.parse(far), DOCKER)
        local = await forward.ensure()
        logins = (server.folder / "log").read_text().count("Accepted publickey")
        await _asked(local)
        assert (server.folder / "log").read_text().count("Accepted publickey") == logins
        await forward.close()
        assert not Path(local).parent.exists()
        assert master.returncode is None
        told = await asyncio.create_subprocess_exec(ssh, "-O", "check", "shared", stderr=asyncio.subprocess.PIPE)
        assert b"Master running" in (await told.communicate())[1]
        assert local not in {str(one.laddr) for one in psutil.Process(master.pid).net_connections("unix")}
    finally:
        master.terminate()
        await master.wait()


async def _asked(socket: str) -> None:
    """A ping gets through."""
    reader, writer = await asyncio.open_unix_connection(socket)
    writer.write(b"GET /_ping HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert b"200 OK" in await asyncio.wait_for(reader.readline(), 10)
    writer.close()
