"""Holes of sparse files: no tar of either engine carries them, so they are made again on the target. Pure words.

A file of a database that is mapped into memory (LMDB) may be a hundred times as large as what is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backends.migration.show import size

WORTH_BYTES = 1 << 20
"""Files with less than this in holes are left as they are."""

BLOCK_BYTES = 512
"""Of what stat(1) counts in %b on Linux, whatever the file system's own blocks are."""

DIG = (
    *("xargs", "-0", "sh", "-c"),
    't=$(mktemp) || exit 1; for f do touch -r "$f" "$t" || exit 1; fallocate -d "$f"; touch -r "$t" "$f" || exit 1; '
    'done; rm -f "$t"',
    "sh",
)
"""Reads paths, each ended by NUL, and makes a hole of every block of zeros in those files; their times stay. A file
system that has no holes leaves the file as it is. Source: fallocate(1), util-linux, --dig-holes."""


def hole_bytes(file_bytes: int, blocks: int, mode: int) -> int:
    """How much of a file is holes; 0 where that is little, or it is a program, whose rights a new hole would take.

    blocks: of BLOCK_BYTES, that it has on disk. Source: Linux, file_modified(), which drops capabilities.
    """
    found = file_bytes - blocks * BLOCK_BYTES
    return found if found >= WORTH_BYTES and not mode & 0o6111 else 0


def filled_note(volume: str, holes: Mapping[str, int], left: Iterable[str], why: str) -> tuple[str, ...]:
    """What is said of files whose holes take room on the target now, () where there are none.

    holes: bytes of holes on the source, by path. left: those that have them no more.
    """
    paths = [path for path in left if path in holes]
    if not paths:
        return ()
    total = size(sum(holes[path] for path in paths))
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return (f"volume {volume}: the holes of ./{paths[0]}{more} take {total} of disk now: {why}",)


__all__ = ["BLOCK_BYTES", "DIG", "WORTH_BYTES", "filled_note", "hole_bytes"]
