"""A line per finished operation in a file of the user's own. Never holds environment values or other secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from backends.model.events import OperationUpdate

_log = logging.getLogger(__name__)


def default_path() -> Path:
    """Where the audit log lies: "audit.jsonl" in the user's state directory (platformdirs)."""
    from platformdirs import user_state_path

    return user_state_path("tranship") / "audit.jsonl"


def _now() -> datetime:
    return datetime.now(UTC)


class AuditLog:
    """Appends JSON lines in a thread of its own, in the order of `record` (file 0600, new directories 0700)."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime] = _now) -> None:
        self._path = path
        self._clock = clock
        self._closed = False
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="audit")

    def record(self, update: OperationUpdate) -> None:
        """Write one finished operation down, soon; a failure to write is logged."""
        if self._closed:  # an operation that outlived the fleet, called off at the program's end
            _log.warning(
                "not in the audit log, which is closed: %s of %s: %s", update.action, update.subject, update.phase
            )
            return
        line = json.dumps(entry(update, self._clock()), ensure_ascii=False)
        self._writer.submit(self._append, line).add_done_callback(_report)

    async def close(self) -> None:
        """Wait for what is still to be written; what is recorded after that is only logged."""
        self._closed = True
        await asyncio.to_thread(self._writer.shutdown)

    def _append(self, line: str) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line.encode("utf-8", "replace") + b"\n")
        finally:
            os.close(descriptor)


def entry(update: OperationUpdate, at: datetime) -> dict[str, object]:
    """What is written of an operation. Of an error only its kind and title: its detail may quote anything."""
    return {
        "schema": 1,
        "at": at.isoformat(timespec="milliseconds"),
        "action": update.action,
        "engine": update.key.engine.name,
        "container": update.key.id,
        "subject": update.subject,
        "outcome": update.phase.value,
        "error": type(update.error).__name__ if update.error else None,
        "title": update.error.title if update.error else None,
    }


def _report(written: Future[None]) -> None:
    failure = written.exception()
    if failure is not None:
        _log.warning("the audit log could not be written: %s", failure)
