"""Looks for engines on this machine and in people's settings; says why one is absent. Makes no lasting connection."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backends.engines.discover_sources import (
    DOCKER_SOCKET,
    PODMAN_SOCKET,
    Candidate,
    Texts,
    candidates,
    context_directory,
    docker_context,
    paths,
)
from backends.model.ids import EngineId, EngineKind
from backends.wire.endpoint import Endpoint, Scheme
from backends.wire.plain import PlainAnswer, plain_get

_FILE_LIMIT_BYTES = 1 << 20
_CONTEXTS_MOST = 100
_PROBE_TIMEOUT_S = 1.5
_ANSWER_LIMIT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """An engine, or the reason why there is none.

    endpoint: None where it is absent. absent, hint: why, and the next step; "" where it is there. source: who named it.
    startable: the path of a `podman` that could serve it (discover_service), "" where there is none.
    """

    id: EngineId
    kind: EngineKind
    endpoint: Endpoint | None
    absent: str = ""
    hint: str = ""
    source: str = ""
    startable: str = ""


async def discover(environ: Mapping[str, str]) -> list[Found]:
    """Engines that are there, then those that are not. Never raises for what it finds; takes about a second at most."""
    looked = await asyncio.to_thread(_look, environ)
    there = _named(_distinct(await _probed(looked.sightings)))
    told = [found for found in looked.absent if found.source]
    kinds = {found.kind for found in (*there, *told)}
    # What a person named is always told; a kind that is there, or told of, by another way is not missed.
    return _unique([*there, *told, *(found for found in looked.absent if found.kind not in kinds)])


@dataclass(frozen=True, slots=True)
class Sighting:
    """A candidate that can be tried. place: the same for two ways to one socket."""

    candidate: Candidate
    endpoint: Endpoint
    place: str
    identity: str = ""


@dataclass(frozen=True, slots=True)
class _Looked:
    sightings: list[Sighting]
    absent: list[Found]


def read_texts(environ: Mapping[str, str]) -> Texts:
    """Read the settings of both engines' command lines; what cannot be read is as if it were not there."""
    where = paths(environ)
    config = _text(where.docker_config)
    context = docker_context(environ, config)
    meta = _text(f"{where.docker_contexts}/meta/{context_directory(context)}/meta.json") if context else ""
    contexts = sorted(Path(where.docker_contexts).glob("meta/*/meta.json"))[:_CONTEXTS_MOST]
    return Texts(
        config,
        meta,
        _text(where.podman_connections),
        tuple(_text(path) for path in where.containers_conf),
        tuple(_text(str(path)) for path in contexts),
    )


