"""A process of a container as its engine lists it. Data only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ContainerProcess:
    """pid, user: of the engine's host. cpu_percent: of one core, over its life. elapsed: as the engine writes it.

    None where the engine did not tell.
    """

    pid: int
    user: str
    cpu_percent: float | None
    memory_bytes: int | None
    elapsed: str
    command: str


def process_of(row: Sequence[str]) -> ContainerProcess:
    """From the columns pid, user, %CPU, resident KiB, elapsed time, command. Raises ValueError for another shape."""
    if len(row) < 6:
        raise ValueError(f"a process has {len(row)} columns")
    pid, user, cpu, memory, elapsed, *command = row
    return ContainerProcess(int(pid), user, _number(cpu), _kibibytes(memory), elapsed, " ".join(command))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _kibibytes(text: str) -> int | None:
    return int(text) * 1024 if text.isdecimal() else None
