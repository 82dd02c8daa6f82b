"""Builds an image of a folder on an engine, as an operation of the fleet: in the store and in the audit log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

from backends.build_context import Source, context, source
from backends.containerfile import beyond_classic, instructions, line_of
from backends.migration.unbroken import unbroken
from backends.model.build import (
    BuildEvent,
    BuildSpec,
    BuildView,
    ContextSent,
    ImageBuilt,
    StepBegun,
    StepCached,
    StepSeen,
    StepState,
)
from backends.model.errors import BackendError
from backends.model.events import Phase
from backends.model.ids import ContainerKey, EngineId, ImageKey
from backends.model.plan import Step, StepKind, StepProgress
from backends.services.fleet import Fleet
from backends.services.images import full_name
from backends.services.operations import Tracked

TELL_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class BuildWish:
    """What a person wants built. folder: the context; file: its Containerfile, None = the one in it.

    tags: as people write them. The rest as in BuildSpec.
    """

    folder: Path
    tags: tuple[str, ...] = ()
    file: Path | None = None
    arguments: Mapping[str, str] = field(default_factory=dict, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    cache: bool = True
    pull: bool = False
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Built:
    """What was built. names: in full."""

    key: ImageKey
    names: tuple[str, ...]
    view: BuildView


async def build_image(
    fleet: Fleet, engine_id: EngineId, wish: BuildWish, tell: Callable[[BuildEvent], object]
) -> Built:
    """Build it; tell: called in the event loop with all that happens. Leaving it by a cancellation ends the build.

    Raises Refused for a name that is none, NotFound or Denied where folder or Containerfile cannot be read, and as
    Engine.build_image does; a failing step's error names its line where that is certain.
    """
    tags = tuple(dict.fromkeys(full_name(tag, engine_id) for tag in wish.tags))
    read = await asyncio.to_thread(source, wish.folder, wish.file)
    subject = tags[0] if tags else read.folder.name or str(read.folder)
    engine = fleet.engine(engine_id)
    with fleet.operations.track("image.build", ContainerKey(engine_id, f"build:{subject}"), subject) as tracked:
        telling = _Telling(tracked, tell, subject)
        tracked.note(plan=_plan(wish, read))
        try:
            async with (
                aclosing(_counted(context(read), telling)) as pieces,
                engine.build_image(_spec(wish, read, tags), pieces) as events,
            ):
                image = await _followed(events, telling)
        except BackendError as error:
            _name_line(error, read, telling.view)
            raise
        for tag in tags[1:]:
            await unbroken(engine.tag_image(image, tag))
        tracked.note(object={"image_id": image, "names": list(tags)})
        tracked.done(f"{subject} is built on {engine_id}")
        return Built(ImageKey(engine_id, image), tags, telling.view)


def _spec(wish: BuildWish, read: Source, tags: tuple[str, ...]) -> BuildSpec:
    found = instructions(read.text)
    return BuildSpec(
        read.name,
        tags,
        wish.arguments,
        wish.labels,
        wish.target,
        wish.cache,
        wish.pull,
        wish.platform,
        any(map(beyond_classic, found)),
        any(one.text.split()[0].upper() in {"RUN", "ONBUILD"} for one in found),
        tuple(one.text for one in found),
    )


def _plan(wish: BuildWish, read: Source) -> dict[str, object]:
    return {
        "folder": str(read.folder),
        "file": read.name,
        "arguments": sorted(wish.arguments),
        "target": wish.target or None,
        "platform": wish.platform or None,
    }


async def _counted(pieces: AsyncGenerator[bytes, None], telling: _Telling) -> AsyncGenerator[bytes, None]:
    sent = 0
    async with aclosing(pieces) as stream:
        async for piece in stream:
            yield piece
            sent += len(piece)
            telling(ContextSent(sent))
    telling(ContextSent(sent, complete=True))


async def _followed(events: AsyncIterator[BuildEvent], telling: _Telling) -> str:
    image = ""
    async for event in events:
        telling(event)
        if isinstance(event, ImageBuilt):
            image = event.image
    return image


class _Telling:
    """Events go to whoever looks on, and as progress to the store."""

    def __init__(self, tracked: Tracked, tell: Callable[[BuildEvent], object], subject: str) -> None:
        self.view = BuildView()
        self._tracked = tracked
        self._tell = tell
        self._subject = subject
        self._began_s = time.monotonic()
        self._next_s = 0.0

    def __call__(self, event: BuildEvent) -> None:
        now_s = time.monotonic()
        self.view = advanced(self.view, event, now_s - self._began_s)
        self._tell(event)
        if isinstance(event, StepBegun) or (isinstance(event, ContextSent) and now_s >= self._next_s):
            self._next_s = now_s + TELL_EVERY_S
            self._tracked.update(self._progress())

    def _progress(self) -> StepProgress:
        step = self.view.now
        if step is None:
            sending = Step(StepKind.IMAGE, "send the build context", self._subject)
            return StepProgress(0, 1, sending, Phase.PROGRESS, done_bytes=self.view.context_bytes)
        title = Step(StepKind.IMAGE, step.instruction, self._subject)
        return StepProgress(step.number - 1, step.count, title, Phase.PROGRESS)


def advanced(view: BuildView, event: BuildEvent, now_s: float) -> BuildView:
    """The view after an event. now_s: seconds since the build began. Pure."""
    match event:
        case ContextSent(sent_bytes, complete):
            return replace(view, context_bytes=sent_bytes, sending=not complete)
        case StepBegun(step):
            seen = (*_ended(view.steps, StepState.DONE, now_s), StepSeen(step, StepState.RUNNING, now_s))
            return replace(view, steps=seen, sending=False)
        case StepCached():
            last = view.steps[-1:]
            return replace(view, steps=(*view.steps[:-1], *(replace(one, state=StepState.CACHED) for one in last)))
        case ImageBuilt(image):
            return replace(view, steps=_ended(view.steps, StepState.DONE, now_s), image=image)
    return view


def failed(view: BuildView, now_s: float) -> BuildView:
    """The view after a failure: the present step is the one that failed. Pure."""
    return replace(view, steps=_ended(view.steps, StepState.FAILED, now_s), sending=False)


def _ended(steps: tuple[StepSeen, ...], state: StepState, now_s: float) -> tuple[StepSeen, ...]:
    if not steps or steps[-1].ended_s is not None:
        return steps
    last = steps[-1]
    kept = StepState.CACHED if last.state is StepState.CACHED and state is StepState.DONE else state
    return (*steps[:-1], replace(last, state=kept, ended_s=now_s))


def _name_line(error: BackendError, read: Source, view: BuildView) -> None:
    """Where a step failed, the error names its line, if that is certain."""
    line = line_of(read.text, view.now.instruction) if view.now is not None and not view.image else None
    if line is not None:
        error.title = f"{read.file.name}, line {line}: {error.title[:1].lower()}{error.title[1:]}"
        error.args = (error.title,)


__all__ = ["BuildWish", "Built", "advanced", "build_image", "failed"]
