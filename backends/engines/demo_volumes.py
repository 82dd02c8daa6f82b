"""The demo's volumes, and files as tar entries in memory. Pure but for the state of a volume."""

from __future__ import annotations

import io
import posixpath
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from backends.model.container import NO_LABELS
from backends.model.errors import Protocol
from backends.model.ids import EngineId
from backends.model.workload import Volume

_XATTR = "SCHILY.xattr."
"""How tar says extended attributes. Source: star(5), "SCHILY.xattr"."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, directory or link. head: its tar header, whose name does not matter (the path is the key)."""

    head: tarfile.TarInfo
    content: bytes = b""


def folder(path: str, *, mode: int = 0o755) -> tarfile.TarInfo:
    """The header of a folder that nobody described."""
    head = tarfile.TarInfo(path)
    head.type, head.mode = tarfile.DIRTYPE, mode
    return head


def _root() -> dict[str, Entry]:
    return {".": Entry(folder("."))}


@dataclass(slots=True)
class DemoVolume:
    """A volume and what lies in it, by path."""

    name: str
    labels: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    driver_options: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    anonymous: bool = False
    entries: dict[str, Entry] = field(default_factory=_root)
    created_at: datetime | None = None

    def to_model(self) -> Volume:
        """As the engine reports it."""
        return Volume(self.name, "local", self.labels, self.driver_options, self.anonymous, created_at=self.created_at)

    def put(self, path: str, content: bytes, *, mode: int = 0o644, uid: int = 0, gid: int = 0, mtime: int = 0) -> None:
        """Lay a file down, with the directories above it."""
        parent = posixpath.dirname(path)
        while parent:
            if parent not in self.entries:
                above = folder(parent)
                above.uid, above.gid, above.mtime = uid, gid, mtime
                self.entries[parent] = Entry(above)
            parent = posixpath.dirname(parent)
        head = tarfile.TarInfo(path)
        head.size, head.mode, head.uid, head.gid, head.mtime = len(content), mode, uid, gid, mtime
        self.entries[path] = Entry(head, content)


def header(entry: Entry, name: str) -> tarfile.TarInfo:
    """The header of an entry under another name; owners numeric, extended attributes kept."""
    head = tarfile.TarInfo(name)
    for part in ("mode", "uid", "gid", "mtime", "size", "devmajor", "devminor", "linkname"):
        setattr(head, part, getattr(entry.head, part))
    head.type = tarfile.REGTYPE if entry.head.isreg() else entry.head.type  # a sparse file's holes are in its content
    head.pax_headers = {k: v for k, v in entry.head.pax_headers.items() if k.startswith(_XATTR)}
    return head


def write_tar(volume: DemoVolume) -> bytes:
    """All of it, the root first, names as "./a", owners numeric."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(volume.entries, key=lambda path: (path != ".", path)):
            entry = volume.entries[path]
            head = header(entry, "./" if path == "." else f"./{path}")
            head.linkname = f"./{entry.head.linkname}" if entry.head.islnk() else entry.head.linkname
            tar.addfile(head, io.BytesIO(entry.content) if entry.head.isreg() else None)
    return out.getvalue()


def read_tar(volume: DemoVolume, archive: bytes, engine: EngineId) -> None:
    """Unpack a tar over what is there; Protocol where it is no tar or an entry would leave the volume."""
    volume.entries.update(unpack(archive, engine))


def unpack(archive: bytes, engine: EngineId) -> dict[str, Entry]:
    """What a tar holds by relative path; Protocol where it is no tar or an entry would leave the folder."""
    found: dict[str, Entry] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:*") as tar:
            for member in tar:
                path = _inside(member.name, engine)
                if member.islnk():
                    member.linkname = _inside(member.linkname, engine)
                content = tar.extractfile(member) if member.isreg() else None
                found[path] = Entry(member, content.read() if content is not None else b"")
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as broken:
        raise Protocol("the archive cannot be read", detail=str(broken), engine=engine) from broken
    return found


def _inside(name: str, engine: EngineId) -> str:
    path = posixpath.normpath(name)
    if path.startswith("/") or path == ".." or path.startswith("../"):
        raise Protocol("the archive would write outside its folder", detail=name, engine=engine)
    return path
