"""Opens the fleet that the settings ask for: the only place that names concrete engines, probes and samplers.

Imports them only when a fleet is opened, in a thread, so that the first frame waits for none of them.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from backends.model.fleet import FleetView
from backends.model.ids import EngineId, EngineKind
from tui.clusters import Cluster, clusters_of
from tui.config import ConfigError, EngineSetting, Settings, nearest

if TYPE_CHECKING:
    from backends.engine import Engine
    from backends.engines.discover import Found
    from backends.engines.discover_service import PodmanService
    from backends.gpu.probe import GpuProbe
    from backends.gpu.sampler import GpuTiming
    from backends.model.container import Container
    from backends.services.fleet import Background, Fleet
    from backends.wire.endpoint import Endpoint

Show: TypeAlias = Callable[[FleetView], Awaitable[None]]
"""Puts a view on the screen; returns when it is there."""
GpuSampling: TypeAlias = "Callable[[Fleet, GpuTiming], Coroutine[None, None, None]]"

CONTAINERS_FIRST_S = 1.0
"""How long the first readings of usage and GPUs wait for the containers that they are of."""

_FIRST_LOOK = "tui.first_look"
_ALWAYS = ("backends.services.fleet", "backends.services.audit", "backends.engines.wrap")
_SAMPLING = ("backends.services.sampler", "backends.services.gpus", "backends.services.gpu_usage_recorder")
_PROBES = ("backends.gpu.nvidia", "backends.gpu.amd", "backends.gpu.listed")
_DEMO = ("backends.engines.demo_fleet", "backends.gpu.demo")
_CLUSTERS = "backends.engines.kubernetes"
_KINDS = {EngineKind.DOCKER: "backends.engines.docker", EngineKind.PODMAN: "backends.engines.podman_served"}
"""The modules that each of these needs, imported before they are used so that no import holds the event loop up."""


async def open_fleet(
    settings: Settings,
    show: Show | None = None,
    *,
    only: Collection[str] = (),
    demo_if_none: bool = True,
    sampling: bool = True,
    recording: bool = True,
    serving: bool = True,
    clusters: bool = True,
) -> Fleet:
    """The fleet, not started yet: call its `start`, and `close` at the end, which ends all that was begun here.

    show: is given what is seen at first sight, before the engines' own modules are imported, which takes longer.
    only: names of the engines wanted, empty = all. demo_if_none: where no engine is found, the demo fleet takes
    its place, beside the absent ones with their reasons. sampling: also read usage and GPUs while it runs.
    recording: write down what containers take of GPUs meanwhile; never of the demo, nor of a part of the engines.
    serving: start our own Podman service where it has none. clusters: with the contexts that were named.
    Raises ConfigError for an engine that cannot be meant.
    """
    named = clusters_of(settings.kubernetes, os.environ) if clusters and not settings.demo else []
    found = [] if settings.demo else await _found(settings, only, named)
    named = [one for one in named if not only or one.id.name in only]
    if named:
        await _import(_CLUSTERS)
    kinds = {one.kind for one in found if one.endpoint or one.startable}
    view = None
    if show is not None and kinds:
        await _import(_FIRST_LOOK)
        from tui.first_look import first_look

        view = await first_look(found, serving=serving)
        await show(view)
    await _import(*_ALWAYS)
    if kinds or named:
        await _import(*(_KINDS[kind] for kind in kinds))
        from backends.engines.discover_service import serve_absent

        found, services = await serve_absent(found, os.environ) if serving else (found, {})
        # From here to the fleet there is no await: nothing can be cancelled while a service has no engine to end it.
        if named or any(one.endpoint for one in found):
            background = _sampling(settings, recording and not only) if sampling else {}
            return _real(settings, found, services, background, named, seen=view.containers.values() if view else ())
    if settings.demo or demo_if_none:
        await _import(*_DEMO)
        return _demo(settings, only, found, sampling=sampling)
    return _real(settings, found, {}, _sampling(settings, recording and not only) if sampling else {})


def demo_reason(view: FleetView) -> str:
    """Why the demo fleet is shown though nobody asked for it: each absent engine's reason; "" where that is not so."""
    real = [engine for engine in view.engines.values() if engine.id.kind is not EngineKind.DEMO]
    if len(real) == len(view.engines) or not real:
        return ""
    reasons = [f"{one.id}: {one.connection.error.title}" for one in real if one.connection.error is not None]
    return f"no engine found ({'; '.join(reasons)})"


async def _import(*modules: str) -> None:
    for module in modules:
        await asyncio.to_thread(importlib.import_module, module)


def _demo(settings: Settings, only: Collection[str], absent: Sequence[Found], *, sampling: bool) -> Fleet:
    from backends.engines.demo_fleet import demo_engines
    from backends.services.fleet import Fleet

    engines = {engine.id.name: engine for engine in demo_engines()}
    _check(only, engines)
    chosen = [_wrapped(engine, settings) for name, engine in engines.items() if not only or name in only]

    background = _samplers(settings, partial(_sample_demo_gpus, _demo_gpus())) if sampling else {}
    return Fleet(chosen, absent=absent, read_only=settings.readonly, background=background)


def _real(
    settings: Settings,
    found: Collection[Found],
    services: Mapping[EngineId, PodmanService],
    background: Mapping[str, Background],
    clusters: Sequence[Cluster] = (),
    seen: Collection[Container] = (),
) -> Fleet:
    from backends.services.audit import AuditLog, default_path
    from backends.services.fleet import Fleet

    engines = [
        _wrapped(_engine(one, one.endpoint, services.get(one.id)), settings)
        for one in found
        if one.endpoint is not None
    ]
    engines += [_wrapped(_cluster(one), settings) for one in clusters]
    return Fleet(
        engines,
        absent=[one for one in found if one.endpoint is None],
        read_only=settings.readonly,
        background=background,
        audit=AuditLog(default_path()),
        seen=seen,
    )


