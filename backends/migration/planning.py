"""Asks both engines for the facts of a move and makes the plan. Changes nothing on either."""

from __future__ import annotations

import asyncio

from backends.engine import Engine
from backends.giving import UNSEEN, own_gpus
from backends.inspected import user_of
from backends.migration import references
from backends.migration.facts import Company, SourceFacts, TargetFacts
from backends.migration.places import look_at, look_over
from backends.migration.plan import make_plan
from backends.migration.tools import tool_image
from backends.migration.trust import see_trust
from backends.model.capabilities import EngineInfo
from backends.model.container import ChangedPath, Container, MountKind
from backends.model.errors import NotFound, Refused, Unsupported
from backends.model.gpu import GpuSnapshot
from backends.model.ids import EngineKind
from backends.model.image import ImageFacts
from backends.model.plan import Choices, Plan
from backends.model.workload import WorkloadSpec
from backends.registry import load_server
from backends.stores import StoreError, find_image

TAR_PLACES = ("/bin/tar", "/usr/bin/tar")
ASKED_AT_ONCE = 16

Sharers = dict[str, tuple[str, ...]]


async def image_or_none(engine: Engine, reference: str) -> ImageFacts | None:
    """The image of that id or reference, None where the engine has none (or where "" is asked for)."""
    if not reference:
        return None
    try:
        return await engine.image_facts(reference)
    except NotFound:
        return None


async def _sharers(engine: Engine, spec: WorkloadSpec, own_id: str, containers: list[Container]) -> Sharers:
    """Per volume of the source, the names of the other living containers that mount it.

    Podman's list tells where something is mounted, not what: then the container itself is looked at.
    """
    names = {mount.source for mount in spec.mounts if mount.kind is MountKind.VOLUME}
    users: dict[str, set[str]] = {}
    for other in containers if names else ():
        if not other.state.alive or other.key.id == own_id:
            continue
        seen = other
        if any(mount.kind is MountKind.OTHER for mount in other.mounts):
            try:
                seen = await engine.inspect_container(other.key.id)
            except NotFound:
                continue  # it went meanwhile
        for mount in seen.mounts:
            if mount.kind is MountKind.VOLUME and mount.source in names:
                users.setdefault(mount.source, set()).add(other.name)
    return {name: tuple(sorted(found)) for name, found in users.items()}


async def _unreadable(engine: Engine, volumes: list[str], image_id: str) -> tuple[str, str, str] | None:
    """Why the volumes cannot be read. Only Podman needs a program of an image for it; a helper container tries it,
    sees the volume read-only and is removed at once.
    """
    if engine.id.kind is not EngineKind.PODMAN:
        return None
    try:
        for name in volumes:
            await tool_image(engine, name, image_id)
    except Unsupported as error:
        return error.title, error.detail, error.hint
    except Refused:
        return None  # read-only: nothing is tried, and nothing will be moved
    return None


async def _changed(engine: Engine, container: str) -> tuple[ChangedPath, ...] | None:
    """What its own layer has; None where the engine cannot tell."""
    try:
        return await engine.changed_paths(container)
    except Unsupported:
        return None


async def _has_tar(engine: Engine, container: str) -> bool | None:
    """Whether its files have `tar`, where either of its usual places is one; None where the engine does not tell."""
    try:
        for path in TAR_PLACES:
            try:
                async with engine.read_files(container, path) as chunks:
                    async for _chunk in chunks:
                        return True
            except NotFound:
                continue
    except (Unsupported, Refused):
        return None
    return False


async def source_facts(engine: Engine, container: str) -> SourceFacts:
    """All that a plan needs to know of the source; container: id or name.

    Raises NotFound where the container, its image or one of its volumes is gone.
    """
    info = await engine.connect()
    seen, spec = await asyncio.gather(engine.inspect_container(container), engine.workload_spec(container))
    own = seen.key.id
    try:
        image = await engine.image_facts(spec.image_id or seen.image_id or spec.image)
    except NotFound as error:
        raise NotFound(
            f"the image of {seen.name} is gone from {engine.id}",
            detail=str(error),
            hint="make an image of the container first (commit), and move a container of that image",
            engine=engine.id,
        ) from error
    names = sorted({mount.source for mount in spec.mounts if mount.kind is MountKind.VOLUME})
    named, containers, images, volumes = await asyncio.gather(
        image_or_none(engine, spec.image),
        engine.list_containers(),
        engine.list_images(),
        asyncio.gather(*(engine.inspect_volume(name) for name in names)),
    )
    networks, changed, raw = await asyncio.gather(
        engine.list_networks(), _changed(engine, own), engine.inspect_raw(own)
    )
    report = await layer_bytes(engine, image)
    store, unread = await store_of(engine, info, image)
    digests = next((listed.digests for listed in images if listed.key.id == image.key.id), ())
    return SourceFacts(
        engine=engine.id,
        info=info,
        container=seen,
        spec=spec,
        image=image,
        tag_id=named.key.id if named else "",
        digests=digests,
        volumes=dict(zip(names, volumes, strict=True)),
        sharers=await _sharers(engine, spec, own, containers),
        unreadable=await _unreadable(engine, names, image.key.id),
        containers=tuple(containers),
        networks={network.spec.name: network for network in networks},
        changed=changed,
        user=user_of(raw),
        has_tar=await _has_tar(engine, own) if names else None,
        held=await asyncio.to_thread(look_over, volumes) if info.local else {},
        layer_bytes=report,
        store=store,
        unread=unread,
    )


