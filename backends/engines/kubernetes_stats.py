"""What containers of Pods take, by metrics.k8s.io where a cluster serves it. Changes nothing."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal, InvalidOperation
from typing import Any

from backends.engine import StatsStream
from backends.engines.kubernetes_base import METRICS
from backends.engines.kubernetes_looking import KubernetesLooking
from backends.engines.kubernetes_translate import Place, listed
from backends.model.capabilities import Capability
from backends.model.container import Container, StatsReading
from backends.model.errors import Unsupported
from backends.model.ids import ContainerKey, EngineId
from backends.model.values import Missing
from backends.wire.failures import MISSHAPEN

_INTERVAL_S = 5.0
"""metrics-server itself looks every 15 s: asking more often brings the same numbers."""
_NOT_TOLD = Missing("metrics.k8s.io does not tell")
_NO_LIMIT = Missing("its Pod sets no memory limit")
_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
_SUFFIX: Mapping[str, Decimal] = {
    "": Decimal(1),
    **{suffix: Decimal(10) ** power for suffix, power in zip("num", (-9, -6, -3), strict=True)},
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}


def quantity(text: str) -> float:
    """A number as Kubernetes writes it ("250m", "64Mi"). Raises ValueError for what is none.

    Source: k8s.io/apimachinery/pkg/api/resource.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no quantity")
    try:
        return float(Decimal(match.group(1)) * _SUFFIX[match.group(2) or ""])
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no quantity") from error


class KubernetesStats(KubernetesLooking):
    """The metrics of one context's Pods. Limits are in no metrics: they are kept from the Pods as they are read."""

    def __init__(self, id: EngineId, context: str, namespace: str = "", *, kubeconfig: str = "") -> None:
        super().__init__(id, context, namespace, kubeconfig=kubeconfig)
        self._limits: dict[str, int] = {}

    async def list_containers(self) -> list[Container]:
        """The same; limits of containers that are gone are forgotten."""
        rows = await super().list_containers()
        there = {row.key.id for row in rows}
        self._limits = {id: limit for id, limit in self._limits.items() if id in there}
        return rows

    def _rows(self, pod: Mapping[str, Any]) -> list[Container]:
        rows = super()._rows(pod)
        for row in rows:
            self._limits.pop(row.key.id, None)
        self._limits |= limits_of(pod)
        return rows

    def stats(self, containers: Sequence[str], *, interval_s: float = 1.0) -> StatsStream:
        """One list of PodMetrics each five seconds. Unsupported where the cluster serves none."""
        return self._stats(frozenset(containers), max(interval_s, _INTERVAL_S))

    @asynccontextmanager
    async def _stats(
        self, wanted: frozenset[str], interval_s: float
    ) -> AsyncIterator[AsyncIterator[Sequence[StatsReading]]]:
        why = (await self._connected()).capabilities.why_not(Capability.STATS_API)
        if why:
            raise Unsupported(why[:1].upper() + why[1:], hint="Install metrics-server.", engine=self._id)
        yield self._readings(wanted, interval_s)

    async def _readings(self, wanted: frozenset[str], interval_s: float) -> AsyncIterator[Sequence[StatsReading]]:
        while True:
            answer = await self._get(await self._pods(METRICS))
            with self._understood():
                readings = [one for item in listed(answer) for one in readings_of(self._id, item, self._limits)]
            yield [one for one in readings if one.key.id in wanted]
            await asyncio.sleep(interval_s)


def limits_of(pod: Mapping[str, Any]) -> dict[str, int]:
    """The memory limits of a Pod's containers in bytes, by their ids; none at all where one of them cannot be read."""
    try:
        meta, told = pod["metadata"], dict[str, int]()
        for one in (*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())):
            limit = ((one.get("resources") or {}).get("limits") or {}).get("memory")
            if limit is not None:
                told[str(Place(meta["namespace"], meta["name"], one["name"]))] = int(quantity(str(limit)))
    except MISSHAPEN:
        return {}
    return told


def readings_of(engine: EngineId, item: Mapping[str, Any], limits: Mapping[str, int]) -> list[StatsReading]:
    """The readings of one PodMetrics. limits: of memory, by id."""
    meta, now = item["metadata"], time.monotonic()
    ids = [(str(Place(meta["namespace"], meta["name"], one["name"])), one) for one in item["containers"]]
    return [
        StatsReading(
            ContainerKey(engine, id),
            now,
            cpu_percent=quantity(str(one["usage"]["cpu"])) * 100,
            memory_bytes=int(quantity(str(one["usage"]["memory"]))),
            memory_limit_bytes=limits.get(id, _NO_LIMIT),
            net_rx_bytes_per_s=_NOT_TOLD,
            net_tx_bytes_per_s=_NOT_TOLD,
            block_read_bytes_per_s=_NOT_TOLD,
            block_write_bytes_per_s=_NOT_TOLD,
            processes=_NOT_TOLD,
        )
        for id, one in ids
    ]


__all__ = ["KubernetesStats", "limits_of", "quantity", "readings_of"]
