"""What happens: hints from engines, states of connections, progress of operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from backends.model.errors import BackendError
from backends.model.ids import ContainerKey, EngineId

_NOTHING: Mapping[str, object] = MappingProxyType({})


class EventKind(StrEnum):
    """What an event is about."""

    CONTAINER = "container"
    IMAGE = "image"
    VOLUME = "volume"
    NETWORK = "network"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """A hint that something changed: look at `id` again. action: the engine's own word ("start", "died").

    exit_code: where a container ended. why: which parts of it could not be read, "" where all could: it may have named
    something else.
    """

    engine: EngineId
    kind: EventKind
    action: str
    id: str
    at: datetime
    name: str = ""
    exit_code: int | None = None
    why: str = ""


class Link(StrEnum):
    """The state of the connection to an engine."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"  # was connected or is to be; tried again by itself
    ABSENT = "absent"  # discovery found none; not tried again by itself


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """error: why it is lost or absent. retry_at: time.monotonic() of the next try, None if none is planned."""

    link: Link
    error: BackendError | None = None
    retry_at: float | None = None


class Phase(StrEnum):
    """Where an operation is."""

    STARTED = "started"
    PROGRESS = "progress"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class OperationUpdate:
    """Progress of one operation (start, remove, migrate, ...).

    operation: its number. action: id of the registry of actions ("container.start"). step: what it does now.
    done_bytes/total_bytes: of this step, None where not counted or not known. bytes_per_s, eta_s: None where unknown.
    error: with FAILED. result: one line for the toast, with DONE. record: what the audit trail is to say besides
    (object, plan, deployed): plain values, no secrets.
    """

    operation: int
    action: str
    key: ContainerKey
    subject: str
    phase: Phase
    step: str = ""
    step_index: int = 0
    done_bytes: int | None = None
    total_bytes: int | None = None
    bytes_per_s: float | None = None
    eta_s: float | None = None
    error: BackendError | None = None
    result: str = ""
    record: Mapping[str, object] = field(default_factory=lambda: _NOTHING, compare=False, repr=False)
