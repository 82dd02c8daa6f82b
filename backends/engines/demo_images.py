"""The demo's images: real, small docker-archives in memory, so that what leaves here loads on a real engine too."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backends.engines.demo_names import full_reference
from backends.engines.health_check import image_health
from backends.model.errors import BackendError, Protocol
from backends.model.ids import EngineId, ImageKey
from backends.model.image import Image, ImageFacts, Layer, LayerReport
from backends.wire.failures import NO_JSON
from backends.wire.times import parse_time

_SIZES_KEY = "tranship.demo.layer-sizes"
"""Our own key in the image config: the sizes that the demo's layers are to show. Engines keep what they do not know."""


@dataclass(slots=True)
class DemoImage:
    """One image. config: its bytes, whose digest is the id. layers: uncompressed tars, base first."""

    config: bytes
    layers: tuple[bytes, ...]
    tags: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Bare hex of the config's digest."""
        return hashlib.sha256(self.config).hexdigest()

    @property
    def settings(self) -> dict[str, Any]:
        """The part of the config that containers inherit (Env, Cmd, ...)."""
        settings = json.loads(self.config).get("config")
        return settings if isinstance(settings, dict) else {}


@dataclass(frozen=True, slots=True)
class BuildStep:
    """One line of a Dockerfile. size_bytes: what its layer is to show; 0 = it makes none."""

    command: str
    size_bytes: int = 0


def build(
    tags: Sequence[str], steps: Sequence[BuildStep], settings: Mapping[str, Any], created_at: datetime
) -> DemoImage:
    """An image of such steps; the same steps make the same layers and the same id."""
    layers = tuple(_layer_of(step) for step in steps if step.size_bytes)
    stamp = created_at.isoformat()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": stamp,
        "config": dict(settings),
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer) for layer in layers]},
        "history": [
            {"created": stamp, "created_by": step.command, **({} if step.size_bytes else {"empty_layer": True})}
            for step in steps
        ],
        _SIZES_KEY: [step.size_bytes for step in steps if step.size_bytes],
    }
    return DemoImage(json.dumps(config, sort_keys=True).encode(), layers, list(tags))


