"""`podman system service` of our own: it answers, serves, and goes without a trace."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.engines.discover import Found
from backends.engines.discover_service import PodmanService, serve_absent
from backends.engines.podman import PodmanEngine
from backends.engines.podman_served import ServedPodman
from backends.model.errors import Unreachable
from backends.model.ids import EngineId, EngineKind
from backends.wire.endpoint import Endpoint
from tests import real

ENGINE = EngineId(EngineKind.PODMAN, "podman")


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A directory below /tmp: the engines' tree sees nothing else of ours, and socket paths must be short."""
    path = Path(f"/tmp/test-service-{os.getpid()}")
    path.mkdir()
    yield path
    for left in path.iterdir():
        pytest.fail(f"left behind: {left}")
    path.rmdir()


async def started(command: str, environ: dict[str, str], place: Path) -> PodmanService:
    absent = Found(ENGINE, ENGINE.kind, None, "No socket", "Start it", startable=command)
    _, services = await serve_absent([absent], environ | {"XDG_RUNTIME_DIR": str(place)})
    return services[ENGINE]


async def _gone(service: PodmanService) -> None:
    assert service.process is not None
    async with asyncio.timeout(20):
        await service.process.wait()
    assert service.directory.name not in os.listdir(service.directory.parent)


@pytest.mark.engines
async def test_it_serves_and_goes(real_engines: real.RealEngines, short_dir: Path) -> None:
    environ = os.environ | {"CONTAINER_HOST": "unix:///nowhere"}
    service = await started(str(real_engines.bin / "podman"), environ, short_dir)
    try:
        assert service.directory.stat().st_mode & 0o777 == 0o700
        engine = PodmanEngine(ENGINE, service.endpoint)
        try:
            assert (await engine.connect()).version.startswith("5.")
            async with engine.subscribe():
                await engine.list_containers()
        finally:
            await engine.close()
    finally:
        await service.stop()
    await service.stop()
    await _gone(service)


@pytest.mark.engines
async def test_what_is_absent_but_installed_is_served(real_engines: real.RealEngines, short_dir: Path) -> None:
    absent = Found(ENGINE, ENGINE.kind, None, "No socket", "Start it", startable=str(real_engines.bin / "podman"))
    other = Found(EngineId(EngineKind.DOCKER, "docker"), EngineKind.DOCKER, None, "No Docker")
    found, services = await serve_absent([absent, other], os.environ | {"XDG_RUNTIME_DIR": str(short_dir)})
    try:
        assert found[0].endpoint is not None
        assert found[0].absent == ""
        assert found[1] == other
    finally:
        for service in services.values():
            await service.stop()
    await _gone(services[ENGINE])


@pytest.mark.engines
async def test_one_that_dies_is_started_again_by_its_engine(real_engines: real.RealEngines, short_dir: Path) -> None:
    service = await started(str(real_engines.bin / "podman"), dict(os.environ), short_dir)
    engine = ServedPodman(ENGINE, service)
    try:
        await engine.connect()
        first = service.process
        assert first is not None
        os.killpg(first.pid, signal.SIGKILL)
        await first.wait()
        with pytest.raises(Unreachable):
            await engine.list_containers()
        await engine.connect()
        await engine.list_containers()
        assert service.process is not first
    finally:
        await engine.close()
    await engine.close()
    await _gone(service)


async def test_others_do_not_wait_for_one_that_starts_slowly(tmp_path: Path) -> None:
    """It is there already, and a cancelled connection does not end its start."""
    slow = tmp_path / "podman"
    slow.write_text("#!/bin/sh\nwhile [ ! -e " + str(tmp_path / "go") + " ]; do sleep 0.05; done\nexit 3\n")
    slow.chmod(0o755)
    absent = Found(ENGINE, ENGINE.kind, None, "No socket", "Start it", startable=str(slow))
    there = Found(EngineId(EngineKind.DOCKER, "docker"), EngineKind.DOCKER, Endpoint.parse("/nowhere"))
    found, services = await serve_absent(
        [there, absent], os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}, patience_s=0.01
    )
    assert found[1].endpoint is not None
    engine = ServedPodman(ENGINE, services[ENGINE])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await engine.connect()
    first = services[ENGINE].process
    (tmp_path / "go").touch()
    with pytest.raises(Unreachable, match="ended at once"):
        await engine.connect()
    assert services[ENGINE].process is first
    await engine.close()
    assert sorted(os.listdir(tmp_path)) == ["go", "podman"]


async def test_one_that_ends_at_once_says_its_words(tmp_path: Path) -> None:
    broken = tmp_path / "podman"
    broken.write_text("#!/bin/sh\necho no storage here >&2\nexit 125\n")
    broken.chmod(0o755)
    (tmp_path / "own").mkdir()
    service = PodmanService([str(broken)], ENGINE, tmp_path / "own", os.environ)
    with pytest.raises(Unreachable) as caught:
        await service.up()
    assert caught.value.detail == "no storage here"
    await service.stop()
    assert os.listdir(tmp_path) == ["podman"]


async def test_no_such_program_stays_absent_with_the_reason(tmp_path: Path) -> None:
    absent = Found(ENGINE, ENGINE.kind, None, "No socket", "Start it", startable=str(tmp_path / "nowhere"))
    found, services = await serve_absent([absent], {"XDG_RUNTIME_DIR": str(tmp_path)})
    assert services == {}
    assert found[0].endpoint is None
    assert "cannot be run" in found[0].absent
    assert os.listdir(tmp_path) == []


async def test_one_that_ignores_the_signal_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.engines.discover_service._STOP_TIMEOUT_S", 0.2)
    stubborn = tmp_path / "podman"
    stubborn.write_text(
        "#!/usr/bin/env python3\n"
        "import signal, socket, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "server = socket.socket(socket.AF_UNIX)\n"
        "server.bind(sys.argv[-1].removeprefix('unix://'))\n"
        "server.listen()\n"
        "while True:\n"
        "    one, _ = server.accept()\n"
        "    one.recv(100)\n"
        "    one.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\nOK')\n"
        "    one.close()\n"
    )
    stubborn.chmod(0o755)
    parent = Path("/tmp") / f"test-stubborn-{os.getpid()}"  # a socket path holds 107 bytes at most
    parent.mkdir()
    try:
        service = await started(str(stubborn), dict(os.environ), parent)
        await service.stop()
        assert service.process is not None
        assert service.process.returncode == -signal.SIGKILL
        await _gone(service)
    finally:
        parent.rmdir()


async def test_directories_of_the_dead_are_removed_first(tmp_path: Path) -> None:
    dead = tmp_path / "tranship-podman-999999999-x"
    living = tmp_path / f"tranship-podman-{os.getpid()}-x"
    for path in (dead, living):
        path.mkdir()
    with pytest.raises(KeyError):
        await started(str(tmp_path / "nowhere"), dict(os.environ), tmp_path)
    assert os.listdir(tmp_path) == [living.name]
