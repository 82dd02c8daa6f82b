"""Finds an image in the folders of the engine that keeps it: first as the engine's own process sees them, then by path.

An engine may see other files than we do under the same path (a container, a mount namespace). The kernel tells which
process listens on its socket, and that process's view; whatever is found is proved by the image's own digest besides.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from backends.model.capabilities import EngineInfo
from backends.model.ids import EngineKind
from backends.model.image import ImageFacts
from backends.stores import docker_folders, podman_folders
from backends.stores.stored import StoredImage, StoreError, unreadable

_UNIX = "unix://"
_KNOCK_S = 2.0
_PROC = Path("/proc")
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid

_READERS = {
    EngineKind.DOCKER: (docker_folders.DRIVER, docker_folders.docker_image),
    EngineKind.PODMAN: (podman_folders.DRIVER, podman_folders.podman_image),
}


def find_image(kind: EngineKind, info: EngineInfo, endpoint: str, facts: ImageFacts) -> StoredImage:
    """The image in its engine's folders; that its layers' parts are there and may be opened is tried.

    info, endpoint, facts: as the engine tells them. Raises StoreError, whose title says why it cannot be read there.
    """
    if kind not in _READERS or not info.local or not endpoint.startswith(_UNIX):
        raise StoreError("the engine is not one of this machine")
    driver = _READERS[kind][0]
    if info.image_store != driver:
        raise StoreError(f"it is of another kind ({info.image_store or 'not told'}) than is read here ({driver})")
    if not info.graph_root.startswith("/"):
        raise StoreError("the engine does not tell where it is")
    refusal: StoreError | None = None
    for root in _views(endpoint.removeprefix(_UNIX), info.graph_root):
        try:
            image = open_image(kind, root, facts)
        except StoreError as error:
            refusal = refusal or error
        else:
            return image
    raise refusal or StoreError("its folders are not to be seen from here", detail=info.graph_root)


def open_image(kind: EngineKind, root: Path, facts: ImageFacts) -> StoredImage:
    """The image below a root folder that `find_image` has told. Raises StoreError as that does."""
    image = _READERS[kind][1](root, facts.key.id, facts.diff_ids)
    for layer in image.layers:
        _try(layer.split)
        _try(layer.files)
    return image


def _views(endpoint: str, graph_root: str) -> Iterator[Path]:
    """Where the store may be seen: by the process that listens on the socket, and as its path says."""
    pid = _listener(endpoint)
    if pid > 0:
        for root in _roots(pid):
            yield Path(f"{root}{graph_root}")
    yield Path(graph_root)


def files_seen(endpoint: str) -> tuple[list[Path], str]:
    """(the roots of the files that the engine at a unix socket sees, the best first; its home folder, "" if not told).

    endpoint: its URL. Asks the kernel and reads /proc: call it in a thread. ([], "") where the engine is not here.
    """
    if not endpoint.startswith(_UNIX):
        return [], ""
    pid = _listener(endpoint.removeprefix(_UNIX))
    if pid <= 0:
        return [Path("/")], ""
    return [*_roots(pid), Path("/")], _home(pid)


def _home(pid: int) -> str:
    try:
        words = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
        owner = (_PROC / str(pid)).stat().st_uid
    except OSError:
        return ""  # another user's process: its home is not told
    told = next((word[5:] for word in words if word.startswith(b"HOME=")), b"")
    return os.fsdecode(told) or ("/root" if owner == 0 else "")


def _roots(pid: int) -> Iterator[Path]:
    """The roots that a process's threads see, each view once; its first thread's before all.

    Podman enters a container to copy files, in a thread that ends afterwards. The first thread of a Go program is never
    ended (runtime/proc.go, mexit): where that was the one, /proc/PID/root shows the container for good, the others not.
    """
    first = _PROC / str(pid)
    yield first / "root"
    seen = {_view(first)}
    for thread in _oldest_first(first / "task"):
        view = _view(thread)
        if view is not None and view not in seen:
            seen.add(view)
            yield thread / "root"


def _view(process: Path) -> tuple[str, int, int] | None:
    """What decides the files that a process or thread sees, None where it has ended or is not ours to look at."""
    try:
        root = (process / "root").stat()
        return os.readlink(process / "ns/mnt"), root.st_dev, root.st_ino
    except OSError:
        return None


def _oldest_first(threads: Path) -> list[Path]:
    """A process's threads: those that are there for long will be there while their view is read."""

    def started(thread: Path) -> tuple[int, int]:
        try:
            # Field 22, counted after the name, which may hold any bytes. Source: proc_pid_stat(5).
            return int((thread / "stat").read_bytes().rpartition(b")")[2].split()[19]), int(thread.name)
        except OSError:
            return sys.maxsize, int(thread.name)

    try:
        return sorted((thread for thread in threads.iterdir() if thread.name.isdecimal()), key=started)
    except OSError:
        return []


def _listener(path: str) -> int:
    """The process that listens on a unix socket, as this one sees process ids; 0 where that is not told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
        knocking.settimeout(_KNOCK_S)
        try:
            knocking.connect(path)
            told = knocking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        except OSError:
            return 0  # the path itself is tried then
    return int(_CREDENTIALS.unpack(told)[0])


def _try(path: Path) -> None:
    try:
        path.stat()
    except OSError as error:
        raise unreadable(error) from error
    if not os.access(path, os.R_OK, effective_ids=True):
        raise StoreError("its folders may not be read by this user", detail=str(path))


__all__ = ["files_seen", "find_image", "open_image"]
