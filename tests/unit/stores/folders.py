"""Store folders as the engines leave them, made of real tars: the layer's files unpacked, the rest as tar-split."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

from backends.model.capabilities import EngineInfo
from backends.model.ids import EngineId, EngineKind, ImageKey
from backends.model.image import ImageFacts
from backends.stores import StoredLayer

CRC = base64.b64encode(b"12345678").decode()
"""The checksum of tar-split: not looked at, since the digest of the whole says more."""


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def raw_name(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def split_of(layer: bytes) -> bytes:
    """What tar-split writes down of a tar, as JSON lines. Source: tar-split, tar/asm/disassemble.go."""
    lines: list[dict[str, object]] = []

    def add(**entry: object) -> None:
        lines.append({**entry, "position": len(lines)})

    at = 0
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        for member in tar:
            add(type=2, payload=base64.b64encode(layer[at : member.offset_data]).decode())
            name = raw_name(member.name)
            try:
                told: dict[str, object] = {"name": name.decode("utf-8")}
            except UnicodeDecodeError:
                told = {"name_raw": base64.b64encode(name).decode()}
            size = member.size if member.isreg() else 0
            add(type=1, **told, **({"size": size} if size else {}), payload=CRC if size else None)
            at = member.offset_data + size
    add(type=2, payload=base64.b64encode(layer[at:]).decode())
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def unpack(layer: bytes, folder: Path) -> None:
    """The contents of a tar's files below a folder, as an engine unpacks them: the last of a name counts."""
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        for member in tar:
            if member.isreg():
                data = tar.extractfile(member)
                assert data is not None
                path = folder / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data.read())


def stored(layer: bytes, place: Path) -> StoredLayer:
    """A layer of a store that has nothing else."""
    place.mkdir(parents=True, exist_ok=True)
    split = place / "tar-split.json.gz"
    split.write_bytes(gzip.compress(split_of(layer)))
    unpack(layer, place / "diff")
    return StoredLayer(digest(layer), split, place / "diff")


def layer_of(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of these members."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def file(name: str, data: bytes, **pax: str) -> tuple[tarfile.TarInfo, bytes]:
    """A file for `layer_of`. pax: headers of its own."""
    member = tarfile.TarInfo(name)
    member.pax_headers = {key.replace("__", "."): value for key, value in pax.items()}
    return member, data


def other(name: str, kind: bytes, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    """A member without content."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member, b""


def config_of(layers: Sequence[bytes]) -> bytes:
    return json.dumps(
        {"os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest(one) for one in layers]}}
    ).encode()


def facts_of(kind: EngineKind, layers: Sequence[bytes]) -> ImageFacts:
    image_id = digest(config_of(layers)).removeprefix("sha256:")
    diff_ids = tuple(digest(one) for one in layers)
    return ImageFacts(ImageKey(EngineId(kind, "x"), image_id), (), f"sha256:{image_id}", diff_ids, "amd64", "linux", 1)


def info_of(root: Path, store: str) -> EngineInfo:
    return EngineInfo("1", "1", rootless=False, local=True, graph_root=str(root), image_store=store)


def docker_store(root: Path, layers: Sequence[bytes]) -> None:
    """Docker's folders with one image. Source: moby, layer/filestore.go."""
    own, config = root / "image/overlay2", config_of(layers)
    (own / "imagedb/content/sha256").mkdir(parents=True)
    (own / "imagedb/content/sha256" / digest(config).removeprefix("sha256:")).write_bytes(config)
    chain = ""
    for number, layer in enumerate(layers):
        chain = digest(f"{chain} {digest(layer)}".encode()) if chain else digest(layer)
        place = own / "layerdb/sha256" / chain.removeprefix("sha256:")
        place.mkdir(parents=True)
        (place / "diff").write_text(digest(layer))
        (place / "cache-id").write_text(f"cache{number}")
        (place / "tar-split.json.gz").write_bytes(gzip.compress(split_of(layer)))
        unpack(layer, root / f"overlay2/cache{number}/diff")


def podman_store(root: Path, layers: Sequence[bytes]) -> None:
    """Podman's folders with one image. Source: containers/storage, layers.go and images.go."""
    config = config_of(layers)
    name = digest(config)
    image_id = name.removeprefix("sha256:")
    big = root / "overlay-images" / image_id
    big.mkdir(parents=True)
    (big / f"={base64.b64encode(name.encode()).decode()}").write_bytes(config)
    (big / "manifest").write_text(json.dumps({"config": {"mediaType": "application/vnd.oci.image.config.v1+json"}}))
    (root / "overlay-layers").mkdir()
    told, parent = [], ""
    for number, layer in enumerate(layers):
        own = f"{number:064x}"
        told.append({"id": own, "parent": parent, "diff-digest": digest(layer), "diff-size": len(layer)})
        (root / f"overlay-layers/{own}.tar-split.gz").write_bytes(gzip.compress(split_of(layer)))
        unpack(layer, root / f"overlay/{own}/diff")
        parent = own
    (root / "overlay-layers/layers.json").write_text(json.dumps(told))
    (root / "overlay-images/images.json").write_text(json.dumps([{"id": image_id, "layer": parent}]))
