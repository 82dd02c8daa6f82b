"""One container of the demo: its state, its runs, and how it looks from outside. Knows no other container."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from backends.engines.demo_files import Layer
from backends.engines.demo_program import Program
from backends.model.container import Container, ContainerState, Health, Mount, Port
from backends.model.ids import ContainerKey, EngineId
from backends.model.workload import GpuRequest, WorkloadSpec


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """The course of a health check. first_s: when its first result is there. bad: what that result is.

    turns_s: it changes its mind so often, None = never.
    """

    first_s: float = 5.0
    bad: bool = False
    turns_s: float | None = None

    def after(self, elapsed_s: float) -> Health:
        """Its result after so many seconds of running."""
        if elapsed_s < self.first_s:
            return Health.STARTING
        turned = self.turns_s is not None and int((elapsed_s - self.first_s) / self.turns_s) % 2 == 1
        return Health.UNHEALTHY if self.bad != turned else Health.HEALTHY


@dataclass(slots=True)
class Run:
    """One time from start to end. frozen_s: how long of it the container was paused."""

    started_at: datetime
    ended_at: datetime | None = None
    frozen_at: datetime | None = None
    frozen_s: float = 0.0

    def elapsed_s(self, now: datetime) -> float:
        """Seconds that its processes really ran."""
        end = self.ended_at or self.frozen_at or now
        return (end - self.started_at).total_seconds() - self.frozen_s


@dataclass(slots=True)
class DemoContainer:
    """state changes through the world only. published: its ports as the host has them while it runs.

    network: the engine's default one. layer: what it has changed of its image's files.
    """

    id: str
    spec: WorkloadSpec
    image_id: str
    argv: tuple[str, ...]
    created_at: datetime
    program: Program
    network: str
    check: HealthCheck | None = None
    load: str = "idle"
    state: ContainerState = ContainerState.CREATED
    exit_code: int | None = None
    runs: list[Run] = field(default_factory=list)
    published: tuple[Port, ...] = ()
    health: Health = Health.NONE
    retries: int = 0
    restart_at: datetime | None = None
    layer: Layer = field(default_factory=dict)

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks that it is on, by name."""
        wanted = self.spec.network
        if wanted.networks:
            return tuple(one.network for one in wanted.networks)
        mode = wanted.mode.partition(":")[0]
        return {"none": ("none",), "host": ("host",), "container": ()}.get(mode, (self.network,))

    @property
    def run(self) -> Run | None:
        """The last run, over or not."""
        return self.runs[-1] if self.runs else None

    def elapsed_s(self, now: datetime) -> float:
        """Seconds of the last run."""
        return self.run.elapsed_s(now) if self.run else 0.0

    def next_change_at(self, now: datetime) -> datetime | None:
        """When it will change by itself, at the earliest; None where it will not."""
        if self.state is ContainerState.RESTARTING:
            return self.restart_at
        if self.state is not ContainerState.RUNNING:
            return None
        elapsed_s = self.elapsed_s(now)
        waits = []
        if self.program.exit is not None:
            waits.append(self.program.exit[0] - elapsed_s)
        if self.check is not None and elapsed_s < self.check.first_s:
            waits.append(self.check.first_s - elapsed_s)
        elif self.check is not None and self.check.turns_s is not None:
            waits.append(self.check.turns_s - (elapsed_s - self.check.first_s) % self.check.turns_s)
        return now + timedelta(seconds=max(0.0, min(waits))) if waits else None

    def to_model(self, engine: EngineId) -> Container:
        """As the engine reports it."""
        run = self.run
        return Container(
            key=ContainerKey(engine, self.id),
            name=self.spec.name,
            image=self.spec.image,
            image_id=self.image_id,
            state=self.state,
            created_at=self.created_at,
            started_at=run.started_at if run else None,
            finished_at=run.ended_at if run else None,
            exit_code=None if self.state.alive else self.exit_code,
            health=self.health,
            command=self.argv,
            ports=self.published if self.state.alive else tuple(sorted(_unpublished(port) for port in self.spec.ports)),
            mounts=tuple(Mount(m.kind, m.source, m.destination, m.read_only) for m in self.spec.mounts),
            labels=self.spec.labels,
            networks=self.networks,
            gpus_given=gpus_given(self.spec.gpu),
        )


def _unpublished(port: Port) -> Port:
    return Port(port.container_port, port.protocol)


def gpus_given(request: GpuRequest | None) -> tuple[str, ...]:
    """A GPU request as a row of the fleet shows it."""
    if request is None:
        return ()
    if request.cdi_devices:
        return request.cdi_devices
    if request.device_ids:
        return request.device_ids
    return ("all",) if request.count < 0 else (str(request.count),)
