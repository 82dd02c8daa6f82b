"""A trial of engines: what is asked, what was measured, what it says. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from backends.model.ids import EngineId
from backends.model.values import Quantity


class ReadyBy(StrEnum):
    """What makes a container ready: its start is over, a port listens, its health check passes, a log line comes."""

    RUNNING = "running"
    PORT = "port"
    HEALTH = "health"
    LOG = "log"


class Unit(StrEnum):
    """Of a metric's numbers."""

    SECONDS = "s"
    BYTES = "bytes"
    PERCENT = "%"
    PER_SECOND = "1/s"


@dataclass(frozen=True, slots=True)
class Metric:
    """Something measured once in each round."""

    id: str
    title: str
    unit: Unit


METRICS: tuple[Metric, ...] = (
    Metric("create_s", "create", Unit.SECONDS),
    Metric("ready_s", "start to ready", Unit.SECONDS),
    Metric("stop_s", "stop", Unit.SECONDS),
    Metric("remove_s", "remove", Unit.SECONDS),
    Metric("exec_s", "command, each run", Unit.SECONDS),
    Metric("exec_per_s", "command, throughput", Unit.PER_SECOND),
    Metric("container_bytes", "container's memory", Unit.BYTES),
    Metric("container_cpu_s", "container's CPU", Unit.SECONDS),
    Metric("monitor_bytes", "its monitors' memory", Unit.BYTES),
    Metric("monitor_cpu_s", "its monitors' CPU", Unit.SECONDS),
    Metric("daemon_bytes", "engine's shared memory", Unit.BYTES),
    Metric("daemon_cpu_s", "engine's shared CPU", Unit.SECONDS),
    Metric("disk_read_bytes", "disk read", Unit.BYTES),
    Metric("disk_write_bytes", "disk written", Unit.BYTES),
    Metric("net_rx_bytes", "network received", Unit.BYTES),
    Metric("net_tx_bytes", "network sent", Unit.BYTES),
    Metric("gpu_bytes", "GPU memory", Unit.BYTES),
    Metric("gpu_percent", "GPU utilization", Unit.PERCENT),
)
"""In the order in which they are shown. The first of them are of the engine's own work, the others of what runs."""

BY_METRIC: Mapping[str, Metric] = {metric.id: metric for metric in METRICS}


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """What is to be measured. rounds: on each engine. ready_by: None = its health check, or running where it has none.

    ready_pattern: a regular expression for a log line, with LOG. command: run in the container, () = none; runs: times
    in each round. density: most copies that are tried, 0 = not tried. ready_limit_s: how long it may take to be ready.
    """

    engines: tuple[EngineId, ...]
    rounds: int = 10
    ready_by: ReadyBy | None = None
    ready_pattern: str = ""
    command: tuple[str, ...] = ()
    runs: int = 3
    density: int = 0
    ready_limit_s: float = 120.0


@dataclass(frozen=True, slots=True)
class TrialRound:
    """One round on one engine. values: by metric id, Missing where it could not be read; metrics not asked for are
    left out. load: of this machine's processors as the round began (runnable processes for each)."""

    engine: EngineId
    number: int
    values: Mapping[str, Quantity]
    load: float = 0.0


class Judgement(StrEnum):
    """What a comparison allows to say."""

    LESS = "less"
    MORE = "more"
    NOISE = "noise"
    TOO_FEW = "too few rounds"


@dataclass(frozen=True, slots=True)
class Spread:
    """Of the readings of a metric on one engine. count: of rounds that have one; q1, q3: quartiles."""

    count: int
    median: float
    q1: float
    q3: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A metric of one engine against the first engine's. ratio: of the medians, None where the first one's is 0.

    low, high: of the ratio's 95 % confidence interval (bootstrap). p: of a permutation test of the ranks, corrected for
    the number of comparisons (Holm).
    """

    metric: str
    engine: EngineId
    judgement: Judgement
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class Density:
    """How many idle copies an engine held. reason: why no more were started. bytes_each: of the machine's memory."""

    engine: EngineId
    copies: int
    reason: str
    first_start_s: float
    last_start_s: float
    bytes_each: Quantity


@dataclass(frozen=True, slots=True)
class TrialReport:
    """A finished trial, or as much of it as was done. host: this machine in words.

    spreads: by engine and metric id. missing: by engine and metric id, why there is no reading at all.
    notes: what else has to be known to read it. versions: of the engines, in words.
    """

    subject: str
    image: str
    request: TrialRequest
    ready_by: ReadyBy
    began_at: datetime
    duration_s: float
    host: str
    versions: Mapping[EngineId, str]
    rounds: tuple[TrialRound, ...]
    spreads: Mapping[EngineId, Mapping[str, Spread]]
    comparisons: tuple[Comparison, ...]
    missing: Mapping[EngineId, Mapping[str, str]]
    verdict: tuple[str, ...]
    densities: tuple[Density, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrialProgress:
    """Where a trial is. round_number: from 1, 0 while it prepares. rounds: those that are done."""

    phase: str
    engine: EngineId | None = None
    round_number: int = 0
    rounds: tuple[TrialRound, ...] = ()
    done: int = 0
    total: int = 0
