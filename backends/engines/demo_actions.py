"""What can be done to a demo container, with the rules of the Protocol. Synchronous; latency is the engine's affair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from backends.engines.demo_container import DemoContainer, HealthCheck
from backends.engines.demo_files import layer_tar
from backends.engines.demo_images import DemoImage, committed
from backends.engines.demo_names import full_reference, valid_name
from backends.engines.demo_networks import ranges, with_subnets
from backends.engines.demo_program import Program, parse
from backends.engines.demo_volumes import DemoVolume
from backends.engines.demo_world import DemoWorld
from backends.model.container import ContainerState, MountKind
from backends.model.errors import Conflict, NotFound
from backends.model.events import EventKind
from backends.model.ids import EngineKind
from backends.model.network import Network, NetworkSpec
from backends.model.settings import HealthSpec
from backends.model.workload import MountSpec, RestartPolicy, VolumeSpec, WorkloadSpec

_DEADLY: Mapping[str, int] = {"KILL": 137, "TERM": 143, "INT": 130, "QUIT": 131, "ABRT": 134, "HUP": 129}
"""Signals that end a process that does not handle them → exit code (128 + number)."""

_HEALTH_INTERVAL_NS, _HEALTH_RETRIES = 30_000_000_000, 3
"""Both engines' own. Source: docs.docker.com/reference/dockerfile, HEALTHCHECK."""


@dataclass(frozen=True, slots=True)
class Role:
    """What an image's own program does in the demo. topic: of CHATTER; load: of LOADS."""

    topic: str = "quiet"
    load: str = "idle"
    period_s: float = 10.0
    check: HealthCheck | None = None


