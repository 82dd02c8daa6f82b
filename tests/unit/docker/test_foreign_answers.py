"""Something else than Docker at the other end: our errors, never a crash."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from backends.engines.docker import DockerEngine
from backends.model.errors import Protocol, Unsupported
from backends.model.ids import EngineId, EngineKind
from backends.wire.endpoint import Endpoint


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


VERSION = {"ApiVersion": "1.45", "MinAPIVersion": "1.24", "Version": "26.1.5"}


@asynccontextmanager
async def answering(path: Path, answers: dict[str, Any], other: Any) -> AsyncIterator[DockerEngine]:
    """An engine whose daemon answers these values for paths that end so, and `other` for the rest."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        target = head.split()[1].partition("?")[0]
        value = next((value for end, value in answers.items() if target.endswith(end)), other)
        body = json.dumps(value).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(handle, path)
    engine = DockerEngine(EngineId(EngineKind.DOCKER, "docker"), Endpoint.parse(str(path)))
    try:
        yield engine
    finally:
        await engine.close()
        server.close()


@pytest.mark.parametrize("version", [None, [], {}, "hello", {"ApiVersion": "one"}])
async def test_what_is_not_docker(tmp_path: Path, version: Any) -> None:
    async with answering(tmp_path / "s", {"/version": version}, {}) as engine:
        with pytest.raises(Protocol):
            await engine.connect()


@pytest.mark.parametrize(("newest", "oldest"), [("1.24", "1.12"), ("1.99", "1.90")])
async def test_other_times(tmp_path: Path, newest: str, oldest: str) -> None:
    version = {"ApiVersion": newest, "MinAPIVersion": oldest, "Version": "?"}
    async with answering(tmp_path / "s", {"/version": version}, {}) as engine:
        with pytest.raises(Unsupported, match="too old or too new"):
            await engine.connect()


@pytest.mark.parametrize(("newest", "spoken"), [("1.45", "1.45"), ("1.99", "1.51"), ("1.40", "1.40")])
async def test_the_version_is_negotiated(tmp_path: Path, newest: str, spoken: str) -> None:
    version = VERSION | {"ApiVersion": newest}
    async with answering(tmp_path / "s", {"/version": version}, {}) as engine:
        assert (await engine.connect()).api_version == spoken


@pytest.mark.parametrize("odd", [[{}], [1], {"a": 1}, "text", 7, {"Id": 1}, {"Volumes": [{}]}])
@pytest.mark.parametrize(
    "call",
    [
        lambda engine: engine.list_containers(),
        lambda engine: engine.inspect_container("x"),
        lambda engine: engine.workload_spec("x"),
        lambda engine: engine.list_images(),
        lambda engine: engine.image_facts("x"),
        lambda engine: engine.image_layers("x"),
        lambda engine: engine.list_volumes(),
        lambda engine: engine.inspect_volume("x"),
        lambda engine: engine.wait_exit("x"),
        lambda engine: engine.import_image(_nothing()),
    ],
    ids=["list", "inspect", "spec", "images", "facts", "layers", "volumes", "volume", "wait", "load"],
)
async def test_odd_answers(tmp_path: Path, call: Any, odd: Any) -> None:
    async with answering(tmp_path / "s", {"/version": VERSION, "/info": {}}, odd) as engine:
        await engine.connect()
        outcomes = await asyncio.gather(call(engine), return_exceptions=True)
    outcome: object = outcomes[0]
    assert not isinstance(outcome, BaseException) or (isinstance(outcome, Protocol) and outcome.engine == engine.id)
