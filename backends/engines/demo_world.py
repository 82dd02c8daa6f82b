"""What exists in one demo engine and what becomes of it in time. Everything here is synchronous and in memory.

Nothing runs in the background: `advance` brings all up to the clock's time, and each call of the engine begins with it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from backends.engines.demo_container import DemoContainer, Run
from backends.engines.demo_images import DemoImage, shown_bytes
from backends.engines.demo_names import container_id, full_reference, valid_name
from backends.engines.demo_networks import own_networks
from backends.engines.demo_registry import DemoRegistry
from backends.engines.demo_volumes import DemoVolume
from backends.model.container import ContainerState, Health, Port
from backends.model.errors import BackendError, Conflict, NotFound, Protocol
from backends.model.events import EngineEvent, EventKind
from backends.model.ids import EngineId, EngineKind
from backends.model.network import Network
from backends.model.workload import RestartName

RESTART_WAIT_S = 1.0
"""How long the engine waits before it starts a container again that ended."""
_QUEUE = 4096
"""Events that a subscriber may leave unread; one more and its stream breaks."""


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


class DemoHost:
    """The machine under several demo engines: who has which port. disk_bytes: of the one disk that they share.

    registry: what its engines pull from and push to, whatever host they name.
    """

    def __init__(self, disk_bytes: int = 2 << 40) -> None:
        self.disk_bytes = disk_bytes
        self.worlds: list[DemoWorld] = []
        self.registry = DemoRegistry()
        self._owners: dict[tuple[str, int], tuple[EngineId, str]] = {}
        self._free = itertools.count(32768)

    @property
    def free_bytes(self) -> int:
        """What the images and volumes of its engines leave of its disk."""
        return max(0, self.disk_bytes - sum(world.taken_bytes for world in self.worlds))

    def publish(self, ports: tuple[Port, ...], owner: tuple[EngineId, str]) -> tuple[Port, ...]:
        """Take ports for a container, choosing those that are 0; Conflict where one is taken."""
        taken = []
        for port in ports:
            chosen = port.host_port
            if chosen == 0:
                chosen = next(number for number in self._free if (port.protocol, number) not in self._owners)
            taken.append(Port(port.container_port, port.protocol, port.host_ip, chosen))
        for port in taken:
            if port.host_port is not None and self._owners.get((port.protocol, port.host_port), owner) != owner:
                raise Conflict(f"port {port.host_port}/{port.protocol} is already in use", engine=owner[0])
        for port in taken:
            if port.host_port is not None:
                self._owners[(port.protocol, port.host_port)] = owner
        return tuple(sorted(taken, key=lambda port: (port.container_port, port.protocol, port.host_port or 0)))

    def release(self, owner: tuple[EngineId, str]) -> None:
        """Give all ports of a container back."""
        self._owners = {port: who for port, who in self._owners.items() if who != owner}


class DemoWorld:
    """One engine's containers, images, volumes, networks. clock: gives aware datetimes. like: as whose it behaves."""

    def __init__(
        self,
        engine: EngineId,
        *,
        clock: Callable[[], datetime] = utc_now,
        host: DemoHost | None = None,
        like: EngineKind = EngineKind.DOCKER,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.host = host or DemoHost()
        self.host.worlds.append(self)
        self.like = like
        self.containers: dict[str, DemoContainer] = {}
        self.images: dict[str, DemoImage] = {}
        self.volumes: dict[str, DemoVolume] = {}
        self.networks: dict[str, Network] = own_networks(engine, like)
        self._subscribers: dict[asyncio.Queue[EngineEvent | BackendError], None] = {}
        self._numbers = itertools.count(1)

    # -- events ----------------------------------------------------------------------------------
    def subscribe(self) -> asyncio.Queue[EngineEvent | BackendError]:
        """Events from now on; an error in the queue ends it."""
        queue: asyncio.Queue[EngineEvent | BackendError] = asyncio.Queue(_QUEUE + 1)
        self._subscribers[queue] = None
        return queue

    def unsubscribe(self, queue: asyncio.Queue[EngineEvent | BackendError]) -> None:
        """No events any more."""
        self._subscribers.pop(queue, None)

    @property
    def subscribers(self) -> int:
        """How many listen."""
        return len(self._subscribers)

    def break_streams(self, error: BackendError) -> None:
        """Let every open event stream break off."""
        for queue in list(self._subscribers):
            self.unsubscribe(queue)
            while queue.full():
                queue.get_nowait()
            queue.put_nowait(error)

    def emit(
        self,
        kind: EventKind,
        action: str,
        id: str,
        name: str = "",
        at: datetime | None = None,
        exit_code: int | None = None,
    ) -> None:
        """Tell all who listen."""
        event = EngineEvent(self.engine, kind, action, id, at or self.clock(), name, exit_code)
        for queue in list(self._subscribers):
            if queue.qsize() >= _QUEUE:
                self.unsubscribe(queue)
                queue.put_nowait(Conflict("events were not read in time", engine=self.engine))
            else:
                queue.put_nowait(event)

    def tell(self, container: DemoContainer, action: str, at: datetime | None = None) -> None:
        """Tell of a container."""
        code = container.exit_code if action in {"die", "died"} else None
        self.emit(EventKind.CONTAINER, action, container.id, container.spec.name, at, code)

    # -- finding ---------------------------------------------------------------------------------
    def container(self, reference: str) -> DemoContainer:
        """By id, by name, or by the beginning of an id that is the only one. Raises NotFound."""
        if reference in self.containers:
            return self.containers[reference]
        for container in self.containers.values():
            if container.spec.name == reference:
                return container
        begins = [one for id, one in self.containers.items() if reference and id.startswith(reference)]
        if len(begins) == 1:
            return begins[0]
        raise NotFound(f"no container {reference}", engine=self.engine)

    def image(self, reference: str) -> DemoImage:
        """By id (with or without "sha256:"), or by reference. Raises NotFound."""
        bare = reference.removeprefix("sha256:")
        if bare in self.images:
            return self.images[bare]
        full = full_reference(reference)
        for image in self.images.values():
            if full in image.tags:
                return image
        begins = [one for id, one in self.images.items() if len(bare) >= 12 and id.startswith(bare)]
        if len(begins) == 1:
            return begins[0]
        raise NotFound(f"no image {reference}", engine=self.engine)

    def volume(self, name: str) -> DemoVolume:
        """By name. Raises NotFound."""
        if name not in self.volumes:
            raise NotFound(f"no volume {name}", engine=self.engine)
        return self.volumes[name]

    def network(self, name: str) -> Network:
        """By name. Raises NotFound."""
        if name not in self.networks:
            raise NotFound(f"no network {name}", engine=self.engine)
        return self.networks[name]

    @property
    def taken_bytes(self) -> int:
        """What its images and volumes take of the host's disk."""
        volumes = sum(len(entry.content) for volume in self.volumes.values() for entry in volume.entries.values())
        return volumes + sum(shown_bytes(image) for image in self.images.values())

    def check_room(self, wanted_bytes: int) -> None:
        """Protocol, as of a daemon whose write failed, where the host's disk has no room for so many bytes."""
        if wanted_bytes > self.host.free_bytes:
            detail = f"{wanted_bytes} bytes are wanted, {self.host.free_bytes} are free"
            raise Protocol("no space left on device", detail=detail, engine=self.engine)

    def check_name(self, name: str) -> None:
        """Conflict where a container has this name, or it is none."""
        if not valid_name(name):
            raise Conflict(f"{name!r} is no name for a container", engine=self.engine)
        if any(container.spec.name == name for container in self.containers.values()):
            raise Conflict(f"the name {name} is in use", engine=self.engine)

    def new_id(self, name: str) -> str:
        """An id for a new container or an anonymous volume."""
        return container_id(self.engine.name, name, next(self._numbers))

    # -- time ------------------------------------------------------------------------------------
    def advance(self) -> None:
        """Let all happen that is due by now: exits, restarts, results of health checks."""
        now = self.clock()
        for container in list(self.containers.values()):
            if container.state is ContainerState.RESTARTING and container.restart_at and container.restart_at <= now:
                self._begin_again(container, container.restart_at)
            if container.state is ContainerState.RUNNING:
                self._run_on(container, now)

    def _begin_again(self, container: DemoContainer, at: datetime) -> None:
        try:
            self.begin(container, at)
        except Conflict:  # another one took its port meanwhile: it stays down, as it does on a real engine
            container.state, container.exit_code, container.restart_at = ContainerState.EXITED, 128, None
            self.tell(container, "die", at)

    def next_change_s(self) -> float | None:
        """Seconds until something happens by itself; None where nothing will."""
        now = self.clock()
        dues = [due for one in self.containers.values() if (due := one.next_change_at(now)) is not None]
        return max(0.0, (min(dues) - now).total_seconds()) if dues else None

    def _run_on(self, container: DemoContainer, now: datetime) -> None:
        elapsed_s, run = container.elapsed_s(now), container.run
        end = container.program.exit
        if run is not None and end is not None and elapsed_s >= end[0]:
            self.die(container, end[1], run.started_at + timedelta(seconds=end[0] + run.frozen_s))
            return
        health = container.check.after(elapsed_s) if container.check else Health.NONE
        if health is not container.health:
            container.health = health
            self.tell(container, f"health_status: {health}")

    def begin(self, container: DemoContainer, at: datetime) -> None:
        """Start its processes."""
        ports = container.spec.ports
        if container.spec.network.publish_all:
            ports = tuple(replace(port, host_port=port.host_port or 0) for port in ports)
        container.published = self.host.publish(ports, (self.engine, container.id))
        container.runs.append(Run(at))
        container.state = ContainerState.RUNNING
        container.restart_at = None
        container.exit_code = None
        container.health = Health.STARTING if container.check else Health.NONE
        self.tell(container, "start", at)

    def die(self, container: DemoContainer, code: int, at: datetime, *, by_hand: bool = False) -> None:
        """Its first process ended; its restart policy applies, but not where a person ended it."""
        if container.run is not None:
            container.run.ended_at = at
            container.run.frozen_at = None
        container.exit_code = code
        container.health = Health.NONE
        self.host.release((self.engine, container.id))
        self.tell(container, "die", at)
        if not by_hand and self._comes_back(container, code):
            container.retries += 1
            container.state = ContainerState.RESTARTING
            container.restart_at = at + timedelta(seconds=RESTART_WAIT_S)
        else:
            container.state = ContainerState.EXITED
            if container.spec.process.auto_remove:
                self.forget(container, volumes=True)

    def forget(self, container: DemoContainer, *, volumes: bool) -> None:
        """It is no more; volumes: nor are its anonymous volumes."""
        del self.containers[container.id]
        for mount in container.spec.mounts if volumes else ():
            volume = self.volumes.get(mount.source)
            if volume is not None and volume.anonymous:
                del self.volumes[mount.source]
        self.tell(container, "destroy")

    def _comes_back(self, container: DemoContainer, code: int) -> bool:
        policy = container.spec.restart
        if policy.name is RestartName.ON_FAILURE:
            return code != 0 and (policy.max_retries == 0 or container.retries < policy.max_retries)
        return policy.name in {RestartName.ALWAYS, RestartName.UNLESS_STOPPED}