class DemoActions:
    """Acts on a world. cdi_devices: the GPUs that containers may be given. role_of: what an image's program does."""

    def __init__(
        self,
        world: DemoWorld,
        *,
        cdi_devices: tuple[str, ...],
        role_of: Callable[[str], Role],
        seed: int,
    ) -> None:
        self._world = world
        self._cdi_devices = cdi_devices
        self._role_of = role_of
        self._seed = seed

    def create(self, spec: WorkloadSpec) -> DemoContainer:
        """A new container of a spec."""
        world = self._world
        image = world.image(spec.image)
        world.check_name(spec.name)
        self._check_gpus(spec)
        self._check_network(spec)
        mounts = tuple(self._mounted(mount, spec.name) for mount in spec.mounts)
        own = replace(spec, image=full_reference(spec.image), image_id=image.id, mounts=mounts, unmapped=())
        argv = _argv(spec, image)
        role = self._role_of(own.image)
        container = DemoContainer(
            id=world.new_id(spec.name),
            spec=own,
            image_id=image.id,
            argv=argv,
            created_at=world.clock(),
            program=self._program(argv, role),
            network="podman" if world.like is EngineKind.PODMAN else "bridge",
            check=_check_of(spec, role),
            load=role.load if _is_own_program(spec) else "idle",
        )
        world.containers[container.id] = container
        world.tell(container, "create")
        return container

    def _program(self, argv: tuple[str, ...], role: Role) -> Program:
        return parse(argv, topic=role.topic, period_s=role.period_s, seed=self._seed)

    def _check_gpus(self, spec: WorkloadSpec) -> None:
        for device in spec.gpu.cdi_devices if spec.gpu else ():
            if device not in self._cdi_devices:
                raise NotFound(
                    f"unresolvable CDI devices {device}",
                    hint="known: " + (", ".join(self._cdi_devices) or "none"),
                    engine=self._world.engine,
                )

    def _check_network(self, spec: WorkloadSpec) -> None:
        for one in spec.network.networks:
            self._world.network(one.network)
        mode, _, partner = spec.network.mode.partition(":")
        if mode == "container":
            self._world.container(partner)

    def _mounted(self, mount: MountSpec, container: str) -> MountSpec:
        """A volume that is not there yet is made, as both real engines do."""
        if mount.kind is not MountKind.VOLUME:
            return mount
        name = mount.source or self._world.new_id(f"{container}{mount.destination}")
        if name not in self._world.volumes:
            self._world.volumes[name] = DemoVolume(
                name, anonymous=mount.anonymous or not mount.source, created_at=self._world.clock()
            )
            self._world.emit(EventKind.VOLUME, "create", name, name)
        return replace(mount, source=name, anonymous=self._world.volumes[name].anonymous)

    def start(self, reference: str) -> None:
        """See Engine.start."""
        container = self._world.container(reference)
        if container.state is ContainerState.PAUSED:
            raise Conflict(f"{container.spec.name} is paused: unpause it instead", engine=self._world.engine)
        if container.state is ContainerState.RUNNING:
            return
        container.retries = 0
        self._world.begin(container, self._world.clock())

    def restart(self, reference: str) -> None:
        """See Engine.restart; --rm does not remove it in between."""
        container = self._world.container(reference)
        own = container.spec
        container.spec = replace(own, process=replace(own.process, auto_remove=False))
        self.stop(reference)
        container.spec = own
        self.start(reference)
        self._world.tell(container, "restart")

    def set_restart(self, reference: str, policy: RestartPolicy) -> None:
        """See Engine.set_restart."""
        container = self._world.container(reference)
        container.spec = replace(container.spec, restart=policy)
        self._world.tell(container, "update")

    def stop(self, reference: str) -> None:
        """See Engine.stop."""
        container = self._world.container(reference)
        if not container.state.alive:
            return
        if container.state is ContainerState.RESTARTING:
            container.state, container.restart_at = ContainerState.EXITED, None
        else:
            self._world.tell(container, "kill")
            self._world.die(container, container.program.term_code, self._world.clock(), by_hand=True)
        self._world.tell(container, "stop")

    def pause(self, reference: str) -> None:
        """See Engine.pause."""
        container = self._world.container(reference)
        if container.state is not ContainerState.RUNNING or container.run is None:
            raise Conflict(f"{container.spec.name} is not running", engine=self._world.engine)
        container.run.frozen_at = self._world.clock()
        container.state = ContainerState.PAUSED
        self._world.tell(container, "pause")

    def unpause(self, reference: str) -> None:
        """See Engine.unpause."""
        container = self._world.container(reference)
        run = container.run
        if container.state is not ContainerState.PAUSED or run is None or run.frozen_at is None:
            raise Conflict(f"{container.spec.name} is not paused", engine=self._world.engine)
        run.frozen_s += (self._world.clock() - run.frozen_at).total_seconds()
        run.frozen_at = None
        container.state = ContainerState.RUNNING
        self._world.tell(container, "unpause")

    def kill(self, reference: str, signal: str) -> None:
        """See Engine.kill."""
        container = self._world.container(reference)
        if container.state not in {ContainerState.RUNNING, ContainerState.PAUSED}:
            raise Conflict(f"{container.spec.name} is not running", engine=self._world.engine)
        self._world.tell(container, "kill")
        name = signal.upper().removeprefix("SIG")
        # pid 1 without a handler lives on: only KILL ends a program that ignores TERM.
        if name == "KILL" or (name in _DEADLY and container.program.term_code != 137):
            self._world.die(container, _DEADLY[name], self._world.clock(), by_hand=True)

    def remove(self, reference: str, *, force: bool, volumes: bool) -> None:
        """See Engine.remove."""
        world = self._world
        container = world.container(reference)
        if container.state.alive:
            if not force:
                raise Conflict(
                    f"{container.spec.name} is {container.state}",
                    hint="stop it first, or remove it by force",
                    engine=world.engine,
                )
            if container.state is not ContainerState.RESTARTING:
                world.die(container, 137, world.clock(), by_hand=True)
        if container.id in world.containers:  # with --rm its end was its removal
            world.forget(container, volumes=volumes)

    def rename(self, reference: str, name: str) -> None:
        """See Engine.rename."""
        container = self._world.container(reference)
        self._world.check_name(name)
        container.spec = replace(container.spec, name=name)
        self._world.tell(container, "rename")

    def create_volume(self, spec: VolumeSpec) -> DemoVolume:
        """See Engine.create_volume."""
        if spec.name in self._world.volumes or not valid_name(spec.name):
            raise Conflict(f"a volume cannot be made with the name {spec.name}", engine=self._world.engine)
        volume = DemoVolume(spec.name, spec.labels, spec.driver_options, created_at=self._world.clock())
        self._world.volumes[spec.name] = volume
        self._world.emit(EventKind.VOLUME, "create", spec.name, spec.name)
        return volume

    def remove_volume(self, name: str) -> None:
        """See Engine.remove_volume."""
        volume = self._world.volume(name)
        for container in self._world.containers.values():
            if any(mount.kind is MountKind.VOLUME and mount.source == name for mount in container.spec.mounts):
                raise Conflict(f"{container.spec.name} uses the volume {name}", engine=self._world.engine)
        del self._world.volumes[volume.name]
        self._world.emit(EventKind.VOLUME, "destroy", name, name)

    def create_network(self, spec: NetworkSpec) -> Network:
        """See Engine.create_network. As Podman does, one that is like it looks at the host's other ranges too."""
        world = self._world
        if spec.name in world.networks or not valid_name(spec.name):
            raise Conflict(f"a network cannot be made with the name {spec.name}", engine=world.engine)
        seen = world.host.worlds if world.like is EngineKind.PODMAN else [world]
        taken = ranges([network for one in seen for network in one.networks.values()])
        whole = with_subnets(spec, taken, world.like, world.engine)
        made = Network(world.new_id(f"network {spec.name}"), whole, created_at=world.clock())
        world.networks[spec.name] = made
        world.emit(EventKind.NETWORK, "create", made.id, spec.name)
        return made

    def remove_network(self, name: str) -> None:
        """See Engine.remove_network."""
        network = self._world.network(name)
        if network.default:
            raise Conflict(f"{name} is the engine's own network", engine=self._world.engine)
        for container in self._world.containers.values():
            if name in container.networks:
                raise Conflict(f"{container.spec.name} is on the network {name}", engine=self._world.engine)
        del self._world.networks[name]
        self._world.emit(EventKind.NETWORK, "destroy", network.id, name)

    def commit(self, reference: str, target: str) -> DemoImage:
        """See Engine.commit_container."""
        container = self._world.container(reference)
        layer, now = layer_tar(container.layer), self._world.clock()
        self._world.check_room(len(layer))
        made = committed(self._world.image(container.image_id), layer, f"commit {container.spec.name}", now)
        self._world.images.setdefault(made.id, made)
        self.tag(made.id, target)
        return made

    def remove_image(self, reference: str) -> None:
        """See Engine.remove_image."""
        world = self._world
        image = world.image(reference)
        tag = full_reference(reference)
        by_tag = tag in image.tags
        if not by_tag or len(image.tags) == 1:
            for container in world.containers.values():
                if container.image_id == image.id:
                    raise Conflict(f"{container.spec.name} uses the image {reference}", engine=world.engine)
            del world.images[image.id]
            world.emit(EventKind.IMAGE, "delete", image.id, reference)
        else:
            image.tags.remove(tag)
            world.emit(EventKind.IMAGE, "untag", image.id, reference)

    def tag(self, reference: str, target: str) -> None:
        """See Engine.tag_image."""
        image, tag = self._world.image(reference), full_reference(target)
        self._take_tag(tag, image)
        self._world.emit(EventKind.IMAGE, "tag", image.id, tag)

    def _take_tag(self, tag: str, image: DemoImage) -> None:
        """A tag names one image: the one that had it loses it."""
        for other in self._world.images.values():
            if other is not image and tag in other.tags:
                other.tags.remove(tag)
        if tag not in image.tags:
            image.tags.append(tag)

    def add_image(self, image: DemoImage) -> str:
        """Take an image in (its tags leave the image that had them); returns a reference, or the id."""
        known = self._world.images.setdefault(image.id, image)
        for tag in tuple(image.tags):
            self._take_tag(tag, known)
        self._world.emit(EventKind.IMAGE, "load", image.id)
        return image.tags[0] if image.tags else image.id


