"""Copies one volume: all of it while its container still runs, then, the container stopped, only what changed since.

What changed is told by listings of the stopped source and of the target (backends.migration.listing); the proof rests
on digests of every file, of both sides, each computed while or after its file was last seen to change. May not create
or remove a volume, nor stop a container.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from backends.engine import Engine
from backends.migration.holes import DIG, filled_note
from backends.migration.listing import (
    SYMLINK,
    Listing,
    changed_between,
    head_of,
    kind_of,
    list_volume,
    parents,
)
from backends.migration.origin import Origin, watched
from backends.migration.passing import passed_on
from backends.migration.progress import Flow, Meter, metered
from backends.migration.space import guarded
from backends.migration.tarcopy import BARE_DIRECTORY, TarCopy
from backends.migration.transfer import copy_volume, volume_manifest
from backends.migration.verify import compare_volumes
from backends.migration.volume_proof import Ledger, Side
from backends.migration.volume_reading import reading_of
from backends.model.errors import Protocol, Unsupported
from backends.model.ids import EngineKind
from backends.model.plan import Check

ROUNDS = 3
"""Times that a running source is read: Docker ends an archive where a file in it shrinks while it is read."""

SHOWN_DIFFERENCES = 5

ReportTo = Callable[[str, Flow], None]


class VolumeCopy:
    """One volume's way. names: of the volume on the source and on the target, which is empty at first.

    images: one in each engine's store, for helper containers. report: told what is done, and how far it is.
    """

    def __init__(
        self, source: Engine, target: Engine, names: tuple[str, str], images: tuple[str, str], report: ReportTo
    ) -> None:
        self._source, self._target = source, target
        self._names, self._images = names, images
        self._report = report
        self._sent: Side | None = None
        self._got: Side | None = None
        self._ledger = Ledger()
        self.moved_bytes = 0
        self.notes: tuple[str, ...] = ()

    async def precopy(self) -> None:
        """Copy what is there while the source runs. What changes meanwhile, or vanishes, is left to `finish`.

        Does nothing where an image lacks the programs by which changes are told: `finish` then copies all.
        """
        try:
            source, target = await self._list_both(sync=True)
        except Unsupported as error:
            self.notes += (f"volume {self._names[0]} was copied after the stop only: {error.detail or error.title}",)
            return
        sent = Side(source, {})
        for _ in range(ROUNDS):
            missing = await asyncio.to_thread(_lacking, source, sent.contents)
            before = len(sent.contents)
            sent.contents.update(await self._send(source, missing, known=sent.contents, live=True))
            if len(sent.contents) in {before, len(source.rows)}:
                break
        await self._dig(source, sent.contents, target)
        got = Side(await self._list(1), {})
        got.contents.update(await self._read(1, got.listing, got.listing.rows.keys()))
        await asyncio.to_thread(got.share, sent)
        await asyncio.to_thread(self._ledger.enter, sent, got)
        self._sent, self._got = sent, got

    async def finish(self) -> Check:
        """Make the target equal to the source, which is stopped now, and compare the two.

        Raises Protocol where it could not be listed or read whole.
        """
        try:
            source, target = await self._list_both()
        except Unsupported:
            return await self._plain()
        if not source.complete:
            raise Protocol(f"the volume {self._names[0]} could not be listed", engine=self._source.id)
        if source.sockets:
            shown = ", ".join(f"./{path}" for path in source.sockets[:SHOWN_DIFFERENCES])
            self.notes += (f"volume {self._names[0]}: sockets are not carried, their servers make them: {shown}",)
        self._tell_untold(source, target)
        change = await asyncio.to_thread(self._change, source, target)
        await self._delete(change.removed)
        contents = await self._send(source, change.sent)
        missing = [path for path in change.sent if path not in contents]
        if missing:
            detail = f"{len(missing)} of {len(change.sent)} files, ./{missing[0]} first"
            raise Protocol(
                f"the volume {self._names[0]} could not be read whole", detail=detail, engine=self._source.id
            )
        await self._mend_times(source, change.sent)
        await self._dig(source, change.sent, target)
        after = await self._list(1) if change.any else target
        why = "the copy's image has no program that makes holes (fallocate of util-linux)"
        left = [path for path in source.holes if path not in after.holes]
        self.notes += filled_note(
            self._names[0], source.holes, left, "its file system made none" if after.digs else why
        )
        return await self._prove(source, after, contents)

    async def _prove(self, source: Listing, target: Listing, contents: Mapping[str, bytes]) -> Check:
        sent, got = Side(source, dict(contents)), Side(target, {})
        again = await asyncio.to_thread(self._to_read, sent, got)
        got.contents.update(await self._read(1, target, again))
        before = (self._sent, self._got) if self._sent is not None and self._got is not None else None
        return await asyncio.to_thread(self._ledger.check, self._names[0], before, sent, got)

    def _tell_untold(self, source: Listing, target: Listing) -> None:
        """Say what neither the listings nor a tar other than GNU's tell of a file."""
        both = zip((self._source, self._target), (source, target), strict=True)
        lacking = [str(engine.id) for engine, listing in both if not listing.gnu_tar]
        if lacking:
            self.notes += (
                f"volume {self._names[0]}: extended attributes (user.*), where files have any, were not carried: the"
                f" image used on {' and '.join(lacking)} has no GNU tar",
            )

    def _change(self, source: Listing, target: Listing) -> _Change:
        if self._sent is None or self._got is None:
            removed = [path for path in target.rows if path]
            return _Change(source.rows.keys(), removed)
        there = self._got.listing.rows
        changed = changed_between(self._sent.listing, source, self._sent.contents.keys() & there.keys())
        removed = [path for path in target.rows if path not in source.rows]
        kinds = [
            path for path in changed if path in target.rows and kind_of(target.rows[path]) != kind_of(source.rows[path])
        ]
        sent = changed | {path for path in parents([*changed, *removed]) if path in source.rows}
        before = self._sent.listing.rows.get("", b"").split(b"|", 3)[:3]
        if source.rows[""].split(b"|", 3)[:3] == before:
            sent.discard("")  # only its time has changed, which any container that writes there changes
        order = [path for path in source.rows if path in sent]
        return _Change(dict.fromkeys(order).keys(), [*removed, *kinds])

    def _to_read(self, sent: Side, got: Side) -> list[str]:
        """What has to be read on the target: what was written now, and what is not as it was when it was read."""
        before = self._got
        again = []
        for path, raw in got.listing.rows.items():
            facts = before.contents.get(path) if before else None
            if path not in sent.contents and facts and before and before.listing.rows.get(path) == raw:
                got.contents[path] = facts
            else:
                again.append(path)
        if self._sent is not None:
            for path, facts in self._sent.contents.items():
                if path in sent.listing.rows:
                    sent.contents.setdefault(path, facts)
        return again

    async def _plain(self) -> Check:
        """Copy all, where the images lack programs; the target is still empty then."""
        source, target = self._source, self._target
        made, size = await copy_volume(
            source, target, self._names, self._images, lambda flow: self._report("copying", flow)
        )
        self.moved_bytes += size
        image, name = self._images[1], self._names[1]
        read = await volume_manifest(target, name, image, size, lambda flow: self._report("reading back", flow))
        return await asyncio.to_thread(compare_volumes, self._names[0], made, read)

    async def _list(self, side: int, *, sync: bool = False) -> Listing:
        engine = (self._source, self._target)[side]
        return await list_volume(engine, self._names[side], self._images[side], sync=sync)

    async def _list_both(self, *, sync: bool = False) -> tuple[Listing, Listing]:
        """Both sides at once. sync: the source is to write to disk first what programs have written.

        Of what has been listed before, nothing is kept twice.
        """
        looks = [asyncio.create_task(self._list(side, sync=sync and not side), name="listing") for side in (0, 1)]
        try:
            source, target = await asyncio.gather(*looks)
        finally:
            for look in looks:
                look.cancel()
            await asyncio.wait(looks)
        for listing, before in ((source, self._sent), (target, self._got)):
            if before is not None:
                await asyncio.to_thread(listing.share, before.listing)
        return source, target

    async def _delete(self, paths: Collection[str]) -> None:
        await self._run(["xargs", "-0", "rm", "-rf", "--"], [f"./{path}" for path in paths])

    async def _mend_times(self, source: Listing, paths: Iterable[str]) -> None:
        """Docker gives files from before 1970 the time 0 (moby, pkg/system, Chtimes)."""
        if self._target.id.kind is not EngineKind.DOCKER:
            return
        words = await asyncio.to_thread(_old_times, source, paths)
        await self._run(["xargs", "-0", "-n", "2", "touch", "-h", "-d"], words)

    async def _dig(self, source: Listing, paths: Iterable[str], target: Listing) -> None:
        """Make the holes again that files had which were sent, where the target's image has a program for it."""
        if target.digs:
            await self._run(DIG, [f"./{path}" for path in paths if path in source.holes])

    async def _run(self, argv: Sequence[str], words: list[str]) -> None:
        """Run a program of the target's image on many words. Does nothing without words."""
        if not words:
            return
        stdin = "".join(f"{word}\0" for word in words).encode("utf-8", "surrogateescape")
        name, image = self._names[1], self._images[1]
        async with self._target.run_in_volume(name, argv, via_image=image, read_only=False, stdin=stdin) as said:
            async for _ in said:
                pass

    async def _send(
        self,
        listing: Listing,
        paths: Collection[str],
        *,
        known: Mapping[str, bytes] | None = None,
        live: bool = False,
    ) -> dict[str, bytes]:
        """Send these members to the target; returns what is known of their content."""
        if not paths:
            return {}
        reading = await asyncio.to_thread(reading_of, self._source, listing, paths)
        copy = TarCopy(listing.rows, reading.wanted, known=known, live=live)
        meter = Meter(reading.size_bytes)
        origin = Origin()

        async def archive(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
            yield await asyncio.to_thread(b"".join, copy.directories(reading.told))
            source = watched(guarded(self._target, chunks), origin)
            async with aclosing(passed_on(source, copy)) as pieces:
                async for piece in pieces:
                    yield piece
                    self.moved_bytes += len(piece)
                    if meter.count(len(piece)):
                        self._report("copying", meter.flow())
            for piece in copy.finish():
                yield piece
            yield await asyncio.to_thread(b"".join, copy.links(reading.groups)) + bytes(1024)

        async with (
            reading.open(self._source, self._names[0], self._images[0], live=live) as chunks,
            aclosing(archive(chunks)) as stream,
        ):
            with origin:
                await self._target.import_volume(self._names[1], stream, via_image=self._images[1])
            async for _ in stream:
                pass
        self._report("copying", meter.flow())
        return copy.contents

    async def _read(self, side: int, listing: Listing, paths: Collection[str]) -> dict[str, bytes]:
        """What is known of the content of these members, read now."""
        engine = (self._source, self._target)[side]
        reading = await asyncio.to_thread(reading_of, engine, listing, paths)
        found = dict.fromkeys(reading.told, BARE_DIRECTORY)
        if not reading.asked:
            return found
        copy = TarCopy(listing.rows, reading.wanted, only_read=True)
        meter = Meter(None)
        async with (
            reading.open(engine, self._names[side], self._images[side]) as chunks,
            aclosing(metered(chunks, meter, lambda flow: self._report("reading back", flow))) as counted,
            aclosing(passed_on(counted, copy)) as nothing,
        ):
            async for _ in nothing:
                pass
        for _ in copy.finish():
            pass
        await asyncio.to_thread(lambda: b"".join(copy.links(reading.groups)))
        return found | copy.contents


@dataclass(frozen=True, slots=True)
class _Change:
    """sent: paths to send, a directory before what is in it. removed: paths to delete on the target."""

    sent: Collection[str]
    removed: list[str] = field(default_factory=list)

    @property
    def any(self) -> bool:
        return bool(self.sent or self.removed)


def _lacking(listing: Listing, contents: Mapping[str, bytes]) -> set[str]:
    return {path for path in listing.rows if path not in contents}


def _old_times(source: Listing, paths: Iterable[str]) -> list[str]:
    """Times before 1970 and the paths that have them, in turn, as `touch -d` reads them."""
    words: list[str] = []
    for path in paths:
        row = head_of(source.rows[path])
        if row.mtime_ns < 0 and row.kind != SYMLINK:
            words += [f"@{row.mtime_ns // 1_000_000_000}", f"./{path}"]
    return words


__all__ = ["VolumeCopy"]
