"""The demo's volumes: their content as real tar entries in memory. Pure but for the state of a volume."""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field

from backends.model.container import NO_LABELS
from backends.model.errors import Protocol
from backends.model.ids import EngineId
from backends.model.workload import Volume


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, directory or link of a volume. head: its tar header, whose name is relative ("." is the root)."""

    head: tarfile.TarInfo
    content: bytes = b""


def _root() -> dict[str, Entry]:
    head = tarfile.TarInfo(".")
    head.type, head.mode = tarfile.DIRTYPE, 0o755
    return {".": Entry(head)}


@dataclass(slots=True)
class DemoVolume:
    """A volume and what lies in it, by path."""

    name: str
    labels: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    driver_options: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    anonymous: bool = False
    entries: dict[str, Entry] = field(default_factory=_root)

    def to_model(self) -> Volume:
        """As the engine reports it."""
        return Volume(self.name, "local", self.labels, self.driver_options, self.anonymous)

    def put(self, path: str, content: bytes, *, mode: int = 0o644, uid: int = 0, gid: int = 0, mtime: int = 0) -> None:
        """Lay a file down, with the directories above it."""
        parent = posixpath.dirname(path)
        while parent:
            if parent not in self.entries:
                above = tarfile.TarInfo(parent)
                above.type, above.mode, above.uid, above.gid, above.mtime = tarfile.DIRTYPE, 0o755, uid, gid, mtime
                self.entries[parent] = Entry(above)
            parent = posixpath.dirname(parent)
        head = tarfile.TarInfo(path)
        head.size, head.mode, head.uid, head.gid, head.mtime = len(content), mode, uid, gid, mtime
        self.entries[path] = Entry(head, content)


def write_tar(volume: DemoVolume) -> bytes:
    """All of it, the root first, names as "./a", owners numeric."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(volume.entries, key=lambda path: (path != ".", path)):
            entry = volume.entries[path]
            head = tarfile.TarInfo("./" if path == "." else f"./{path}")
            for name in ("type", "mode", "uid", "gid", "mtime", "size", "devmajor", "devminor"):
                setattr(head, name, getattr(entry.head, name))
            head.linkname = f"./{entry.head.linkname}" if entry.head.islnk() else entry.head.linkname
            tar.addfile(head, io.BytesIO(entry.content) if entry.head.isreg() else None)
    return out.getvalue()


def read_tar(volume: DemoVolume, archive: bytes, engine: EngineId) -> None:
    """Unpack a tar over what is there; Protocol where it is no tar or an entry would leave the volume."""
    found: dict[str, Entry] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:*") as tar:
            for member in tar:
                path = _inside(member.name, engine)
                if member.islnk():
                    member.linkname = _inside(member.linkname, engine)
                content = tar.extractfile(member) if member.isreg() else None
                found[path] = Entry(member, content.read() if content is not None else b"")
    except (tarfile.TarError, EOFError, OSError, ValueError) as broken:
        raise Protocol("the volume's archive cannot be read", detail=str(broken), engine=engine) from broken
    volume.entries.update(found)


def _inside(name: str, engine: EngineId) -> str:
    path = posixpath.normpath(name)
    if path.startswith("/") or path == ".." or path.startswith("../"):
        raise Protocol("the archive would write outside the volume", detail=name, engine=engine)
    return path
