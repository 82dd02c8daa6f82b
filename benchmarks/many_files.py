"""A layer of many small files in folders, as site-packages has them. Measures nothing."""

from __future__ import annotations

import hashlib
import random
import tarfile
from pathlib import Path

from benchmarks.layered import LayerFile

_IN_FOLDER = 100


def make_files(folder: Path, seed: str, count: int, file_bytes: int) -> LayerFile:
    """So many files of so many bytes each, a hundred in a folder, no two of the same content."""
    dice = random.Random(seed)
    path = folder / f"{hashlib.sha256(seed.encode()).hexdigest()[:16]}.tar"
    digest = hashlib.sha256()
    padding = bytes(-file_bytes % tarfile.BLOCKSIZE)
    with path.open("wb") as file:
        for number in range(count):
            member = tarfile.TarInfo(f"usr/lib/{seed}/package{number // _IN_FOLDER:04}/module{number:06}.py")
            member.size, member.mode = file_bytes, 0o644
            data = member.tobuf(tarfile.GNU_FORMAT) + dice.randbytes(file_bytes) + padding
            digest.update(data)
            file.write(data)
        end = bytes(2 * tarfile.BLOCKSIZE)
        digest.update(end)
        file.write(end)
    return LayerFile(path, f"sha256:{digest.hexdigest()}")


__all__ = ["make_files"]
