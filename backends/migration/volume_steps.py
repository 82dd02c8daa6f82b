"""The steps of a move that are about volumes. As the other steps: in the journal first, and they can be done again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from backends.engine import Engine
from backends.migration.journal import MARK, Effect, Journal
from backends.migration.outcome import Outcome
from backends.migration.progress import Flow
from backends.migration.tools import tool_image
from backends.migration.transfer import copy_volume, volume_manifest
from backends.migration.unbroken import unbroken
from backends.migration.verify import compare_volumes
from backends.migration.volumes import VolumeCopy
from backends.model.errors import Conflict
from backends.model.ids import EngineId
from backends.model.plan import Check, Plan, VolumeChoice, VolumeMove

OnFlow = Callable[[str, Flow | None], None]
"""Told what is done and, where something streams, how far it is."""


class VolumeSteps:
    """The volumes of one move. own_images: the image of the container, by engine, for helper containers."""

    def __init__(
        self,
        plan: Plan,
        own_image: str,
        engines: tuple[Engine, Engine],
        journal: Journal,
        outcome: Outcome,
        on_flow: OnFlow,
    ) -> None:
        self._plan = plan
        self._source, self._target = engines
        self._journal = journal
        self._outcome = outcome
        self._on_flow = on_flow
        self._tools: dict[EngineId, str] = {}
        self._copies: dict[str, VolumeCopy] = {}
        self.own_images = {engine.id: own_image for engine in engines}

    async def look(self) -> None:
        """Find out whether the source's volumes can be read at all."""
        copied = [move for move in self._plan.volumes if move.choice is VolumeChoice.COPY]
        if copied:
            await self._tool(self._source, copied[0].source_name)

    async def precopy(self, move: VolumeMove) -> None:
        """Copy a volume while the source still runs; nothing is proved by it."""
        stopped = self._journal.record.find(Effect.STOP_SOURCE)
        if not self._proved(move) and (stopped is None or not stopped.made):
            await (await self._copy(move)).precopy()

    async def bring(self, move: VolumeMove) -> None:
        """Make the volume and copy what is missing in it, then compare. Raises Unequal where that differs."""
        if move.choice is VolumeChoice.SKIP:
            await unbroken(self.make(move))
            return
        proved = self._proved(move)
        if proved is not None:
            self._outcome.checks.append(proved)
            return
        if self._plan.source_running and not self._plan.choices.stop_source:
            check = await self._copy_once(move)
        else:
            copy = await self._copy(move)
            check = await copy.finish()
            self._outcome.moved_bytes += copy.moved_bytes
            self._outcome.notes += copy.notes
        self._outcome.note((check,), self._target)
        await self._journal.prove(check)

    async def _copy_once(self, move: VolumeMove) -> Check:
        """Copy a volume that is being written to: what was sent is what the copy is compared with."""
        await unbroken(self.make(move))
        names = (move.source_name, move.create.name)
        images = await self._images(names)
        sent, size = await copy_volume(
            self._source, self._target, names, images, lambda flow: self._on_flow("copying", flow)
        )
        self._outcome.moved_bytes += size
        got = await volume_manifest(
            self._target, names[1], images[1], size, lambda flow: self._on_flow("reading back", flow)
        )
        return await asyncio.to_thread(compare_volumes, names[0], sent, got)

    def _proved(self, move: VolumeMove) -> Check | None:
        subject = f"volume {move.source_name}"
        return next((check for check in self._journal.record.checks if check.subject == subject), None)

    async def _copy(self, move: VolumeMove) -> VolumeCopy:
        """The copying of that volume, which goes on where it was; the volume is made at first."""
        known = self._copies.get(move.source_name)
        if known is not None:
            return known
        await unbroken(self.make(move))
        names = (move.source_name, move.create.name)
        made = VolumeCopy(self._source, self._target, names, await self._images(names), self._on_flow)
        self._copies[move.source_name] = made
        return made

    async def _images(self, names: tuple[str, str]) -> tuple[str, str]:
        return await self._tool(self._source, names[0]), await self._tool(self._target, names[1])

    async def _tool(self, engine: Engine, volume: str) -> str:
        """The image for helper containers on that engine, looked for once."""
        if engine.id not in self._tools:
            self._tools[engine.id] = await tool_image(engine, volume, self.own_images[engine.id])
        return self._tools[engine.id]

    async def make(self, move: VolumeMove) -> None:
        """Make the volume, empty; one that this move has made already stays."""
        known = self._journal.record.find(Effect.VOLUME, move.create.name)
        if known is not None and known.made:
            return
        labels = {**move.create.labels, MARK: self._journal.record.id}
        number = await self._journal.intend(Effect.VOLUME, move.create.name)
        try:
            await self._target.create_volume(replace(move.create, labels=labels))
        except Conflict:
            await self._journal.withdraw(number)
            raise
        await self._journal.confirm(number, move.create.name)
