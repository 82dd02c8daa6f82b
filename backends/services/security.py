"""Asks engines for what the security view judges, and looks at the sockets of this machine. Changes nothing."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import stat
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from backends.engine import Engine
from backends.inspected import user_of
from backends.migration.trust import see_trust
from backends.model.capabilities import EngineInfo
from backends.model.container import Container
from backends.model.errors import BackendError, NotFound
from backends.model.fleet import EngineView
from backends.model.ids import EngineId
from backends.model.image import Image
from backends.model.image_config import ImageConfig
from backends.model.workload import WorkloadSpec
from backends.security.examine import examine_container, examine_engine
from backends.security.exposure import secret_names
from backends.security.facts import ContainerFacts, EngineFacts, ImageSeen, SocketSeen, TrustSeen
from backends.security.finding import ContainerReport, EngineReport
from backends.services.fleet import Fleet

Config: TypeAlias = tuple[ImageConfig | None, tuple[str, ...]]
"""What an image says of containers, None where it does not; and why not, in words."""
AT_ONCE = 8
_REAL_YEAR = 1990
"""Reproducible builds date their images 1970 or 1980, which says nothing of their age."""
_CROSSED = 0o001


async def look(
    engine: Engine, containers: Sequence[Container], *, now: datetime | None = None
) -> tuple[list[ContainerReport], list[BackendError]]:
    """The reports of these containers of one engine, in their order, and why some could not be made.

    A container that has gone meanwhile is left out. Raises what the engine raises where it cannot be asked at all.
    """
    info = await engine.connect()
    images = {image.key.id: image for image in await engine.list_images()} if containers else {}
    names = {tag: image.key.id for image in images.values() for tag in image.tags}
    trust = await asyncio.to_thread(see_trust, engine.id, engine.endpoint) if containers else None
    moment, gate = now or datetime.now(UTC), asyncio.Semaphore(AT_ONCE)

    configs: dict[str, Config] = {}

    async def one(container: Container) -> ContainerReport | BackendError | None:
        async with gate:
            try:
                return await _report(engine, info, container, images, names, moment, trust, configs)
            except NotFound:
                return None
            except BackendError as error:
                return error

    made = await asyncio.gather(*map(one, containers))
    reports = [report for report in made if isinstance(report, ContainerReport)]
    return reports, [error for error in made if isinstance(error, BackendError)]


async def _report(
    engine: Engine,
    info: EngineInfo,
    container: Container,
    images: Mapping[str, Image],
    names: Mapping[str, str],
    now: datetime,
    trust: TrustSeen | None,
    configs: dict[str, Config],
) -> ContainerReport:
    spec, raw = await asyncio.gather(engine.workload_spec(container.key.id), engine.inspect_raw(container.key.id))
    image_id = spec.image_id or container.image_id
    named = image_id or spec.image
    if named not in configs:  # containers of one image ask once, or as often as they ask at the same time
        configs[named] = await _config(engine, named)
    config, unread = configs[named]
    facts = ContainerFacts(
        engine=engine.id,
        info=info,
        spec=spec,
        user=user_of(raw) or spec.user or (config.user if config is not None else ""),
        image_id=image_id,
        image=_image(spec, images.get(image_id), names, config),
        now=now,
        trust=trust,
    )
    return examine_container(container.key, facts, unread)


async def _config(engine: Engine, image: str) -> Config:
    try:
        return await engine.image_config(image), ()
    except BackendError as error:  # its image is gone, or does not tell: what is known of the container stands
        return None, (f"its image: {error.title}",)


def _image(spec: WorkloadSpec, image: Image | None, names: Mapping[str, str], config: ImageConfig | None) -> ImageSeen:
    made = image.created_at if image is not None else None
    return ImageSeen(
        created_at=made if made is not None and made.year >= _REAL_YEAR else None,
        named_now=names.get(spec.image, ""),
        digests=image.digests if image is not None else (),
        secrets=secret_names(config.env) if config is not None else (),
    )


async def look_at_all(
    fleet: Fleet, containers: Sequence[Container], *, engines: Collection[EngineId] = (), now: datetime | None = None
) -> tuple[list[ContainerReport], list[EngineReport], list[BackendError]]:
    """The reports of containers and of their engines, by engine, and why some could not be made.

    engines: those that are looked at besides, without containers too.
    """
    reports: list[ContainerReport] = []
    told: list[EngineReport] = []
    errors: list[BackendError] = []
    for id in sorted({row.key.engine for row in containers} | set(engines)):
        try:
            made, failed = await look(fleet.engine(id), [row for row in containers if row.key.engine == id], now=now)
        except BackendError as error:
            errors.append(error)
            continue
        reports += made
        errors += failed
        seen = fleet.store.view.engines.get(id)
        report = await look_at_engine(seen) if seen is not None else None
        told += [report] if report is not None else []
    return reports, told, errors


async def look_at_engine(engine: EngineView) -> EngineReport | None:
    """The report of an engine; None where it has never said what it is."""
    if engine.info is None:
        return None
    socket = await asyncio.to_thread(see_socket, engine.endpoint)
    trust = await asyncio.to_thread(see_trust, engine.id, engine.endpoint)
    return examine_engine(EngineFacts(engine.id, engine.endpoint, engine.info, socket, trust))


def see_socket(endpoint: str) -> SocketSeen | None:
    """Who may write to a socket of this machine; None where it is none, or not ours to look at. Blocks on files."""
    scheme, _, path = endpoint.partition("://")
    if scheme != "unix":
        return None
    try:
        seen = os.stat(path)
        shut = next((str(folder) for folder in Path(os.path.realpath(path)).parents if not _crossed(folder)), "")
    except OSError:
        return None  # gone, or behind a folder that keeps us out: nothing is known, and nothing is said
    owner = _name(seen.st_uid, lambda uid: pwd.getpwuid(uid).pw_name)
    group = _name(seen.st_gid, lambda gid: grp.getgrgid(gid).gr_name)
    return SocketSeen(path, stat.S_IMODE(seen.st_mode), owner, group, _members(seen.st_gid), shut)


def _crossed(folder: Path) -> bool:
    """Whether every user may pass through it."""
    return bool(folder.stat().st_mode & _CROSSED)


def _name(number: int, lookup: Callable[[int], str]) -> str:
    try:
        return lookup(number)
    except KeyError:  # an id without an entry
        return str(number)


def _members(gid: int) -> tuple[str, ...]:
    """Those whom /etc/group lists; whose own group it is is not among them."""
    try:
        return tuple(sorted(grp.getgrgid(gid).gr_mem))
    except KeyError:
        return ()


__all__ = ["look", "look_at_all", "look_at_engine", "see_socket"]