def _text(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(_FILE_LIMIT_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _look(environ: Mapping[str, str]) -> _Looked:
    """File system only; runs in a thread."""
    sightings: list[Sighting] = []
    absent: list[Found] = []
    missed: dict[EngineKind, list[tuple[Candidate, str]]] = {EngineKind.DOCKER: [], EngineKind.PODMAN: []}
    for candidate in candidates(environ, read_texts(environ)):
        engine_id = EngineId(candidate.kind, candidate.name)
        if candidate.endpoint is None:
            absent.append(Found(engine_id, candidate.kind, None, candidate.problem, candidate.hint, candidate.source))
            continue
        why = _unusable(candidate.endpoint)
        if why and not candidate.explicit:
            missed[candidate.kind].append((candidate, why))
            continue
        sightings.append(Sighting(candidate, candidate.endpoint, _place(candidate.kind, candidate.endpoint)))
    path = environ.get("PATH", os.defpath)
    absent += [_absent_docker(missed[EngineKind.DOCKER], path), _absent_podman(missed[EngineKind.PODMAN], path)]
    return _Looked(sightings, absent)


def _unusable(endpoint: Endpoint) -> str:
    """ "" where it can be tried; "denied" or "missing" for a socket that cannot."""
    if endpoint.scheme is not Scheme.UNIX:
        return ""
    try:
        mode = Path(endpoint.address).stat().st_mode
    except PermissionError:
        return "denied"
    except OSError:
        return "missing"
    if not stat.S_ISSOCK(mode):
        return "missing"
    return "" if os.access(endpoint.address, os.R_OK | os.W_OK) else "denied"


def _place(kind: EngineKind, endpoint: Endpoint) -> str:
    if endpoint.scheme is Scheme.UNIX:
        return os.path.realpath(endpoint.address)
    # Over SSH without a socket each kind has its own.
    return f"{kind} at {endpoint}" if endpoint.scheme is Scheme.SSH and not endpoint.remote_socket else str(endpoint)


def _absent_docker(missed: Sequence[tuple[Candidate, str]], path: str) -> Found:
    engine_id = EngineId(EngineKind.DOCKER, "docker")
    denied = [one for one, why in missed if why == "denied"]
    if denied:
        hint = "Add yourself to the group docker (`sudo usermod -aG docker $USER`) and log in again."
        return Found(engine_id, engine_id.kind, None, f"permission denied on {denied[0].endpoint}", hint)
    reason = f"No Docker socket at {DOCKER_SOCKET} and no DOCKER_HOST"
    installed = shutil.which("dockerd", path=path) or shutil.which("docker", path=path)
    hint = "Start it: `systemctl start docker`." if installed else "Install Docker, or set DOCKER_HOST."
    return Found(engine_id, engine_id.kind, None, reason, hint)


def _absent_podman(missed: Sequence[tuple[Candidate, str]], path: str) -> Found:
    own = "podman" if os.geteuid() == 0 else "podman-rootless"
    engine_id = EngineId(EngineKind.PODMAN, own)
    binary = shutil.which("podman", path=path) or ""
    denied = [one for one, why in missed if why == "denied" and one.name == own]
    if denied:
        hint = "Use rootless Podman: `systemctl --user start podman.socket`."
        return Found(engine_id, engine_id.kind, None, f"permission denied on {denied[0].endpoint}", hint)
    reason = f"No Podman socket at {PODMAN_SOCKET} or below XDG_RUNTIME_DIR, and no CONTAINER_HOST"
    user = "" if own == "podman" else " --user"
    hint = f"Start it: `systemctl{user} start podman.socket`." if binary else "Install Podman, or set CONTAINER_HOST."
    return Found(engine_id, engine_id.kind, None, reason, hint, startable=binary)


async def _probed(sightings: Sequence[Sighting]) -> list[Sighting]:
    """Ask each local socket whether it is Podman (also where it plays Docker), and which store it serves.

    The store tells two ways to one Podman apart from two Podmans; where there is one way only, it is not asked for:
    that answer takes Podman some 100 ms.
    """
    kinds = await asyncio.gather(*(_kind(one) for one in sightings))
    known = [
        replace(one, candidate=replace(one.candidate, kind=kind)) for one, kind in zip(sightings, kinds, strict=True)
    ]
    podmans = [one for one in known if one.endpoint.scheme is Scheme.UNIX and _is_podman(one)]
    if len({one.place for one in podmans}) < 2:
        return known
    identities = await asyncio.gather(*(_identity(one.endpoint.address) for one in podmans))
    told = {id(one): identity for one, identity in zip(podmans, identities, strict=True)}
    return [replace(one, identity=told.get(id(one), "")) for one in known]


async def _kind(sighting: Sighting) -> EngineKind:
    """Podman where it says so, else what it was taken for."""
    if sighting.endpoint.scheme is not Scheme.UNIX:
        return sighting.candidate.kind
    answer = await _ask(sighting.endpoint.address, "/_ping")
    if answer is not None and "libpod-api-version:" in answer.head.lower():
        return EngineKind.PODMAN
    return sighting.candidate.kind


async def _identity(socket: str) -> str:
    """Its host, store and rights; "" where it does not tell."""
    answer = await _ask(socket, "/v5.0.0/libpod/info")
    try:
        info: Any = json.loads(answer.body if answer is not None else "")
        host, store = info["host"], info["store"]
        return f"{host['hostname']} {store['graphRoot']} {host['security']['rootless']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


async def _ask(socket: str, path: str) -> PlainAnswer | None:
    """None where there is no answer in time."""
    try:
        return await plain_get(socket, path, timeout_s=_PROBE_TIMEOUT_S, most_bytes=_ANSWER_LIMIT_BYTES)
    except (OSError, ValueError):  # TimeoutError is an OSError
        return None  # the supervisor says why when it connects


def _distinct(sightings: Sequence[Sighting]) -> list[Sighting]:
    """One sighting for each engine: the first way to it. A Docker-compatible socket of a Podman is that Podman."""
    kept: list[Sighting] = []
    native = sorted(sightings, key=lambda one: one.candidate.name.startswith("docker") and _is_podman(one))
    for sighting in native:
        same = [
            one
            for one in kept
            if one.place == sighting.place or (sighting.identity and one.identity == sighting.identity)
        ]
        if not same:
            kept.append(sighting)
    order = {id(one): at for at, one in enumerate(sightings)}
    return sorted(kept, key=lambda one: order[id(one)])


def _is_podman(sighting: Sighting) -> bool:
    return sighting.candidate.kind is EngineKind.PODMAN


def _named(sightings: Sequence[Sighting]) -> list[Found]:
    found: list[Found] = []
    for sighting in sightings:
        candidate = sighting.candidate
        name = candidate.name
        if candidate.kind is EngineKind.PODMAN and not candidate.explicit:
            name = name.replace("docker", "podman")
        found.append(Found(EngineId(candidate.kind, name), candidate.kind, sighting.endpoint, source=candidate.source))
    return found


def _unique(found: Sequence[Found]) -> list[Found]:
    """Unique names: the first comer keeps its own."""
    renamed: list[Found] = []
    taken: set[str] = set()
    for one in found:
        name = one.id.name
        number = 2
        while name in taken:
            name = f"{one.id.name}-{number}"
            number += 1
        taken.add(name)
        renamed.append(one if name == one.id.name else replace(one, id=EngineId(one.kind, name)))
    return renamed
