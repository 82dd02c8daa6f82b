"""The steps of a move: each effect stands in the journal before it is begun. Decides nothing and takes nothing back.

Each can be done again: what its journal and the engine say is there already, is looked at and kept.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from backends.engine import Engine
from backends.migration import files
from backends.migration.facts import same_image
from backends.migration.health import until_healthy
from backends.migration.images import ship
from backends.migration.journal import MARK, Effect, Journal
from backends.migration.outcome import Outcome
from backends.migration.papers import save_plan
from backends.migration.planning import image_or_none
from backends.migration.rollback import remove_commit
from backends.migration.unbroken import unbroken
from backends.migration.verify import verify
from backends.migration.volume_steps import OnFlow, VolumeSteps
from backends.model.container import ContainerState, Health, MountKind
from backends.model.errors import BackendError, Conflict, NotFound, Unsupported
from backends.model.image import ImageFacts
from backends.model.network import NetworkSpec
from backends.model.plan import Check, ImageMove, Plan
from backends.model.workload import RestartName, RestartPolicy


class Steps:
    """The steps of one move. on_flow: told what is done and, where something streams, how far it is.

    ran: the copy has run already, before this process took the move over.
    """

    def __init__(
        self,
        plan: Plan,
        image: ImageMove,
        engines: tuple[Engine, Engine],
        journal: Journal,
        on_flow: OnFlow,
        *,
        ran: bool = False,
    ) -> None:
        self.plan = plan
        self._image = image
        self._source, self._target = engines
        self._journal = journal
        self._on_flow = on_flow
        self._ran = ran
        self._landed: ImageFacts = image.facts
        self.outcome = Outcome()
        self.volumes = VolumeSteps(plan, image.facts.key.id, engines, journal, self.outcome, on_flow)

    # -- image -----------------------------------------------------------------------------------
    async def bring_image(self) -> None:
        """Ship the image unless the target has it, and give it its name; where it is to be made first, make it.

        Nothing is stopped yet, so whether the source's volumes can be read at all is found out here too.
        """
        await self.volumes.look()
        if self._image.commit:
            await unbroken(self._commit())
        facts, known = self._image.facts, self._journal.record.find(Effect.IMAGE)
        references = (self._image.tag, facts.key.id, known.id if known is not None else "")
        present = [await image_or_none(self._target, reference) for reference in references]
        same = next((seen for seen in present if seen is not None and same_image(facts, seen)), None)
        if same is None:
            number = await self._journal.intend(Effect.IMAGE, f"sha256:{facts.key.id}")
            self._landed, size = await ship(
                self._source,
                self._target,
                self._image,
                lambda flow: self._on_flow("streaming", flow),
                note=self.outcome.notes.append,
            )
            await self._journal.confirm(number, self._landed.key.id)
            self.outcome.moved_bytes += size
        else:
            self._landed = same
            if known is not None and not known.made:
                await self._journal.confirm(self._journal.record.entries.index(known), same.key.id)
        self.volumes.own_images[self._target.id] = self._landed.key.id
        if self._image.tag:
            await unbroken(self._name_image(self._image.tag))

    async def _commit(self) -> None:
        """Make an image of the source. From then on the plan speaks of it, and not of the image below."""
        reference, known = self._image.commit, self._journal.record.find(Effect.COMMIT)
        if known is not None and known.made:
            return
        there = await image_or_none(self._source, reference)
        if there is not None and known is None:
            raise Conflict(f"{self._source.id} has an image named {reference}", hint="plan again")
        self._on_flow("making an image of the source", None)
        number = await self._journal.intend(Effect.COMMIT, reference)
        if there is None:
            there = await self._source.image_facts(await self._source.commit_container(self.plan.source.id, reference))
        self._image = replace(self._image, facts=there)
        self.plan = replace(self.plan, image=self._image)
        await save_plan(self._journal.state_dir, self._journal.record.id, self.plan)
        await self._journal.confirm(number, self._image.facts.key.id)

    async def _name_image(self, tag: str) -> None:
        """Give the image its name; never takes a name from another image."""
        known = self._journal.record.find(Effect.TAG, tag)
        holder = await image_or_none(self._target, tag)
        if holder is not None and holder.key.id == self._landed.key.id:
            if known is not None and not known.made:
                await self._journal.confirm(self._journal.record.entries.index(known), tag)
            return
        if holder is not None:
            title = f"{tag} has become the name of another image ({holder.key.short})"
            raise Conflict(title, hint="plan again", engine=self._target.id)
        number = await self._journal.intend(Effect.TAG, tag)
        await self._target.tag_image(self._landed.key.id, tag)
        await self._journal.confirm(number, tag)

    # -- networks --------------------------------------------------------------------------------
    async def make_network(self, name: str) -> None:
        """Make a network, where the target is to get one of this name; one that is there already is left alone."""
        spec = next((move.create for move in self.plan.networks if move.name == name), None)
        if spec is None or await self._has_network(name, spec.name):
            return
        number = await self._journal.intend(Effect.NETWORK, spec.name)
        marked = replace(spec, labels={**spec.labels, MARK: self._journal.record.id})
        try:
            await self._create_network(name, marked)
        except Conflict:
            await self._journal.withdraw(number)
            raise
        await self._journal.confirm(number, spec.name)

    async def _create_network(self, wanted: str, spec: NetworkSpec) -> None:
        """With its address range; without it where that is taken by something that the plan could not see, unless the
        copy is to have an address in it."""
        try:
            await self._target.create_network(spec)
        except Conflict as error:
            joined = self.plan.spec.network.networks
            fixed = any(one.network == wanted and (one.ipv4 or one.ipv6) for one in joined)
            if fixed or not spec.subnets:
                raise
            await self._target.create_network(replace(spec, subnets=()))
            said = f"{error.title}: {error.detail}" if error.detail else error.title
            self.outcome.notes.append(f"network {wanted} has other addresses than on the source: {said}")

    async def _has_network(self, wanted: str, name: str) -> bool:
        """Whether this move has made it already, before it was cut off."""
        known = self._journal.record.find(Effect.NETWORK, name)
        if known is None:
            return False
        try:
            seen = await self._target.inspect_network(name)
        except NotFound:
            return False
        if seen.spec.labels.get(MARK) != self._journal.record.id:
            raise Conflict(f"{self._target.id} has another network named {wanted} by now", hint="undo, and plan again")
        return known.made

    # -- the source ------------------------------------------------------------------------------
    async def hold_source(self) -> None:
        """Switch off its restart policy, so that a reboot does not start both."""
        policy = self.plan.source_restart
        if policy.name is RestartName.NO or not self.plan.choices.stop_source:
            return
        known = self._journal.record.find(Effect.HOLD)
        if known is not None and known.made:
            return
        number = await self._journal.intend(Effect.HOLD, self.plan.source_name, str(policy))
        try:
            await self._source.set_restart(self.plan.source.id, RestartPolicy())
        except Unsupported as error:
            await self._journal.withdraw(number)
            self.outcome.notes.append(
                f"its restart policy ({policy}) could not be switched off ({error.title}): it may start"
                f" again when {self._source.id} or the machine restarts, and then both would run"
            )
            return
        await self._journal.confirm(number, self.plan.source.id)

    async def stop_source(self) -> None:
        """Stop the source, with its own stop timeout; a paused one is thawed first: frozen it cannot end.

        Raises Conflict where something starts it again.
        """
        container, loop = self.plan.source.id, asyncio.get_running_loop()
        number = await self._journal.intend(Effect.STOP_SOURCE, self.plan.source_name)
        entry = self._journal.record.entries[number]
        self.outcome.stopped_at = loop.time() - (max(0.0, time.time() - entry.at) if entry.made else 0.0)
        if self.plan.source_paused:
            await self._thaw(container)
        await self._source.stop(container)
        seen = await self._source.inspect_container(container)
        if seen.state.alive:
            raise Conflict(
                f"{self.plan.source_name} was stopped but is {seen.state}",
                hint="something starts it again: look for what does",
                engine=self._source.id,
            )
        for held in self.plan.release:  # its engine starts it again with the source
            await self._source.stop(held)
        await self._journal.confirm(number, container)

    async def _thaw(self, container: str) -> None:
        if (await self._source.inspect_container(container)).state is ContainerState.PAUSED:
            await self._source.unpause(container)

    # -- the copy --------------------------------------------------------------------------------
    async def create(self) -> None:
        """Create the copy, not started, and the volumes that it gets empty."""
        for move in self.plan.volumes:
            await self.volumes.make(move)
        known = self._journal.record.find(Effect.CONTAINER)
        if known is not None and known.made:
            self.outcome.copy_id = known.id
            return
        spec = replace(self.plan.spec, image=self._image.tag or self._landed.key.id, image_id=self._landed.key.id)
        number = await self._journal.intend(Effect.CONTAINER, spec.name)
        try:
            self.outcome.copy_id = await self._target.create_container(spec)
        except Conflict:
            await self._journal.withdraw(number)
            raise
        await self._journal.confirm(number, self.outcome.copy_id)

    async def carry_files(self) -> None:
        """Copy the files that the source has changed outside its volumes. Raises Unequal where they differ."""
        wanted = files.to_carry(self.plan.changed_files, self._mounted())
        gone = files.to_delete(self.plan.changed_files, self._mounted())
        if gone and not self.plan.source_running:
            self.outcome.notes.append(
                f"{files.named(gone)} of the image, which the source had deleted, are there again"
            )
        if self._ran or not wanted:
            return  # what a copy that has run has written since is its own
        both = self.plan.source.id, self.outcome.copy_id
        report = lambda flow: self._on_flow("copying", flow)  # noqa: E731 - it is used once
        check, size = await files.carry(self._source, self._target, both, wanted, report)
        self.outcome.moved_bytes += size
        self.outcome.note((check,), self._target)

    def _mounted(self) -> list[str]:
        return [mount.destination for mount in self.plan.spec.mounts if mount.kind is not MountKind.OTHER]

    async def start(self) -> None:
        """Start the copy, and delete in it what the source has deleted."""
        await self._target.start(self.outcome.copy_id)
        if self._ran:
            self.outcome.notes.append("the downtime is not known: the move was cut off when the copy ran already")
            return
        self.outcome.started_at = asyncio.get_running_loop().time()
        gone = files.to_delete(self.plan.changed_files, self._mounted())
        if gone:
            self.outcome.notes.append(await files.delete(self._target, self.outcome.copy_id, gone))

    async def await_health(self) -> None:
        """Wait until the copy's own health check says that it is healthy."""
        check = self.plan.spec.health or self._landed.health
        health = await until_healthy(self._target, self.outcome.copy_id, check, lambda text: self._on_flow(text, None))
        if health is Health.HEALTHY:
            self.outcome.healthy_at = None if self._ran else asyncio.get_running_loop().time()
            self.outcome.note((Check("health", True, str(Health.HEALTHY), str(health)),), self._target)

    async def verify(self, watch_s: float) -> None:
        """Compare the copy with the plan. Raises Unequal where it differs."""
        self.outcome.note(
            await verify(self.plan, self._target, self.outcome.copy_id, self._landed, watch_s), self._target
        )

    async def tidy_source(self) -> None:
        """Remove the image that was made of the source: the target has it now."""
        try:
            await remove_commit(self._journal.record, self._source)
        except BackendError as error:
            self.outcome.notes.append(f"the image {self._image.commit} is left on {self._source.id}: {error}")
