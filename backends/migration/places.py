"""Looks at folders of this machine: what volumes hold, whether binds exist. Called in a thread; changes nothing."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from backends.migration.facts import BindFact, VolumeFact
from backends.migration.holes import BLOCK_BYTES, hole_bytes
from backends.model.workload import Volume

LONGEST_S = 1.0
"""For all volumes of one plan together: what is larger than that takes is not measured."""


_REMAPPED = re.compile(r"/\d+\.\d+/")
"""In the paths of a Docker whose users are mapped. Source: moby daemon/daemon_unix.go, setupDaemonRoot."""


def _look(folder: str, until: float) -> VolumeFact | None:
    """None where the folder cannot be read, or not in time."""
    total, holes, seen = 0, 0, set[tuple[int, int]]()
    ids: set[int] = set()
    waiting = [folder]
    try:
        top = os.stat(folder)
    except OSError:
        return None
    ids |= {top.st_uid, top.st_gid}
    while waiting:
        if time.monotonic() > until:
            return None
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    ids |= {found.st_uid, found.st_gid}
                    if stat.S_ISDIR(found.st_mode):
                        waiting.append(entry.path)
                    elif (found.st_dev, found.st_ino) not in seen:
                        if found.st_nlink > 1:
                            seen.add((found.st_dev, found.st_ino))
                        total += found.st_blocks * BLOCK_BYTES
                        if stat.S_ISREG(found.st_mode):
                            holes += hole_bytes(found.st_size, found.st_blocks, found.st_mode)
        except OSError:
            return None  # not ours to read, or gone meanwhile: its size is not known
    return VolumeFact(total, frozenset() if _REMAPPED.search(folder) else frozenset(ids), holes)


def look_over(volumes: Sequence[Volume]) -> dict[str, VolumeFact]:
    """What volumes hold, those whose folders can be read here."""
    until = time.monotonic() + LONGEST_S
    found = {volume.name: _look(volume.mountpoint, until) for volume in volumes if volume.mountpoint}
    return {name: fact for name, fact in found.items() if fact is not None}


def look_at(paths: Iterable[str]) -> dict[str, BindFact]:
    """The sources of binds; those that cannot be looked at from here are left out."""
    found: dict[str, BindFact] = {}
    for path in set(paths):
        try:
            mode = Path(path).stat().st_mode
        except FileNotFoundError:
            found[path] = BindFact(exists=False)
        except OSError:
            continue  # a folder above is not ours to enter
        else:
            wanted = 0o005 if stat.S_ISDIR(mode) else 0o004
            found[path] = BindFact(exists=True, open_to_all=mode & wanted == wanted)
    return found
