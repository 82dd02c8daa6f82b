"""What a migration will do, shown before it does anything, and what it proved afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backends.model.ids import ContainerKey, EngineId
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


@dataclass(frozen=True, slots=True)
class VolumeMove:
    """A volume to be carried. create: how it is made on the target (name may differ from the source's)."""

    source_name: str
    create: VolumeSpec


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a migration will do. spec: what will be created on the target (its name included).

    source_running: it runs now and is to run there afterwards.
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
class MigrationReport:
    """What was done and proved. downtime_s: from the source's stop to the copy's start, None where it did not run."""

    plan: Plan
    target_id: str
    checks: tuple[Check, ...]
    moved_bytes: int
    duration_s: float
    downtime_s: float | None

    @property
    def equal(self) -> bool:
        """Every comparison held."""
        return all(check.equal for check in self.checks)
