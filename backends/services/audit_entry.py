"""What the audit trail says of one operation: who, where, what, how it ended. Pure but for the machine's own name.

Never holds values of the environment; what looks like a secret in a command, an address or a name is masked.
"""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from backends.model.events import OperationUpdate
from backends.model.fleet import EngineView
from backends.model.secrets import masked_text

MOST_TEXT = 2_000
"""Characters of one text."""
MOST_ITEMS = 200
"""Items of one list."""


@cache
def _who(uid: int, ssh: str, sudo: str) -> dict[str, object]:
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return {"user": name, "uid": uid, "ssh_from": ssh.partition(" ")[0] or None, "sudo_user": sudo or None}


def who(environ: Mapping[str, str] = os.environ) -> dict[str, object]:
    """Who acts: user, uid, the address that a login by SSH came from, and who became this user by sudo."""
    return _who(os.getuid(), environ.get("SSH_CONNECTION", ""), environ.get("SUDO_USER", ""))


@cache
def _version() -> str:
    from importlib.metadata import version

    return version("tranship")


def entry(update: OperationUpdate, at: datetime, engine: EngineView | None = None) -> dict[str, Any]:
    """What is written of an operation. Of an error only its kind and title: its detail may quote anything.

    engine: as it is known now, None where it is not.
    """
    private = update.action.startswith("registry.")  # its result names the user
    written: dict[str, Any] = {
        "at": at.isoformat(timespec="milliseconds"),
        "who": who(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "tranship": _version(),
        "operation": update.operation,
        "action": update.action,
        "engine": update.key.engine.name,
        "engine_kind": update.key.engine.kind.value,
        "engine_address": (engine.endpoint or None) if engine else None,
        "engine_version": engine.info.version if engine and engine.info else None,
        "container": update.key.id,
        "subject": update.subject,
        "outcome": update.phase.value,
        "result": None if private else update.result or None,
        "error": type(update.error).__name__ if update.error else None,
        "title": update.error.title if update.error else None,
        **update.record,
    }
    plain = bounded(written)
    assert isinstance(plain, dict)
    return plain


def bounded(value: Any) -> Any:
    """The value with texts masked and cut, and lists cut: a line stays short whatever an engine calls things."""
    if isinstance(value, str):
        text = masked_text(value)
        return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"
    if isinstance(value, Mapping):
        return {str(key): bounded(inner) for key, inner in value.items()}
    if isinstance(value, Sequence):
        rest = len(value) - MOST_ITEMS
        return [*(bounded(inner) for inner in value[:MOST_ITEMS]), *([f"and {rest} more"] if rest > 0 else [])]
    return value


__all__ = ["bounded", "entry", "who"]
