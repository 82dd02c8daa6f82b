"""Where the containers' cgroup directories are, in every hierarchy of v1, v2 and hybrid. May not read usage."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backends.cgroups.paths import id_in_directory

# v1 controllers whose files a sweep reads; the first one mounted is the one that is walked first.
CONTROLLERS = ("cpuacct", "memory", "pids", "blkio")
UNIFIED = "unified"

# A bound for machines with strange trees; Kubernetes nodes have a few thousand directories, 10 deep.
_MAX_DIRECTORIES = 50_000
_MAX_DEPTH = 24


@dataclass(frozen=True, slots=True)
class Hierarchies:
    """The mounted hierarchies below one root: `mounts` by v1 controller, and "unified" for v2.

    Pure v2 is mounted at the root itself; hybrid has v2 at ROOT/unified beside the v1 controllers.
    """

    mounts: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def detect(cls, root: Path) -> Hierarchies:
        """Look at a tree like /sys/fs/cgroup; empty where there is none."""
        if (root / "cgroup.controllers").exists():
            return cls({UNIFIED: root})
        found: dict[str, Path] = {}
        for directory in sorted(_directories(root)):
            for controller in directory.name.split(","):  # "cpu,cpuacct" is one mount of two
                if controller in CONTROLLERS:
                    found.setdefault(controller, directory.resolve())
            if (directory / "cgroup.controllers").exists():
                found[UNIFIED] = directory
        return cls({name: found[name] for name in (*CONTROLLERS, UNIFIED) if name in found})


class Finder:
    """Finds containers' directories: one bounded walk for all ids, then the same relative path elsewhere."""

    def __init__(self, root: Path = Path("/sys/fs/cgroup")) -> None:
        self.hierarchies = Hierarchies.detect(root)

    def find(self, ids: Iterable[str]) -> dict[str, dict[str, Path]]:
        """The directories of each id by hierarchy name; ids that are nowhere are left out.

        Engines use one path in every hierarchy, unless they run inside a container themselves: where
        the same path is not there, that hierarchy is walked too.
        """
        wanted = set(ids)
        relative: dict[str, Path] = {}
        for mount in self._walked():
            if missing := wanted - relative.keys():
                relative.update(_walk(mount, missing))
        places: dict[str, dict[str, Path]] = {id_: {} for id_ in relative}
        for name, mount in self.hierarchies.mounts.items():
            elsewhere = {id_ for id_, path in relative.items() if not (mount / path).is_dir()}
            moved = _walk(mount, elsewhere) if elsewhere else {}
            for id_, path in relative.items():
                if id_ not in elsewhere:
                    places[id_][name] = mount / path
                elif id_ in moved:
                    places[id_][name] = mount / moved[id_]
        return places

    def _walked(self) -> list[Path]:
        """The first v1 hierarchy and v2: a container that is in neither has no cgroup of its own."""
        mounts = self.hierarchies.mounts
        first = [mounts[name] for name in CONTROLLERS if name in mounts][:1]
        return first + ([mounts[UNIFIED]] if UNIFIED in mounts else [])


def descendants(directory: Path, limit: int = 64) -> Iterator[Path]:
    """The directory and those below it, nearest first, at most `limit`."""
    level = [directory]
    while level and limit > 0:
        following: list[Path] = []
        for path in level[:limit]:
            yield path
            following.extend(_directories(path))
        limit -= len(level)
        level = following


def _walk(mount: Path, ids: set[str]) -> dict[str, Path]:
    """Relative paths of the shallowest directory of each id."""
    found: dict[str, Path] = {}
    level, budget = [mount], _MAX_DIRECTORIES
    for _ in range(_MAX_DEPTH):
        following: list[Path] = []
        for directory in level:
            for child in _directories(directory):
                id_ = id_in_directory(child.name)
                if id_ in ids and id_ not in found:
                    found[id_] = child.relative_to(mount)
                following.append(child)
        budget -= len(following)
        if not following or budget <= 0 or len(found) == len(ids):
            break
        level = following
    return found


def _directories(path: Path) -> list[Path]:
    try:
        with os.scandir(path) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []  # removed while we looked, or not ours to see: nothing can be read below it either way
