"""A demo engine whose images have find, stat, xargs, tar, rm and touch, so that volumes are copied as on real engines.

Speaks the very command lines of backends.migration.listing and .volumes and no other. May not be used outside tests.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from typing import Any

from backends.engine import ByteStream
from backends.engines.demo import DemoEngine
from backends.engines.demo_volumes import DemoVolume, Entry, header
from backends.model.errors import Unsupported

EXT4 = "ef53"
_SECONDS = 100
"""Between two listings, on the clock that the listings tell: what was there before is old by then."""


class WorkingDemo(DemoEngine):
    """ctime: of each entry that was seen, by volume and path; an entry that is another object was written since."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._clock_s = 1_700_000_000
        self._seen: dict[tuple[str, str], tuple[Entry, int]] = {}

    def run_in_volume(
        self, name: str, argv: Sequence[str], *, via_image: str, read_only: bool = True, stdin: bytes = b""
    ) -> ByteStream:
        """See Engine."""

        def content() -> bytes:
            self.world.image(via_image)
            volume = self.world.volume(name)
            words = [word.decode("utf-8", "surrogateescape") for word in stdin.split(b"\0")[:-1]]
            match list(argv):
                case ["sh", "-c", script, "sh", mark, _] if "find . -exec stat" in script:
                    return self._listing(volume, mark)
                case ["sh", "-c", script] if script.startswith("xargs -0 tar --no-recursion -cf -"):
                    return _tar(volume, words)
                case ["xargs", "-0", "rm", "-rf", "--"] if not read_only:
                    for word in words:
                        _remove(volume, word.removeprefix("./"))
                    return b""
            raise Unsupported(f"the image {via_image} has no program {argv[0]}", engine=self.id)

        return self._bytes("run_in_volume", content)

    def _listing(self, volume: DemoVolume, mark: str) -> bytes:
        self._clock_s += _SECONDS
        lines = [f"{mark}|{self._clock_s + _SECONDS // 2}|{EXT4}|1|0|0"]
        inodes = {path: number for number, path in enumerate(sorted(volume.entries), 1)}
        links = {path: _target(volume, path) for path in volume.entries}
        for path, entry in sorted(volume.entries.items(), key=lambda item: (item[0] != ".", item[0])):
            first = links[path]
            head = volume.entries[first].head
            known, ctime_s = self._seen.get((volume.name, path), (None, 0))
            if known is not entry:
                ctime_s = self._clock_s
                self._seen[volume.name, path] = entry, ctime_s
            count = sum(other == first for other in links.values())
            kind = 0o4 if head.isdir() else 0o12 if head.issym() else 0o1 if head.isfifo() else 0o10
            whole, fraction = divmod(round(head.mtime * 1_000_000_000), 1_000_000_000)
            columns = [
                (head.size + 511) // 512,
                *(f"{kind << 12 | head.mode & 0o7777:x}", head.uid, head.gid, head.size, 0, 0, count, inodes[first]),
                *(whole, ctime_s, f"date time.{fraction:09d} +0000", "-", "." if path == "." else f"./{path}"),
            ]
            lines.append("|".join([mark, *map(str, columns)]))
        lines.append(f"{mark}!0")
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def _target(volume: DemoVolume, path: str) -> str:
    head = volume.entries[path].head
    return head.linkname.removeprefix("./") if head.islnk() else path


def _tar(volume: DemoVolume, words: Sequence[str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for word in words:
            path = word.removeprefix("./").rstrip("/") or "."
            entry = volume.entries.get(_target(volume, path)) if path in volume.entries else None
            if entry is not None:
                tar.addfile(header(entry, word), io.BytesIO(entry.content) if entry.head.isreg() else None)
    return out.getvalue()


def _remove(volume: DemoVolume, path: str) -> None:
    for known in list(volume.entries):
        if known == path or known.startswith(f"{path}/"):
            del volume.entries[known]
