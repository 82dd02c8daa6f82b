"""What a demo container sees as its files: the image's, its own changes over them, its volumes. Pure but for those.

Symbolic links are kept, not followed. Binds and tmpfs are not there: the demo has no host whose files it could show.
"""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from backends.engines.demo_volumes import DemoVolume, Entry, folder, header, unpack
from backends.model.container import ChangedPath, ChangeKind
from backends.model.errors import NotFound, Unsupported
from backends.model.ids import EngineId

Layer = dict[str, Entry | None]
"""What a container changed, by absolute path; None = deleted."""
_EVERYWHERE = ("/", "/bin", "/etc", "/home", "/opt", "/proc", "/root", "/run", "/srv", "/sys", "/tmp", "/usr", "/var")
"""Folders that every image of the demo has, whatever its layers say."""
_WHITEOUT = ".wh."
"""Source: OCI image spec, layer.md, "Whiteouts"."""


@lru_cache(maxsize=32)
def rootfs(layers: tuple[bytes, ...]) -> Mapping[str, Entry]:
    """The files of an image by absolute path. layers: uncompressed tars, base first."""
    found = {path: Entry(folder(path, mode=0o1777 if path == "/tmp" else 0o755)) for path in _EVERYWHERE}
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer), mode="r:") as tar:
            for member in tar:
                path = posixpath.normpath(f"/{member.name}")
                parent, name = posixpath.split(path)
                if name.startswith(_WHITEOUT):
                    gone = posixpath.join(parent, name.removeprefix(_WHITEOUT))
                    found = {one: entry for one, entry in found.items() if not _within(one, gone)}
                else:
                    content = tar.extractfile(member) if member.isreg() else None
                    _lay(found, path, Entry(member, content.read() if content else b""))
    return found


def _within(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip("/") + "/")


def _above(path: str) -> Iterator[str]:
    """The folders above a path, without the root."""
    while (path := posixpath.dirname(path)) != "/":
        yield path


def _lay(into: dict[str, Entry], path: str, entry: Entry) -> None:
    above = posixpath.dirname(path)
    while above not in into:
        into[above] = Entry(folder(above))
        above = posixpath.dirname(above)
    into[path] = entry


class ReadOnly(Exception):
    """A program tried to write where it may not."""


