"""Pods, their containers, events and versions: Kubernetes' JSON as our model. Pure.

Source: Kubernetes API reference v1.34 (Pod v1 core, ContainerStatus, WatchEvent).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from backends.model.capabilities import Capabilities, Capability, EngineInfo
from backends.model.container import Container, ContainerState, Health, Mount, MountKind, Port
from backends.model.events import EngineEvent, EventKind
from backends.model.ids import ContainerKey, EngineId
from backends.wire.failures import MISSHAPEN
from backends.wire.times import parse_time

Json = Mapping[str, Any]

_GPU = re.compile(r"(?:.*/)?(?:gpu|gpu\..*|mig-.*)|gpu\.[a-z]+\.com/.*|squat\.ai/.*")
"""nvidia.com/gpu, nvidia.com/mig-1g.5gb, nvidia.com/gpu.shared, amd.com/gpu, gpu.intel.com/i915."""
_BROKEN = frozenset({"CrashLoopBackOff"})
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_EMPTY: Json = MappingProxyType({})
_UNREAD = "?"
"""The container of a Pod whose containers cannot be read; no real one is called so."""
_EVENTS = {"ADDED": "create", "MODIFIED": "change", "DELETED": "remove"}


class Place(NamedTuple):
    """Where a container is: what its id says, "NAMESPACE/POD/CONTAINER". container: "" = the Pod's only one."""

    namespace: str
    pod: str
    container: str = ""

    def __str__(self) -> str:
        return "/".join(self)


def place_of(word: str, namespace: str) -> Place | None:
    """The place that an id or a name means; None where it can be none. namespace: the engine's own, "" = it has all."""
    parts = word.split("/")
    if len(parts) > 3 or not all(parts):
        return None
    if len(parts) == 3:
        return Place(*parts)
    if len(parts) == 2:
        return Place(namespace, *parts) if namespace else Place(*parts)
    return Place(namespace, word) if namespace else None


def containers_of(engine: EngineId, pod: Json, *, with_namespace: bool) -> list[Container]:
    """The rows of a Pod: its containers, and those before them (init) that run, wait or failed.

    with_namespace: their names say the namespace too. Raises KeyError, TypeError, ValueError for what is no Pod.
    """
    return [
        _row(engine, pod, spec, status, with_namespace=with_namespace, alone=alone)
        for spec, status, alone in _parts(pod)
    ]


def rows_of(engine: EngineId, pod: Json, *, with_namespace: bool) -> list[Container]:
    """The same; of a Pod that is none but by its name, one row that says so. Raises where not even that is told."""
    try:
        return containers_of(engine, pod, with_namespace=with_namespace)
    except MISSHAPEN as error:
        return [_unread(engine, pod["metadata"], error, with_namespace=with_namespace)]


def _unread(engine: EngineId, meta: Json, error: Exception, *, with_namespace: bool) -> Container:
    namespace, name = _named(meta)
    known = f"{namespace}/{name}" if with_namespace else name
    return Container(
        key=ContainerKey(engine, str(Place(namespace, name, _UNREAD))),
        name=known,
        image="",
        image_id="",
        state=ContainerState.UNKNOWN,
        created_at=datetime.fromtimestamp(0, UTC),
        pod=known,
        why=f"this Pod does not follow Kubernetes' API: {type(error).__name__}: {error}",
    )


def _named(meta: Json) -> tuple[str, str]:
    namespace, name = meta["namespace"], meta["name"]
    if not (isinstance(namespace, str) and isinstance(name, str)):
        raise TypeError("a Pod without a name")
    return namespace, name


def _parts(pod: Json) -> Iterator[tuple[Json, Json, bool]]:
    """Each container that is shown: its spec, its status (empty where it has none yet), whether it is the only one."""
    spec, status = pod["spec"], pod.get("status") or _EMPTY
    told: dict[str, Json] = {}
    for key in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        told |= {one["name"]: one for one in status.get(key) or ()}
    main = spec["containers"]
    first = [one for one in spec.get("initContainers") or () if not _done(told.get(one["name"], _EMPTY))]
    beside = spec.get("ephemeralContainers") or ()
    alone = len(main) == 1 and not spec.get("initContainers") and not beside
    for one in (*first, *main, *beside):
        yield one, told.get(one["name"], _EMPTY), alone