async def _found(settings: Settings, only: Collection[str], clusters: Sequence[Cluster]) -> list[Found]:
    """Engines of the settings and of this machine; those of the settings go before others of their names.

    clusters: may be named by `only` too; where nothing else is, no other engine is looked for.
    """
    named = {one.id.name for one in clusters}
    if only and named.issuperset(only):
        return []
    await _import("backends.engines.discover", "backends.engines.discover_service")
    from backends.engines.discover import discover

    extra = [_configured(engine) for engine in settings.engines]
    taken = {one.id.name for one in extra}
    found = [*extra, *(one for one in await discover(os.environ) if one.id.name not in taken)]
    _check(only, {one.id.name for one in found} | named)
    return [one for one in found if not only or one.id.name in only]


def _configured(engine: EngineSetting) -> Found:
    from backends.engines.discover import Found
    from backends.wire.endpoint import REMOTE_DOCKER_SOCKET, Endpoint, TlsFiles

    folder = engine.tls_dir
    ca, cert, key = (os.path.join(folder, name) for name in ("ca.pem", "cert.pem", "key.pem"))
    files = TlsFiles(ca, cert, key) if folder else None
    try:
        far = REMOTE_DOCKER_SOCKET if engine.kind is EngineKind.DOCKER else ""
        endpoint = Endpoint.parse(engine.url, files, far_socket=far)
    except ValueError as error:
        raise ConfigError(f"engine “{engine.name}”: {error}") from error
    return Found(id=EngineId(engine.kind, engine.name), kind=engine.kind, endpoint=endpoint, absent="", hint="")


def _check(only: Collection[str], known: Collection[str]) -> None:
    for name in only:
        if name not in known:
            meant = nearest(name, known)
            there_are = f"there are: {', '.join(sorted(known)) or 'none'}"
            raise ConfigError(f"no engine is called “{name}”", hint=f"did you mean “{meant}”?" if meant else there_are)


def _engine(found: Found, endpoint: Endpoint, service: PodmanService | None) -> Engine:
    if service is not None:
        from backends.engines.podman_served import ServedPodman

        return ServedPodman(found.id, service)
    if found.kind is EngineKind.DOCKER:
        from backends.engines.docker import DockerEngine

        return DockerEngine(found.id, endpoint)
    from backends.engines.podman import PodmanEngine

    return PodmanEngine(found.id, endpoint)


def _cluster(cluster: Cluster) -> Engine:
    from backends.engines.kubernetes import kubernetes_engine

    return kubernetes_engine(cluster.id, cluster.context, cluster.namespace)


def _wrapped(engine: Engine, settings: Settings) -> Engine:
    from backends.engines.wrap import read_only

    return read_only(engine) if settings.readonly else engine


def _samplers(settings: Settings, sample: GpuSampling) -> Mapping[str, Background]:
    """What reads usage while the fleet runs; what that needs is imported then, since containers are shown before it."""

    async def stats(fleet: Fleet) -> None:
        await fleet.ready(CONTAINERS_FIRST_S)
        await _import(*_SAMPLING)
        from backends.services.sampler import StatsSampler

        sampler = StatsSampler(fleet.store, fleet.engine, interval_s=settings.refresh_s, history=fleet.history)
        fleet.on_watch(sampler.watch)
        await sampler.run()

    async def gpus(fleet: Fleet) -> None:
        await fleet.ready(CONTAINERS_FIRST_S)
        await _import(*_SAMPLING)
        from backends.gpu.sampler import GpuTiming

        await sample(fleet, GpuTiming(interval_s=settings.refresh_s))

    return {"stats": stats, "gpus": gpus}


def _sampling(settings: Settings, recording: bool) -> Mapping[str, Background]:
    return _samplers(settings, partial(_sample_real_gpus, recording))


async def _sample_real_gpus(recording: bool, fleet: Fleet, timing: GpuTiming) -> None:
    await _import(*_PROBES)
    from backends.gpu.amd import AmdProbe
    from backends.gpu.listed import ListedProbe
    from backends.gpu.nvidia import NvidiaProbe
    from backends.services.gpu_usage_recorder import UsageRecorder, default_path
    from backends.services.gpus import cdi_names, gap_s, sample_gpus

    recorder = UsageRecorder(default_path(), gap_s(timing.interval_s)) if recording else None
    probes: dict[str, GpuProbe] = {
        "NVIDIA": NvidiaProbe(),
        "AMD": AmdProbe(),
        "other": ListedProbe(told=lambda: cdi_names(fleet.store.view)),
    }
    await sample_gpus(fleet.store, probes, timing=timing, recorder=recorder)


async def _sample_demo_gpus(count: int, fleet: Fleet, timing: GpuTiming) -> None:
    from backends.gpu.demo import DemoProbe
    from backends.services.gpus import sample_gpus

    probe = DemoProbe(lambda: tuple(fleet.store.view.containers.values()), count=count)
    await sample_gpus(fleet.store, {"demo": probe}, timing=timing, earlier=probe.earlier)


def _demo_gpus() -> int:
    from backends.gpu.demo import demo_count

    try:
        return demo_count(os.environ)
    except ValueError as error:
        raise ConfigError(str(error)) from error
