"""Exports of containers for the screen: made, written and installed in workers of `tui.commands`. Draws nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from backends.model.container import Container
from backends.model.errors import BackendError
from tui.export_messages import ExportMade, ExportWritten
from tui.image_commands import Work

if TYPE_CHECKING:
    from backends.export.exported import Exported, Member
    from backends.services.fleet import Fleet

Reply = Callable[[Message], object]


class ExportCommands:
    """Starts workers on behalf of the screen. fleet: gives the open fleet, raises Refused before it is open."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet]) -> None:
        self._work = work
        self._fleet = fleet

    def make(self, containers: Sequence[Container], target: str, reply: Reply, *, external: bool = False) -> None:
        """Read the containers and write them down for a target: ExportMade. A later call replaces an earlier.

        external: Compose uses volumes and networks that are there, and makes none.
        """
        work = partial(self._make, tuple(containers), target, reply, external)
        self._work(work, name=f"export as {target}", group="export", exclusive=True)

    async def _make(self, containers: Sequence[Container], target: str, reply: Reply, external: bool) -> None:
        from backends.export.kubernetes_check import validated
        from backends.services.exports import Target, export, read_members
        from backends.services.quadlet_check import checked

        try:
            members: tuple[Member, ...] = await read_members(self._fleet(), containers)
            options = {"external": external} if target == Target.COMPOSE else {}
            made = await asyncio.to_thread(partial(export, Target(target), members, **options))
            if target == Target.QUADLET:
                made = await checked(made, user=True)
            elif target == Target.KUBERNETES:
                made = await asyncio.to_thread(validated, made)
            reply(ExportMade(target, made))
        except BackendError as error:
            reply(ExportMade(target, None, error))

    def write(self, made: Exported, folder: Path, reply: Reply, *, install: bool = False) -> None:
        """Write the files, over none: ExportWritten. install: none may have the name of a unit that is there."""
        self._work(partial(self._write, made, folder, reply, install), name="write an export", group="export-files")

    async def _write(self, made: Exported, folder: Path, reply: Reply, install: bool) -> None:
        from backends.services.export_files import refuse_taken_names, write_files

        try:
            if install:
                await asyncio.to_thread(refuse_taken_names, made.files, system=False)
            written = await asyncio.to_thread(write_files, made.files, folder)
            reply(ExportWritten(written, made.commands))
        except BackendError as error:
            reply(ExportWritten((), (), error))


__all__ = ["ExportCommands"]