def _done(status: Json) -> bool:
    """An init container that did what it was there for."""
    ended = (status.get("state") or _EMPTY).get("terminated") or _EMPTY
    return ended.get("exitCode") == 0


def _row(engine: EngineId, pod: Json, spec: Json, status: Json, *, with_namespace: bool, alone: bool) -> Container:
    meta = pod["metadata"]
    namespace, name = meta["namespace"], meta["name"]
    place = Place(namespace, name, spec["name"])
    state, ended = _state(pod, status)
    words = [*([namespace] if with_namespace else []), name, *([] if alone else [spec["name"]])]
    last = ended or (status.get("lastState") or _EMPTY).get("terminated") or _EMPTY
    running = (status.get("state") or _EMPTY).get("running") or _EMPTY
    return Container(
        key=ContainerKey(engine, str(place)),
        name="/".join(words),
        image=str(spec.get("image") or ""),
        image_id=str(status.get("imageID") or "").rpartition("sha256:")[2],
        state=state,
        created_at=parse_time(str(meta.get("creationTimestamp") or "")) or datetime.fromtimestamp(0, UTC),
        started_at=parse_time(str((running or ended).get("startedAt") or "")),
        finished_at=parse_time(str(ended.get("finishedAt") or "")),
        exit_code=_number(ended.get("exitCode")),
        health=_health(spec, status, state),
        command=(*map(str, spec.get("command") or ()), *map(str, spec.get("args") or ())),
        ports=tuple(
            Port(int(one["containerPort"]), str(one.get("protocol") or "TCP").lower(), str(one.get("hostIP") or ""),
                 _number(one.get("hostPort")))
            for one in spec.get("ports") or ()
        ),
        mounts=_mounts(pod, spec),
        labels={str(key): str(value) for key, value in (meta.get("labels") or _EMPTY).items()},
        gpus_given=gpus_of(spec),
        pod=f"{namespace}/{name}" if with_namespace else name,
        oom_killed=last.get("reason") == "OOMKilled",
        restarts=int(status.get("restartCount") or 0),
        why=_why(pod, status),
    )  # fmt: skip


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _state(pod: Json, status: Json) -> tuple[ContainerState, Json]:
    """Its state, and how it ended where it has."""
    leaving = bool(pod["metadata"].get("deletionTimestamp"))
    state = status.get("state") or _EMPTY
    if "running" in state:
        return (ContainerState.STOPPING if leaving else ContainerState.RUNNING), _EMPTY
    if "terminated" in state:
        return (ContainerState.REMOVING if leaving else ContainerState.EXITED), state["terminated"] or _EMPTY
    phase = (pod.get("status") or _EMPTY).get("phase")
    if leaving:
        return ContainerState.REMOVING, _EMPTY
    if (state.get("waiting") or _EMPTY).get("reason") in _BROKEN or (
        status.get("restartCount") and (status.get("lastState") or _EMPTY).get("terminated")
    ):
        return ContainerState.RESTARTING, _EMPTY
    if phase == "Failed":  # evicted, or its node would not have it
        return ContainerState.DEAD, _EMPTY
    return (ContainerState.UNKNOWN if phase == "Unknown" else ContainerState.CREATED), _EMPTY


def _why(pod: Json, status: Json) -> str:
    """Kubernetes' words for why it does not run, or ended: "ImagePullBackOff: …"; "" where all is well."""
    state, told = status.get("state") or _EMPTY, pod.get("status") or _EMPTY
    reason = state.get("waiting") or _EMPTY
    ended = state.get("terminated") or _EMPTY
    if not reason and ended.get("reason") not in {None, "Completed"}:
        reason = ended
    if not reason and not state:
        unmet = [one for one in told.get("conditions") or () if one.get("status") == "False" and one.get("reason")]
        reason = told if told.get("reason") else (unmet or [_EMPTY])[0]
    return ": ".join(str(reason[key]) for key in ("reason", "message") if reason.get(key))


