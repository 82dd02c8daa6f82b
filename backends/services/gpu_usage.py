"""What containers took of GPUs over time, in exact units. Pure; knows no file and no clock.

The units, of one container and one user over some time:

- held: the sum over devices of the seconds in which it had a process on the device. A MIG instance counts as its
  share of the device's memory, and a container's instances of one device as one device at most. Where processes of
  several users are in one container on one device, each user has an equal part of it.
- busy: the share of the streaming multiprocessors (SM) that its processes kept busy, added up over the same seconds:
  an hour at 40 % is 0.4 busy hours. Where the driver does not tell it per process, and the container is alone on the
  device, the device's own use stands for it. Where neither is told, the held seconds are counted as unknown.
- memory: bytes held, added up over the seconds; where the driver does not tell them, those seconds are unknown.

Each reading stands for the time since the one before. Time that nobody watched (the program did not run, the machine
slept, the driver did not answer) is counted for nobody. Processes outside of containers are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backends.model.container import Container
from backends.model.gpu import GpuDevice, GpuProcess, GpuReading, GpuSnapshot
from backends.model.ids import ContainerKey
from backends.model.values import Missing

NOBODY = -1
"""The user id where it could not be read."""


@dataclass(frozen=True, slots=True)
class Spender:
    """Whom usage is counted for. container: 64 hex. user_id: numeric, on the host; NOBODY where unknown."""

    engine: str
    container: str
    user_id: int


@dataclass(frozen=True, slots=True)
class Spent:
    """Usage, in the units of this module. Seconds, and bytes times seconds."""

    held_s: float = 0.0
    busy_s: float = 0.0
    busy_unknown_s: float = 0.0
    memory_byte_s: float = 0.0
    memory_unknown_s: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.held_s + other.held_s,
            self.busy_s + other.busy_s,
            self.busy_unknown_s + other.busy_unknown_s,
            self.memory_byte_s + other.memory_byte_s,
            self.memory_unknown_s + other.memory_unknown_s,
        )


def spent(
    snapshot: GpuSnapshot, containers: Mapping[ContainerKey, Container], seconds: float
) -> Mapping[Spender, Spent]:
    """What was taken in the seconds that this snapshot stands for.

    A container that two engines list (one socket under two names) is counted for the first of them by name.
    """
    engines = {key.id: key.engine.name for key in sorted(containers, reverse=True)}
    total: dict[Spender, Spent] = {}
    for reading in snapshot.readings:
        for id, processes in _by_container(reading.processes).items():
            if id not in engines:
                continue
            for user, one in _on_device(reading, processes, seconds).items():
                spender = Spender(engines[id], id, user)
                total[spender] = total.get(spender, Spent()) + one
    return total


def _by_container(processes: Iterable[GpuProcess]) -> dict[str, list[GpuProcess]]:
    found: dict[str, list[GpuProcess]] = {}
    for process in processes:
        if process.container_id:
            found.setdefault(process.container_id, []).append(process)
    return found


def _on_device(reading: GpuReading, processes: list[GpuProcess], seconds: float) -> dict[int, Spent]:
    """What one container took of one device, by user."""
    users: dict[int, list[GpuProcess]] = {}
    for process in processes:
        users.setdefault(NOBODY if process.user_id is None else process.user_id, []).append(process)
    held_s = _share(reading.device, processes) * seconds / len(users)
    alone = len(processes) == len(reading.processes)
    whole = None if isinstance(reading.gpu_percent, Missing) else reading.gpu_percent
    told = all(not isinstance(process.sm_percent, Missing) for process in processes)
    found = {}
    for user, own in users.items():
        if told:
            percent: float | None = min(100.0, sum(_number(process.sm_percent) for process in own))
        else:
            percent = whole / len(users) if alone and whole is not None else None
        known = all(not isinstance(process.memory_bytes, Missing) for process in own)
        found[user] = Spent(
            held_s=held_s,
            busy_s=0.0 if percent is None else percent / 100 * seconds,
            busy_unknown_s=held_s if percent is None else 0.0,
            memory_byte_s=sum(_number(process.memory_bytes) for process in own) * seconds,
            memory_unknown_s=0.0 if known else held_s,
        )
    return found


def _share(device: GpuDevice, processes: Iterable[GpuProcess]) -> float:
    """How much of the device they hold: all of it, or their MIG instances' part of its memory."""
    sizes = {instance.uuid: instance.memory_total_bytes for instance in device.mig}
    share = 0.0
    for uuid in {process.mig_uuid for process in processes}:
        size, whole = sizes.get(uuid), device.memory_total_bytes
        if size is None or isinstance(size, Missing) or isinstance(whole, Missing) or not whole:
            return 1.0
        share += size / whole
    return min(1.0, share)


def _number(value: float | Missing) -> float:
    return 0.0 if isinstance(value, Missing) else value