def _digest(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def _layer_of(step: BuildStep) -> bytes:
    content = f"{step.command}\n".encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo(f"opt/demo/{hashlib.sha256(content).hexdigest()[:12]}")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def to_model(image: DemoImage, engine: EngineId) -> Image:
    """As the engine lists it."""
    created = parse_time(str(json.loads(image.config).get("created") or ""))
    return Image(ImageKey(engine, image.id), tuple(image.tags), shown_bytes(image), created)


def shown_bytes(image: DemoImage) -> int:
    """What it takes, as it is shown."""
    return sum(layer_sizes(image))


def to_facts(image: DemoImage, engine: EngineId) -> ImageFacts:
    """What identifies it."""
    config = json.loads(image.config)
    return ImageFacts(
        ImageKey(engine, image.id),
        tuple(image.tags),
        f"sha256:{image.id}",
        tuple(config["rootfs"]["diff_ids"]),
        str(config.get("architecture", "")),
        str(config.get("os", "")),
        shown_bytes(image),
        image_health(image.settings),
    )


def committed(image: DemoImage, layer: bytes, command: str, created_at: datetime) -> DemoImage:
    """The image with one layer more (an uncompressed tar) and its own settings. command: what made the layer."""
    config = json.loads(image.config)
    stamp = created_at.isoformat()
    config["created"] = stamp
    config["rootfs"]["diff_ids"].append(_digest(layer))
    config["history"] = [*config.get("history", []), {"created": stamp, "created_by": command}]
    if _SIZES_KEY in config:
        config[_SIZES_KEY] = [*layer_sizes(image), len(layer)]
    return DemoImage(json.dumps(config, sort_keys=True).encode(), (*image.layers, layer))


def configured(
    image: DemoImage, command: str, created_at: datetime, settings: Mapping[str, Any], layer: bytes | None = None
) -> DemoImage:
    """The image after a step of a build: with these settings over its own, and a layer where the step made one."""
    made = committed(image, layer, command, created_at) if layer is not None else image
    config = json.loads(made.config)
    config["config"] = {**made.settings, **settings}
    if layer is None:
        stamp = created_at.isoformat()
        config["created"] = stamp
        config["history"] = [
            *config.get("history", []),
            {"created": stamp, "created_by": command, "empty_layer": True},
        ]
    return DemoImage(json.dumps(config, sort_keys=True).encode(), made.layers)


def to_layers(image: DemoImage, engine: EngineId, reference: str) -> LayerReport:
    """Its history, base first."""
    config = json.loads(image.config)
    made = iter(zip(config["rootfs"]["diff_ids"], layer_sizes(image), strict=True))
    layers = []
    for step in config.get("history", []):
        diff_id, size = ("", 0) if step.get("empty_layer") else next(made, ("", 0))
        layers.append(
            Layer(
                str(step.get("created_by", "")),
                diff_id,
                size,
                parse_time(str(step.get("created") or "")),
                str(step.get("comment", "")),
            )
        )
    return LayerReport(ImageKey(engine, image.id), reference, tuple(layers), str(config.get("architecture", "")))


def layer_sizes(image: DemoImage) -> list[int]:
    """Of its layers, base first, as they are shown."""
    shown = json.loads(image.config).get(_SIZES_KEY)
    if isinstance(shown, list) and len(shown) == len(image.layers):
        return [int(size) for size in shown]
    return [len(layer) for layer in image.layers]


def write_archive(image: DemoImage, tags: Sequence[str]) -> bytes:
    """A docker-archive: manifest.json, the config, the layers."""
    names = [f"{hashlib.sha256(layer).hexdigest()}/layer.tar" for layer in image.layers]
    manifest = [{"Config": f"{image.id}.json", "RepoTags": list(tags) or None, "Layers": names}]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        files = dict(zip(names, image.layers, strict=True))
        files[f"{image.id}.json"] = image.config
        files["manifest.json"] = json.dumps(manifest).encode()
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def read_archive(archive: bytes, engine: EngineId) -> list[DemoImage]:
    """The images of a docker-archive; Protocol where it is none, or where its parts do not match their digests."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
            manifest = json.loads(_member(tar, "manifest.json"))
            images = [_image_of(tar, entry) for entry in manifest]
    except (tarfile.TarError, zlib.error, EOFError, OSError, KeyError, TypeError, AttributeError, *NO_JSON) as broken:
        raise _refuse(str(broken), engine) from broken
    for image in images:
        wanted = json.loads(image.config)["rootfs"]["diff_ids"]
        if [_digest(layer) for layer in image.layers] != wanted:
            raise _refuse("a layer does not match its digest", engine)
    return images


def _image_of(tar: tarfile.TarFile, entry: Mapping[str, Any]) -> DemoImage:
    config = _member(tar, entry["Config"])
    json.loads(config)["rootfs"]["diff_ids"]  # KeyError where it is no image config
    layers = tuple(_unpacked(_member(tar, name)) for name in entry["Layers"])
    return DemoImage(config, layers, [full_reference(tag) for tag in entry.get("RepoTags") or []])


def _unpacked(layer: bytes) -> bytes:
    return gzip.decompress(layer) if layer[:2] == b"\x1f\x8b" else layer


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.getmember(name)
    links = 0
    while member.issym() and links < 4:  # Podman writes a layer that comes twice as a link
        member, links = tar.getmember(member.linkname.removeprefix("../")), links + 1
    content = tar.extractfile(member)
    if content is None:
        raise KeyError(name)
    return content.read()


def _refuse(detail: str, engine: EngineId) -> BackendError:
    return Protocol("this is no image archive", detail=detail, hint="a docker-archive is needed", engine=engine)
