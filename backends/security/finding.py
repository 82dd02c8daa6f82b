"""What a finding is, and the reports that hold them. Data only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from backends.model.ids import ContainerKey, EngineId


class Severity(StrEnum):
    """How much is given away, worst first.

    CRITICAL: the host itself. HIGH: most of the host, or credentials. MEDIUM: a wall less. LOW: a habit that helps an
    attacker who is inside already. INFO: a fact worth knowing.
    """

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)

    def reaches(self, level: Severity) -> bool:
        """Whether it is at least as bad as that level."""
        return self.rank <= level.rank

    def lowered(self, steps: int = 1) -> Severity:
        """That many steps less bad, INFO at least."""
        levels = list(Severity)
        return levels[min(len(levels) - 1, self.rank + steps)]


@dataclass(frozen=True, slots=True)
class SecurityFinding:
    """One risk.

    id: stable, for scripts ("mount-engine-socket"). title: what is so. field: where it was read, in the engine's own
    words. fact: what stood there; never a secret's value. why: what it gives away. remedy: what to do. flags: the exact
    option or setting that does it, to be copied; "" where there is none.
    """

    id: str
    severity: Severity
    title: str
    field: str
    fact: str
    why: str
    remedy: str
    flags: str = ""


@dataclass(frozen=True, slots=True)
class RootlessChange:
    """What another engine would do otherwise with a container.

    verdict: "block" (it would not run there), "warn", "note"; "dropped", "converted" of a setting. what: in words, or
    the setting. detail: why. remedy: what to do, "" where nothing is needed.
    """

    verdict: str
    what: str
    detail: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class RootlessReport:
    """What a move to rootless Podman would change for a container.

    target: the engine that was looked at. imagined: there is none in the fleet; basis: what it was judged by then.
    already: the container is on a rootless Podman. changes: the gravest first.
    """

    key: ContainerKey
    name: str
    target: str
    imagined: bool
    basis: str
    already: bool = False
    changes: tuple[RootlessChange, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerReport:
    """Of one container. findings: worst first. capabilities: those it ends up with, sorted, ("ALL",) = all.

    own_capabilities: those that its engine gives by itself; capabilities_source: where that list is from.
    unread: what could not be read, in words. image_id: bare hex of what it runs. pinned: its image by name and by its
    registry's digest, "" where the engine tells none.
    """

    key: ContainerKey
    name: str
    image: str
    findings: tuple[SecurityFinding, ...]
    capabilities: tuple[str, ...]
    own_capabilities: tuple[str, ...]
    capabilities_source: str
    unread: tuple[str, ...] = ()
    image_id: str = ""
    pinned: str = ""


@dataclass(frozen=True, slots=True)
class EngineReport:
    """Of one engine. findings: worst first."""

    engine: EngineId
    endpoint: str
    findings: tuple[SecurityFinding, ...]


def worst_first(findings: Iterable[SecurityFinding]) -> tuple[SecurityFinding, ...]:
    """In the order in which a person would read them."""
    return tuple(sorted(findings, key=lambda one: (one.severity.rank, one.id, one.fact)))


__all__ = [
    "ContainerReport",
    "EngineReport",
    "RootlessChange",
    "RootlessReport",
    "SecurityFinding",
    "Severity",
    "worst_first",
]
