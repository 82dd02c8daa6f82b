"""Answers of real engines with wrong parts: an adapter makes a value or an error of ours of them, nothing else; of a
list with a wrong entry all others, and what can be read of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.engine import Engine
from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.model.codec import from_json, to_json
from backends.model.errors import BackendError, Protocol
from backends.model.ids import EngineId, EngineKind
from backends.model.values import NOT_ALL_READ
from backends.wire.client import WireClient
from backends.wire.endpoint import Endpoint
from tests.unit.docker.recorded import recorded as docker_recorded
from tests.unit.fuzz.mutants import EXAMPLES, spoiled
from tests.unit.podman.recorded import recorded as podman_recorded
from tests.unit.podman.recorded import recorded_events

ID = "a" * 64
Call = Callable[[Engine], Awaitable[object]]


async def _events(engine: Engine) -> object:
    async with engine.subscribe() as events:
        return [event async for event in events]


async def _stats(engine: Engine) -> object:
    async with engine.stats([ID]) as batches:
        async for batch in batches:
            return batch
    return None


DOCKER_EVENT = {
    "Type": "container", "Action": "die", "time": 1, "timeNano": 1_000_000_000,
    "Actor": {"ID": ID, "Attributes": {"name": "web", "exitCode": "1"}},
}  # fmt: skip
DOCKER_NETWORK = {
    "Name": "net", "Id": ID, "Driver": "bridge", "Created": "2026-01-01T00:00:00Z", "Internal": False,
    "IPAM": {"Config": [{"Subnet": "10.1.0.0/16", "Gateway": "10.1.0.1"}]}, "Containers": {}, "Options": {},
    "Labels": {},
}  # fmt: skip
DOCKER: Mapping[str, tuple[Any, Call]] = {
    "version": (docker_recorded("version.26.1"), lambda engine: engine.connect()),
    "info": (docker_recorded("info.26.1"), lambda engine: engine.connect()),
    "list": (docker_recorded("containers.26.1"), lambda engine: engine.list_containers()),
    "inspect": (docker_recorded("container_full.26.1"), lambda engine: engine.inspect_container(ID)),
    "recipe": (docker_recorded("container_full.26.1"), lambda engine: engine.workload_spec(ID)),
    "images": (docker_recorded("images.26.1"), lambda engine: engine.list_images()),
    "history": (docker_recorded("history_web.26.1"), lambda engine: engine.image_layers("web:1")),
    "image": (docker_recorded("image_web.26.1"), lambda engine: engine.image_facts("web:1")),
    "image config": (docker_recorded("image_web.26.1"), lambda engine: engine.image_config("web:1")),
    "volumes": ({"Volumes": [docker_recorded("volume.26.1")]}, lambda engine: engine.list_volumes()),
    "networks": ([DOCKER_NETWORK], lambda engine: engine.list_networks()),
    "network": (DOCKER_NETWORK, lambda engine: engine.inspect_network("net")),
    "top": ({"Titles": ["PID"], "Processes": [["1", "root", "0.0", "1", "00:01", "sh"]]}, lambda e: e.processes(ID)),
    "changes": ([{"Path": "/x", "Kind": 0}], lambda engine: engine.changed_paths(ID)),
    "search": (
        [{"name": "redis", "description": "x", "star_count": 3, "is_official": True}],
        lambda engine: engine.search_images("redis"),
    ),
    "event": (DOCKER_EVENT, _events),
    "stats": (docker_recorded("stats.26.1"), _stats),
}
PODMAN: Mapping[str, tuple[Any, Call]] = {
    "info": (podman_recorded("rootful", "info"), lambda engine: engine.connect()),
    "list": (podman_recorded("rootful", "list"), lambda engine: engine.list_containers()),
    "inspect": (podman_recorded("rootful", "inspect-full"), lambda engine: engine.inspect_container(ID)),
    "recipe": (podman_recorded("rootful", "inspect-full"), lambda engine: engine.workload_spec(ID)),
    "images": (podman_recorded("rootful", "images"), lambda engine: engine.list_images()),
    "history": (podman_recorded("rootful", "history-web"), lambda engine: engine.image_layers("web:1")),
    "image": (podman_recorded("rootful", "image-web"), lambda engine: engine.image_facts("web:1")),
    "image config": (podman_recorded("rootful", "image-web"), lambda engine: engine.image_config("web:1")),
    "volumes": (podman_recorded("rootful", "volumes"), lambda engine: engine.list_volumes()),
    "top": ({"Titles": ["PID"], "Processes": [["1", "root", "0.0", "1", "00:01", "sh"]]}, lambda e: e.processes(ID)),
    "changes": ([{"Path": "/x", "Kind": 0}], lambda engine: engine.changed_paths(ID)),
    "search": (
        [{"Name": "redis", "Description": "x", "Stars": 3, "Official": "[OK]", "Index": "docker.io"}],
        lambda engine: engine.search_images("redis"),
    ),
    "event": (recorded_events("rootful")[0], _events),
    "stats": (podman_recorded("rootful", "stats"), _stats),
}
FACTS = {
    "/version": docker_recorded("version.26.1"),
    "docker /info": docker_recorded("info.26.1"),
    "libpod /info": podman_recorded("rootful", "info"),
}
HEADERS = {"Libpod-Api-Version": "5.4.2", "Api-Version": "1.45", "Date": "Sat, 28 Nov 2026 10:00:00 GMT"}


class Answering:
    """In place of an engine's connection: one answer for all that is asked, but for the hello."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.answer: Any = None
        self.lines: list[Any] | None = None
        """What a stream says, where it is not the answer alone."""
        self.hello = True
        """Whether the first calls are answered as they should be."""
        patch.setattr(WireClient, "json", self._json)
        patch.setattr(WireClient, "call", self._call)
        patch.setattr(WireClient, "stream", self._stream)
        patch.setattr(WireClient, "headers", self._headers)

    async def _json(self, _method: str, path: str, **_more: Any) -> Any:
        if self.hello and path.endswith("/version"):
            return FACTS["/version"]
        if self.hello and path.endswith("/info"):
            return FACTS["libpod /info" if "/libpod/" in path else "docker /info"]
        return self.answer

    async def _call(self, *_args: Any, **_more: Any) -> bytes:
        return json.dumps(self.answer).encode()

    @asynccontextmanager
    async def _stream(self, *_args: Any, **_more: Any) -> AsyncIterator[AsyncIterator[bytes]]:
        async def once() -> AsyncIterator[bytes]:
            for said in [self.answer] if self.lines is None else self.lines:
                yield json.dumps(said).encode() + b"\n"

        yield once()

    @asynccontextmanager
    async def _headers(self, *_args: Any, **_more: Any) -> AsyncIterator[Mapping[str, str]]:
        yield HEADERS


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    return Answering(monkeypatch)


