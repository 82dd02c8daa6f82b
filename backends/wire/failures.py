"""Turns HTTP statuses, socket errors and aiohttp's exceptions into our error tree. Makes no calls to an engine."""

from __future__ import annotations

import errno
import grp
import json
import os
import ssl
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from backends.model.errors import BackendError, Conflict, Denied, NotFound, Protocol, TimedOut, Unreachable, Unsupported
from backends.model.ids import EngineId
from backends.wire.endpoint import Endpoint, Scheme

Classify: TypeAlias = Callable[[int, str], type[BackendError] | None]
"""(HTTP status, the engine's message) → the class of the error, or None for the usual one."""

Explain: TypeAlias = Callable[[int, str], BackendError | None]
"""(HTTP status, the engine's message) → the finished error, or None for the usual one."""

_BY_STATUS: dict[int, type[BackendError]] = {
    401: Denied,
    403: Denied,
    404: NotFound,
    405: Unsupported,
    408: TimedOut,
    409: Conflict,
    501: Unsupported,
}
NO_JSON = (ValueError, RecursionError)
"""What `json.loads` raises: also where brackets nest deeper than Python does."""
MISSHAPEN = (KeyError, TypeError, AttributeError, IndexError, OverflowError, *NO_JSON)
"""What reading an answer of another shape than the API's raises."""
NO_ENGINE = "Something else than this engine seems to listen there: check the address."
"""The next step where an answer is not what an engine says."""
_GONE = {errno.ENOENT, errno.ECONNREFUSED, errno.ENOTSOCK, errno.ENOTDIR}


def message_of(body: bytes) -> str:
    """The engine's own words in an error answer: JSON "message" (both engines), else the text itself, cut."""
    text = body[:65536].decode("utf-8", "replace").strip()
    try:
        value = json.loads(text)
    except NO_JSON:
        return text[:1000]
    message = value.get("message") if isinstance(value, dict) else None
    return str(message) if message else text[:1000]


@contextmanager
def understood(title: str, engine: EngineId) -> Iterator[None]:
    """An answer of another shape than the API's is said, not a crash. title: of the Protocol that is raised for it."""
    try:
        yield
    except MISSHAPEN as error:
        raise Protocol(title, detail=f"{type(error).__name__}: {error}", engine=engine) from error


def from_status(status: int, message: str, engine: EngineId, classify: Classify | None = None) -> BackendError:
    """The error of an HTTP answer of status 400 and up. Unknown 4xx and all 5xx are Protocol."""
    kind = (classify(status, message) if classify else None) or _BY_STATUS.get(status, Protocol)
    if not message:
        return kind(f"The answer is HTTP status {status}, without a word", engine=engine)
    first, _, rest = message.partition("\n")
    title = first[:1].upper() + first[1:300]
    return kind(title, detail=rest.strip() or f"HTTP status {status}", engine=engine)


def from_os_error(error: OSError, endpoint: Endpoint, engine: EngineId) -> BackendError:
    """The error of a connection that could not be made or broke off."""
    words = error.strerror or str(error) or type(error).__name__
    if isinstance(error, ssl.SSLError):
        hint = "Check the CA, certificate and key files of this engine."
        return Denied(f"TLS with {endpoint} failed", detail=words, hint=hint, engine=engine)
    if error.errno in {errno.EACCES, errno.EPERM}:
        way = _way_in(endpoint.address) if endpoint.scheme is Scheme.UNIX else "Look at this machine's firewall"
        hint = f"{way}, or use a rootless engine."
        return Denied(f"No permission to open {endpoint}", detail=words, hint=hint, engine=engine)
    if error.errno in _GONE:
        hint = "Start the engine's service." if endpoint.scheme is not Scheme.SSH else "Start the service over there."
        return Unreachable(f"Nothing listens at {endpoint}", detail=words, hint=hint, engine=engine)
    hint = "Check the address, and that this machine can reach it."
    return Unreachable(f"The connection to {endpoint} failed", detail=words, hint=hint, engine=engine)


def _way_in(path: str) -> str:
    """How a person comes to open a socket: by its group, where that may write to it and has a name."""
    try:
        found = os.stat(path)
        group = grp.getgrgid(found.st_gid).gr_name if found.st_mode & stat.S_IWGRP else ""
    except (OSError, KeyError):  # a folder above it is closed, or nobody has named the group
        group = ""
    if not group or not found.st_gid:
        return "Ask whoever owns the socket for the right to write to it"
    return f"Join the socket's group (`sudo usermod -aG {group} $USER`, then log in again)"


def lost(endpoint: Endpoint, engine: EngineId, cause: BaseException | None = None) -> Unreachable:
    """The peer broke the connection off in the middle of an answer."""
    words = str(cause) if cause else ""
    hint = "Look whether the engine's service runs; Tranship tries again by itself."
    return Unreachable(f"The connection to {endpoint} broke off", detail=words, hint=hint, engine=engine)


def late(endpoint: Endpoint, engine: EngineId, timeout_s: float | None) -> TimedOut:
    """No answer in time."""
    within = f" within {timeout_s:g} s" if timeout_s else ""
    hint = "The engine may be hung or very busy; Tranship tries again by itself."
    return TimedOut(f"No answer from {endpoint}{within}", hint=hint, engine=engine)


__all__ = [
    "NO_ENGINE",
    "NO_JSON",
    "Classify",
    "Explain",
    "from_os_error",
    "from_status",
    "late",
    "lost",
    "message_of",
    "understood",
]
