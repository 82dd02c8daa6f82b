"""A program run in a container: its exit code is waited for, also where the engine tells it late."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.model.container import ExecResult
from backends.model.ids import EngineId, EngineKind
from backends.wire.endpoint import Endpoint

_DOCKER = DockerEngine, EngineKind.DOCKER, {"Running": True, "ExitCode": None}
_PODMAN = PodmanEngine, EngineKind.PODMAN, {"Running": True, "ExitCode": 0}
_HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.parametrize(("made", "kind", "running"), [_DOCKER, _PODMAN], ids=["docker", "podman"])
async def test_an_exit_code_that_is_told_late(tmp_path: Path, made: Any, kind: EngineKind, running: Any) -> None:
    told = [running, running, {"Running": False, "ExitCode": 3}]

    def answer(target: str) -> bytes:
        if target.endswith("/start"):
            return b"\1\0\0\0\0\0\0\3out\2\0\0\0\0\0\0\3err"
        if target.endswith("/exec"):
            return b'{"Id": "e"}'
        if target.endswith("/exec/e/json"):
            return json.dumps(told.pop(0)).encode()
        return b'{"ApiVersion": "1.45", "MinAPIVersion": "1.24"}'

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.read(1 << 16)).decode()
        if head:  # else the adapter only looks whether somebody listens
            body = answer(head.split()[1].partition("?")[0])
            writer.write(_HEAD % len(body) + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(handle, tmp_path / "s")
    engine = made(EngineId(kind, "x"), Endpoint.parse(str(tmp_path / "s")))
    try:
        assert await engine.execute("box", ["a"]) == ExecResult(3, b"out", b"err")
    finally:
        await engine.close()
        server.close()
    assert not told
