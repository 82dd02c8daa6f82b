"""Stats clients, each run as a process of its own: `python -m benchmarks.clients NAME URL`.

Prints a line per full refresh: the time.monotonic() at which every container had been read anew since the line before.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from backends.model.container import StatsReading
from backends.model.fleet import FleetView


class Rounds:
    """Counts readings; prints the time whenever all of `wanted` were seen since the last print."""

    def __init__(self, wanted: set[str]) -> None:
        self._wanted, self._seen, self._lock = wanted, set[str](), threading.Lock()

    def saw(self, container: str) -> None:
        """One fresh reading of one container."""
        with self._lock:
            self._seen.add(container)
            if self._seen >= self._wanted:
                self._seen.clear()
                sys.stdout.write(f"{time.monotonic()}\n")
                sys.stdout.flush()


def docker_py(url: str) -> None:
    """docker-py: one streaming thread per container, the only way it offers."""
    import docker

    client = docker.DockerClient(base_url=url, version="1.45", max_pool_size=400)
    ids = [c["Id"] for c in client.api.containers()]
    rounds = Rounds(set(ids))

    def follow(container: str) -> None:
        for _ in client.api.stats(container, decode=True, stream=True):
            rounds.saw(container)

    threads = [threading.Thread(target=follow, args=(c,), daemon=True) for c in ids]
    for thread in threads:
        thread.start()
    for thread in threads:  # one ends with its container
        thread.join()


def aiodocker(url: str) -> None:
    """aiodocker: one stream per container, on a connector without the default limit of 100."""
    import aiodocker as library
    import aiohttp

    async def run() -> None:
        connector = aiohttp.UnixConnector(url.removeprefix("unix://"), limit=0)
        async with library.Docker(url="http://localhost", connector=connector) as client:
            containers: list[Any] = await client.containers.list()
            rounds = Rounds({c.id for c in containers})

            async def follow(container: Any) -> None:
                async for _ in container.stats(stream=True):
                    rounds.saw(container.id)

            await asyncio.gather(*(follow(c) for c in containers))

    asyncio.run(run())


def tranship(url: str) -> None:
    """Tranship's own fleet of that one engine, samplers and store, without a screen."""
    from tui.bootstrap import open_fleet
    from tui.config import Settings

    name, variable = ("podman", "CONTAINER_HOST") if "podman" in url else ("docker", "DOCKER_HOST")
    os.environ[variable] = url

    async def run() -> None:
        fleet = await open_fleet(Settings(), only=(name,), demo_if_none=False)
        await fleet.start()
        await fleet.ready(30)
        rounds = Rounds({key.id for key, c in fleet.store.view.containers.items() if c.state.alive})
        take = fleet.history.take

        def look(readings: Iterable[StatsReading], view: FleetView) -> None:
            for reading in readings:
                rounds.saw(reading.key.id)
            take(readings, view)

        # Each round passes there, whether it told anything new or not.
        fleet.history.take = look  # type: ignore[method-assign]
        await asyncio.Event().wait()

    asyncio.run(run())


CLIENTS: dict[str, Callable[[str], None]] = {"docker-py": docker_py, "aiodocker": aiodocker, "tranship": tranship}

if __name__ == "__main__":
    CLIENTS[sys.argv[1]](sys.argv[2])
