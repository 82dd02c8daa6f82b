"""Building an image: what is wanted, what an engine tells while it builds, and where a build is. Knows no engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """What an engine is to build of a context.

    containerfile: its path in the context. tags: full references. target: a stage's name, "" = the last.
    cache: steps that were done before need not be done again. pull: ask the registries for newer base images.
    platform: "linux/arm64", "" = the engine's own. beyond_classic: the Containerfile has what Docker's classic builder
    does not know, or leaves out without a word; runs_programs: it has RUN. instructions: as they stand in it.
    """

    containerfile: str
    tags: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict, repr=False)  # people put secrets there
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    cache: bool = True
    pull: bool = False
    platform: str = ""
    beyond_classic: bool = False
    runs_programs: bool = False
    instructions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildStep:
    """One instruction of a Containerfile. number: from 1, of count; stage: from 1, of stages.

    Docker counts the steps of all stages as one row: stages is 1 there.
    """

    number: int
    count: int
    instruction: str
    stage: int = 1
    stages: int = 1

    def __str__(self) -> str:
        stage = f" of stage {self.stage}" if self.stages > 1 else ""
        return f"step {self.number} of {self.count}{stage}"


@dataclass(frozen=True, slots=True)
class ContextSent:
    """So many bytes of the context are on their way; complete: that is all."""

    sent_bytes: int
    complete: bool = False


@dataclass(frozen=True, slots=True)
class StepBegun:
    """The step before is done, this one begins."""

    step: BuildStep


@dataclass(frozen=True, slots=True)
class StepCached:
    """The present step was done before and is taken as it was."""


@dataclass(frozen=True, slots=True)
class OutputLine:
    """What the present step, or the engine, said. text: without a newline; from outside."""

    text: str


@dataclass(frozen=True, slots=True)
class ImageBuilt:
    """All is done. image: its id, bare hex."""

    image: str


BuildEvent: TypeAlias = ContextSent | StepBegun | StepCached | OutputLine | ImageBuilt


class StepState(StrEnum):
    """What became of a step."""

    RUNNING = "running"
    DONE = "done"
    CACHED = "cached"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepSeen:
    """A step with its state. began_s, ended_s: seconds after the build began; ended_s None while it runs."""

    step: BuildStep
    state: StepState
    began_s: float
    ended_s: float | None = None


@dataclass(frozen=True, slots=True)
class BuildView:
    """Where a build is. image: its id when it is done."""

    context_bytes: int = 0
    sending: bool = True
    steps: tuple[StepSeen, ...] = ()
    image: str = ""

    @property
    def now(self) -> BuildStep | None:
        """The present step, or the last one."""
        return self.steps[-1].step if self.steps else None


__all__ = [
    "BuildEvent",
    "BuildSpec",
    "BuildStep",
    "BuildView",
    "ContextSent",
    "ImageBuilt",
    "OutputLine",
    "StepBegun",
    "StepCached",
    "StepSeen",
    "StepState",
]
