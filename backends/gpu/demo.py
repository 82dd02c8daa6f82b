"""GPUs that are not there, busy with the demo fleet's containers; each snapshot says so. Asks no driver."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from backends.gpu.demo_devices import GIB, MIG_PROCESS, devices, guests, links_of, reading, swing
from backends.model.container import Container, ContainerState
from backends.model.gpu import HOUR_S, HOUR_STEP_S, RECENT_S, RECENT_STEP_S, GpuDevice, GpuProcess, GpuSnapshot

COUNT_VARIABLE = "TRANSHIP_DEMO_GPUS"
"""The environment variable that says how many there are: for pictures and tests of small and of large machines."""

DEFAULT_COUNT, MOST_COUNT = 2, 16
_IDLER = "jupyter"  # in its image's name: a notebook that keeps a model in memory, and nobody runs a cell
_PRESENT = frozenset({ContainerState.RUNNING, ContainerState.PAUSED})
_FIRST_PID = 40_000
_MOST_PIDS = 20_000


class DemoProbe:
    """A GpuProbe of invented devices: a container that was given a GPU computes on it while it runs."""

    def __init__(
        self,
        containers: Callable[[], Iterable[Container]],
        clock: Callable[[], float] = time.monotonic,
        *,
        count: int = DEFAULT_COUNT,
    ) -> None:
        """containers: the demo fleet's present ones (their gpus_given and state are looked at); any thread calls it.

        count: how many devices there are, from 0 to MOST_COUNT.
        """
        self._containers = containers
        self._clock = clock
        self._devices = devices(count)

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def sample(self) -> GpuSnapshot:
        """The devices now; their load moves slowly, as training does."""
        return self._at(self._clock())

    def earlier(self) -> Iterator[GpuSnapshot]:
        """What it would have sampled in the last hour, oldest first: a demo need not be watched before it shows."""
        now = self._clock()
        for back in range(HOUR_S, RECENT_S, -HOUR_STEP_S):
            yield self._at(now - back)
        for back in range(RECENT_S, 0, -RECENT_STEP_S):
            yield self._at(now - back)

    def _at(self, now: float) -> GpuSnapshot:
        alive = sorted((one for one in self._containers() if one.state in _PRESENT), key=lambda one: one.key)
        if not self._devices:
            return GpuSnapshot(absent="No GPU on this demo machine", hint=f"unset {COUNT_VARIABLE}", demo=True)
        readings = tuple(reading(device, self._processes(device, alive, now), now) for device in self._devices)
        links = links_of(self._devices)
        return GpuSnapshot(readings, driver_version="550.54.15", cuda_version="12.4", demo=True, links=links)

    def _processes(self, device: GpuDevice, alive: list[Container], now: float) -> tuple[GpuProcess, ...]:
        """Of the containers that have the device; of the host itself where none has."""
        users = [one for one in alive if device.index in _indexes(one, len(self._devices))]
        if not users:
            return guests(device, now)
        if device.mig:
            return tuple(_on_instance(one, device, number, len(users)) for number, one in enumerate(users))
        share = 1 / max(1, sum(not _idles(one) for one in users))
        return tuple(_process(one, device, 1 / len(users), share, now) for one in users)


def demo_count(environ: Mapping[str, str]) -> int:
    """How many devices the environment asks for. ValueError where that is no number from 0 to MOST_COUNT."""
    text = environ.get(COUNT_VARIABLE, "")
    if not text:
        return DEFAULT_COUNT
    if not text.isdecimal() or int(text) > MOST_COUNT:
        raise ValueError(f"{COUNT_VARIABLE}={text!r} is no number from 0 to {MOST_COUNT}")
    return int(text)


def _process(container: Container, device: GpuDevice, memory_share: float, share: float, now: float) -> GpuProcess:
    seed = _seed(container)
    mean = 0.72 + seed % 20 / 100
    # A frozen one keeps its memory and computes nothing.
    idle = container.state is ContainerState.PAUSED or _idles(container)
    return GpuProcess(
        pid=_FIRST_PID + seed % _MOST_PIDS,
        device_uuid=device.uuid,
        memory_bytes=int(_fill(seed) * memory_share * 76 * GIB),
        sm_percent=0.0 if idle else round((mean + swing(now, seed, device.index)) * share * 100, 1),
        container_id=container.key.id,
        name=_program(container),
        user_id=_user_id(container),
    )


def _on_instance(container: Container, device: GpuDevice, number: int, users: int) -> GpuProcess:
    """The process of a device with MIG on: the instances are dealt out in turn."""
    seed = _seed(container)
    instance = device.mig[number % len(device.mig)]
    assert isinstance(instance.memory_total_bytes, int)
    neighbours = math.ceil(users / len(device.mig))
    return GpuProcess(
        pid=_FIRST_PID + seed % _MOST_PIDS,
        device_uuid=device.uuid,
        memory_bytes=int(_fill(seed) * instance.memory_total_bytes / neighbours),
        sm_percent=MIG_PROCESS,
        container_id=container.key.id,
        mig_uuid=instance.uuid,
        name=_program(container),
        user_id=_user_id(container),
    )


def _seed(container: Container) -> int:
    return zlib.crc32(container.key.id.encode())


def _fill(seed: int) -> float:
    """How much of its share of the memory it takes."""
    return 0.55 + seed % 30 / 100


def _user_id(container: Container) -> int:
    return 0 if "docker" in container.key.engine.name else 1000


def _idles(container: Container) -> bool:
    return _IDLER in container.image


def _program(container: Container) -> str:
    """What /proc/PID/comm would say: 15 characters (TASK_COMM_LEN of the kernel, without its end)."""
    first = container.command[0].rpartition("/")[2] if container.command else ""
    return first[:15] if first and not first.startswith("-") else "python3"


def _indexes(container: Container, count: int) -> frozenset[int]:
    """The demo devices that it was given: by CDI name or index, by count ("2" alone is a count), or all."""
    given: set[int] = set()
    for request in container.gpus_given:
        name = request.rpartition("=")[2]
        if name in {"all", "-1"}:
            given.update(range(count))
        elif "=" in request and name.isdigit():
            given.add(int(name))
        elif name.isdigit():
            given.update(range(int(name)))
    return frozenset(given)
