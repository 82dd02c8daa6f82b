"""What a migration will do, shown before it does anything, and what it proved afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backends.model.errors import BackendError
from backends.model.events import Phase
from backends.model.ids import ContainerKey, EngineId
from backends.model.image import ImageFacts
from backends.model.workload import VolumeSpec, WorkloadSpec


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
    STOP_SOURCE = "stop-source"
    VOLUME = "volume"
    CREATE = "create"
    START = "start"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. subject: what it is about (image reference, volume name). skip: why nothing is to be done, or ""."""

    kind: StepKind
    title: str
    subject: str = ""
    total_bytes: int | None = None
    skip: str = ""


class ImageAction(StrEnum):
    """How the image gets to the target."""

    SHIP = "ship"  # not there: streamed
    TAG = "tag"  # there, under another name: gets the name too
    KEEP = "keep"  # there under that name: nothing to do


@dataclass(frozen=True, slots=True)
class ImageMove:
    """The image that the source really runs, and how the target gets it.

    facts: of the source's image, what the copy is compared with. tag: the full reference that the target's image
    gets and that the container is created from; "" = it keeps no name there, the container is created from its id.
    """

    action: ImageAction
    facts: ImageFacts
    tag: str


@dataclass(frozen=True, slots=True)
class VolumeMove:
    """A volume to be carried. create: how it is made on the target (name may differ from the source's)."""

    source_name: str
    create: VolumeSpec


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a migration will do. spec: what will be created on the target (its name included).

    image: None only in plans made by hand (tests, pictures): such a plan cannot be run.
    source_running: it runs now and is to run there afterwards. source_paused: it runs, but is frozen now.
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

    @property
    def blocked(self) -> bool:
        """Some finding stops it."""
        return any(finding.severity is Severity.BLOCK for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of the copy with its source, after the move."""

    subject: str
    equal: bool
    source: str
    target: str


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

    @property
    def equal(self) -> bool:
        """Every comparison held."""
        return all(check.equal for check in self.checks)
