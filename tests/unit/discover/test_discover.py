"""Looking: trees of sockets and settings under tmp_path, with tiny servers that answer as engines do."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backends.engines import discover_sources
from backends.engines.discover import Found, discover
from backends.model.ids import EngineKind

_PODMAN = "Libpod-Api-Version: 5.4.2\r\n"


@asynccontextmanager
async def _server(
    path: Path, *, podman: bool, store: str = "/store", asked: list[str] | None = None
) -> AsyncIterator[str]:
    """An engine's socket: /_ping and, for Podman, /libpod/info. asked: the paths that were."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if asked is not None:
            asked.append(request.decode().split()[1])
        info = {"host": {"hostname": "h", "security": {"rootless": False}}, "store": {"graphRoot": store}}
        body = json.dumps(info) if b"/info" in request else "OK"
        writer.write(f"HTTP/1.0 200 OK\r\n{_PODMAN if podman else ''}\r\n{body}".encode())
        await writer.drain()
        writer.close()

    path.parent.mkdir(parents=True, exist_ok=True)
    server = await asyncio.start_unix_server(answer, path)
    try:
        yield f"unix://{path}"
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine without any engine."""
    monkeypatch.setattr(discover_sources, "DOCKER_SOCKET", str(tmp_path / "var" / "docker.sock"))
    monkeypatch.setattr(discover_sources, "PODMAN_SOCKET", str(tmp_path / "run" / "podman.sock"))
    return {"HOME": str(tmp_path / "home"), "XDG_RUNTIME_DIR": str(tmp_path / "user"), "PATH": str(tmp_path / "bin")}


@pytest.fixture
def dead_socket(tmp_path: Path) -> Path:
    """A socket file behind which nobody listens."""
    path = tmp_path / "var" / "docker.sock"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
    return path


def _by_name(found: list[Found]) -> dict[str, Found]:
    assert len({one.id.name for one in found}) == len(found)
    return {one.id.name: one for one in found}


async def test_nothing_there_is_told_with_a_next_step(environ: dict[str, str]) -> None:
    found = await discover(environ)
    assert {one.kind for one in found} == {EngineKind.DOCKER, EngineKind.PODMAN}
    for one in found:
        assert one.endpoint is None
        assert "socket" in one.absent
        assert one.hint
        assert one.startable == ""


async def test_an_installed_podman_is_startable(environ: dict[str, str], tmp_path: Path) -> None:
    binary = tmp_path / "bin" / "podman"
    binary.parent.mkdir()
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    podman = next(one for one in await discover(environ) if one.kind is EngineKind.PODMAN)
    assert podman.startable == str(binary)
    assert "systemctl" in podman.hint


async def test_default_sockets_and_the_user_s_own(environ: dict[str, str], tmp_path: Path) -> None:
    async with (
        _server(tmp_path / "var" / "docker.sock", podman=False),
        _server(tmp_path / "run" / "podman.sock", podman=True),
        _server(tmp_path / "user" / "podman" / "podman.sock", podman=True, store="/home"),
    ):
        found = _by_name(await discover(environ))
    assert {name: one.kind for name, one in found.items()} == {
        "docker": EngineKind.DOCKER,
        "podman": EngineKind.PODMAN,
        "podman-rootless": EngineKind.PODMAN,
    }
    assert all(one.endpoint for one in found.values())


async def test_two_ways_to_one_socket_are_one_engine(environ: dict[str, str], tmp_path: Path) -> None:
    async with _server(tmp_path / "run" / "podman.sock", podman=True) as url:
        link = tmp_path / "link.sock"
        link.symlink_to(tmp_path / "run" / "podman.sock")
        found = await discover(environ | {"CONTAINER_HOST": f"unix://{link}", "TRANSHIP_ENGINES": f"x=podman+{url}"})
    assert [one.id.name for one in found if one.endpoint] == ["x"]


async def test_a_single_podman_is_not_asked_for_its_store(environ: dict[str, str], tmp_path: Path) -> None:
    asked: list[str] = []
    async with _server(tmp_path / "run" / "podman.sock", podman=True, asked=asked):
        assert "podman" in _by_name(await discover(environ))
        assert asked == ["/_ping"]
        async with _server(tmp_path / "user" / "podman" / "podman.sock", podman=True, store="/home"):
            await discover(environ)
    assert asked == ["/_ping", "/_ping", "/v5.0.0/libpod/info"]


async def test_podman_in_dockers_place_is_podman_once(environ: dict[str, str], tmp_path: Path) -> None:
    async with (
        _server(tmp_path / "var" / "docker.sock", podman=True),
        _server(tmp_path / "run" / "podman.sock", podman=True),
    ):
        found = await discover(environ)
    assert [(one.id.name, one.kind) for one in found if one.endpoint] == [("podman", EngineKind.PODMAN)]
    assert [one.kind for one in found if not one.endpoint] == [EngineKind.DOCKER]


async def test_podman_in_dockers_place_alone_is_still_podman(environ: dict[str, str], tmp_path: Path) -> None:
    async with _server(tmp_path / "var" / "docker.sock", podman=True):
        found = await discover(environ)
    assert [(one.id.name, one.kind) for one in found if one.endpoint] == [("podman", EngineKind.PODMAN)]


async def test_a_socket_that_nobody_answers_is_kept_for_the_supervisor(
    environ: dict[str, str], dead_socket: Path
) -> None:
    found = _by_name(await discover(environ))
    assert str(found["docker"].endpoint) == f"unix://{dead_socket}"


async def test_what_a_person_named_is_kept_even_where_the_socket_is_gone(environ: dict[str, str]) -> None:
    found = _by_name(await discover(environ | {"DOCKER_HOST": "unix:///nowhere/docker.sock"}))
    assert str(found["docker"].endpoint) == "unix:///nowhere/docker.sock"
    assert found["docker"].source == "DOCKER_HOST"


async def test_a_wrong_address_is_told_though_another_docker_is_there(environ: dict[str, str], tmp_path: Path) -> None:
    async with _server(tmp_path / "var" / "docker.sock", podman=False):
        found = await discover(environ | {"TRANSHIP_ENGINES": "gpu01=docker+gopher://x"})
    assert {one.id.name: bool(one.endpoint) for one in found if one.kind is EngineKind.DOCKER} == {
        "docker": True,
        "gpu01": False,
    }


@pytest.mark.parametrize("variable", ["DOCKER_HOST", "CONTAINER_HOST"])
@pytest.mark.parametrize("url", ["gopher://x", "nonsense", "unix://", "tcp://[::1", "npipe:////./pipe/docker_engine"])
async def test_a_variable_that_cannot_be_meant_is_the_reason_that_is_told(
    environ: dict[str, str], variable: str, url: str
) -> None:
    """Not that there is no default socket and no such variable."""
    found = _by_name(await discover(environ | {variable: url}))
    told = found["docker" if variable == "DOCKER_HOST" else "podman"]
    assert told.endpoint is None
    assert told.absent.startswith(f"{variable}: ")
    assert variable in told.hint
    assert len(found) == 2


async def test_a_wrong_variable_and_a_default_socket_are_told_apart(environ: dict[str, str], tmp_path: Path) -> None:
    async with _server(tmp_path / "var" / "docker.sock", podman=False):
        found = _by_name(await discover(environ | {"DOCKER_HOST": "gopher://x"}))
    assert found["docker"].endpoint
    assert found["docker-2"].absent.startswith("DOCKER_HOST: ")


async def test_a_docker_context_that_does_not_exist_is_told(environ: dict[str, str]) -> None:
    docker = _by_name(await discover(environ | {"DOCKER_CONTEXT": "gone"}))["docker"]
    assert "context gone" in docker.absent
    assert "docker context ls" in docker.hint


async def test_the_docker_context_of_the_home_directory(environ: dict[str, str], tmp_path: Path) -> None:
    docker = tmp_path / "home" / ".docker"
    meta = docker / "contexts" / "meta" / discover_sources.context_directory("lab")
    meta.mkdir(parents=True)
    (docker / "config.json").write_text(json.dumps({"currentContext": "lab"}))
    (meta / "meta.json").write_text(json.dumps({"Endpoints": {"docker": {"Host": "tcp://lab:2375"}}}))
    found = _by_name(await discover(environ))
    assert str(found["docker"].endpoint) == "tcp://lab:2375"


async def test_no_permission_is_no_absence(
    environ: dict[str, str], dead_socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.engines.discover.os.access", lambda *_: False)  # root may open anything
    found = next(one for one in await discover(environ) if one.kind is EngineKind.DOCKER)
    assert found.endpoint is None
    assert found.absent == f"permission denied on unix://{dead_socket}"
    assert "group docker" in found.hint


async def test_a_hung_socket_does_not_hold_the_others_up(environ: dict[str, str], tmp_path: Path) -> None:
    hold = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hold.wait()
        writer.close()

    path = tmp_path / "var" / "docker.sock"
    path.parent.mkdir()
    server = await asyncio.start_unix_server(silent, path)
    try:
        async with _server(tmp_path / "run" / "podman.sock", podman=True):
            found = _by_name(await discover(environ))
    finally:
        hold.set()
        server.close()
        await server.wait_closed()
    assert found["docker"].endpoint
    assert found["podman"].endpoint