class Files:
    """The view. image: of `rootfs`; layer: the container's own, is changed. mounts: by destination; None = not here.

    read_only: destinations that cannot be written, "/" for the layer.
    """

    def __init__(
        self,
        engine: EngineId,
        image: Mapping[str, Entry],
        layer: Layer,
        mounts: Mapping[str, DemoVolume | None],
        *,
        read_only: Collection[str] = (),
    ) -> None:
        self._engine = engine
        self._image = image
        self._layer = layer
        self._mounts = {posixpath.normpath(place): volume for place, volume in mounts.items()}
        self._above_mounts = {above for place in self._mounts for above in _above(place)}  # an engine makes them
        self._read_only = {posixpath.normpath(place) for place in read_only}

    def _place(self, path: str) -> str:
        """The mount that a path lies in, "/" where in none."""
        return max((place for place in self._mounts if _within(path, place)), key=len, default="/")

    def _check_writable(self, path: str) -> None:
        if self._place(path) in self._read_only:
            raise ReadOnly(path)

    def _volume_at(self, path: str) -> tuple[DemoVolume, str] | None:
        """The volume that a path lies in, with its path there; None where it is on the container's own layer."""
        place = self._place(path)
        if place not in self._mounts:
            return None
        volume = self._mounts[place]
        if volume is None:
            raise Unsupported(f"the demo has no files at {place}", detail=path, engine=self._engine)
        return volume, posixpath.relpath(path, place)

    def get(self, path: str) -> Entry | None:
        """What is at an absolute path; None where nothing is."""
        inside = self._volume_at(path)
        if inside is not None:
            return inside[0].entries.get(inside[1])
        found = self._layer[path] if path in self._layer else self._image.get(path)
        return Entry(folder(path)) if found is None and path in self._above_mounts else found

    def need(self, path: str) -> Entry:
        """What is at an absolute path; NotFound where nothing is."""
        entry = self.get(path)
        if entry is None:
            raise NotFound(f"there is no {path} in the container", engine=self._engine)
        return entry

    def walk(self, top: str) -> Iterator[str]:
        """The path and all below it, folders before what is in them. Mounts without files here are left out."""
        paths = {path for path in (*self._image, *self._layer) if not any(_within(path, one) for one in self._mounts)}
        for place, volume in self._mounts.items():
            if volume is not None:
                paths |= {posixpath.normpath(f"{place}/{path}") for path in volume.entries}
        paths |= self._above_mounts
        for path in sorted(paths, key=lambda path: path.split("/")):
            if _within(path, top) and self.get(path) is not None:
                yield path

    def put(self, path: str, entry: Entry) -> None:
        """Lay something down, with the folders above it; a file that takes a folder's place takes what was in it."""
        self._check_writable(path)
        above = posixpath.dirname(path)
        if self.get(above) is None:
            self.put(above, Entry(folder(above)))
        if not entry.head.isdir() and self.get(path) is not None:
            self.delete(path)
        inside = self._volume_at(path)
        if inside is not None:
            inside[0].entries[inside[1]] = entry
        else:
            self._layer[path] = entry

    def delete(self, top: str) -> None:
        """Take away a path and what is below it; NotFound where nothing is."""
        self._check_writable(top)
        self.need(top)
        for path in list(self.walk(top)):
            inside = self._volume_at(path)
            if inside is not None:
                del inside[0].entries[inside[1]]
            elif path in self._image:
                self._layer[path] = None
            else:
                self._layer.pop(path, None)  # a folder above a mount has no entry of its own

    def pack(self, path: str) -> bytes:
        """A tar of the path; names begin with its last part."""
        top = posixpath.normpath(path)
        self.need(top)
        name = posixpath.basename(top) or "."
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for one in self.walk(top):
                entry = self.need(one)
                head = header(entry, posixpath.normpath(f"{name}/{posixpath.relpath(one, top)}"))
                tar.addfile(head, io.BytesIO(entry.content) if entry.head.isreg() else None)
        return out.getvalue()

    def unpack(self, path: str, archive: bytes) -> None:
        """Unpack a tar under a folder; NotFound where there is no such folder."""
        top = posixpath.normpath(path)
        if not self.need(top).head.isdir():
            raise NotFound(f"{path} is no folder", engine=self._engine)
        for name, entry in unpack(archive, self._engine).items():
            if name != ".":
                self.put(posixpath.join(top, name), entry)


def changes(image: Mapping[str, Entry], layer: Layer) -> tuple[ChangedPath, ...]:
    """What a layer changes of an image; the folders above a change have changed too."""
    found: dict[str, ChangeKind] = {}
    for path, entry in layer.items():
        if entry is None:
            above = posixpath.dirname(path)
            if above in layer and layer[above] is None:
                continue  # its folder went as a whole
            found[path] = ChangeKind.DELETED
        else:
            found[path] = ChangeKind.CHANGED if path in image else ChangeKind.ADDED
    for path in tuple(found):
        above = posixpath.dirname(path)
        while above != "/":
            if above in image:
                found.setdefault(above, ChangeKind.CHANGED)
            above = posixpath.dirname(above)
    return tuple(ChangedPath(path, kind) for path, kind in sorted(found.items()))


def layer_tar(layer: Layer) -> bytes:
    """A container's changes as a layer of an image."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(layer, key=lambda path: path.split("/")):
            entry = layer[path]
            parent, name = posixpath.split(path.lstrip("/"))
            if entry is None:
                tar.addfile(tarfile.TarInfo(posixpath.join(parent, _WHITEOUT + name)))
            else:
                head = header(entry, path.lstrip("/"))
                tar.addfile(head, io.BytesIO(entry.content) if entry.head.isreg() else None)
    return out.getvalue()
