"""Moves what is small and what is large: memory and temporary disk must not grow with the bytes. Part of migrate.

What is made here is removed again, the large file first: nothing of it stays on the disk.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.layered import MIB, LayeredImage, make_layer
from benchmarks.movings import LABEL, Movings, Taken

_FILE_BYTES = 100
"""Of each of many small files: what they cost is their number."""

_LAYERS = 20
_LESSER_MIB = 4096
"""The large file where the disk has no room for more."""


@dataclass(frozen=True)
class LargeRow:
    """One move by Tranship, proof and all. content_bytes: of what was moved."""

    source: str
    target: str
    what: str
    content_bytes: int
    taken: Taken


def measure(movings: Movings, word: str, *, file_mib: int, files: int, image_mib: int) -> Iterator[LargeRow]:
    """Each thing in two sizes, so that the two can be compared."""
    wanted = _with_room(movings, file_mib)
    for size in (min(64, wanted), wanted):
        yield _volume(movings, f"bench-{word}-one", f"a volume of one file of {size:,} MB", 1, size * MIB)
    for count in (files // 100, files):
        yield _volume(movings, f"bench-{word}-many", f"a volume of {count:,} files", count, _FILE_BYTES)
    for source, target in (("docker", "podman"), ("podman", "docker")):
        for size in (min(64, image_mib), image_mib):
            yield _image(movings, f"{word}-{source}-{size}", size, source, target)


def _with_room(movings: Movings, file_mib: int) -> int:
    """The size of the large file: it lies on both engines at a time. Raises RuntimeError where even 4 GB do not fit."""
    free_mib = shutil.disk_usage(movings.folder).free // MIB
    for size in (file_mib, min(file_mib, _LESSER_MIB)):
        if free_mib > 3 * size:
            return size
    raise RuntimeError(f"{free_mib} MB free: too little for two files of {_LESSER_MIB} MB")


def _volume(movings: Movings, name: str, title: str, files: int, file_bytes: int) -> LargeRow:
    source, target = "docker", "podman"
    try:
        movings.fill(source, name, files, file_bytes)
        movings.cli(target, "volume", "create", "--label", LABEL, name)
        return LargeRow(source, target, title, files * file_bytes, movings.tranship_volume(source, target, name))
    finally:
        for engine in (source, target):
            if name in movings.cli(engine, "volume", "ls", "-q").split():
                movings.cli(engine, "volume", "rm", "-f", name)


def _image(movings: Movings, word: str, size_mib: int, source: str, target: str) -> LargeRow:
    """Cold: the target has none of its layers. By the way that the plan decides."""
    layers = [make_layer(movings.folder, f"{word}-{number}", size_mib * MIB // _LAYERS) for number in range(_LAYERS)]
    image = LayeredImage(word, layers)
    try:
        with movings.holding(source, image) as container:
            for layer in layers:
                layer.path.unlink()
            taken = movings.tranship_image(source, target, container, "auto")
            if not movings.has(target, image):
                raise RuntimeError(f"{image.name} did not come to {target}")
            movings.forget(target, image)
    finally:
        for layer in layers:
            layer.path.unlink(missing_ok=True)
    title = f"an image of {size_mib:,} MB, {taken.told['way']}"
    return LargeRow(source, target, title, size_mib * MIB, taken)
