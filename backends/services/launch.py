"""A new container, from a draft to a running one: what is found before, and what is done. Names no engine.

`judge` is pure and quick, for a form that is typed into; `look` asks the engine and the machine; `launch` acts.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from backends.draft.check import Facts, Remark, check, free_name, free_port, ground_of, taken_ports
from backends.draft.draft import Draft
from backends.draft.spec import Around, Place, Read, read_draft
from backends.draft.training import training_remarks
from backends.draft.words import read_ports
from backends.engine import Engine
from backends.export.command import Command, run_command
from backends.giving import Refusal, give, own_gpus, words
from backends.listening import listening_ports
from backends.model.capabilities import Capability, EngineInfo
from backends.model.container import ContainerState, MountKind
from backends.model.errors import BackendError, Conflict, NotFound
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey, EngineId
from backends.model.plan import Finding, Severity
from backends.model.run_words import port_text
from backends.model.workload import WorkloadSpec
from backends.services.audit_facts import of_spec
from backends.services.creating import Stays, called_off, created, taken_back
from backends.services.fleet import Fleet

_log = logging.getLogger(__name__)

SETTLE_S = 1.0
"""How long a container that was started is looked at for an early end."""
_LAST_LINES = 5
_COMPOSE = ("com.docker.compose.", "io.podman.compose.")
"""Labels by which docker compose and podman-compose know their own."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A draft for one engine. wrong: texts that cannot be read. remarks: what was found. command: the engine's own."""

    engine: EngineId
    draft: Draft
    read: Read
    spec: WorkloadSpec
    wrong: dict[Place, str]
    remarks: tuple[Remark, ...]
    command: Command

    @property
    def blocked(self) -> bool:
        """It cannot be made so."""
        return bool(self.wrong) or any(one.finding.severity is Severity.BLOCK for one in self.remarks)


@dataclass(frozen=True, slots=True)
class Launched:
    """A container that was made and started. ended: in words, where it has ended by an error; with its last lines."""

    key: ContainerKey
    name: str
    ended: str = ""
    last_lines: tuple[str, ...] = ()


def judge(
    view: FleetView,
    engine: EngineId,
    draft: Draft,
    around: Around,
    *,
    base: WorkloadSpec | None = None,
    facts: Facts | None = None,
    replaced: ContainerKey | None = None,
    training: bool = False,
) -> Judged:
    """What becomes of the draft on that engine. base: the recipe it was made from. replaced: whose place it takes.

    training: its programs train, so that what several GPUs need is looked at with one too.
    """
    read = read_draft(draft, around, base)
    spec, remarks = read.spec, []
    ground = ground_of(view, engine, facts or Facts(), replaced)
    if ground is None:
        finding = Finding(Severity.BLOCK, f"{engine} was never reached", remedy="tranship engines says why")
        remarks.append(Remark(finding))
    else:
        wish, seen = read.gpus, own_gpus(engine.kind, ground.info, view.gpus)
        given = give(
            wish,
            engine.kind,
            ground.info,
            seen,
            current=base.gpu if base is not None else None,
        )
        if isinstance(given, Refusal):
            remedy = f"{given.remedy}; or say none to run without"
            remarks.append(Remark(Finding(Severity.BLOCK, given.reason, remedy=remedy), "gpus"))
        else:
            if wish.keeps and given.request is not None:
                remarks.append(Remark(Finding(Severity.NOTE, f"as it has them: {words(given.request)}"), "gpus"))
            spec = given.onto(spec)
        remarks += check(spec, ground)
        remarks += training_remarks(spec, engine.kind, seen, training=training)
        remarks += [Remark(Finding(Severity.NOTE, note), "env") for note in read.notes]
    files = draft.all("env_files")
    command = run_command(spec, engine.plays, env_files=files, file_variables=read.file_variables)
    wrong = dict(read.wrong)
    return Judged(engine, draft, read, spec, wrong, tuple(remarks), command)


# -- proposing -----------------------------------------------------------------------------------
def like(spec: WorkloadSpec) -> WorkloadSpec:
    """The recipe of another container of the same kind.

    Volumes without a name are new ones of its own, addresses are not asked for, and it belongs to no Compose project.
    """
    mounts = tuple(replace(mount, source="") if mount.anonymous else mount for mount in spec.mounts)
    ends = tuple(replace(end, ipv4="", ipv6="", mac="") for end in spec.network.networks)
    labels = {key: value for key, value in spec.labels.items() if not key.startswith(_COMPOSE)}
    network = replace(spec.network, networks=ends, mac="")
    return replace(spec, mounts=mounts, network=network, labels=labels, unmapped=())


def proposed(view: FleetView, engine: EngineId, draft: Draft, own: Draft, title: str) -> Draft:
    """The draft with a name and ports that are free on the engine. own: what the person said, which stays as it is.

    title: what the name is made from; "" = the image's name.
    """
    names = {one.name for one in view.containers.values() if one.key.engine == engine}
    above: dict[str, tuple[str, ...]] = {}
    if not own.one("name"):
        above["name"] = (free_name(title or _title(draft.one("image")), names),)
    ground = ground_of(view, engine, Facts())
    taken = dict(taken_ports(ground)) if ground is not None else {}
    ports = [text if text in own.all("ports") else _free(text, taken) for text in draft.all("ports")]
    return Draft({**draft.texts, **above, **({"ports": tuple(ports)} if ports else {})})


def _title(image: str) -> str:
    """A name from an image's: its last part, without tag."""
    last = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    kept = re.sub(r"[^A-Za-z0-9_.-]+", "-", last).strip("-_.")
    return kept if len(kept) > 1 else "container"


