"""The one place where the fleet's state lives: a pure reducer and a single writer. Does no I/O and starts no task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from backends.model.container import Container, Health, StatsReading
from backends.model.events import OperationUpdate, Phase
from backends.model.fleet import EngineView, FleetView
from backends.model.gpu import GpuUse
from backends.model.ids import ContainerKey
from backends.services.changes import (
    Change,
    ContainerGone,
    ContainerSeen,
    ContainersListed,
    EngineAdded,
    GpusSampled,
    LinkChanged,
    OperationChanged,
    StatsSampled,
)

K = TypeVar("K")
V = TypeVar("V")
Watcher: TypeAlias = Callable[[FleetView], None]

_RUNS_NO_MORE = frozenset({Phase.DONE, Phase.FAILED, Phase.CANCELLED})


def reduce(view: FleetView, change: Change) -> FleetView:
    """The view after a change; the very same object where the change tells nothing new."""
    after = _apply(view, change)
    return view if after is view else replace(after, version=view.version + 1)


def _apply(view: FleetView, change: Change) -> FleetView:
    match change:
        case EngineAdded(engine):
            return _with_engine(view, engine)
        case LinkChanged():
            return _link(view, change)
        case ContainersListed():
            return _list(view, change)
        case ContainerSeen(container):
            return _see(view, container)
        case ContainerGone(key):
            return _forget(view, key)
        case StatsSampled(_, readings):
            return _sample(view, readings)
        case GpusSampled():
            return _gpus(view, change)
        case OperationChanged(update):
            return _operation(view, update)


def _with_engine(view: FleetView, engine: EngineView) -> FleetView:
    if view.engines.get(engine.id) == engine:
        return view
    return replace(view, engines=_with(view.engines, engine.id, engine))


def _link(view: FleetView, change: LinkChanged) -> FleetView:
    known = view.engines.get(change.engine) or EngineView(change.engine, change.connection)
    info = change.info if change.info is not None else known.info
    return _with_engine(view, replace(known, connection=change.connection, info=info))


def _list(view: FleetView, change: ContainersListed) -> FleetView:
    listed = {row.key: _merged(row, view.containers.get(row.key)) for row in change.containers}
    known = {key: row for key, row in view.containers.items() if key.engine == change.engine}
    if listed == known:
        return view
    others = {key: row for key, row in view.containers.items() if key.engine != change.engine}
    containers = MappingProxyType(others | listed)
    return replace(
        view,
        containers=containers,
        stats=_readings_of_living(view.stats, containers),
        gpu_use=_use_of_living(view.gpu_use, containers),
    )


def _merged(listed: Container, known: Container | None) -> Container:
    """A listed row, or the known one where the list tells nothing new of it.

    Lists are coarser than inspects: Docker's has no start time and no GPUs, and a command without its quotes;
    Podman's no kinds of mounts. What never changes in a container's life is kept from what is known.
    """
    if known is None or known == listed:
        return listed
    if not _news(listed, known):
        return known
    return replace(
        listed,
        created_at=known.created_at,
        command=known.command or listed.command,
        mounts=known.mounts or listed.mounts,
        gpus_given=known.gpus_given or listed.gpus_given,
    )


def _news(listed: Container, known: Container) -> bool:
    """Whether a listed row says something else than the known one; what it leaves open says nothing."""
    if (listed.name, listed.image_id, listed.state) != (known.name, known.image_id, known.state):
        return True
    return (
        (listed.exit_code is not None and listed.exit_code != known.exit_code)
        or (listed.health is not Health.NONE and listed.health is not known.health)
        or _later(listed.started_at, known.started_at)
        or _later(listed.finished_at, known.finished_at)
    )


def _later(listed: datetime | None, known: datetime | None) -> bool:
    """Whether they are different seconds."""
    return listed is not None and (known is None or int(listed.timestamp()) != int(known.timestamp()))


def _see(view: FleetView, container: Container) -> FleetView:
    key = container.key
    if view.containers.get(key) == container:
        return view
    after = replace(view, containers=_with(view.containers, key, container))
    return after if container.state.alive else _without_readings(after, key)


def _forget(view: FleetView, key: ContainerKey) -> FleetView:
    if key not in view.containers:
        return view
    return _without_readings(replace(view, containers=_without(view.containers, key)), key)


def _without_readings(view: FleetView, key: ContainerKey) -> FleetView:
    if key not in view.stats and key not in view.gpu_use:
        return view
    return replace(view, stats=_without(view.stats, key), gpu_use=_without(view.gpu_use, key))


def _sample(view: FleetView, readings: Mapping[ContainerKey, StatsReading]) -> FleetView:
    news = {key: reading for key, reading in readings.items() if reading is not view.stats.get(key)}
    kept = _readings_of_living(news, view.containers) if news else news
    return replace(view, stats=MappingProxyType(_copied(view.stats) | _copied(kept))) if kept else view


def _gpus(view: FleetView, change: GpusSampled) -> FleetView:
    use = _use_of_living(change.use, view.containers)
    traces = view.gpu_traces if change.traces is None else change.traces
    if change.snapshot == view.gpus and use == view.gpu_use and traces == view.gpu_traces:
        return view
    return replace(view, gpus=change.snapshot, gpu_use=use, gpu_traces=traces)


def _operation(view: FleetView, update: OperationUpdate) -> FleetView:
    current = view.operations.get(update.key)
    if update.phase not in _RUNS_NO_MORE:
        return view if current == update else replace(view, operations=_with(view.operations, update.key, update))
    if current is None or current.operation != update.operation:
        return view  # it never was on the screen (refused, say): what runs there is another one
    return replace(view, operations=_without(view.operations, update.key))


def _with(mapping: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    copied = _copied(mapping)
    copied[key] = value
    return MappingProxyType(copied)


def _copied(mapping: Mapping[K, V]) -> dict[K, V]:
    """As a dict. A proxy is copied by the dict below it, which asks none of hundreds of keys for its hash again."""
    return mapping.copy() if isinstance(mapping, MappingProxyType) else dict(mapping)


def _without(mapping: Mapping[K, V], key: K) -> Mapping[K, V]:
    copied = _copied(mapping)
    copied.pop(key, None)
    return MappingProxyType(copied)


def _living(keys: Iterable[ContainerKey], containers: Mapping[ContainerKey, Container]) -> frozenset[ContainerKey]:
    return frozenset(key for key in keys if (row := containers.get(key)) is not None and row.state.alive)


def _readings_of_living(
    readings: Mapping[ContainerKey, StatsReading], containers: Mapping[ContainerKey, Container]
) -> Mapping[ContainerKey, StatsReading]:
    living = _living(readings, containers)
    return MappingProxyType({key: reading for key, reading in readings.items() if key in living})


def _use_of_living(
    use: Mapping[ContainerKey, GpuUse], containers: Mapping[ContainerKey, Container]
) -> Mapping[ContainerKey, GpuUse]:
    living = _living(use, containers)
    return MappingProxyType({key: taken for key, taken in use.items() if key in living})


class Store:
    """Holds the present view. `apply` is called from the event loop's thread only; watchers are called there too."""

    def __init__(self, view: FleetView | None = None) -> None:
        self._view = view or FleetView()
        self._watchers: list[Watcher] = []

    @property
    def view(self) -> FleetView:
        """The present view; immutable, keep it as long as you like."""
        return self._view

    def apply(self, change: Change) -> None:
        """Take a change in; watchers are told where it told something new."""
        before = self._view
        self._view = reduce(before, change)
        if self._view is not before:
            for watcher in tuple(self._watchers):
                watcher(self._view)

    def subscribe(self, watcher: Watcher) -> Callable[[], None]:
        """Call watcher with each new view from now on; returns the function that ends it (safe to call twice)."""
        self._watchers.append(watcher)

        def end() -> None:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

        return end
