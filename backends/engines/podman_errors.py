"""Pure: libpod's error answers in words for people. Makes no calls."""

from __future__ import annotations

from collections.abc import Callable

from backends.model.errors import BackendError, Conflict, NotFound, Protocol, Unsupported
from backends.model.ids import EngineId

NOT_COPIED = "Podman could not copy the files"

_FULL = ("no space left on device", "database or disk is full", "disk quota exceeded")
"""The words of ENOSPC and EDQUOT (strerror(3)) and of SQLITE_FULL, in which libpod's database speaks."""

_FULL_DISK = "The engine's disk is full"
_MAKE_ROOM = "Free space on the disk of its storage; while there is none, Podman can neither stop nor remove anything."

_RULES: tuple[tuple[tuple[str, ...], type[BackendError], str, str], ...] = (
    (
        _FULL,
        Conflict,
        _FULL_DISK,
        _MAKE_ROOM,
    ),
    (
        ("that name is already in use", "unique constraint failed", "already in use by"),
        Conflict,
        "The name is taken on this engine",
        "Choose another name, or remove the container that has it.",
    ),
    (("network already exists",), Conflict, "A network of this name exists already", "Choose another name."),
    (
        (
            "is already used on the host or by another config",
            "conflicts with another network",
            "is already being used by",
        ),
        Conflict,
        "The address range is taken",
        "Choose another range, or remove the network that has it.",
    ),
    (
        ("network is being used",),
        Conflict,
        "A container is on the network",
        "Remove that container first, or disconnect it.",
    ),
    (("can only be used on running containers",), Conflict, "The container does not run", "Start it first."),
    (("network not found",), NotFound, "No such network on this engine", ""),
    (("volume already exists",), Conflict, "A volume of this name exists already", "Choose another name."),
    (
        ("address already in use", "port is already allocated", "failed to bind port", "failed to expose ports"),
        Conflict,
        "A published port is in use on the host",
        "Stop what listens there, or publish another port.",
    ),
    (
        ("being used by the following", "image is in use by", "volume is being used", "image used by"),
        Conflict,
        "A container uses it",
        "Remove that container first.",
    ),
    (
        ("does not have a cgroup", "only available for cgroup v2", "not supported in rootless"),
        Unsupported,
        "This engine cannot do that: rootless Podman on cgroup v1",
        "Use a rootful engine, or a host with cgroup v2.",
    ),
    (
        ("by id with more than one tag", "image is referenced in multiple"),
        Conflict,
        "The image has several names",
        "Remove its names one by one.",
    ),
    (
        ("unresolvable cdi devices",),
        NotFound,
        "The GPU device is not known to this engine (CDI)",
        "List what it knows with `nvidia-ctk cdi list`; make the list with `nvidia-ctk cdi generate`.",
    ),
    (
        ("executable file not found", "command that was not found"),
        Protocol,
        "The container's command is not in its image",
        "Check command and entrypoint.",
    ),
    (
        ("error setting rlimit",),
        Unsupported,
        "This engine may not raise a limit of the container's processes (ulimit)",
        "Leave that limit out, or let the engine's service have it: LimitMEMLOCK=infinity in its unit.",
    ),
    (
        ("container state improper", "can only kill running", "not running"),
        Conflict,
        "The container's state stands in the way",
        "Look at its state; it may have changed meanwhile.",
    ),
    (("no such container",), NotFound, "No such container on this engine", ""),
    (("image not known", "no such image"), NotFound, "No such image in this engine's store", "Pull or ship it first."),
    (
        ("layer not known",),
        NotFound,
        "An image of this engine has lost its layers: it is being removed, or its store is damaged",
        "Where it stays so, pull the image again; `podman system check` tells what is amiss.",
    ),
    (("no such volume",), NotFound, "No such volume on this engine", ""),
    (
        ("does not match any of the supported image formats",),
        Protocol,
        "Podman does not understand this image archive",
        "It takes what `docker save` and `podman save` write.",
    ),
)


def full_disk(detail: str, engine: EngineId) -> Conflict:
    """As Podman itself would say it after half of the work."""
    return Conflict(_FULL_DISK, detail=detail, hint=_MAKE_ROOM, engine=engine)


def explain(engine: EngineId) -> Callable[[int, str], BackendError | None]:
    """(status, libpod's message) → the error with a plain title, or None where the status says it all."""

    def explained(_status: int, message: str) -> BackendError | None:
        words = message.lower()
        if "copier.request{" in words:  # it names its whole request first (vendor/github.com/containers/buildah/copier)
            return Protocol(NOT_COPIED, detail=message.rpartition("}: ")[2], engine=engine)
        for marks, kind, title, hint in _RULES:
            if any(mark in words for mark in marks):
                return kind(title, detail=message, hint=hint, engine=engine)
        return None

    return explained