def _health(spec: Json, status: Json, state: ContainerState) -> Health:
    if state is not ContainerState.RUNNING or not any(probe in spec for probe in _PROBES):
        return Health.NONE
    if status.get("ready"):
        return Health.HEALTHY
    return Health.STARTING if not status.get("started", True) or not status.get("restartCount") else Health.UNHEALTHY


def _mounts(pod: Json, spec: Json) -> tuple[Mount, ...]:
    volumes = {one["name"]: one for one in pod["spec"].get("volumes") or ()}
    return tuple(
        Mount(*_source(volumes.get(one["name"], _EMPTY), one["name"]), str(one["mountPath"]),
              bool(one.get("readOnly")))
        for one in spec.get("volumeMounts") or ()
    )  # fmt: skip


def _source(volume: Json, name: str) -> tuple[MountKind, str]:
    """What is mounted: a claim is a volume, a folder of the node a bind."""
    if claim := volume.get("persistentVolumeClaim"):
        return MountKind.VOLUME, str(claim.get("claimName") or name)
    if path := volume.get("hostPath"):
        return MountKind.BIND, str(path.get("path") or name)
    if (volume.get("emptyDir") or _EMPTY).get("medium") == "Memory":
        return MountKind.TMPFS, name
    kind = next((key for key in volume if key != "name"), "")
    return MountKind.OTHER, f"{kind} {name}".strip()


def gpus_of(spec: Json) -> tuple[str, ...]:
    """GPUs that a container is given, by number: "nvidia.com/gpu=×2". Which ones, only its node knows."""
    limits = (spec.get("resources") or _EMPTY).get("limits") or _EMPTY
    asked = {str(key): str(value) for key, value in limits.items() if _GPU.fullmatch(str(key))}
    return tuple(f"{name}=×{count}" for name, count in sorted(asked.items()) if count != "0")


def events_of(engine: EngineId, item: Json) -> list[EngineEvent]:
    """One watch event of a Pod as hints, one for each of its containers; none for a bookmark."""
    pod = item["object"]
    if item.get("type") not in _EVENTS:
        return []
    namespace, pod_name = _named(pod["metadata"])
    try:
        told = dict(_codes(pod))
        names = [one["name"] for key in ("initContainers", "containers") for one in pod["spec"].get(key) or ()]
    except MISSHAPEN:
        told, names = {}, [_UNREAD]
    return [
        EngineEvent(
            engine=engine,
            kind=EventKind.CONTAINER,
            action=_EVENTS[item["type"]],
            id=str(Place(namespace, pod_name, name)),
            at=datetime.now(UTC),
            name=pod_name,
            exit_code=told.get(name),
        )
        for name in names
    ]


def _codes(pod: Json) -> Iterator[tuple[str, int | None]]:
    for one in (pod.get("status") or _EMPTY).get("containerStatuses") or ():
        yield one["name"], _number(((one.get("state") or _EMPTY).get("terminated") or _EMPTY).get("exitCode"))


def engine_info(version: Json, lacking: Mapping[Capability, str]) -> EngineInfo:
    """What the API server said of itself (GET /version)."""
    os, _, arch = str(version.get("platform") or "").partition("/")
    return EngineInfo(
        version=str(version["gitVersion"]).removeprefix("v"),
        api_version="v1",
        rootless=False,
        local=False,
        os=os,
        arch=arch,
        capabilities=Capabilities(lacking),
    )


def listed(answer: Json) -> Sequence[Json]:
    """The items of a list."""
    items = answer["items"]
    if not isinstance(items, list):
        raise TypeError(f"items is {type(items).__name__}")
    return items


__all__ = [
    "Place", "containers_of", "engine_info", "events_of", "gpus_of", "listed", "place_of", "rows_of",
]  # fmt: skip
