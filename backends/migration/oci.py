"""An image as OCI layout in a backup, made from a docker-archive and made into one again. Asks no engine; blocks.

The configuration's bytes stay as they are, so its digest, the image's identity, does too. Layers stay as they came:
plain or compressed. Source of the layout: OCI image-spec 1.1, image-layout.md, descriptor.md, manifest.md.
"""

from __future__ import annotations

import json
import posixpath
import tarfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backends.migration.backup_file import CHUNK, BackupWriter, Found, Member, damaged, read_exactly, read_text
from backends.migration.tarsplit import End, Head, TarSplitter
from backends.model.errors import Protocol
from backends.model.image import ImageFacts

LAYOUT = "oci-layout"
INDEX = "index.json"
BLOBS = "blobs/sha256/"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
_COMPRESSED = {b"\x1f\x8b": "+gzip", b"\x28\xb5\x2f\xfd": "+zstd"}
"""First bytes of a compressed layer. Source: RFC 1952, RFC 8878."""

_SMALL = 64 << 10
"""Members up to this size are held until it is known whether the image has them: lists, old formats of metadata."""
_MANY = 4096
"""Small members that are held at most: 256 MiB in the worst case; an archive of one image has some hundred."""
_LONGEST_LIST = 16 << 20
"""Longest manifest.json and configuration that are read, in bytes."""
_LINKS = frozenset({tarfile.LNKTYPE, tarfile.SYMTYPE})


def _broken(detail: str) -> Protocol:
    return Protocol("the engine's image archive cannot be read", detail=detail)


@dataclass(slots=True)
class _Blob:
    """A file of the archive: written already, or still held. kind: the end of a layer's media type."""

    size: int
    sha256: str = ""
    content: bytes | None = None
    kind: str = ""


class ImageIntake:
    """Takes a docker-archive as it passes by and writes its files as blobs of a backup."""

    def __init__(self, writer: BackupWriter) -> None:
        self._writer = writer
        self._splitter = TarSplitter()
        self._files: dict[str, _Blob] = {}
        self._links: dict[str, tuple[str, bytes]] = {}
        self._written: dict[str, Member] = {}
        self._head: Head | None = None
        self._held: bytearray | None = None
        self._first = b""
        self._texts: dict[str, bytes] = {}

    def feed(self, batch: bytes) -> None:
        """More of the archive. Raises Protocol where it is none."""
        for part in self._splitter.split(batch):
            if isinstance(part, Head):
                self._begin(part)
            elif isinstance(part, End):
                self._end()
            elif self._held is not None:
                self._held += part
            else:
                if len(self._first) < 4:
                    self._first += part[:4]
                self._writer.write(part)

    def _begin(self, head: Head) -> None:
        self._head, self._first = head, b""
        if head.kind in _LINKS:
            self._links[_clean(head.name)] = (head.link, head.kind)
        held = head.size <= _SMALL or _clean(head.name) == "manifest.json"
        if held and (len(self._files) >= _MANY or head.size > _LONGEST_LIST):
            raise _broken(f"more than {_MANY} small files, or a list of {head.size} bytes")
        self._held = bytearray() if held or head.kind != b"0" else None
        if self._held is None:
            self._writer.begin()

    def _end(self) -> None:
        head = self._head
        assert head is not None
        name = _clean(head.name)
        if head.kind != b"0":
            return
        if self._held is not None:
            self._files[name] = _Blob(head.size, content=bytes(self._held))
            return
        digest = self._writer.sha256
        if 0 < head.size <= _LONGEST_LIST and self._first[:1] == b"{":
            self._texts[name] = self._writer.read(0, head.size)
        self._files[name] = _Blob(head.size, digest, kind=_kind(self._first))
        if digest in self._written:
            self._writer.drop()
        else:
            self._written[digest] = self._writer.end(BLOBS + digest)

    def finish(self, facts: ImageFacts, reference: str) -> None:
        """All has passed: write what ties the blobs together. reference: the image's full name, "" for none.

        Raises Protocol where the archive is cut short, lacks a file, or is not of the image with these facts.
        """
        self._splitter.close()
        listed = self._json("manifest.json")
        if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
            raise _broken("manifest.json does not tell of exactly one image")
        config_name, layer_names = listed[0].get("Config"), listed[0].get("Layers") or []
        if not isinstance(config_name, str) or not all(isinstance(name, str) for name in layer_names):
            raise _broken("manifest.json names no configuration and layers")
        config = self._blob(config_name)
        layers = [self._blob(name) for name in layer_names]
        self._compare(config, self._json(config_name), layers, facts)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _descriptor(CONFIG_TYPE, config.size, config.sha256),
            "layers": [_descriptor(LAYER_TYPE + layer.kind, layer.size, layer.sha256) for layer in layers],
        }
        text = json.dumps(manifest, sort_keys=True).encode()
        self._writer.begin()
        self._writer.write(text)
        made = self._writer.end(BLOBS + self._writer.sha256)
        named = {"org.opencontainers.image.ref.name": reference, "io.containerd.image.name": reference}
        entry = _descriptor(MANIFEST_TYPE, made.size, made.sha256) | {
            "platform": {"architecture": facts.architecture, "os": facts.os},
            **({"annotations": named} if reference else {}),
        }
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry]}
        self._writer.add(INDEX, json.dumps(index, sort_keys=True).encode())
        self._writer.add(LAYOUT, b'{"imageLayoutVersion":"1.0.0"}')

    def _resolve(self, name: str) -> str:
        name, seen = _clean(name), set[str]()
        while name in self._links and name not in seen:
            seen.add(name)
            link, kind = self._links[name]
            # A symbolic link is relative to its own folder, a hard one to the root.
            name = _clean(posixpath.join(posixpath.dirname(name), link) if kind == tarfile.SYMTYPE else link)
        return name

    def _blob(self, name: str) -> _Blob:
        found = self._files.get(self._resolve(name))
        if found is None:
            raise _broken(f"{name} is missing")
        if found.content is not None and not found.sha256:
            self._writer.begin()
            self._writer.write(found.content)
            found.sha256, found.kind = self._writer.sha256, _kind(found.content)
            if found.sha256 in self._written:
                self._writer.drop()
            else:
                self._written[found.sha256] = self._writer.end(BLOBS + found.sha256)
        return found

    def _json(self, name: str) -> Any:
        at = self._resolve(name)
        found = self._files.get(at)
        text = self._texts.get(at, b"") if found is None or found.content is None else found.content
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _broken(f"{name}: {error}") from error

    @staticmethod
    def _compare(config: _Blob, settings: Any, layers: Sequence[_Blob], facts: ImageFacts) -> None:
        """What came is the image that was asked for, by all that the engine tells of it."""
        if facts.config_digest and f"sha256:{config.sha256}" != facts.config_digest:
            raise _broken(f"its configuration is {config.sha256[:12]}, not {facts.config_digest}")
        rootfs = settings.get("rootfs") if isinstance(settings, dict) else None
        diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
        if diff_ids != list(facts.diff_ids) or len(diff_ids) != len(layers):
            raise _broken("its layers are not those of the image")
        for layer, diff_id in zip(layers, diff_ids, strict=True):
            if not layer.kind and f"sha256:{layer.sha256}" != diff_id:
                raise _broken(f"layer {diff_id[:19]} has another content")


