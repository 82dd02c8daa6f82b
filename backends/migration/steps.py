"""The steps of a move: each effect stands in the journal before it is begun. Decides nothing and takes nothing back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from backends.engine import Engine
from backends.migration.facts import same_image
from backends.migration.journal import MARK, Effect, Journal
from backends.migration.planning import image_or_none
from backends.migration.progress import Flow
from backends.migration.tools import tool_image
from backends.migration.transfer import copy_volume, ship_image, volume_manifest
from backends.migration.unbroken import unbroken
from backends.migration.verify import compare_volumes, verify
from backends.model.errors import Conflict, Protocol
from backends.model.ids import EngineId
from backends.model.image import ImageFacts
from backends.model.plan import Check, ImageMove, Plan, VolumeMove

OnFlow = Callable[[str, Flow], None]


class Unequal(Protocol):
    """A comparison failed; checks: all that were made up to then."""

    def __init__(self, checks: tuple[Check, ...], target: Engine) -> None:
        wrong = [check for check in checks if not check.equal]
        detail = "; ".join(f"{check.subject}: {check.source} became {check.target}" for check in wrong)
        super().__init__("the copy is not equal to its source", detail=detail, engine=target.id)
        self.checks = checks


@dataclass(slots=True)
class Outcome:
    """What the steps have done so far. stopped_at, started_at: of the event loop's clock, None where not done."""

    copy_id: str = ""
    moved_bytes: int = 0
    checks: list[Check] = field(default_factory=list)
    stopped_at: float | None = None
    started_at: float | None = None

    @property
    def downtime_s(self) -> float | None:
        """From the source's stop to the copy's start."""
        return None if self.started_at is None or self.stopped_at is None else self.started_at - self.stopped_at


class Steps:
    """The steps of one move. on_flow: told what is streaming and how far it is."""

    def __init__(
        self, plan: Plan, image: ImageMove, engines: tuple[Engine, Engine], journal: Journal, on_flow: OnFlow
    ) -> None:
        self._plan = plan
        self._image = image
        self._source, self._target = engines
        self._journal = journal
        self._on_flow = on_flow
        self._landed: ImageFacts = image.facts
        self._tools: dict[EngineId, str] = {}
        self.outcome = Outcome()

    async def bring_image(self) -> None:
        """Ship the image unless the target has it, and give it its name.

        Nothing is stopped yet, so whether the source's volumes can be read at all is found out here too.
        """
        if self._plan.volumes:
            await self._tool(self._source, self._plan.volumes[0].source_name, self._image.facts.key.id)
        facts = self._image.facts
        present = [await image_or_none(self._target, reference) for reference in (self._image.tag, facts.key.id)]
        same = next((seen for seen in present if seen is not None and same_image(facts, seen)), None)
        if same is not None:
            self._landed = same
        else:
            number = await self._journal.intend(Effect.IMAGE, f"sha256:{facts.key.id}")
            self._landed, size = await ship_image(
                self._source, self._target, facts, lambda flow: self._on_flow("streaming", flow)
            )
            await self._journal.confirm(number, self._landed.key.id)
            self.outcome.moved_bytes += size
        if self._image.tag:
            await unbroken(self._name_image(self._image.tag))

    async def _name_image(self, tag: str) -> None:
        """Give the image its name; never takes a name from another image."""
        holder = await image_or_none(self._target, tag)
        if holder is not None and holder.key.id == self._landed.key.id:
            return
        if holder is not None:
            title = f"{tag} has become the name of another image ({holder.key.short})"
            raise Conflict(title, hint="plan again", engine=self._target.id)
        number = await self._journal.intend(Effect.TAG, tag)
        await self._target.tag_image(self._landed.key.id, tag)
        await self._journal.confirm(number, tag)

    async def stop_source(self) -> None:
        """Stop the source, with its own stop timeout; a paused one is thawed first: frozen it cannot end."""
        container = self._plan.source.id
        number = await self._journal.intend(Effect.STOP_SOURCE, self._plan.source_name)
        self.outcome.stopped_at = asyncio.get_running_loop().time()
        if self._plan.source_paused:
            await self._source.unpause(container)
        await self._source.stop(container)
        seen = await self._source.inspect_container(container)
        if seen.state.alive:
            raise Conflict(
                f"{self._plan.source_name} was stopped but is {seen.state}",
                hint="something starts it again: look for what does",
                engine=self._source.id,
            )
        await self._journal.confirm(number, container)

    async def bring_volume(self, move: VolumeMove) -> None:
        """Make the volume, stream its content over, read it back. Raises Unequal where that differs."""
        name = move.create.name
        await unbroken(self._make_volume(move))
        images = (
            await self._tool(self._source, move.source_name, self._image.facts.key.id),
            await self._tool(self._target, name, self._landed.key.id),
        )
        sent, size = await copy_volume(
            self._source,
            self._target,
            (move.source_name, name),
            images,
            lambda flow: self._on_flow("copying", flow),
        )
        self.outcome.moved_bytes += size
        got = await volume_manifest(
            self._target, name, images[1], size, lambda flow: self._on_flow("reading back", flow)
        )
        check = await asyncio.to_thread(compare_volumes, move.source_name, sent, got)  # 1 s for a million files
        self._note((check,))

    async def _tool(self, engine: Engine, volume: str, own: str) -> str:
        """The image for helper containers on that engine, looked for once."""
        if engine.id not in self._tools:
            self._tools[engine.id] = await tool_image(engine, volume, own)
        return self._tools[engine.id]

    async def _make_volume(self, move: VolumeMove) -> None:
        labels = {**move.create.labels, MARK: self._journal.record.id}
        number = await self._journal.intend(Effect.VOLUME, move.create.name)
        try:
            await self._target.create_volume(replace(move.create, labels=labels))
        except Conflict:
            await self._journal.withdraw(number)
            raise
        await self._journal.confirm(number, move.create.name)

    async def create(self) -> None:
        """Create the copy, not started."""
        spec = replace(self._plan.spec, image=self._image.tag or self._landed.key.id, image_id=self._landed.key.id)
        number = await self._journal.intend(Effect.CONTAINER, spec.name)
        try:
            self.outcome.copy_id = await self._target.create_container(spec)
        except Conflict:
            await self._journal.withdraw(number)
            raise
        await self._journal.confirm(number, self.outcome.copy_id)

    async def start(self) -> None:
        """Start the copy."""
        await self._target.start(self.outcome.copy_id)
        self.outcome.started_at = asyncio.get_running_loop().time()

    async def verify(self, watch_s: float) -> None:
        """Compare the copy with the plan. Raises Unequal where it differs."""
        self._note(await verify(self._plan, self._target, self.outcome.copy_id, self._landed, watch_s))

    def _note(self, checks: tuple[Check, ...]) -> None:
        self.outcome.checks += checks
        if not all(check.equal for check in checks):
            raise Unequal(tuple(self.outcome.checks), self._target)
