"""Pure: successive batches of libpod's statistics as readings per second. Makes no calls.

libpod's own CPU figure is an average since the start in the first sample, hence the differences of CPUNano here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from backends.engines.podman_translate import Json
from backends.model.container import StatsReading
from backends.model.ids import ContainerKey, EngineId
from backends.model.values import NOT_SAMPLED, Quantity

_NO_LIMIT_BYTES = 1 << 60  # cgroup v1 writes 2^63 less a page for "no limit"


class StatsMeter:
    """Remembers the last counters of each container. clock: time.monotonic seconds."""

    def __init__(self, engine: EngineId, wanted: Collection[str], clock: Callable[[], float]) -> None:
        self._engine = engine
        self._wanted = frozenset(wanted)
        self._clock = clock
        self._last: dict[str, tuple[float, dict[str, float]]] = {}

    def readings(self, batch: Json) -> list[StatsReading]:
        """Readings of the wanted containers in one message of `GET /libpod/containers/stats`."""
        now = self._clock()
        found = list(self._each(batch.get("Stats") or (), now))
        self._last = {reading.key.id: self._last[reading.key.id] for reading in found}
        return found

    def _each(self, entries: Any, now: float) -> Iterator[StatsReading]:
        for entry in entries:
            container = str(entry.get("ContainerID") or "")
            if container not in self._wanted:
                continue
            counters = _counters(entry)
            at = float(entry.get("SystemNano") or 0) / 1e9 or now  # the engine's own time of the sample
            before = self._last.get(container)
            self._last[container] = (at, counters)
            rates = _rates(before, at, counters)
            limit = int(entry.get("MemLimit") or 0)
            yield StatsReading(
                ContainerKey(self._engine, container),
                now,
                cpu_percent=_scaled(rates.get("cpu", NOT_SAMPLED), 100e-9),
                memory_bytes=int(entry.get("MemUsage") or 0),
                memory_limit_bytes=limit if 0 < limit < _NO_LIMIT_BYTES else NOT_SAMPLED,
                net_rx_bytes_per_s=rates.get("rx", NOT_SAMPLED),
                net_tx_bytes_per_s=rates.get("tx", NOT_SAMPLED),
                block_read_bytes_per_s=rates.get("read", NOT_SAMPLED),
                block_write_bytes_per_s=rates.get("write", NOT_SAMPLED),
                processes=int(entry.get("PIDs") or 0),
            )


def _counters(entry: Json) -> dict[str, float]:
    networks = entry.get("Network")
    if isinstance(networks, dict):
        received = sum(int(one.get("RxBytes") or 0) for one in networks.values())
        sent = sum(int(one.get("TxBytes") or 0) for one in networks.values())
    else:  # Podman 4: one pair of totals
        received, sent = int(entry.get("NetInput") or 0), int(entry.get("NetOutput") or 0)
    return {
        "cpu": float(entry.get("CPUNano") or 0),
        "rx": float(received),
        "tx": float(sent),
        "read": float(entry.get("BlockInput") or 0),
        "write": float(entry.get("BlockOutput") or 0),
    }


def _rates(before: tuple[float, dict[str, float]] | None, at: float, now: dict[str, float]) -> dict[str, float]:
    """Per second; none for the first sample and for counters that went back (a restart)."""
    if before is None or at <= before[0]:
        return {}
    return {
        name: (value - before[1][name]) / (at - before[0]) for name, value in now.items() if value >= before[1][name]
    }


def _scaled(value: Quantity, factor: float) -> Quantity:
    return value * factor if isinstance(value, float) else value
