"""The list of all containers: Tranship's one call against docker-py, aiodocker, podman-py and the engines' CLIs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.model.ids import EngineId, EngineKind
from backends.wire.endpoint import Endpoint
from benchmarks.bench import alternate, timed
from tests import real

ROUNDS = 11


def measure(engines: real.RealEngines) -> dict[str, dict[str, float]]:
    """Median milliseconds per list, by engine and client. The CLIs' figure is less the cost of entering namespaces."""
    loop = asyncio.new_event_loop()
    try:
        return {"docker": _docker(engines, loop), "podman": _podman(engines, loop)}
    finally:
        loop.close()


def _awaited(loop: asyncio.AbstractEventLoop, call: Callable[[], Coroutine[Any, Any, object]]) -> Callable[[], float]:
    return lambda: timed(lambda: loop.run_until_complete(call()))


def _less_entering(results: dict[str, float], cli: str) -> dict[str, float]:
    results[cli] -= results.pop("entering")
    return results


def _docker(engines: real.RealEngines, loop: asyncio.AbstractEventLoop) -> dict[str, float]:
    import aiodocker
    import docker

    ours = DockerEngine(EngineId(EngineKind.DOCKER, "docker"), Endpoint.parse(engines.docker))
    sdk = docker.DockerClient(base_url=engines.docker, version="1.45")

    async def open_aio() -> aiodocker.Docker:
        return aiodocker.Docker(url=engines.docker)

    aio = loop.run_until_complete(open_aio())
    loop.run_until_complete(ours.connect())
    try:
        results = alternate(
            {
                "tranship": _awaited(loop, ours.list_containers),
                "aiodocker": _awaited(loop, lambda: aio.containers.list(all=True)),
                "docker-py api.containers()": lambda: timed(lambda: sdk.api.containers(all=True)),
                "docker-py containers.list()": lambda: timed(lambda: sdk.containers.list(all=True)),
                "docker ps -a": lambda: timed(lambda: engines.cli("docker", "ps", "-a")),
                "entering": lambda: timed(lambda: engines.cli("engines-exec", "docker", "--version")),
            },
            ROUNDS,
        )
    finally:
        loop.run_until_complete(aio.close())
        loop.run_until_complete(ours.close())
        sdk.close()
    return _less_entering(results, "docker ps -a")


def _podman(engines: real.RealEngines, loop: asyncio.AbstractEventLoop) -> dict[str, float]:
    import podman

    ours = PodmanEngine(EngineId(EngineKind.PODMAN, "podman"), Endpoint.parse(engines.podman))
    sdk = podman.PodmanClient(base_url=engines.podman)
    loop.run_until_complete(ours.connect())
    try:
        results = alternate(
            {
                "tranship": _awaited(loop, ours.list_containers),
                "podman-py list()": lambda: timed(lambda: sdk.containers.list(all=True)),
                "podman-py list(sparse=False)": lambda: timed(lambda: sdk.containers.list(all=True, sparse=False)),
                "podman ps -a": lambda: timed(lambda: engines.cli("podman", "ps", "-a")),
                "entering": lambda: timed(lambda: engines.cli("engines-exec", "podman", "--version")),
            },
            ROUNDS,
        )
    finally:
        loop.run_until_complete(ours.close())
        sdk.close()
    return _less_entering(results, "podman ps -a")