async def target_facts(engine: Engine, source: SourceFacts, seen: GpuSnapshot = UNSEEN) -> TargetFacts:
    """All that a plan needs to know of the target for moving this source there. seen: the GPUs of this machine."""
    info = await engine.connect()
    tag, _ = references.tag_of(source.spec.image, source.image.key.id)
    by_id, by_tag, containers, volumes = await asyncio.gather(
        image_or_none(engine, source.image.key.id),
        image_or_none(engine, tag),
        engine.list_containers(),
        engine.list_volumes(),
    )
    travels = by_id is None and info.local and engine.id.kind is EngineKind.PODMAN
    networks, room, images, _ = await asyncio.gather(
        engine.list_networks(), engine.room(), engine.list_images(), load_server() if travels else asyncio.sleep(0)
    )
    binds = [mount.source for mount in source.spec.mounts if mount.kind is MountKind.BIND]
    others = [image for image in images if image.key.id != source.image.key.id]
    return TargetFacts(
        engine=engine.id,
        info=info,
        by_id=by_id,
        by_tag=by_tag,
        containers=tuple(containers),
        volumes=frozenset(volume.name for volume in volumes),
        networks=tuple(networks),
        room=room,
        binds=await asyncio.to_thread(look_at, binds) if info.local else {},
        bare_store=engine.id.kind is EngineKind.PODMAN and not others,
        image_layers=await stored_layers(engine, [image.key.id for image in images]),
        gpus=own_gpus(engine.id.kind, info, seen),
        trust=await asyncio.to_thread(see_trust, engine.id, engine.endpoint) if info.local else None,
    )


async def stored_layers(engine: Engine, images: list[str]) -> tuple[tuple[str, ...], ...]:
    """The diff-IDs of each image of a store; one that goes meanwhile counts for nothing."""
    found: list[tuple[str, ...]] = []
    for start in range(0, len(images), ASKED_AT_ONCE):
        asked = (image_or_none(engine, image) for image in images[start : start + ASKED_AT_ONCE])
        found += [facts.diff_ids for facts in await asyncio.gather(*asked) if facts is not None]
    return tuple(dict.fromkeys(found))


async def layer_bytes(engine: Engine, image: ImageFacts) -> tuple[int | None, ...]:
    """How large the image's layers are, base first; () where its history does not tell."""
    report = await engine.image_layers(image.key.id)
    sizes_ = {layer.diff_id: layer.size_bytes for layer in report.layers if layer.diff_id}
    return tuple(sizes_.get(diff_id) for diff_id in image.diff_ids)


async def store_of(engine: Engine, info: EngineInfo, facts: ImageFacts) -> tuple[str, str]:
    """The folder of the engine's store in which the image can be read, else "" and why not, for people."""
    try:
        found = await asyncio.to_thread(find_image, engine.id.kind, info, engine.endpoint, facts)
    except StoreError as error:
        return "", error.title
    return str(found.root), ""


async def look(
    source: Engine, container: str, target: Engine, seen: GpuSnapshot = UNSEEN
) -> tuple[SourceFacts, TargetFacts]:
    """All that `make_plan` needs, whatever is chosen then. Raises as `plan_migration`."""
    facts = await source_facts(source, container)
    return facts, await target_facts(target, facts, seen)


async def plan_migration(
    source: Engine,
    container: str,
    target: Engine,
    *,
    choices: Choices = Choices(),
    company: Company = Company(),
    seen: GpuSnapshot = UNSEEN,
) -> Plan:
    """The plan of moving a container; nothing is changed.

    container: id or name on the source. choices: what the user decided; where a name is given, volumes whose names are
    taken on the target get new names. company: containers that move along. seen: the GPUs of this machine.
    What stands in the way is a finding of severity BLOCK in the plan.
    Raises NotFound where the container or its image is gone, Unreachable (Denied, TimedOut, …) where an engine is.
    """
    facts, there = await look(source, container, target, seen)
    return await asyncio.to_thread(make_plan, facts, there, choices, company)
