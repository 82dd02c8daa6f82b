"""Layers and archives of images as engines write them, made by Python's tarfile."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence

from backends.layers.table import LayerTable, TableWalk
from backends.model.ids import EngineId, EngineKind, ImageKey
from backends.model.image import ImageFacts

ENGINE = EngineId(EngineKind.DOCKER, "unix:///test")


def link(target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    """A symbolic or hard link, for `layer`."""
    head = tarfile.TarInfo()
    head.type, head.linkname = kind, target
    return head


def hard(target: str) -> tarfile.TarInfo:
    """A hard link, for `layer`."""
    return link(target, tarfile.LNKTYPE)


Content = bytes | tarfile.TarInfo | None


def layer(files: Mapping[str, Content] | Sequence[tuple[str, Content]]) -> bytes:
    """A layer's tar. Values: a file's content, None for a folder, or a head that has all but its name."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, content in files.items() if isinstance(files, Mapping) else files:
            head = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo()
            head.name = path
            if content is None:
                head.type, head.mode = tarfile.DIRTYPE, 0o755
            if isinstance(content, bytes):
                head.size = len(content)
            tar.addfile(head, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


def diff_id(tar: bytes) -> str:
    """Of a plain layer."""
    return f"sha256:{hashlib.sha256(tar).hexdigest()}"


def table(tar: bytes) -> LayerTable:
    """The layer as it is read."""
    walk = TableWalk()
    walk.feed(tar)
    walk.close()
    walk.table.diff_id = diff_id(tar)
    return walk.table


def tables(*layers: Mapping[str, Content]) -> list[LayerTable]:
    """Several, base first."""
    return [table(layer(files)) for files in layers]


def facts(layers: Sequence[bytes], size_bytes: int = 0) -> ImageFacts:
    """Of an image with these plain layers."""
    key = ImageKey(ENGINE, hashlib.sha256(b"".join(layers)).hexdigest())
    return ImageFacts(key, (), "", tuple(diff_id(tar) for tar in layers), "amd64", "linux", size_bytes)


def docker_archive(layers: Sequence[bytes]) -> bytes:
    """As Podman and old Dockers write it: layers first, a layer that comes twice as a link, the list last."""
    names = [f"{hashlib.sha256(tar).hexdigest()}.tar" for tar in layers]
    config = json.dumps({"rootfs": {"diff_ids": [diff_id(tar) for tar in layers]}}).encode()
    listed = json.dumps([{"Config": "c.json", "Layers": names}]).encode()
    files: list[tuple[str, Content]] = [*dict(zip(names, layers, strict=True)).items()]
    return layer([*files, ("old/layer.tar", link(f"../{names[0]}")), ("c.json", config), ("manifest.json", listed)])


def packed_layout(layers: Sequence[bytes], pack: str) -> bytes:
    """An OCI layout with compressed layers, as containerd's store gives it; its list first."""
    blobs = [squeezed(tar, pack) for tar in layers]
    names = [f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}" for blob in blobs]
    files = dict(zip(names, blobs, strict=True))
    return layer({"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": b"{}", "blobs": None, **files})


def squeezed(tar: bytes, pack: str) -> bytes:
    """Compressed; "twice": two gzip files on end, as eStargz has them."""
    if pack == "gzip":
        return gzip.compress(tar)
    if pack == "twice":
        return gzip.compress(tar[:700]) + gzip.compress(tar[700:])
    if pack == "zstd":
        from backports import zstd

        return zstd.compress(tar[:900]) + b"\x50\x2a\x4d\x18\x04\0\0\0skip" + zstd.compress(tar[900:])
    return tar
