"""A reading that may be absent: `Missing` says why, and is never shown as 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Missing:
    """A value that could not be read.

    reason: a short phrase for people ("driver refuses", "no cgroup", "not sampled yet").
    """

    reason: str

    def __bool__(self) -> bool:
        return False


NOT_SAMPLED = Missing("not sampled yet")

NOT_ALL_READ = "not all read"
"""So begins the `why` of a row of which the engine told some parts in another shape than its API's."""

Quantity: TypeAlias = float | Missing
"""A measured number, or the reason why there is none. Its unit stands in the field's name."""

Count: TypeAlias = int | Missing
"""A measured whole number (bytes, processes), or the reason why there is none."""
