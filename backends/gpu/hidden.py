"""Whether this program runs in a container that does not show it the host's processes. Changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

from backends.cgroups.paths import container_id_in

HIDDEN_NOTE = (
    "Tranship runs in a container and does not see the processes of the host, so GPU processes cannot be told by"
    " container: start its container with --pid=host (docker run --pid=host …, podman run --pid=host …)"
)

# The inode of the machine's first pid namespace is the same on every kernel: PROC_PID_INIT_INO in
# include/linux/proc_ns.h (0xEFFFFFFC).
_FIRST_NAMESPACE = "pid:[4026531836]"
# Docker and Podman put these files into every container; Kubernetes sets the variable.
_MARKS = (".dockerenv", "run/.containerenv")
_KUBERNETES = "KUBERNETES_SERVICE_HOST"


def in_a_container(proc_root: Path = Path("/proc"), root: Path = Path("/")) -> bool:
    """Whether it has a pid namespace of its own, and a container engine's marks.

    A container started with --pid=host shares the machine's namespace, and a sandbox that is no container (unshare, a
    virtual machine) has no marks: neither is meant. proc_root, root: other trees for tests.
    """
    try:
        namespace = os.readlink(proc_root / "self" / "ns" / "pid")
    except OSError:
        return False  # not told: then nothing is claimed
    if namespace == _FIRST_NAMESPACE:
        return False
    return any((root / mark).exists() for mark in _MARKS) or _KUBERNETES in os.environ or _in_cgroup(proc_root)


def _in_cgroup(proc_root: Path) -> bool:
    try:
        return bool(container_id_in((proc_root / "self" / "cgroup").read_text("utf-8", "replace")))
    except OSError:
        return False