CASES = [
    *((DockerEngine, EngineKind.DOCKER, what, said, call) for what, (said, call) in DOCKER.items()),
    *((PodmanEngine, EngineKind.PODMAN, what, said, call) for what, (said, call) in PODMAN.items()),
]


@pytest.mark.parametrize(("make", "kind", "what", "said", "call"), CASES, ids=[f"{c[1].value}-{c[2]}" for c in CASES])
def test_a_wrong_part_of_an_answer_is_an_error_of_ours_or_none(
    make: Any, kind: EngineKind, what: str, said: Any, call: Call, answering: Answering
) -> None:
    answering.hello = what not in {"version", "info"}

    async def ask(answer: Any) -> None:
        answering.answer = answer
        engine = make(EngineId(kind, kind.value), Endpoint.parse("unix:///nowhere.sock"))
        try:
            async with asyncio.timeout(20):
                await call(engine)
        except BackendError as error:
            assert error.title  # noqa: PT017 - whether it raises at all is the answer's to say
        finally:
            await engine.close()

    asyncio.run(ask(said))

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(spoiled(said))
    def fuzz(answer: Any) -> None:
        asyncio.run(ask(answer))

    fuzz()


PODMAN_NETWORK = {
    "name": "net", "id": ID, "driver": "bridge", "created": "2026-01-01T00:00:00Z", "internal": False,
    "subnets": [{"subnet": "10.1.0.0/16", "gateway": "10.1.0.1"}], "labels": {}, "options": {}, "dns_enabled": True,
}  # fmt: skip
DOCKER_VOLUME = docker_recorded("volume.26.1")
LISTS = [
    (DockerEngine, "containers", docker_recorded("containers.26.1"), lambda engine: engine.list_containers()),
    (DockerEngine, "images", docker_recorded("images.26.1"), lambda engine: engine.list_images(nameless=True)),
    (DockerEngine, "volumes", [DOCKER_VOLUME, DOCKER_VOLUME | {"Name": "b"}], lambda engine: engine.list_volumes()),
    (DockerEngine, "networks", [DOCKER_NETWORK, DOCKER_NETWORK | {"Id": "b"}], lambda engine: engine.list_networks()),
    (DockerEngine, "events", [DOCKER_EVENT, DOCKER_EVENT], _events),
    (PodmanEngine, "containers", podman_recorded("rootful", "list"), lambda engine: engine.list_containers()),
    (PodmanEngine, "images", podman_recorded("rootful", "images"), lambda engine: engine.list_images()),
    (PodmanEngine, "volumes", podman_recorded("rootful", "volumes"), lambda engine: engine.list_volumes()),
    (PodmanEngine, "networks", [PODMAN_NETWORK, PODMAN_NETWORK | {"id": "b"}], lambda engine: engine.list_networks()),
    (PodmanEngine, "events", recorded_events("rootful")[:3], _events),
]


