"""How members of a volume are read from an engine: by which program or call, and which of them. Decides, and opens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from backends.engine import Engine
from backends.migration.listing import DIRECTORY, Listing, kind_of, row_of
from backends.model.ids import EngineKind

MEMBER_S, ROW_S, BYTE_S = 10e-3, 35e-6, 2e-9
"""What Docker takes for one member that is asked for by name, and of its archive of everything for each entry and each
byte. Measured with Docker 26.1 on two cores, uncompressed."""

_SUMMED = 1000
"""Members whose sizes are summed up, for the progress."""

_TAR_GNU = (
    "tar --null --no-recursion --format=posix --numeric-owner --xattrs --xattrs-include='user.*' "
    "--xattrs-include=security.capability --pax-option=delete=atime,delete=ctime -cf - -T -"
)
_TAR_ANY = "xargs -0 tar --no-recursion -cf -"


@dataclass(frozen=True, slots=True)
class Reading:
    """What is to be read, in the listing's order: a directory before what is in it.

    told: directories that need no reading: the listing tells all of them. wanted: the others. asked: those of them that
    a tar has to have; the rest are hard links to these. groups: path → the first of its hard links among the wanted.
    by_name: read by the image's own tar. whole: Docker's archive of everything is sooner than those that are asked for.
    size_bytes: of what is asked for, None where that was not summed up.
    """

    told: Collection[str]
    wanted: Collection[str]
    asked: Collection[str]
    groups: dict[str, str]
    by_name: bool
    gnu_tar: bool
    whole: bool
    size_bytes: int | None

    def open(
        self, engine: Engine, name: str, image: str, *, live: bool = False
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """A tar that has at least the members that are asked for, perhaps several after each other.

        By the image's own tar where that is GNU's, which tells all attributes, or where the engine has no better way;
        Docker's own archive tells capabilities, which busybox's tar does not. live: files may vanish meanwhile.
        """
        if not self.asked:
            return nullcontext(_nothing())
        if not self.by_name:
            return engine.export_volume(name, via_image=image, paths=() if self.whole else tuple(self.asked))
        script = (_TAR_GNU if self.gnu_tar else _TAR_ANY) + (" || :" if live else "")
        stdin = "".join([f"./{path}\0" for path in self.asked]).encode("utf-8", "surrogateescape")
        return engine.run_in_volume(name, ["sh", "-c", script], via_image=image, stdin=stdin)


async def _nothing() -> AsyncIterator[bytes]:
    none: tuple[bytes, ...] = ()
    for piece in none:
        yield piece


def reading_of(engine: Engine, listing: Listing, paths: Iterable[str]) -> Reading:
    """How these members are best read. Takes about 3 µs for each path: belongs in a thread."""
    among = dict.fromkeys(paths).keys()
    by_name = listing.gnu_tar or engine.id.kind is not EngineKind.DOCKER
    told: dict[str, None] = {}
    if not by_name:  # Docker's archive tells no more of directories than the listing
        told = {path: None for path in listing.rows if path in among and kind_of(listing.rows[path]) == DIRECTORY}
    groups = _groups_among(listing, among)
    wanted = dict.fromkeys(path for path in listing.rows if path in among and path not in told).keys()
    asked = [path for path in wanted if groups.get(path, path) == path]
    size = sum(row_of(listing.rows[path]).size for path in asked) if len(asked) < _SUMMED else None
    whole = not by_name and _whole_is_sooner(engine, listing, len(asked))
    return Reading(told, wanted, asked, groups, by_name, listing.gnu_tar, whole, size)


def _whole_is_sooner(engine: Engine, listing: Listing, count: int) -> bool:
    """Whether Docker's archive of everything takes no longer than fetching so many members one by one.

    From another machine it may: the way there is slower than its disk.
    """
    if not engine.endpoint.startswith("unix://") or count * MEMBER_S <= len(listing.rows) * ROW_S:
        return False
    size = sum(row_of(raw).size for raw in listing.rows.values())
    return count * MEMBER_S > len(listing.rows) * ROW_S + size * BYTE_S


def _groups_among(listing: Listing, paths: Collection[str]) -> dict[str, str]:
    """Hard links among these paths: path → the first of its group that is among them."""
    firsts: dict[str, str] = {}
    found = {path: first for path, first in listing.groups().items() if path in paths}
    for path, first in found.items():
        firsts[first] = min(path, firsts.get(first, path))
    return {path: firsts[first] for path, first in found.items()}


__all__ = ["Reading", "reading_of"]
