"""The demo fleet as it stands at one moment: no supervisor, no sampler, no clock that goes on. Starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from backends.engines.demo_fleet import DEMO_DOCKER, demo_engines
from backends.gpu.demo import DemoProbe
from backends.gpu.probe import use_by_container
from backends.model.container import Container, StatsReading
from backends.model.errors import Unreachable
from backends.model.events import ConnectionState, Link
from backends.model.fleet import FleetView
from backends.model.gpu import GpuSnapshot
from backends.services.changes import ContainersListed, GpusSampled, LinkChanged, StatsSampled
from backends.services.fleet import Fleet
from backends.services.gpu_idle import IdleWatch, watched, with_idle
from backends.services.gpu_traces import Recording, recorded
from tui.app import TranshipApp
from tui.clock import Clock
from tui.config import Settings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MONOTONIC = 1000.0
MIB = 1 << 20
Change = Callable[[GpuSnapshot], GpuSnapshot]


class StillFleet(Fleet):
    """A fleet that shows what was put into its store, and never looks again."""

    async def start(self) -> None:
        """Supervise nothing."""


def _readings(containers: Iterable[Container]) -> dict[object, StatsReading]:
    alive = sorted((one for one in containers if one.state.alive), key=lambda one: one.name)
    return {
        one.key: StatsReading(
            one.key,
            MONOTONIC,
            cpu_percent=round((7.3 * number) % 190, 1),
            memory_bytes=(113 * number + 24) * MIB,
            memory_limit_bytes=(4096 if number % 3 else 2048) * MIB,
            net_rx_bytes_per_s=1200.0 * number,
            net_tx_bytes_per_s=300.0 * number,
            block_read_bytes_per_s=0.0,
            block_write_bytes_per_s=4096.0 * number,
            processes=number + 1,
        )
        for number, one in enumerate(alive)
    }


def sampled(probe: DemoProbe, view: FleetView, change: Change = lambda snapshot: snapshot) -> GpusSampled:
    """What the GPUs' sampler would say after an hour of watching. change: made to each snapshot."""
    recording, idle, snapshot = Recording(), IdleWatch(), change(probe.sample())
    for one in (*map(change, probe.earlier()), snapshot):
        recording, idle = recorded(recording, one, float("inf")), watched(idle, one, view.containers, float("inf"))
    use = use_by_container(snapshot, view.containers)
    return GpusSampled(snapshot, with_idle(use, idle), recording.traces())


async def still_fleet(
    *, lost: bool = False, empty: bool = False, gpus: int = 2, change: Change = lambda snapshot: snapshot
) -> Fleet:
    """The demo fleet. lost: demo-docker was lost. empty: it has no containers. gpus: so many, changed so."""
    engines = demo_engines(clock=lambda: NOW, look_s=0, act_s=0)
    fleet = StillFleet(engines)
    store = fleet.store
    for engine in engines:
        info = await engine.connect()
        containers = () if empty else tuple(await engine.list_containers())
        store.apply(LinkChanged(engine.id, ConnectionState(Link.CONNECTED), info))
        store.apply(ContainersListed(engine.id, containers))
        store.apply(StatsSampled(engine.id, _readings(containers)))  # type: ignore[arg-type]
    probe = DemoProbe(lambda: store.view.containers.values(), clock=lambda: MONOTONIC, count=gpus)
    store.apply(sampled(probe, store.view, change))
    if lost:
        error = Unreachable("the daemon closed the connection", engine=DEMO_DOCKER)
        store.apply(LinkChanged(DEMO_DOCKER, ConnectionState(Link.LOST, error, retry_at=MONOTONIC + 4)))
    return fleet


def still_app(
    *,
    lost: bool = False,
    empty: bool = False,
    readonly: bool = False,
    gpus: int = 2,
    change: Change = lambda snapshot: snapshot,
    state_dir: Path | None = None,
) -> TranshipApp:
    """The app on such a fleet. state_dir: with records of its own."""
    return TranshipApp(
        lambda _: still_fleet(lost=lost, empty=empty, gpus=gpus, change=change),
        Settings(demo=True, readonly=readonly),
        state_dir=state_dir,
        clock=Clock(now=lambda: NOW, monotonic=lambda: MONOTONIC),
    )