def _free(text: str, taken: dict[tuple[int, str], str]) -> str:
    """The port's text with the next free host port, which is taken from then on."""
    try:
        ports = read_ports(text)
    except ValueError:
        return text
    if len(ports) != 1 or not ports[0].host_port:
        return text
    other = free_port(ports[0].host_port, ports[0].protocol, taken)
    taken[(other, ports[0].protocol)] = "this container"
    return port_text(replace(ports[0], host_port=other))


# -- looking -------------------------------------------------------------------------------------
async def look(fleet: Fleet, engine: EngineId, spec: WorkloadSpec) -> Facts:
    """What the engine and its machine say about a recipe. Raises what the engine raises."""
    info = _info(fleet.store.view, engine)
    here = await _has_image(fleet.engine(engine), spec.image) if spec.image else None
    others = () if here is not False else tuple(one.name for one in await engines_with(fleet, spec.image))
    if info is None or not info.local:
        return Facts(here, others)
    sources = [mount.source for mount in spec.mounts if mount.kind is MountKind.BIND]
    missing, listening = await asyncio.to_thread(lambda: (_missing(sources), listening_ports()))
    return Facts(here, others, listening, missing)


def _info(view: FleetView, engine: EngineId) -> EngineInfo | None:
    known = view.engines.get(engine)
    return known.info if known is not None else None


async def _has_image(engine: Engine, reference: str) -> bool:
    try:
        await engine.image_facts(reference)
    except NotFound:
        return False
    return True


async def engines_with(fleet: Fleet, reference: str) -> tuple[EngineId, ...]:
    """Engines of the fleet that have the image; those that do not answer have not."""
    found = []
    for engine in fleet.engines:
        known = fleet.store.view.engines.get(engine.id)
        if known is not None and known.offers(Capability.STORES):
            try:
                if await _has_image(engine, reference):
                    found.append(engine.id)
            except BackendError:
                continue  # it proposes nothing then; whoever is chosen is asked again
    return tuple(found)


async def known_names(fleet: Fleet) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Names of images, of volumes and of networks on the engines that answer, sorted, each once."""
    images: set[str] = set()
    volumes: set[str] = set()
    networks: set[str] = set()
    for engine in fleet.engines:
        known = fleet.store.view.engines.get(engine.id)
        if known is None or not known.offers(Capability.STORES):
            continue
        try:
            images |= {tag for image in await engine.list_images() for tag in image.tags}
            volumes |= {volume.name for volume in await engine.list_volumes() if not volume.anonymous}
            networks |= {network.spec.name for network in await engine.list_networks()}
        except BackendError as error:
            _log.info("nothing of %s is completed: %s", engine.id, error)
    return tuple(sorted(images)), tuple(sorted(volumes)), tuple(sorted(networks))


def _missing(paths: Iterable[str]) -> frozenset[str]:
    return frozenset(path for path in paths if not os.path.lexists(path))


# -- doing ---------------------------------------------------------------------------------------
async def launch(
    fleet: Fleet, engine: EngineId, spec: WorkloadSpec, *, keep: bool = False, settle_s: float = SETTLE_S
) -> Launched:
    """Create and start it. settle_s: how long it is watched for an early end.

    Where the start fails or is called off, what was created is removed again, unless keep; where that fails, the error
    or the cancellation (Stays) says so. Raises what the engine said; Conflict where it ended at once by an error: it is
    kept then, with its log.
    """
    target = fleet.engine(engine)
    with fleet.operations.track("container.run", ContainerKey(engine, f"new:{spec.name}"), spec.name) as tracked:
        tracked.note(plan=of_spec(spec))
        try:
            made = await created(target, spec)
            key = ContainerKey(engine, made)
            try:
                await target.start(made)
            except asyncio.CancelledError as cut:
                await called_off(target, spec, made, cut, keep=keep)
                raise
            except BackendError as error:
                if not keep and (second := await taken_back(target, spec, made)) is not None:
                    error.detail = "; ".join(filter(None, (error.detail, f"{spec.name} stays: {second}")))
                await fleet.refresh(key)
                raise
        except Stays as stays:
            tracked.failed(stays.error)
            raise
        ended = await exit_within(target, made, settle_s)
        await fleet.refresh(key)
        lines = await last_lines(target, made) if ended else ()
        await tracked.note_deployed(target, made)
        tracked.done(f"{spec.name} {ended}" if ended else f"{spec.name} runs on {engine}")
        return Launched(key, spec.name, ended, lines)


async def exit_within(engine: Engine, container: str, within_s: float) -> str:
    """How a container has ended by an error so soon, in words; "" where it runs on, is done, or is gone (--rm)."""
    code = None
    try:
        with suppress(TimeoutError):
            code = await asyncio.wait_for(engine.wait_exit(container), within_s)
        if code is None:
            state = (await engine.inspect_container(container)).state
            return "ends at once, and is started again and again" if state is ContainerState.RESTARTING else ""
    except NotFound:
        return ""
    return f"ended at once with exit code {code}" if code else ""


async def last_lines(engine: Engine, container: str) -> tuple[str, ...]:
    """The end of its log; () where it has none that can be read."""
    try:
        async with engine.logs(container, tail=_LAST_LINES) as lines:
            return tuple([line.text async for line in lines])
    except BackendError:
        return ()


def early_end(launched: Launched) -> BackendError | None:
    """The error of one that ended at once by an error, None where it did not."""
    if not launched.ended:
        return None
    return Conflict(
        f"{launched.name} {launched.ended}",
        detail=" / ".join(launched.last_lines),
        hint=f"tranship logs {launched.name} shows all that it said; it is kept",
        engine=launched.key.engine,
    )


__all__ = [
    "Judged", "Launched", "early_end", "exit_within", "judge", "known_names", "last_lines", "launch", "look",
]  # fmt: skip
