"""A place for experiments on one engine: makes things with names and labels of its own, and removes them all again."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from backends.engine import Engine
from backends.model.capabilities import Capability, EngineInfo
from backends.model.container import ContainerState
from backends.model.errors import BackendError
from backends.model.ids import EngineKind
from backends.model.labels import HELPER_LABEL
from backends.model.network import NetworkSpec
from backends.model.workload import VolumeSpec, WorkloadSpec

BUSYBOX = "docker.io/test/busybox:1"
SERVE = ("sh", "-c", "trap 'exit 0' TERM; echo serving; sleep 99999 & wait")
"""Runs for ever, says so, and ends at once with 0 when asked to after that."""


class Lab:
    """Makes containers, volumes and networks on an engine. info: what the engine said of itself."""

    def __init__(self, engine: Engine, info: EngineInfo, label: Mapping[str, str]) -> None:
        self.engine = engine
        self.info = info
        self.label = MappingProxyType(dict(label))
        self._containers: list[str] = []
        self._volumes: list[str] = []
        self._images: list[str] = []
        self._networks: list[str] = []

    def can(self, capability: Capability) -> bool:
        """Whether the engine says that it can do it."""
        return self.info.capabilities.can(capability)

    def name(self) -> str:
        """A name that nobody else has."""
        return f"test-{uuid.uuid4().hex[:10]}"

    def spec(self, command: tuple[str, ...] | None = SERVE, name: str | None = None) -> WorkloadSpec:
        """A plain recipe."""
        return WorkloadSpec(name or self.name(), BUSYBOX, command=command, labels=self.label)

    async def make(self, spec: WorkloadSpec | None = None) -> str:
        """A container, not started; its full id."""
        wanted = spec or self.spec()
        made = await self.engine.create_container(replace(wanted, labels={**self.label, **wanted.labels}))
        self._containers.append(made)
        return made

    async def run(self, command: tuple[str, ...] = SERVE, spec: WorkloadSpec | None = None) -> str:
        """A container, started; its full id."""
        made = await self.make(spec or self.spec(command))
        await self.engine.start(made)
        return made

    async def said(self, script: str, *, tty: bool = False) -> str:
        """A container that ran a script to its end; its full id."""
        made = await self.run(spec=replace(self.spec(("sh", "-c", script)), tty=tty))
        await asyncio.wait_for(self.engine.wait_exit(made), 20)
        return made

    async def volume(self, name: str | None = None) -> str:
        """An empty volume; its name."""
        wanted = name or self.name()
        await self.engine.create_volume(VolumeSpec(wanted, labels=self.label))
        self._volumes.append(wanted)
        return wanted

    def owns_volume(self, name: str) -> str:
        """Remove this one too, whoever makes it."""
        self._volumes.append(name)
        return name

    async def network(self, spec: NetworkSpec | None = None) -> str:
        """A network; its name."""
        wanted = spec or NetworkSpec(self.name())
        await self.engine.create_network(replace(wanted, labels={**self.label, **wanted.labels}))
        self._networks.append(wanted.name)
        return wanted.name

    def owns(self, container: str) -> None:
        """Remove this container too, whoever made it."""
        self._containers.append(container)

    def owns_image(self, reference: str) -> str:
        """Remove this one too."""
        self._images.append(reference)
        return reference

    async def state(self, container: str) -> ContainerState:
        """Its state now."""
        return (await self.engine.inspect_container(container)).state

    async def serves(self, container: str, *, times: int) -> None:
        """Wait until a container that SERVEs has been ready so many times: asked to end before, it would be killed."""
        if self.engine.id.kind is EngineKind.DEMO:
            return  # its workloads are ready at once

        async def ready() -> bool:
            async with self.engine.logs(container) as lines:
                return sum([line.text == "serving" async for line in lines]) >= times

        await eventually(ready)

    async def comes_to(self, container: str, state: ContainerState) -> None:
        """Wait until it has a state."""
        await eventually(lambda: self._is(container, state))

    async def _is(self, container: str, state: ContainerState) -> bool:
        return await self.state(container) is state

    async def helpers(self) -> set[str]:
        """Helper containers of this process that are there: other workers of a run have theirs."""
        mine = str(os.getpid())
        return {row.name for row in await self.engine.list_containers() if row.labels.get(HELPER_LABEL) == mine}

    async def clean(self) -> None:
        """Remove all that was made; what is gone already is no trouble."""
        for container in self._containers:
            await _forgiving(self.engine.remove(container, force=True, volumes=True))
        for volume in self._volumes:
            await _forgiving(self.engine.remove_volume(volume))
        for network in self._networks:
            await _forgiving(self.engine.remove_network(network))
        for image in self._images:
            await _forgiving(self.engine.remove_image(image))


async def _forgiving(removal: Awaitable[None]) -> None:
    try:
        await removal
    except BackendError:
        return  # it is gone, or the session's sweep by label will find it


async def eventually(true: Callable[[], Awaitable[bool]], *, deadline_s: float = 15.0) -> None:
    """Ask until the answer is yes; TimeoutError after the deadline."""
    async with asyncio.timeout(deadline_s):
        while not await true():  # noqa: ASYNC110 - what is waited for is the engine's state
            await asyncio.sleep(0.02)


async def collect(chunks: AsyncIterator[bytes]) -> bytes:
    """All bytes of a stream."""
    return b"".join([chunk async for chunk in chunks])


async def one_chunk(content: bytes) -> AsyncIterator[bytes]:
    """Bytes as a stream."""
    yield content
