"""Two GPUs that are not there, busy with the demo fleet's containers. Marked as a demo in every snapshot."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable, Iterable

from backends.model.container import Container, ContainerState
from backends.model.gpu import GpuDevice, GpuProcess, GpuReading, GpuSnapshot
from backends.model.values import Missing

_GIB = 1 << 30
_DEVICES = tuple(
    GpuDevice(
        index=index,
        uuid=f"GPU-de300000-0000-4000-8000-00000000000{index}",
        name="NVIDIA A100-SXM4-80GB",
        vendor="NVIDIA",
        pci_bus_id=f"00000000:{7 + index:02X}:00.0",
        memory_total_bytes=80 * _GIB,
        cdi_name=f"nvidia.com/gpu={index}",
    )
    for index in (0, 1)
)
_IDLE_BYTES = 600 << 20  # the driver's own
_IDLE_W, _FULL_W = 62.0, 400.0
_NO_FAN = Missing("Not Supported")  # what NVML answers for such a card: its fans are the chassis's
_FIRST_PID = 40_000
_MOST_PIDS = 20_000


class DemoProbe:
    """A GpuProbe of invented devices: a container that was given a GPU computes on it while it runs."""

    def __init__(
        self, containers: Callable[[], Iterable[Container]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """containers: the demo fleet's present ones (their gpus_given and state are looked at); any thread calls it."""
        self._containers = containers
        self._clock = clock

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def sample(self) -> GpuSnapshot:
        """The devices now; their load moves slowly, as training does."""
        now = self._clock()
        alive = [one for one in self._containers() if one.state in {ContainerState.RUNNING, ContainerState.PAUSED}]
        readings = tuple(_reading(device, alive, now) for device in _DEVICES)
        return GpuSnapshot(readings, driver_version="550.54.15", demo=True)


def _reading(device: GpuDevice, alive: list[Container], now: float) -> GpuReading:
    users = sorted((one for one in alive if device.index in _indexes(one)), key=lambda one: one.key)
    share = 1 / max(1, len(users))
    processes = tuple(_process(one, device, share, now) for one in users)
    busy = min(100.0, sum(one.sm_percent for one in processes if not isinstance(one.sm_percent, Missing)))
    used = _IDLE_BYTES + sum(one.memory_bytes for one in processes if not isinstance(one.memory_bytes, Missing))
    return GpuReading(
        device=device,
        sampled_at=now,
        gpu_percent=round(busy, 1),
        memory_percent=used / (80 * _GIB) * 100,
        memory_used_bytes=used,
        temperature_c=float(round(33 + 0.4 * busy)),
        power_w=round(_IDLE_W + (_FULL_W - _IDLE_W) * busy / 100, 1),
        power_limit_w=_FULL_W,
        fan_percent=_NO_FAN,
        processes=processes,
    )


def _process(container: Container, device: GpuDevice, share: float, now: float) -> GpuProcess:
    seed = zlib.crc32(container.key.id.encode())
    swing = math.sin(now / 17 + seed % 7 + device.index) * 0.06 + math.sin(now / 3 + seed % 5) * 0.03
    paused = container.state is ContainerState.PAUSED  # frozen: it keeps its memory and computes nothing
    return GpuProcess(
        pid=_FIRST_PID + seed % _MOST_PIDS,
        device_uuid=device.uuid,
        memory_bytes=int((0.55 + seed % 30 / 100) * share * 76 * _GIB),
        sm_percent=0.0 if paused else round((0.72 + seed % 20 / 100 + swing) * share * 100, 1),
        container_id=container.key.id,
    )


def _indexes(container: Container) -> frozenset[int]:
    """The demo devices that it was given: by CDI name or index, by count ("2" alone is a count), or all."""
    given: set[int] = set()
    for request in container.gpus_given:
        name = request.rpartition("=")[2]
        if name in {"all", "-1"}:
            given.update(device.index for device in _DEVICES)
        elif "=" in request and name.isdigit():
            given.add(int(name))
        elif name.isdigit():
            given.update(range(int(name)))
    return frozenset(given)
