"""What the steps of a move have done so far. Does nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from backends.engine import Engine
from backends.model.errors import Protocol
from backends.model.plan import Check


class Unequal(Protocol):
    """A comparison failed; checks: all that were made up to then."""

    def __init__(self, checks: tuple[Check, ...], target: Engine) -> None:
        wrong = [check for check in checks if not check.equal]
        detail = "; ".join(f"{check.subject}: {check.source} became {check.target}" for check in wrong)
        super().__init__("the copy is not equal to its source", detail=detail, engine=target.id)
        self.checks = checks


@dataclass(slots=True)
class Outcome:
    """What the steps have done so far. stopped_at, started_at, healthy_at: of the event loop's clock, None = not done.

    notes: what to know about single steps.
    """

    copy_id: str = ""
    moved_bytes: int = 0
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stopped_at: float | None = None
    started_at: float | None = None
    healthy_at: float | None = None

    def note(self, checks: tuple[Check, ...], target: Engine) -> None:
        """More comparisons. Raises Unequal where one does not hold."""
        self.checks += checks
        if not all(check.equal for check in checks):
            raise Unequal(tuple(self.checks), target)

    def since_stop_s(self, moment: float | None) -> float | None:
        """From the source's stop to that moment."""
        return None if moment is None or self.stopped_at is None else moment - self.stopped_at
