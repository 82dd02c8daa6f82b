"""Makes images of many layers, half random bytes and half text, and hands them to an engine as `load` takes them.

Every layer is another one for another seed: what one image leaves on an engine never helps another by accident.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

MIB = 1 << 20
_NAME = "docker.io/tranship-bench/{}:1"


@dataclass(frozen=True)
class LayerFile:
    """A layer as a tar on disk. diff_id: the digest of that file."""

    path: Path
    diff_id: str


def make_layer(folder: Path, seed: str, size_bytes: int) -> LayerFile:
    """A layer of two files, half each: random bytes, as model weights are, and one line again and again.

    The images of tests/engines/up are made of the same: their figures can be compared with these.
    """
    dice = random.Random(seed)
    half = size_bytes // 2
    line = f"layer-{seed}-text\n".encode()
    text = line * (MIB // len(line))
    path = folder / f"{hashlib.sha256(seed.encode()).hexdigest()[:16]}.tar"
    digest = hashlib.sha256()
    with path.open("wb") as file:

        def put(data: bytes) -> None:
            digest.update(data)
            file.write(data)

        for name, random_bytes in (("weights", True), ("code", False)):
            put(_head(f"opt/{seed}/{name}", half))
            for at in range(0, half, len(text)):
                piece = dice.randbytes(len(text)) if random_bytes else text
                put(piece[: half - at])
            put(bytes(-half % tarfile.BLOCKSIZE))
        put(bytes(2 * tarfile.BLOCKSIZE))
    return LayerFile(path, f"sha256:{digest.hexdigest()}")


def _head(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member.tobuf(tarfile.GNU_FORMAT)


@dataclass(frozen=True)
class LayeredImage:
    """An image of these layers, base first."""

    word: str
    layers: Sequence[LayerFile]
    config: bytes = field(init=False)

    def __post_init__(self) -> None:
        made = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/none"], "Labels": {"tranship.bench": "1", "tranship.bench.image": self.word}},
            "created": "2026-01-01T00:00:00Z",
            "history": [{"created": "2026-01-01T00:00:00Z", "created_by": layer.diff_id} for layer in self.layers],
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in self.layers]},
        }
        object.__setattr__(self, "config", json.dumps(made).encode())

    @property
    def name(self) -> str:
        """Its full reference."""
        return _NAME.format(self.word)

    @property
    def id(self) -> str:
        """Its id on both engines: the digest of its config, bare hex."""
        return hashlib.sha256(self.config).hexdigest()

    def write(self, out: IO[bytes]) -> None:
        """Write its docker-archive, with its name."""
        index = [{"Config": "config.json", "RepoTags": [self.name], "Layers": [f"{n}.tar" for n in self._numbers]}]
        with tarfile.open(fileobj=out, mode="w|", bufsize=MIB) as archive:
            for name, data in (("manifest.json", json.dumps(index).encode()), ("config.json", self.config)):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
            for number, layer in zip(self._numbers, self.layers, strict=True):
                archive.add(layer.path, f"{number}.tar")

    @property
    def _numbers(self) -> range:
        return range(len(self.layers))
