"""The first look at an engine: what it takes for an answer, and that nothing else holds anything up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines import glance as glancing
from backends.engines.discover import Found
from backends.engines.glance import glance
from backends.model.events import Link
from backends.model.ids import EngineId, EngineKind
from backends.wire.endpoint import Endpoint
from backends.wire.plain import plain_get, read_answer
from tui.first_look import first_look

DOCKER, PODMAN = EngineId(EngineKind.DOCKER, "docker"), EngineId(EngineKind.PODMAN, "podman")
ROW = {"Id": "a" * 64, "Names": ["/one"], "State": "running", "Image": "busybox"}


def _http(body: object, status: str = "200 OK") -> bytes:
    return f"HTTP/1.0 {status}\r\nContent-Type: application/json\r\n\r\n{json.dumps(body)}".encode()


@asynccontextmanager
async def _server(path: Path, answer: bytes, *, hang: bool = False) -> AsyncIterator[list[str]]:
    """A socket that says one thing; yields what was asked of it."""
    asked: list[str] = []

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split()[1])
        if hang:
            await reader.read()
        writer.write(answer)
        writer.close()

    server = await asyncio.start_unix_server(say, path)
    try:
        yield asked
    finally:
        server.close()
        await server.wait_closed()


def _found(id: EngineId, path: Path) -> Found:
    return Found(id, id.kind, Endpoint.parse(f"unix://{path}"))


async def test_each_engine_is_asked_its_own_way(tmp_path: Path) -> None:
    docker, podman = tmp_path / "d", tmp_path / "p"
    async with (
        _server(docker, _http([ROW])) as of_docker,
        _server(podman, _http([ROW | {"Names": ["two"]}])) as of_podman,
    ):
        seen = await glance([_found(DOCKER, docker), _found(PODMAN, podman)])
    assert {id: [one.name for one in rows] for id, rows in seen.items()} == {DOCKER: ["one"], PODMAN: ["two"]}
    assert (of_docker, of_podman) == (["/containers/json?all=1"], ["/v5.0.0/libpod/containers/json?all=true"])


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage",
        b"HTTP/1.0 200 OK\r\n\r\nno json",
        _http([ROW], "500 no"),
        _http({"a": 1}),
    ],
    ids=["nothing", "no HTTP", "no JSON", "refused", "another shape"],
)
async def test_what_is_no_list_is_left_to_the_supervisor(tmp_path: Path, answer: bytes) -> None:
    async with _server(tmp_path / "s", answer):
        assert await glance([_found(DOCKER, tmp_path / "s")]) == {}


async def test_a_row_that_cannot_be_read_whole_costs_only_itself(tmp_path: Path) -> None:
    async with _server(tmp_path / "s", _http([ROW, {"Id": "b", "Ports": 3, "Names": ["/two"]}, 7])):
        rows = (await glance([_found(DOCKER, tmp_path / "s")]))[DOCKER]
    assert [(one.name, bool(one.why)) for one in rows] == [("one", False), ("two", True), ("?3", True)]


async def test_an_engine_without_containers_was_seen(tmp_path: Path) -> None:
    async with _server(tmp_path / "s", _http(None)):
        assert await glance([_found(DOCKER, tmp_path / "s")]) == {DOCKER: ()}


async def test_one_that_hangs_does_not_hide_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glancing, "GLANCE_TIMEOUT_S", 0.2)
    async with _server(tmp_path / "d", b"", hang=True), _server(tmp_path / "p", _http([ROW])):
        seen = await glance([_found(DOCKER, tmp_path / "d"), _found(PODMAN, tmp_path / "p")])
    assert list(seen) == [PODMAN]


async def test_only_sockets_of_this_machine_are_asked(tmp_path: Path) -> None:
    far = Found(DOCKER, EngineKind.DOCKER, Endpoint.parse("tcp://127.0.0.1:1"))
    assert await glance([far, _found(PODMAN, tmp_path / "missing"), Found(DOCKER, DOCKER.kind, None)]) == {}


async def test_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    async with _server(tmp_path / "s", b"x" * 200_000):
        with pytest.raises(ValueError, match="100000"):
            await plain_get(str(tmp_path / "s"), "/", timeout_s=5, most_bytes=100_000)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer(came: bytes) -> None:
    answer = read_answer(came)
    assert 0 <= answer.status <= 999


async def test_the_first_view_tells_who_is_there_and_who_is_not(tmp_path: Path) -> None:
    gone = Found(PODMAN, EngineKind.PODMAN, None, "no podman here", "install it")
    async with _server(tmp_path / "s", _http([ROW])):
        view = await first_look([_found(DOCKER, tmp_path / "s"), gone], serving=True)
    assert {id: one.connection.link for id, one in view.engines.items()} == {
        DOCKER: Link.CONNECTING,
        PODMAN: Link.ABSENT,
    }
    assert str(view.engines[PODMAN].connection.error) == "podman: no podman here"
    assert [(one.name, view.engines[key.engine].outlived) for key, one in view.containers.items()] == [("one", False)]


@pytest.mark.parametrize(("serving", "link"), [(True, Link.CONNECTING), (False, Link.ABSENT)])
async def test_a_podman_that_will_be_served_is_not_absent(serving: bool, link: Link) -> None:
    view = await first_look([Found(PODMAN, PODMAN.kind, None, "none", startable="/bin/podman")], serving=serving)
    assert view.engines[PODMAN].connection.link is link