@pytest.mark.parametrize(("make", "what", "said", "call"), LISTS, ids=[f"{c[0].__name__}-{c[1]}" for c in LISTS])
def test_a_wrong_entry_of_a_list_costs_only_what_is_wrong_of_it(
    make: Any, what: str, said: list[Any], call: Call, answering: Answering
) -> None:
    async def rows(answer: list[Any]) -> list[Any]:
        answering.answer = {"Volumes": answer} if make is DockerEngine and what == "volumes" else answer
        answering.lines = answer if what == "events" else None
        engine = make(EngineId(EngineKind.DOCKER, "one"), Endpoint.parse("unix:///nowhere.sock"))
        try:
            found: Any = await call(engine)
        finally:
            await engine.close()
        return list(found)

    right = asyncio.run(rows(said))
    assert len(right) == len(said)
    assert not any(row.why for row in right)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.integers(0, len(said) - 1), st.data())
    def fuzz(at: int, data: st.DataObject) -> None:
        entry = data.draw(spoiled(said[at]))
        read = asyncio.run(rows([*said[:at], entry, *said[at + 1 :]]))
        assert [*read[:at], *read[at + 1 :]] == [*right[:at], *right[at + 1 :]]
        assert not read[at].why or read[at].why.startswith(NOT_ALL_READ)
        from_json(type(read[at]), to_json(read[at]))  # its parts are of the kinds that the model says

    fuzz()


@pytest.mark.parametrize("make", [DockerEngine, PodmanEngine])
def test_a_row_that_is_not_all_read_says_which_part_and_keeps_the_others(make: Any, answering: Answering) -> None:
    entries = docker_recorded("containers.26.1") if make is DockerEngine else podman_recorded("rootful", "list")
    entries = entries[:3]
    answering.answer = [entries[0] | {"Ports": [{"range": {}}], "ExposedPorts": None}, 5, {**entries[2], "Id": 7}]

    async def rows() -> list[Any]:
        engine = make(EngineId(EngineKind.DOCKER, "one"), Endpoint.parse("unix:///nowhere.sock"))
        try:
            found: list[Any] = await engine.list_containers()
            return found
        finally:
            await engine.close()

    ports, nothing, nameless = asyncio.run(rows())
    assert ports.key.id == entries[0]["Id"]
    assert ports.name == entries[0]["Names"][0].removeprefix("/")
    assert ports.why.startswith("not all read: Ports (")
    assert ports.image == entries[0]["Image"]
    assert not ports.ports
    assert nothing.key.id == "?2"
    assert nothing.why == "not all read: Id (missing), the whole (int)"
    assert nameless.key.id == "?3"
    assert nameless.why == "not all read: Id (no text)"
    assert nameless.name == entries[2]["Names"][0].removeprefix("/")


@pytest.mark.parametrize("make", [DockerEngine, PodmanEngine])
def test_what_is_no_list_is_an_error_and_no_row(make: Any, answering: Answering) -> None:
    async def rows(answer: Any) -> list[Any]:
        answering.answer = answer
        engine = make(EngineId(EngineKind.DOCKER, "one"), Endpoint.parse("unix:///nowhere.sock"))
        try:
            found: list[Any] = await engine.list_containers()
            return found
        finally:
            await engine.close()

    for answer in ({"message": "no"}, "text", 7):
        with pytest.raises(Protocol):
            asyncio.run(rows(answer))
    assert asyncio.run(rows(None)) == []
