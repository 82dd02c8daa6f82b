"""What a person asked for among files, done in workers of `tui.commands`. May not draw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.worker import Worker

from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.stores import StoreKey
from tui.messages import FilesCopied, FilesProgressed, FolderRead
from tui.workers import Reply, Work
from widgets.format import bytes_text, duration_text
from widgets.text import inert

if TYPE_CHECKING:
    from backends.migration.progress import Flow
    from backends.model.files import Folder
    from backends.services.browse import VolumeBrowser
    from backends.services.fleet import Fleet
    from backends.services.unpacking import Copied


def flow_words(flow: Flow) -> str:
    """ "12.0 MiB of 80 MiB, 30 MiB/s, 2 s left"."""
    words = bytes_text(flow.done_bytes)
    if flow.total_bytes is not None:
        words += f" of {bytes_text(flow.total_bytes)}"
    if flow.bytes_per_s:
        words += f", {bytes_text(round(flow.bytes_per_s))}/s"
    if flow.eta_s is not None and flow.eta_s >= 1:
        words += f", {duration_text(flow.eta_s)} left"
    return words


class FileCommands:
    """Starts workers on behalf of the files' screen. fleet: gives the open fleet, raises Refused before it is open."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet]) -> None:
        self._work = work
        self._fleet = fleet
        self._browser: VolumeBrowser | None = None

    # -- looking ---------------------------------------------------------------------------------
    def read(self, row: Container, path: str, reply: Reply) -> Worker[None]:
        """Read a folder of a container: FolderRead; a later call takes the place of an earlier one."""

        async def folder() -> Folder:
            from backends.services.browse import container_folder

            engine = self._fleet().engine(row.key.engine)
            return await container_folder(engine, row.key.id, path, report=partial(_read_so_far, reply))

        return self._work(partial(self._read, folder, path, reply), name=f"read {path}", group="folder", exclusive=True)

    def read_volume(self, key: StoreKey, path: str, reply: Reply) -> Worker[None]:
        """The same of a volume."""

        async def folder() -> Folder:
            engine = self._fleet().engine(key.engine)
            return await self._by_way_of().folder(engine, key.name, path, report=partial(_read_so_far, reply))

        return self._work(partial(self._read, folder, path, reply), name=f"read {path}", group="folder", exclusive=True)

    def _by_way_of(self) -> VolumeBrowser:
        """One for all: it remembers which image will do."""
        from backends.services.browse import VolumeBrowser

        self._browser = self._browser or VolumeBrowser()
        return self._browser

    async def _read(self, folder: Callable[[], Awaitable[Folder]], path: str, reply: Reply) -> None:
        try:
            reply(FolderRead(path, await folder()))
        except BackendError as error:
            reply(FolderRead(path, error=error))

    # -- copying ---------------------------------------------------------------------------------
    def copy_out(
        self, row: Container, path: str, target: Path, reply: Reply, size_bytes: int | None = None
    ) -> Worker[None]:
        """Copy a file or folder to this machine: FilesProgressed, then FilesCopied; cancelled, it leaves nothing.

        size_bytes: of a file, as its folder told; an engine does not say how much comes.
        """

        async def copy(report: Callable[[Flow], None]) -> str:
            from backends.services.file_copies import copy_out

            done = await copy_out(self._fleet(), row, path, target, report)
            return self._told(done, f"{path} is in {done.target}", reply)

        return self._copy(copy, f"copy {path} out", reply, size_bytes)

    def copy_out_of_volume(
        self, key: StoreKey, path: str, target: Path, reply: Reply, size_bytes: int | None = None
    ) -> Worker[None]:
        """The same of a volume."""

        async def copy(report: Callable[[Flow], None]) -> str:
            from backends.services.volume_copies import copy_out_of_volume

            browser = self._by_way_of()
            done = await copy_out_of_volume(self._fleet(), key, path, target, report, browser=browser)
            return self._told(done, f"{path} is in {done.target}", reply)

        return self._copy(copy, f"copy {path} out", reply, size_bytes)

    def copy_in(self, row: Container, source: Path, path: str, reply: Reply, *, overwrite: bool) -> Worker[None]:
        """Copy a file or folder of this machine into a folder of the container."""

        async def copy(report: Callable[[Flow], None]) -> str:
            from backends.services.file_copies import copy_in

            done = await copy_in(self._fleet(), row, source, path, report, overwrite=overwrite)
            return self._told(done, f"{source} is in {row.name}:{done.target}", reply)

        return self._copy(copy, f"copy {source.name} in", reply)

    def _copy(
        self,
        copy: Callable[[Callable[[Flow], None]], Awaitable[str]],
        name: str,
        reply: Reply,
        size_bytes: int | None = None,
    ) -> Worker[None]:
        def report(flow: Flow) -> None:
            if flow.total_bytes is None and size_bytes:
                left = max(0, size_bytes - flow.done_bytes)
                eta_s = left / flow.bytes_per_s if flow.bytes_per_s else None
                flow = replace(flow, done_bytes=size_bytes - left, total_bytes=size_bytes, eta_s=eta_s)
            share = flow.done_bytes / flow.total_bytes if flow.total_bytes else None
            reply(FilesProgressed(f"{inert(name)}: {flow_words(flow)}", share))

        async def do() -> None:
            try:
                await copy(report)
            except BackendError as error:
                reply(FilesCopied(error=error))

        return self._work(do, name=name, group="file-copies")

    @staticmethod
    def _told(done: Copied, words: str, reply: Reply) -> str:
        reply(FilesCopied(f"{words} ({bytes_text(done.moved_bytes)})", done.notes))
        return words


def _read_so_far(reply: Reply, count: int) -> None:
    reply(FilesProgressed(f"reading: {bytes_text(count)}"))


__all__ = ["FileCommands", "flow_words"]
