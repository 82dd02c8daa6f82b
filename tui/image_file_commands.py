"""Images written to files and loaded from them, in workers of `tui.commands`. May not draw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.worker import Worker

from backends.model.ids import EngineId
from backends.model.image_sharing import ImageShare
from widgets.flow_dialog import FlowEnded, FlowMoved
from widgets.format import bytes_text

if TYPE_CHECKING:
    from backends.migration.progress import Flow
    from backends.services.fleet import Fleet
    from tui.workers import Reply, Work


class ImageFileCommands:
    """Starts workers on behalf of the image screen. fleet: gives the open fleet, raises Refused before it is open."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet], told: Callable[[Awaitable[object]], Awaitable[None]]):
        """told: waits for an operation whose failure is told elsewhere."""
        self._work = work
        self._fleet = fleet
        self._told = told

    def write(self, share: ImageShare, path: Path, reply: Reply) -> Worker[None]:
        """Write an image to a file (FlowMoved, then FlowEnded); cancelled, no file is left."""
        return self._work(
            partial(self._write, share, path, reply), name=f"write {share.image.key.short}", group="files"
        )

    async def _write(self, share: ImageShare, path: Path, reply: Reply) -> None:
        from backends.services.image_files import save_image

        name = next(iter(share.image.tags), "")
        result = ""
        try:
            size = await save_image(self._fleet(), share, name, path, partial(_tell, reply))
            result = f"{share.name} is in {path} ({bytes_text(size)})"
        finally:
            reply(FlowEnded(result))

    def read(self, engine: EngineId, path: Path, reply: Reply) -> Worker[None]:
        """Load a file's images into an engine (FlowMoved, then FlowEnded)."""
        return self._work(partial(self._read, engine, path, reply), name=f"load {path.name}", group="files")

    async def _read(self, engine: EngineId, path: Path, reply: Reply) -> None:
        from backends.services.image_files import load_image

        try:
            await self._told(load_image(self._fleet(), engine, path, partial(_tell, reply)))
        finally:
            reply(FlowEnded())


def _tell(reply: Reply, flow: Flow) -> None:
    reply(FlowMoved(flow.done_bytes, flow.total_bytes, flow.bytes_per_s, flow.eta_s))


__all__ = ["ImageFileCommands"]
