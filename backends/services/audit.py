"""The audit trail of one process: a line for each operation, written in a thread. Never holds up what is done.

What a line says: audit_entry.py; how it is chained: audit_chain.py; the files: audit_file.py; the proof: audit_read.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from backends.model.errors import BackendError
from backends.model.events import OperationUpdate
from backends.model.fleet import EngineView
from backends.services.audit_entry import entry
from backends.services.audit_file import MAX_BYTES, AuditFiles

_log = logging.getLogger(__name__)

_VERIFY = "tranship audit --verify names the lines"


def default_path() -> Path:
    """Where the audit trail lies: "audit.jsonl" in the user's state directory (platformdirs)."""
    from platformdirs import user_state_path

    return user_state_path("tranship") / "audit.jsonl"


def _now() -> datetime:
    return datetime.now(UTC)


class AuditLog:
    """Appends lines in a thread of its own, in the order of `record` (files 0600, new directories 0700)."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime] = _now, max_bytes: int = MAX_BYTES) -> None:
        self._files = AuditFiles(path, max_bytes=max_bytes)
        self._clock = clock
        self._closed = False
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="audit")
        self._path = path
        self._told: set[str] = set()
        self._listeners: list[Callable[[BackendError], object]] = []
        self.problem: BackendError | None = None
        """What was found amiss last, or why something is not written down; None = nothing."""

    def listen(self, listener: Callable[[BackendError], object]) -> Callable[[], None]:
        """Tell it of each problem, once each, in the event loop that runs now; returns how to stop that."""
        loop = asyncio.get_running_loop()

        def pass_on(error: BackendError) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile, and with it who would be told
                loop.call_soon_threadsafe(listener, error)

        self._listeners.append(pass_on)
        return lambda: self._listeners.remove(pass_on)

    def record(self, update: OperationUpdate, engine: EngineView | None = None) -> None:
        """Write an operation down as it stands, soon; a failure is logged and told. engine: as it is known now."""
        if self._closed:  # an operation that outlived the fleet, called off at the program's end
            _log.warning(
                "not in the audit log, which is closed: %s of %s: %s", update.action, update.subject, update.phase
            )
            return
        written = self._writer.submit(self._append, update, self._clock(), engine)
        written.add_done_callback(partial(self._report, update))

    async def close(self) -> None:
        """Wait for what is still to be written; what is recorded after that is only logged."""
        self._closed = True
        await asyncio.to_thread(self._writer.shutdown)

    def _append(self, update: OperationUpdate, at: datetime, engine: EngineView | None) -> None:
        for amiss in self._files.append(entry(update, at, engine)):
            _log.warning("the audit log: %s", amiss)
            self._tell(BackendError("the audit trail is not whole", detail=amiss, hint=_VERIFY))

    def _report(self, update: OperationUpdate, written: Future[None]) -> None:
        failure = written.exception()
        if failure is None:
            return
        _log.warning("the audit log could not be written: %s", failure)
        why = (failure.strerror if isinstance(failure, OSError) else None) or str(failure) or type(failure).__name__
        title = f"{update.action} of {update.subject} is not in the audit trail: {why}"
        self._tell(BackendError(title, detail=str(self._path), hint=f"make room, or mend the rights of {self._path}"))

    def _tell(self, error: BackendError) -> None:
        """In whichever thread it came up: once each."""
        self.problem = error
        if str(error) not in self._told:
            self._told.add(str(error))
            for listener in list(self._listeners):
                listener(error)


__all__ = ["AuditLog", "default_path", "entry"]
