"""What this machine has left for containers: processors, memory, room under the engines' stores. Asks no engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import psutil
from humanize import naturalsize

from backends.services.doctor import Diagnosis, Level

LITTLE_ROOM_BYTES = 20 << 30
"""Less than that hardly takes one more image for GPU work: those of PyTorch and vLLM unpack to 8 to 20 GiB."""


@dataclass(frozen=True, slots=True)
class Machine:
    """cpus: logical ones. available_bytes: memory for new processes. free_bytes: room by folder, for ordinary users."""

    cpus: int
    memory_bytes: int
    available_bytes: int
    free_bytes: Mapping[str, int]


def read_machine(folders: Iterable[str]) -> Machine:
    """Read it; blocks for milliseconds. folders: those that are not here (another machine's) are left out."""
    memory = psutil.virtual_memory()
    free: dict[str, int] = {}
    for folder in folders:
        try:
            usage = psutil.disk_usage(folder)
        except OSError:
            continue  # the engine's store lies where we cannot look: it is the engine's to complain
        free[folder] = usage.free
    return Machine(psutil.cpu_count() or 1, memory.total, memory.available, free)


def examine_machine(machine: Machine) -> Iterator[Diagnosis]:
    """How it stands, in words."""
    memory, available = _size(machine.memory_bytes), _size(machine.available_bytes)
    sentence = f"{machine.cpus} CPUs, {memory} of memory, {available} of it available"
    yield Diagnosis("machine", Level.OK, sentence)
    for folder, free in machine.free_bytes.items():
        if free >= LITTLE_ROOM_BYTES:
            yield Diagnosis("room", Level.OK, f"{_size(free)} free under {folder}")
        else:
            hint = "remove images that nothing uses: `tranship image prune --all`"
            yield Diagnosis("room", Level.NOTE, f"only {_size(free)} free under {folder}", hint)


def _size(count_bytes: int) -> str:
    return naturalsize(count_bytes, binary=True)


def locked_bytes() -> int:
    """How much memory this user's processes may lock, -1 = all."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
    return -1 if hard == resource.RLIM_INFINITY else hard
