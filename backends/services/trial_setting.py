"""Prepares a trial on its engines: the image brought, volumes copied, a recipe for each; and takes all of that back.

The original is only read. May not measure.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from backends.engine import Engine
from backends.migration.facts import same_image
from backends.migration.planning import image_or_none, plan_migration
from backends.migration.tools import tool_image
from backends.migration.transfer import copy_volume
from backends.model.capabilities import Capability
from backends.model.container import MountKind
from backends.model.errors import BackendError, NotFound, Unsupported
from backends.model.ids import ContainerKey, EngineId
from backends.model.image import ImageFacts
from backends.model.plan import Choices, Severity, Verdict
from backends.model.trial import ReadyBy, TrialRequest
from backends.model.workload import VolumeSpec, WorkloadSpec
from backends.services import owned
from backends.services.fleet import Fleet
from backends.services.image_copies import copy_image
from backends.services.images import FleetImages
from backends.trial.isolated import isolated

_log = logging.getLogger(__name__)

Say = Callable[[str, EngineId], None]


@dataclass(slots=True)
class Setting:
    """What was prepared. images: the id to create from, by engine. brought, volumes: what is to be removed again."""

    name: str
    subject: str
    image: str
    ready_by: ReadyBy
    specs: dict[EngineId, WorkloadSpec] = field(default_factory=dict)
    images: dict[EngineId, str] = field(default_factory=dict)
    brought: list[tuple[Engine, str]] = field(default_factory=list)
    volumes: list[tuple[Engine, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Once each."""
        if text not in self.notes:
            self.notes.append(text)


async def prepare(fleet: Fleet, subject: ContainerKey | str, request: TrialRequest, say: Say, made: Setting) -> None:
    """Bring all that is needed to each engine, noted in `made` as it comes, so that `clear` can take it back.

    subject: a container, or the name of an image. Raises NotFound, Unsupported where an engine cannot run it, and what
    the engines raise.
    """
    view = fleet.store.view
    for id in request.engines:
        known = view.engines.get(id)
        if known is not None and known.info is not None and known.info.local:
            for name in await owned.sweep_nobodys(fleet.engine(id)):
                made.note(f"{name} was left over on {id} by an earlier trial or sweep, and was removed")
    source, spec, facts = await _source(fleet, subject, request)
    made.image = spec.image or (facts.tags or (facts.key.short,))[0]
    for id in request.engines:
        engine = fleet.engine(id)
        say("bring the image", id)
        made.images[id] = await _image(fleet, source, engine, facts, made)
    made.ready_by = request.ready_by or await _default_sign(fleet, spec, made.images)
    for id in request.engines:
        engine = fleet.engine(id)
        own = await _converted(fleet, source, subject, spec, engine, made)
        say("copy volumes", id)
        volumes = await _volumes(source, engine, own, facts.key.id, made) if isinstance(subject, ContainerKey) else {}
        labels = owned.mark()
        isolated_spec, notes = isolated(own, made.name, labels, volumes)
        for text in notes:
            made.note(text)
        made.specs[id] = _by_id(isolated_spec, made.images[id])


def new_setting(subject: str) -> Setting:
    """Nothing prepared yet, under a name of its own."""
    return Setting(f"tranship-trial-{uuid.uuid4().hex[:8]}", subject, "", ReadyBy.RUNNING)


async def clear(made: Setting) -> tuple[str, ...]:
    """Remove what was brought; returns what could not be, in words."""
    left: list[str] = []
    for engine, volume in made.volumes:
        try:
            await engine.remove_volume(volume)
        except NotFound:
            continue
        except BackendError as error:
            left.append(f"volume {volume} on {engine.id}: {error}")
    for engine, image in made.brought:
        try:
            await engine.remove_image(image)
        except NotFound:
            continue
        except BackendError as error:
            left.append(f"image {image[:12]} on {engine.id}: {error}")
    for text in left:
        _log.warning("left over by a trial: %s", text)
    return tuple(left)


async def _source(
    fleet: Fleet, subject: ContainerKey | str, request: TrialRequest
) -> tuple[Engine, WorkloadSpec, ImageFacts]:
    """Who has it, its recipe there, its image."""
    if isinstance(subject, ContainerKey):
        engine = fleet.engine(subject.engine)
        seen, spec = await asyncio.gather(engine.inspect_container(subject.id), engine.workload_spec(subject.id))
        return engine, spec, await engine.image_facts(spec.image_id or seen.image_id or spec.image)
    for id in dict.fromkeys((*request.engines, *(engine.id for engine in fleet.engines))):
        known = fleet.store.view.engines.get(id)
        found = (
            None
            if known is None or not known.offers(Capability.STORES)
            else await image_or_none(fleet.engine(id), subject)
        )
        if found is not None:
            return fleet.engine(id), WorkloadSpec("", subject), found
    raise NotFound(f"no engine has a container or an image {subject}", hint=f"tranship pull {subject}")


