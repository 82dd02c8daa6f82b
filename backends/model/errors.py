"""The one error tree of everything below the glass: what happened, on which engine, what to do."""

from __future__ import annotations

from backends.model.ids import EngineId


class BackendError(Exception):
    """A failure that a person can meet.

    title: one line, what happened. detail: the engine's own words or more facts (data, never markup).
    hint: the next step for the user. engine: where it happened, None if on no engine.
    """

    def __init__(self, title: str, *, detail: str = "", hint: str = "", engine: EngineId | None = None) -> None:
        super().__init__(title)
        self.title = title
        self.detail = detail
        self.hint = hint
        self.engine = engine

    def __str__(self) -> str:
        where = f"{self.engine}: " if self.engine else ""
        return f"{where}{self.title}" + (f" ({self.detail})" if self.detail else "")


class Unreachable(BackendError):
    """Nothing answers: no socket, connection refused, connection lost."""


class Denied(BackendError):
    """The engine or the socket's file mode refuses us (EACCES, 401, 403)."""


class NotFound(BackendError):
    """The named object is not there (404)."""


class Conflict(BackendError):
    """The object's state or name stands in the way (409; "already in use", "not running")."""


class Unsupported(BackendError):
    """This engine, version or host cannot do that (pause on rootless cgroup v1, ...)."""


class TimedOut(BackendError):
    """No answer within the time that the call allows."""


class Protocol(BackendError):
    """An answer that does not follow the engine's API: cut, garbled, or a server error (5xx)."""


class Refused(BackendError):
    """We refuse it ourselves: read-only mode, an operation already in flight, a blocking finding."""


class Unavailable(BackendError):
    """A registry, which is beyond the engine, does not answer, or answers that it cannot (5xx)."""


class RateLimited(BackendError):
    """A registry has been asked too often (429)."""


class Untrusted(BackendError):
    """A registry cannot prove who it is, or what it sent is not what it promised (TLS, digests)."""