def _clean(name: str) -> str:
    return posixpath.normpath(name.lstrip("/"))


def _kind(first: bytes) -> str:
    return next((kind for magic, kind in _COMPRESSED.items() if first.startswith(magic)), "")


def _descriptor(media_type: str, size: int, sha256: str) -> dict[str, Any]:
    return {"mediaType": media_type, "size": size, "digest": f"sha256:{sha256}"}


@dataclass(frozen=True, slots=True)
class StoredImage:
    """Where the image's parts lie in the file, base layer first."""

    config: Found
    layers: tuple[Found, ...]


def stored_image(descriptor: int, members: Mapping[str, Found], facts: ImageFacts) -> StoredImage:
    """Read the layout of a checked backup. Raises Protocol where a blob is missing or misnamed, or facts differ."""

    def text(name: str) -> Any:
        if name not in members:
            raise damaged(f"{name} is missing")
        try:
            return json.loads(read_text(descriptor, members[name]))
        except (ValueError, RecursionError) as error:
            raise damaged(f"{name}: {error}") from error

    def blob(entry: Any) -> Found:
        digest = str(entry["digest"]).removeprefix("sha256:")
        found = members.get(BLOBS + digest)
        if found is None or found.member.sha256 != digest or found.member.size != entry["size"]:
            raise damaged(f"blob {digest[:12]} is missing, or has another content than its name says")
        return found

    try:
        if text(LAYOUT)["imageLayoutVersion"] != "1.0.0":
            raise damaged(f"{LAYOUT} is of another version")
        manifest = text(blob(text(INDEX)["manifests"][0]).member.name)
        image = StoredImage(blob(manifest["config"]), tuple(blob(layer) for layer in manifest["layers"]))
        diff_ids = text(image.config.member.name)["rootfs"]["diff_ids"]
    except (KeyError, TypeError, IndexError) as error:
        raise damaged(f"the image's layout lacks {error}") from error
    if diff_ids != list(facts.diff_ids) or len(diff_ids) != len(image.layers):
        raise damaged("the image is another than its description")
    return image


def docker_archive(image: StoredImage, pieces: Callable[[Found], Iterator[bytes]]) -> Generator[bytes, None, None]:
    """The image as engines load it, without a name. pieces: the content of a member."""
    config = f"{image.config.member.sha256}.json"
    names = [f"{layer.member.sha256}.tar" for layer in image.layers]
    listed = json.dumps([{"Config": config, "RepoTags": None, "Layers": names}]).encode()
    yield from _file("manifest.json", len(listed), iter([listed]))
    yield from _file(config, image.config.member.size, pieces(image.config))
    for name, layer in dict(zip(names, image.layers, strict=True)).items():
        yield from _file(name, layer.member.size, pieces(layer))
    yield bytes(2 * tarfile.BLOCKSIZE)


def _file(name: str, size: int, content: Iterator[bytes]) -> Iterator[bytes]:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    yield entry.tobuf(tarfile.GNU_FORMAT)
    yield from content
    yield bytes(-size % tarfile.BLOCKSIZE)


def content_of(descriptor: int, found: Found) -> Iterator[bytes]:
    """A member's content in pieces of at most a MiB."""
    read = 0
    while read < found.member.size:
        piece = read_exactly(descriptor, found.offset + read, min(CHUNK, found.member.size - read))
        read += len(piece)
        yield piece