def env_of(image: DemoImage) -> dict[str, str]:
    """The variables that an image sets."""
    return dict(part.split("=", 1) for part in image.settings.get("Env") or [] if "=" in part)


def recipe(container: DemoContainer, image: DemoImage) -> WorkloadSpec:
    """Its spec without what the image says anyway."""
    settings = image.settings
    said = env_of(image)
    env = {name: value for name, value in container.spec.env.items() if said.get(name) != value}
    labels = {k: v for k, v in container.spec.labels.items() if (settings.get("Labels") or {}).get(k) != v}
    return replace(container.spec, env=env, labels=labels)


def _is_own_program(spec: WorkloadSpec) -> bool:
    """A shell or a sleep in place of the image's program has none of its load and health."""
    first = ((spec.entrypoint or ()) + (spec.command or ()))[:1]
    return first not in {("sh",), ("/bin/sh",), ("sleep",)}


def _check_of(spec: WorkloadSpec, role: Role) -> HealthCheck | None:
    """The course of its health check: its own one, or the one of the image's program."""
    own = spec.health
    if own is None:
        return role.check if _is_own_program(spec) else None
    kind, *words = own.test
    if kind == "NONE" or not words:
        return None
    end = parse(["sh", "-c", *words] if kind == "CMD-SHELL" else words).exit
    bad = end is not None and end[1] != 0
    return HealthCheck(_seconds(own) * ((own.retries or _HEALTH_RETRIES) if bad else 1), bad)


def _seconds(check: HealthSpec) -> float:
    return (check.interval_ns or _HEALTH_INTERVAL_NS) / 1e9


def _argv(spec: WorkloadSpec, image: DemoImage) -> tuple[str, ...]:
    settings = image.settings
    entrypoint = spec.entrypoint if spec.entrypoint is not None else tuple(settings.get("Entrypoint") or ())
    inherited = () if spec.entrypoint is not None else tuple(settings.get("Cmd") or ())
    return entrypoint + (spec.command if spec.command is not None else inherited)
