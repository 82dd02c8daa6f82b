"""Which engine serves a workload, as statements that each have the fact they were read from. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """What a statement means for the choice: BLOCKS and LACKS count against the engine, the others do not."""

    BLOCKS = "blocks"
    LACKS = "lacks"
    SERVES = "serves"
    TELLS = "tells"


@dataclass(frozen=True, slots=True)
class Statement:
    """One fact and what follows from it.

    engine: its name, "" = about the machine. topic: "GPU", "boot", … source: the field or file that was read.
    value: what stood there. remedy: what would change it, "" where nothing needs to.
    """

    engine: str
    topic: str
    effect: Effect
    sentence: str
    source: str
    value: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine, counted. here: the container is on it now."""

    engine: str
    blocks: int
    lacks: int
    rootless: bool
    here: bool


@dataclass(frozen=True, slots=True)
class Advice:
    """About one container. candidates: the best first. best: "" where every engine is blocked. verdict: in words."""

    name: str
    engine: str
    statements: tuple[Statement, ...]
    candidates: tuple[Candidate, ...]
    best: str
    verdict: str


RULE = (
    "An engine with a blocking fact is out. Of the others the one with the fewest lacks serves best; among equals "
    "a rootless one, then the one where the container is, then by name."
)
"""How the verdict follows from the statements; printed with it."""


__all__ = ["RULE", "Advice", "Candidate", "Effect", "Statement"]
