"""How much memory some processes and how much disk some folders take at most, while a command runs. Ends nothing."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

INTERVAL_S = 0.1


class Footprint:
    """Looks ten times a second while its context stands.

    folders: by what they are called; what lies in them at the beginning is not counted. pids: roots of process trees,
    may grow. memory_bytes: the sum of every process's highest resident size; disk_bytes: by folder, at most.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders
        self._before = {name: _held(folder) for name, folder in folders.items()}
        self._highest: dict[int, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.pids: list[int] = []
        self.disk_bytes = dict.fromkeys(folders, 0)

    @property
    def memory_bytes(self) -> int:
        """Of all processes that were seen."""
        return sum(self._highest.values())

    def _look(self) -> None:
        while not self._ended.wait(INTERVAL_S):
            for pid in _family(self.pids):
                self._highest[pid] = max(self._highest.get(pid, 0), high_water_bytes(pid))
            for name, folder in self._folders.items():
                self.disk_bytes[name] = max(self.disk_bytes[name], _held(folder) - self._before[name])

    def __enter__(self) -> Footprint:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()


def high_water_bytes(pid: int | str) -> int:
    """The highest resident size that a process has had since its program began; 0 for one that is gone."""
    with suppress(OSError):  # it has ended meanwhile
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _family(roots: Sequence[int]) -> list[int]:
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        with suppress(OSError):  # it has ended meanwhile
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
    return found


def _held(folder: Path) -> int:
    """Bytes on disk of the files below a folder; a file or folder that goes meanwhile counts nothing."""
    total = 0
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):
                total += _held(path) if path.is_dir() and not path.is_symlink() else path.lstat().st_blocks * 512
    return total
