"""What a migration will do, shown before it does anything, and what it proved afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from backends.model.container import ChangedPath
from backends.model.errors import BackendError
from backends.model.events import Phase
from backends.model.ids import ContainerKey, EngineId
from backends.model.image import ImageFacts
from backends.model.network import NetworkSpec
from backends.model.wish import KEEP, GpuWish
from backends.model.workload import RestartPolicy, VolumeSpec, WorkloadSpec


class Verdict(StrEnum):
    """What becomes of one configured field."""

    SAME = "same"
    CONVERTED = "converted"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One configured field of the source. source, target: for people; target "" where dropped.

    reason: why it is converted or dropped, "" where it is the same.
    """

    field: str
    verdict: Verdict
    source: str
    target: str = ""
    reason: str = ""


class Severity(StrEnum):
    """How much a finding matters: BLOCK stops the run before it starts."""

    BLOCK = "block"
    WARN = "warn"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """A fact found before the run. remedy: what to do about it."""

    severity: Severity
    title: str
    detail: str = ""
    remedy: str = ""


class StepKind(StrEnum):
    """The steps of a run, in their order."""

    IMAGE = "image"
    NETWORK = "network"
    PRECOPY = "precopy"  # a volume, while the source still runs
    STOP_SOURCE = "stop-source"
    VOLUME = "volume"  # what has changed since the precopy, or all of it
    CREATE = "create"
    FILES = "files"  # changed files of the writable layer
    START = "start"
    HEALTH = "health"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. subject: what it is about (image reference, volume name). skip: why nothing is to be done, or "".

    how: in which of several ways it is done, and why, for people.
    """

    kind: StepKind
    title: str
    subject: str = ""
    total_bytes: int | None = None
    skip: str = ""
    how: str = ""


class LayerChoice(StrEnum):
    """What becomes of the files that the container has changed outside its volumes."""

    DISCARD = "discard"
    COMMIT = "commit"  # an image is made of the container, and moved
    CHANGES = "changes"  # the changed files are copied into the copy


class VolumeChoice(StrEnum):
    """What becomes of a volume."""

    COPY = "copy"
    SHARE = "share"  # the copy mounts the source volume's folder: same host only
    SKIP = "skip"  # the copy gets an empty volume


class PortChoice(StrEnum):
    """What becomes of published ports."""

    SAME = "same"
    REMAP = "remap"  # by Choices.port_map
    RANDOM = "random"  # the engine chooses


class ImageWay(StrEnum):
    """How an image that is not there travels."""

    AUTO = "auto"  # in a wish only: decided from facts
    ARCHIVE = "archive"  # one stream, `save` into `load`
    REGISTRY = "registry"  # by a registry on 127.0.0.1 that lives as long as the move: only missing layers
    STORE = "store"  # only missing layers, read from the folders in which the source keeps them


@dataclass(frozen=True, slots=True)
class Choices:
    """What only the user can decide about a move.

    name: of the copy, None = the source's. volume: for all volumes, volumes: for single ones by name.
    port_map: host port of the source → of the copy (0 = any free one), for REMAP. stop_source: False = the source is
    left running (its volumes are then copied while it writes). live_copy: volumes are copied before the stop, and what
    has changed after. native_defaults: the target's own defaults hold where the engines' differ. gpus: those that the
    copy is to be given.
    """

    name: str | None = None
    layer: LayerChoice = LayerChoice.DISCARD
    volume: VolumeChoice = VolumeChoice.COPY
    volumes: Mapping[str, VolumeChoice] = field(default_factory=lambda: _NO_CHOICES)
    port: PortChoice = PortChoice.SAME
    port_map: Mapping[int, int] = field(default_factory=lambda: _NO_PORTS)
    stop_source: bool = True
    live_copy: bool = True
    native_defaults: bool = False
    image_way: ImageWay = ImageWay.AUTO
    gpus: GpuWish = KEEP

    def for_volume(self, name: str) -> VolumeChoice:
        """What was chosen for this volume."""
        return self.volumes.get(name, self.volume)


_NO_CHOICES: Mapping[str, VolumeChoice] = MappingProxyType({})
_NO_PORTS: Mapping[int, int] = MappingProxyType({})


class ImageAction(StrEnum):
    """How the image gets to the target."""

    SHIP = "ship"  # not there: streamed
    TAG = "tag"  # there, under another name: gets the name too
    KEEP = "keep"  # there under that name: nothing to do


@dataclass(frozen=True, slots=True)
class ImageMove:
    """The image that the source really runs (or the one to be made of it), and how the target gets it.

    facts: of the source's image, what the copy is compared with. tag: the full reference that the target's image
    gets and that the container is created from; "" = it keeps no name there, the container is created from its id.
    way, why: how it travels and from which facts that was decided. commit: it is made of the container first, under
    this reference; facts are then those of the image below. missing_bytes: an estimate of what has to travel.
    store: for STORE, the folder of the source's store.
    """

    action: ImageAction
    facts: ImageFacts
    tag: str
    way: ImageWay = ImageWay.ARCHIVE
    why: str = ""
    commit: str = ""
    missing_bytes: int | None = None
    store: str = ""


@dataclass(frozen=True, slots=True)
class VolumeMove:
    """A volume of the source. create: how it is made on the target (name may differ from the source's).

    choice: COPY, or SKIP (made, left empty); shared ones are not listed, they become binds.
    """

    source_name: str
    create: VolumeSpec
    choice: VolumeChoice = VolumeChoice.COPY


@dataclass(frozen=True, slots=True)
class NetworkMove:
    """A network that the copy joins. create: how it is made on the target, None where the target has it already."""

    name: str
    create: NetworkSpec | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a migration will do. spec: what will be created on the target (its name included).

    image: None only in plans made by hand (tests, pictures): such a plan cannot be run.
    source_running: it runs now and is to run there afterwards. source_paused: it runs, but is frozen now.
    changed_files: folders and files to copy into the copy, for LayerChoice.CHANGES. source_restart: its own policy.
    shared: volumes of the source whose folders the copy mounts.
    release: ids of containers without work of their own that hold what the copy needs, and are stopped after the source
    (a pod's infra container).
    """

    source: ContainerKey
    source_name: str
    source_running: bool
    target: EngineId
    spec: WorkloadSpec
    volumes: tuple[VolumeMove, ...]
    fields: tuple[FieldPlan, ...]
    findings: tuple[Finding, ...]
    steps: tuple[Step, ...]
    image: ImageMove | None = None
    source_paused: bool = False
    networks: tuple[NetworkMove, ...] = ()
    choices: Choices = Choices()
    changed_files: tuple[ChangedPath, ...] = ()
    source_restart: RestartPolicy = RestartPolicy()
    release: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()

    @property
    def source_volumes(self) -> tuple[str, ...]:
        """The source's volumes, whatever becomes of them; those that another container of the move brings are its."""
        return (*(move.source_name for move in self.volumes), *self.shared)

    @property
    def blocked(self) -> bool:
        """Some finding stops it."""
        return any(finding.severity is Severity.BLOCK for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of the copy with its source, after the move.

    skipped: why it could not be made (any more), "" where it was; equal then says nothing and is True.
    """

    subject: str
    equal: bool
    source: str
    target: str
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Where a run is. index: of the step, from 0; count: of all steps; step: what it does.

    phase: STARTED and DONE once per step (DONE at once for a skipped one), PROGRESS in between; FAILED for one that
    failed, then PROGRESS with undoing=True for each thing that is taken back. note: what is being done, for people.
    done_bytes, total_bytes: of this step, None where not counted or not known (a total is an estimate).
    bytes_per_s, eta_s: None where unknown.
    """

    index: int
    count: int
    step: Step
    phase: Phase
    note: str = ""
    done_bytes: int | None = None
    total_bytes: int | None = None
    bytes_per_s: float | None = None
    eta_s: float | None = None
    undoing: bool = False


@dataclass(frozen=True, slots=True)
class Undone:
    """What a rollback did: things taken back, and things that could not be, each with the reason."""

    done: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class MigrationFailed(BackendError):
    """A run that failed and was rolled back.

    step: where it failed. undone: what was taken back and what is left (left is empty where all is as before).
    checks: the comparisons made, where it failed in one. journal: its id, for a later undo where something is left.
    The engine's own error is the __cause__.
    """

    def __init__(
        self,
        title: str,
        *,
        step: Step,
        undone: Undone,
        detail: str = "",
        hint: str = "",
        engine: EngineId | None = None,
        checks: tuple[Check, ...] = (),
        journal: str = "",
    ) -> None:
        super().__init__(title, detail=detail, hint=hint, engine=engine)
        self.step = step
        self.undone = undone
        self.checks = checks
        self.journal = journal


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What was done and proved. downtime_s: from the source's stop to the copy's start, None where it did not run.

    healthy_s: from the source's stop to the copy's first healthy answer, None where it has no health check.
    notes: what the user should know afterwards. journal: the id of its durable record.
    """

    plan: Plan
    target_id: str
    checks: tuple[Check, ...]
    moved_bytes: int
    duration_s: float
    downtime_s: float | None
    notes: tuple[str, ...] = ()
    journal: str = ""
    healthy_s: float | None = None

    @property
    def equal(self) -> bool:
        """Every comparison held."""
        return all(check.equal for check in self.checks)
