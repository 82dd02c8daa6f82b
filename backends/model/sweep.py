"""A sweep: one image run over many commands. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from backends.model.container import NO_LABELS

MOST_JOBS, MOST_GPUS_EACH, MOST_RETRIES = 1_000, 64, 100
"""What a sweep may be asked for; more is a slip of the finger."""


class SweepState(StrEnum):
    """Where one run is. KILLED: by whoever stopped the sweep; the next one on the same file runs it again."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    KILLED = "killed"
    SKIPPED = "skipped"

    @property
    def over(self) -> bool:
        """Nothing more will happen to it."""
        return self not in {SweepState.WAITING, SweepState.RUNNING}


@dataclass(frozen=True, slots=True)
class SweepRun:
    """One command. id: the same for the same command of the same image, whatever else is swept. number: from 1."""

    id: str
    number: int
    command: tuple[str, ...]
    parameters: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)


@dataclass(frozen=True, slots=True)
class SweepRow:
    """A run as it stands. gpus: devices that it has. attempt: from 1. began_s: monotonic, of this attempt. duration_s:
    of the last attempt, from the start of the container to its end. error: why it could not be run at all."""

    run: SweepRun
    state: SweepState = SweepState.WAITING
    gpus: tuple[str, ...] = ()
    attempt: int = 0
    began_s: float = 0.0
    duration_s: float | None = None
    exit_code: int | None = None
    last_line: str = ""
    error: str = ""
