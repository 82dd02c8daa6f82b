"""Exports of containers for the screen: made, written and installed in workers of `tui.commands`. Draws nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.ids import EngineId, ImageKey
from tui.export_messages import ApplyChecked, ExportApplied, ExportMade, ExportWritten, ImagesPushed
from tui.workers import Reply, Work

if TYPE_CHECKING:
    from backends.export.exported import Exported, Member
    from backends.services.export_push import ImagePush
    from backends.services.fleet import Fleet

Pushed: TypeAlias = "Mapping[ImageKey, tuple[ImagePush, str]]"
_NONE: Pushed = MappingProxyType({})


class ExportCommands:
    """Starts workers on behalf of the screen. fleet: gives the open fleet, raises Refused before it is open."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet]) -> None:
        self._work = work
        self._fleet = fleet

    def make(
        self,
        containers: Sequence[Container],
        target: str,
        reply: Reply,
        pushed: Pushed = _NONE,
        *,
        external: bool = False,
    ) -> None:
        """Read the containers and write them down for a target: ExportMade. A later call replaces an earlier.

        pushed: images that are named as they are at a registry. external: Compose uses volumes and networks that are
        there, and makes none.
        """
        work = partial(self._make, tuple(containers), target, reply, pushed, external)
        self._work(work, name=f"export as {target}", group="export", exclusive=True)

    async def _make(
        self, containers: Sequence[Container], target: str, reply: Reply, pushed: Pushed, external: bool
    ) -> None:
        from backends.export.kubernetes_check import validated
        from backends.services.export_push import renamed
        from backends.services.exports import Target, export, read_members
        from backends.services.quadlet_check import checked

        try:
            members: tuple[Member, ...] = renamed(await read_members(self._fleet(), containers), pushed)
            options = {"external": external} if target == Target.COMPOSE else {}
            made = await asyncio.to_thread(partial(export, Target(target), members, **options))
            if target == Target.QUADLET:
                made = await checked(made, user=True)
            elif target == Target.KUBERNETES:
                made = await asyncio.to_thread(validated, made)
            reply(ExportMade(target, made, images=tuple(member.spec.image for member in members)))
        except BackendError as error:
            reply(ExportMade(target, None, error))

    def push(self, containers: Sequence[Container], prefix: str, reply: Reply) -> None:
        """Push their images below a prefix: ImagesPushed."""
        self._work(partial(self._push, tuple(containers), prefix, reply), name="push of an export", group="export-push")

    async def _push(self, containers: Sequence[Container], prefix: str, reply: Reply) -> None:
        from backends.services.export_push import push_all
        from backends.services.exports import read_members

        done: dict[ImageKey, tuple[ImagePush, str]] = {}
        try:
            fleet = self._fleet()
            await push_all(fleet, await read_members(fleet, containers), prefix, done)
            reply(ImagesPushed(done))
        except BackendError as error:
            reply(ImagesPushed(done, error))

    def check(self, made: Exported, images: Sequence[str], cluster: EngineId, reply: Reply) -> None:
        """Have a cluster look at an export, and change nothing: ApplyChecked."""
        work = partial(self._check, made, tuple(images), cluster, reply)
        self._work(work, name=f"check on {cluster}", group="export-apply", exclusive=True)

    async def _check(self, made: Exported, images: Sequence[str], cluster: EngineId, reply: Reply) -> None:
        from backends.services.cluster_apply import check, refuse_images_of_here

        try:
            refuse_images_of_here(images)
            reply(ApplyChecked(cluster, await check(self._fleet(), cluster, made)))
        except BackendError as error:
            reply(ApplyChecked(cluster, (), error))

    def apply(self, made: Exported, cluster: EngineId, reply: Reply) -> None:
        """Give it to the cluster: ExportApplied. Once begun it goes on."""
        self._work(partial(self._apply, made, cluster, reply), name=f"apply to {cluster}", group="export-applying")

    async def _apply(self, made: Exported, cluster: EngineId, reply: Reply) -> None:
        from backends.services.cluster_apply import apply

        try:
            reply(ExportApplied(cluster, await apply(self._fleet(), cluster, made)))
        except BackendError as error:
            reply(ExportApplied(cluster, (), error))

    def write(self, made: Exported, folder: Path, reply: Reply, *, install: Sequence[Container] = ()) -> None:
        """Write the files, over none: ExportWritten. install: whose units they are, where the folder is one in which
        systemd looks; then none may have the name of a unit that is there."""
        work = partial(self._write, made, folder, reply, tuple(install))
        self._work(work, name="write an export", group="export-files")

    async def _write(self, made: Exported, folder: Path, reply: Reply, install: Sequence[Container]) -> None:
        from backends.services.export_files import next_steps, refuse_taken_names, write_files
        from backends.services.unit_installs import installing

        try:
            if install:
                await asyncio.to_thread(refuse_taken_names, made.files, system=False)
            with installing(self._fleet(), install, made.files, folder):
                written = await asyncio.to_thread(write_files, made.files, folder)
            reply(ExportWritten(written, next_steps(made, written)))
        except BackendError as error:
            reply(ExportWritten((), (), error))


__all__ = ["ExportCommands"]