async def _default_sign(fleet: Fleet, spec: WorkloadSpec, images: Mapping[EngineId, str]) -> ReadyBy:
    """Its health check where the recipe has one, or the image on every engine: Podman knows none of an OCI image."""
    if spec.health is not None:
        return ReadyBy.RUNNING if spec.health.test[:1] in {(), ("NONE",)} else ReadyBy.HEALTH
    configs = await asyncio.gather(*(fleet.engine(id).image_config(image) for id, image in images.items()))
    return ReadyBy.HEALTH if all(config.health for config in configs) else ReadyBy.RUNNING


async def _image(fleet: Fleet, source: Engine, engine: Engine, facts: ImageFacts, made: Setting) -> str:
    """The image's id on that engine, brought there without a name where it lacks it."""
    there = facts if engine.id == source.id else await image_or_none(engine, facts.key.id)
    if there is None and facts.tags:
        named = await image_or_none(engine, facts.tags[0])
        there = named if named is not None and same_image(facts, named) else None
    if there is not None:
        return there.key.id
    seen = await FleetImages(fleet).look()
    share = next((one for one in seen.images if one.image.key == facts.key), None)
    if share is None:
        raise NotFound(f"the image {made.image} is gone from {source.id}", hint=f"tranship pull {made.image}")
    copied = await copy_image(fleet, share, engine.id, (), lambda _progress: None)
    made.brought.append((engine, copied.key.id))
    made.note(f"the image was brought to {engine.id} for the trial, and removed again")
    return copied.key.id


async def _converted(
    fleet: Fleet, source: Engine, subject: ContainerKey | str, spec: WorkloadSpec, engine: Engine, made: Setting
) -> WorkloadSpec:
    """The recipe as that engine takes it, by the plan of a move there."""
    if engine.id == source.id or not isinstance(subject, ContainerKey):
        return spec
    plan = await plan_migration(source, subject.id, engine, choices=Choices(name=made.name), seen=fleet.store.view.gpus)
    if spec.gpu is not None and plan.spec.gpu is None:
        said = next((one.title for one in plan.findings if one.severity is Severity.BLOCK and "GPU" in one.title), "")
        raise Unsupported(f"{engine.id} cannot give it the GPUs", detail=said, hint="leave it out of --on")
    for one in plan.fields:
        if one.verdict is Verdict.DROPPED:
            made.note(f"{engine.id} runs it without {one.field} {one.source}: {one.reason}")
    # Volumes keep the original's names here: the copies' are laid over them, as for the original's own engine.
    names = {move.create.name: move.source_name for move in plan.volumes}
    return _with_sources(plan.spec, names)


async def _volumes(source: Engine, engine: Engine, spec: WorkloadSpec, image: str, made: Setting) -> Mapping[str, str]:
    """Copies of the named volumes, read while the original goes on."""
    copies: dict[str, str] = {}
    for mount in spec.mounts:
        if mount.kind is not MountKind.VOLUME or mount.anonymous or not mount.source or mount.source in copies:
            continue
        name = f"{made.name}-v{len(copies) + 1}"
        made.volumes.append((engine, name))
        await engine.create_volume(VolumeSpec(name, labels=owned.mark()))
        images = (await tool_image(source, mount.source, image), await tool_image(engine, name, made.images[engine.id]))
        await copy_volume(source, engine, (mount.source, name), images, lambda _flow: None)
        copies[mount.source] = name
    if copies:
        made.note(
            "volumes were copied once before the rounds; every round goes on with what the one before left in them"
        )
    return copies


def _with_sources(spec: WorkloadSpec, names: Mapping[str, str]) -> WorkloadSpec:
    mounts = tuple(replace(mount, source=names.get(mount.source, mount.source)) for mount in spec.mounts)
    return replace(spec, mounts=mounts)


def _by_id(spec: WorkloadSpec, image: str) -> WorkloadSpec:
    return replace(spec, image=image, image_id=image)


__all__ = ["Setting", "clear", "new_setting", "prepare"]
