"""`podman system service` of our own: it answers, serves, and goes without a trace."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.engines.discover import Found
from backends.engines.discover_service import PodmanService, serve_absent, start_service
from backends.engines.podman import PodmanEngine
from backends.model.errors import Unreachable
from backends.model.ids import EngineId, EngineKind
from tests import real

ENGINE = EngineId(EngineKind.PODMAN, "podman")


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A directory below /tmp: the engines' tree sees nothing else of ours, and socket paths must be short."""
    path = Path(f"/tmp/h2-service-{os.getpid()}")
    path.mkdir()
    yield path
    for left in path.iterdir():
        pytest.fail(f"left behind: {left}")
    path.rmdir()


async def _gone(service: PodmanService) -> None:
    async with asyncio.timeout(20):
        await service.process.wait()
    assert service.directory.name not in os.listdir(service.directory.parent)


@pytest.mark.engines
async def test_it_serves_and_goes(real_engines: real.RealEngines, short_dir: Path) -> None:
    service = await start_service(
        [str(real_engines.bin / "podman")],
        ENGINE,
        environ=os.environ | {"CONTAINER_HOST": "unix:///nowhere"},
        parent=short_dir,
    )
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
        for service in services:
            await service.stop()
    await _gone(services[0])


async def test_one_that_ends_at_once_says_its_words(tmp_path: Path) -> None:
    broken = tmp_path / "podman"
    broken.write_text("#!/bin/sh\necho no storage here >&2\nexit 125\n")
    broken.chmod(0o755)
    with pytest.raises(Unreachable) as caught:
        await start_service([str(broken)], ENGINE, environ=os.environ, parent=tmp_path)
    assert caught.value.detail == "no storage here"
    assert os.listdir(tmp_path) == ["podman"]


async def test_no_such_program_stays_absent_with_the_reason(tmp_path: Path) -> None:
    absent = Found(ENGINE, ENGINE.kind, None, "No socket", "Start it", startable=str(tmp_path / "nowhere"))
    found, services = await serve_absent([absent], {"XDG_RUNTIME_DIR": str(tmp_path)})
    assert services == []
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
    parent = Path("/tmp") / f"h2-stubborn-{os.getpid()}"  # a socket path holds 107 bytes at most
    parent.mkdir()
    try:
        service = await start_service([str(stubborn)], ENGINE, environ=os.environ, parent=parent)
        await service.stop()
        assert service.process.returncode == -signal.SIGKILL
        await _gone(service)
    finally:
        parent.rmdir()


async def test_directories_of_the_dead_are_removed_first(tmp_path: Path) -> None:
    dead = tmp_path / "tranship-podman-999999999-x"
    living = tmp_path / f"tranship-podman-{os.getpid()}-x"
    for path in (dead, living):
        path.mkdir()
    with pytest.raises(Unreachable):
        await start_service([str(tmp_path / "nowhere")], ENGINE, environ=os.environ, parent=tmp_path)
    assert os.listdir(tmp_path) == [living.name]
