"""A container as it is observed, and one reading of what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from backends.model.ids import ContainerKey
from backends.model.values import NOT_SAMPLED, Count, Quantity

NO_LABELS: Mapping[str, str] = MappingProxyType({})


class ContainerState(StrEnum):
    """The engines' states in one vocabulary (Docker API `State.Status`, libpod `State`)."""

    CREATED = "created"  # libpod: created, configured, initialized
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    REMOVING = "removing"
    EXITED = "exited"  # libpod: exited, stopped
    DEAD = "dead"
    UNKNOWN = "unknown"

    @property
    def alive(self) -> bool:
        """Has processes (running, paused, restarting, stopping)."""
        return self in {
            ContainerState.RUNNING,
            ContainerState.PAUSED,
            ContainerState.RESTARTING,
            ContainerState.STOPPING,
        }


class Health(StrEnum):
    """Result of the container's own health check; NONE where it has no check."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True, order=True)
class Port:
    """A container port and where the host publishes it.

    host_port: None where it is only exposed, 0 where the engine is to choose one.
    host_ip: "" stands for every address.
    """

    container_port: int
    protocol: str = "tcp"
    host_ip: str = ""
    host_port: int | None = None


class ChangeKind(StrEnum):
    """What happened to a path of the image."""

    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, order=True)
class ChangedPath:
    """A path in a container that is not as in its image; absolute."""

    path: str
    kind: ChangeKind


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a program in a container said: at most the first MiB of each stream."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class MountKind(StrEnum):
    """What is mounted."""

    BIND = "bind"
    VOLUME = "volume"
    TMPFS = "tmpfs"
    OTHER = "other"


@dataclass(frozen=True, slots=True, order=True)
class Mount:
    """A mount as the engine reports it. source: host path (bind) or volume name (volume)."""

    kind: MountKind
    source: str
    destination: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Container:
    """One row of the fleet.

    image: the reference as the engine shows it; image_id: bare hex.
    gpus_given: what the container was given, as CDI names or driver requests ("nvidia.com/gpu=0",
    "all", "2"); empty where none or where the engine's list does not tell.
    pod: the name of its pod, as far as the engine's list tells; infra: it only holds that pod's namespaces.
    oom_killed: its last run ended for want of memory; only an inspect tells.
    restarts: how often the engine started it again by itself, None where it does not tell. why: the engine's own words
    for why it does not run ("ImagePullBackOff: …"), or, after NOT_ALL_READ, which parts of its answer could not be
    read; "" where it has none.
    """

    key: ContainerKey
    name: str
    image: str
    image_id: str
    state: ContainerState
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    health: Health = Health.NONE
    command: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    labels: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    networks: tuple[str, ...] = ()
    gpus_given: tuple[str, ...] = ()
    pod: str = ""
    infra: bool = False
    oom_killed: bool = False
    restarts: int | None = None
    why: str = ""

    @property
    def project(self) -> str:
        """The Compose project that it belongs to, "" if none.

        Source: labels written by docker compose and podman-compose.
        """
        return self.labels.get("com.docker.compose.project") or self.labels.get("io.podman.compose.project") or ""


@dataclass(frozen=True, slots=True)
class StatsReading:
    """What one container took over the last interval.

    sampled_at: time.monotonic() seconds, of the first of several that told the same.
    cpu_percent: percent of one core (200.0 = two cores busy).
    memory_bytes: working set (usage less inactive file cache). *_per_s: bytes per second.
    """

    key: ContainerKey
    sampled_at: float
    cpu_percent: Quantity = NOT_SAMPLED
    memory_bytes: Count = NOT_SAMPLED
    memory_limit_bytes: Count = NOT_SAMPLED
    net_rx_bytes_per_s: Quantity = NOT_SAMPLED
    net_tx_bytes_per_s: Quantity = NOT_SAMPLED
    block_read_bytes_per_s: Quantity = NOT_SAMPLED
    block_write_bytes_per_s: Quantity = NOT_SAMPLED
    processes: Count = NOT_SAMPLED


class LogStream(StrEnum):
    """Where a log line came from; TTY where the container has a terminal and both are one."""

    STDOUT = "stdout"
    STDERR = "stderr"
    TTY = "tty"


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a container's log, without its newline; text is data, it may hold escapes."""

    stream: LogStream
    text: str
    at: datetime | None = None
