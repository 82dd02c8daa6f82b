"""Whose a process is: its program, its user and its container, remembered from one look to the next.

Reading three files of /proc for each of a thousand processes every second would cost more than all else. A look asks
only for the inode of /proc/PID: the kernel makes a new one for a new process (fs/proc/base.c: a dead task's entry is
dropped), so a number that was given anew is noticed at once. May not know GPUs or engines' APIs.

The container is told by the cgroup. Where a container has none of its own (rootless Podman on cgroup v1, or
--cgroups=disabled) it is told by Podman's monitor, conmon, which is an ancestor of all its processes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from backends.cgroups.parse import number
from backends.cgroups.paths import container_ids_in, id_in_directory, innermost

# A program may rename itself, and a process may be moved to another cgroup.
_FORGET_S = 30.0
_MAX_FILE = 64 * 1024
_MAX_ANCESTORS = 64
_MONITOR = b"conmon"


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """name: of the program, "" where it cannot be read. user_id: numeric, of the host, None where it cannot be read.

    container_id: "" where it is in none. seen: whether there is such a process in this /proc.
    """

    name: str = ""
    user_id: int | None = None
    container_id: str = ""
    seen: bool = True


UNSEEN = ProcessFacts(seen=False)


@dataclass(slots=True)
class _Entry:
    """inode, changed_ns: of /proc/PID, which tell it from another process of that number."""

    inode: int
    changed_ns: int
    read_at: float
    facts: ProcessFacts
    containers: tuple[str, ...]


class ProcessTable:
    """Looks processes up in /proc. For one thread."""

    def __init__(self, proc_root: Path = Path("/proc"), clock: Callable[[], float] = time.monotonic) -> None:
        """proc_root: another tree for tests."""
        self._root = str(proc_root)
        self._clock = clock
        self._entries: dict[int, _Entry] = {}

    def facts(self, pid: int, known: Collection[str] | None = None) -> ProcessFacts:
        """Whose a process is; UNSEEN where there is none of that number.

        known: ids of containers; of nested ones the innermost that is known is taken, else the innermost.
        """
        try:
            found = os.stat(f"{self._root}/{pid}")
        except OSError:
            self._entries.pop(pid, None)
            return UNSEEN
        entry = self._entries.get(pid)
        if (
            entry is None
            or entry.inode != found.st_ino
            or entry.changed_ns != found.st_ctime_ns
            or self._old(pid, entry)
        ):
            entry = self._entries[pid] = self._read(pid, found, known)
        container = innermost(entry.containers, known)
        if container != entry.facts.container_id:
            entry.facts = ProcessFacts(entry.facts.name, entry.facts.user_id, container)
        return entry.facts

    def keep_only(self, pids: Collection[int]) -> None:
        """Forget all others."""
        if len(self._entries) > len(pids):
            self._entries = {pid: entry for pid, entry in self._entries.items() if pid in pids}

    def _old(self, pid: int, entry: _Entry) -> bool:
        """Spread over the pids, so that not all are read again in one look."""
        return self._clock() - entry.read_at > _FORGET_S + pid % int(_FORGET_S)

    def _read(self, pid: int, found: os.stat_result, known: Collection[str] | None) -> _Entry:
        status = self._file(pid, "status")
        containers = container_ids_in(self._file(pid, "cgroup").decode("utf-8", "replace"))
        if not containers or (known is not None and not any(one in known for one in containers)):
            containers += self._monitored(status)
        return _Entry(found.st_ino, found.st_ctime_ns, self._clock(), ProcessFacts(*name_and_user(status)), containers)

    def _monitored(self, status: bytes) -> tuple[str, ...]:
        """The container whose monitor is the nearest of the ancestors; () of none."""
        for _ in range(_MAX_ANCESTORS):
            parent = number(field_of(status, b"PPid"))
            if not parent:
                return ()
            status = self._file(parent, "status")
            if field_of(status, b"Name") == _MONITOR:
                return monitored_by(self._file(parent, "cmdline"))
        return ()

    def _file(self, pid: int, name: str) -> bytes:
        """The text of a file of it; empty where it is gone, or where hidepid= hides it."""
        try:
            with open(f"{self._root}/{pid}/{name}", "rb", buffering=0) as file:
                return file.read(_MAX_FILE)
        except OSError:
            return b""


def field_of(status: bytes, name: bytes) -> bytes:
    """The value of a line "NAME:\\tVALUE" of /proc/PID/status; empty where there is none."""
    head = name + b":"
    return next((line[len(head) :].strip() for line in status.split(b"\n") if line.startswith(head)), b"")


def name_and_user(status: bytes) -> tuple[str, int | None]:
    """From the text of /proc/PID/status; of the four user ids ("Uid:\\tREAL\\tEFFECTIVE\\t…") the real one."""
    name = field_of(status, b"Name").decode("utf-8", "replace")
    return name, number(field_of(status, b"Uid").split(b"\t")[0])


def monitored_by(cmdline: bytes) -> tuple[str, ...]:
    """The container in conmon's arguments ("-c ID", "--cid ID": conmon(8)); () where it is not there."""
    words = cmdline.split(b"\0")
    for option, value in pairwise(words):
        if option in {b"-c", b"--cid"}:
            found = id_in_directory(value.decode("utf-8", "replace"))
            return (found,) if found else ()
    return ()
