"""Copies an image to another engine by the migration's transfer: only layers that the target lacks, where it can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from backends.engine import Engine
from backends.migration.facts import same_image
from backends.migration.images import ship
from backends.migration.planning import image_or_none, store_of
from backends.migration.progress import Flow
from backends.migration.unbroken import unbroken
from backends.migration.ways import obstacle
from backends.model.errors import BackendError, Refused
from backends.model.events import Phase
from backends.model.ids import ContainerKey, EngineId, ImageKey
from backends.model.image import ImageFacts
from backends.model.image_sharing import ImageShare
from backends.model.plan import ImageAction, ImageMove, ImageWay, Step, StepKind, StepProgress
from backends.model.values import Missing
from backends.services.audit_facts import of_image
from backends.services.fleet import Fleet
from backends.services.images import check_free, full_name

OnUpdate = Callable[[StepProgress], None]


@dataclass(frozen=True, slots=True)
class ImageCopied:
    """A finished copy. key: of the image on the target. names: those it has got. moved_bytes: that travelled, 0 where
    the target had the image. notes: what went otherwise than planned.
    """

    key: ImageKey
    names: tuple[str, ...]
    moved_bytes: int
    notes: tuple[str, ...] = ()


async def copy_image(
    fleet: Fleet,
    share: ImageShare,
    target_id: EngineId,
    names: Sequence[str],
    on_update: OnUpdate,
    *,
    folder: Path | None = None,
) -> ImageCopied:
    """Bring an image to another engine, proven the same there, and give it these names.

    names: () = it keeps none there. folder: for what lies on disk on the way, None = the system's for temporary files.
    Raises Refused where one of the names is another image's on the target, Protocol where not the same image arrives,
    and the errors of both engines. Whatever fails, the target has what it had.
    """
    key = share.image.key
    source, target = fleet.engine(key.engine), fleet.engine(target_id)
    if source.id == target.id:
        raise Refused(f"the image is on {target_id} already", hint="choose another engine", engine=target_id)
    wanted = [full_name(name, target_id) for name in names]
    with fleet.operations.track("image.copy", ContainerKey(key.engine, key.id), share.name) as tracked:
        tracked.note(object=of_image(share.image), plan={"to": target_id.name, "names": wanted})
        follow = tracked.telling(on_update)
        done = await _copied(fleet, source, target, share, wanted, follow, folder)
        tracked.done("; ".join((f"{share.name} is on {target_id}", *done.notes)))
        return done


async def _copied(
    fleet: Fleet,
    source: Engine,
    target: Engine,
    share: ImageShare,
    names: Sequence[str],
    on_update: OnUpdate,
    folder: Path | None,
) -> ImageCopied:
    facts = await source.image_facts(share.image.key.id)
    there = await image_or_none(target, facts.key.id) or await _by_name(target, names, facts)
    if there is not None and not same_image(facts, there):
        there = None
    for name in names:
        await check_free(target, name, there.key if there else facts.key)
    notes: list[str] = []
    moved = 0
    landed = there
    if landed is None:
        move = await _move(fleet, share, facts, target)
        step = Step(StepKind.IMAGE, f"copy {share.name} to {target.id}", share.name, move.missing_bytes)
        on_update(StepProgress(0, 1, step, Phase.STARTED))
        report = _reporter(step, on_update)
        try:
            landed, moved = await ship(source, target, move, report, folder=folder, note=notes.append)
        except (BackendError, asyncio.CancelledError):
            await unbroken(_swept(target, facts))
            raise
        on_update(StepProgress(0, 1, step, Phase.DONE, done_bytes=moved))
    await _named(target, landed, names, new=there is None)
    return ImageCopied(landed.key, tuple(names), moved, tuple(notes))


async def _by_name(target: Engine, names: Sequence[str], facts: ImageFacts) -> ImageFacts | None:
    """The same image under another id (Docker's containerd store), where it has one of the names already."""
    for name in names:
        found = await image_or_none(target, name)
        if found is not None and same_image(facts, found):
            return found
    return None


async def _move(fleet: Fleet, share: ImageShare, facts: ImageFacts, target: Engine) -> ImageMove:
    engines = fleet.store.view.engines
    here, there = engines[share.image.key.engine], engines[target.id]
    against = obstacle(here.id, here.info, there.id, there.info) if here.info and there.info else "not connected"
    way, store = ImageWay.ARCHIVE, ""
    if here.info is not None and not against:
        store, _unread = await store_of(fleet.engine(here.id), here.info, facts)
        way = ImageWay.STORE if store else ImageWay.REGISTRY
    travels = share.travels.get(target.id)
    lacking = None if travels is None or isinstance(travels, Missing) else travels
    missing = facts.size_bytes or None if way is ImageWay.ARCHIVE else lacking
    return ImageMove(ImageAction.SHIP, facts, "", way, against, missing_bytes=missing, store=store)


def _reporter(step: Step, on_update: OnUpdate) -> Callable[[Flow], None]:
    def report(flow: Flow) -> None:
        on_update(
            StepProgress(
                0,
                1,
                step,
                Phase.PROGRESS,
                done_bytes=flow.done_bytes,
                total_bytes=flow.total_bytes,
                bytes_per_s=flow.bytes_per_s,
                eta_s=flow.eta_s,
            )
        )

    return report


async def _named(target: Engine, landed: ImageFacts, names: Sequence[str], *, new: bool) -> None:
    """Give the image its names; a new one goes again where that fails."""
    try:
        for name in names:
            await target.tag_image(landed.key.id, name)
    except (BackendError, asyncio.CancelledError):
        if new:
            await unbroken(_gone(target, landed, names))
        raise


async def _swept(target: Engine, facts: ImageFacts) -> None:
    """Remove what may have landed just before the failure."""
    with suppress(BackendError):  # the first error says what happened; a nameless image is pruned with the others
        found = await image_or_none(target, facts.key.id)
        if found is not None and not found.tags:
            await target.remove_image(found.key.id)


async def _gone(target: Engine, landed: ImageFacts, names: Sequence[str]) -> None:
    for reference in (*names, landed.key.id):
        found = await image_or_none(target, reference)
        if found is not None and found.key == landed.key:
            await target.remove_image(reference)


__all__ = ["ImageCopied", "copy_image"]
