"""The order of the fleet's rows, and what all lists' orders share: pure. Knows no columns' widths and no terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from backends.model.container import Container, ContainerState, StatsReading
from backends.model.events import OperationUpdate
from backends.model.gpu import GpuUse
from backends.model.values import Missing
from widgets.format import ports_text, short_image

_LARGEST_FIRST = frozenset({"cpu", "memory", "limit", "gpu_memory", "gpu_percent", "size", "own", "used"})
# Running first, then as the model lists them.
_STATES = sorted(ContainerState, key=lambda state: state is not ContainerState.RUNNING)
_STATE_ORDER = {state: float(order) for order, state in enumerate(_STATES)}


@dataclass(frozen=True, slots=True)
class Sort:
    """By which column, and which way round. Rows without a value come last either way."""

    column: str = "name"
    descending: bool = False

    def toggled(self, column: str) -> Sort:
        """The order after a click on a column: turned round, or, of another column, the more useful way first."""
        if column == self.column:
            return Sort(column, not self.descending)
        return Sort(column, column in _LARGEST_FIRST)

    def next(self, columns: Sequence[str]) -> Sort:
        """By the column that comes after, of these; by the first where it is by none of them."""
        place = columns.index(self.column) if self.column in columns else -1
        return self.toggled(columns[(place + 1) % len(columns)])


class Facts(NamedTuple):
    """One container with all that is known of it. badge: its engine's; age: as shown; stale: only last known.

    host_bytes: memory of the engine's host, 0 where unknown. gpus: which it was given and uses, as shown; lit: it is on
    the GPU that is pointed at. idle: for how long it holds GPU memory and computes nothing, "" = not, or not for long.
    """

    container: Container
    stats: StatsReading | None = None
    gpu: GpuUse | None = None
    operation: OperationUpdate | None = None
    badge: str = ""
    age: str = ""
    stale: bool = False
    host_bytes: int = 0
    gpus: str = ""
    lit: bool = False
    idle: str = ""


def measured(value: float | Missing | None) -> float | None:
    """The number, None where it is missing."""
    return None if value is None or isinstance(value, Missing) else float(value)


def own_limit(stats: StatsReading | None, host_bytes: int) -> float | None:
    """The container's memory limit, None where it has none: engines then name the memory of their host.

    host_bytes: that memory, 0 where unknown; kernels differ from engines by a page or so, hence the slack.
    """
    limit = measured(stats.memory_limit_bytes) if stats is not None else None
    return None if not limit or 0 < host_bytes <= limit * 1.001 else limit


def limit_share(stats: StatsReading | None, host_bytes: int = 0) -> float | None:
    """Memory used of the container's own limit (1.0 = all), None where either is unknown or there is no limit."""
    used, limit = measured(stats.memory_bytes) if stats is not None else None, own_limit(stats, host_bytes)
    return None if used is None or limit is None else used / limit


# What each column sorts by: a number or a text, None where the row has no value there.
_VALUES: dict[str, Callable[[Facts], float | str | None]] = {
    "engine": lambda f: f.badge,
    "name": lambda f: f.container.name.lower(),
    "image": lambda f: short_image(f.container.image).lower(),
    "state": lambda f: _STATE_ORDER[f.container.state],
    "cpu": lambda f: measured(f.stats.cpu_percent) if f.stats else None,
    "memory": lambda f: measured(f.stats.memory_bytes) if f.stats else None,
    "limit": lambda f: limit_share(f.stats, f.host_bytes),
    "gpu": lambda f: f.gpus or None,
    "gpu_memory": lambda f: measured(f.gpu.memory_bytes) if f.gpu else None,
    "gpu_percent": lambda f: measured(f.gpu.sm_percent) if f.gpu else (0.0 if f.container.gpus_given else None),
    "ports": lambda f: ports_text(f.container.ports) or None,
    "age": lambda f: -f.container.created_at.timestamp(),
}
SORTABLE: tuple[str, ...] = tuple(_VALUES)


def in_order(facts: Sequence[Facts], sort: Sort) -> list[Facts]:
    """Sorted; equal ones by name and key, so that the order never flickers. An unknown column sorts by name."""
    value = _VALUES.get(sort.column, _VALUES["name"])
    known: list[tuple[tuple[float, str], Facts]] = []
    unknown: list[Facts] = []
    for fact in sorted(facts, key=lambda f: (f.container.name.lower(), f.container.key)):
        worth = value(fact)
        if worth is None or (isinstance(worth, float) and math.isnan(worth)):
            unknown.append(fact)
        else:
            known.append(((0.0, worth) if isinstance(worth, str) else (worth, ""), fact))
    known.sort(key=lambda pair: pair[0], reverse=sort.descending)  # stable both ways
    return [fact for _, fact in known] + unknown
