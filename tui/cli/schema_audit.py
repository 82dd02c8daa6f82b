"""Lines of the audit trail and their proof → plain JSON values, schema 1. Pure; as schema.py has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backends.services.audit_query import Entry, part

if TYPE_CHECKING:
    from backends.services.audit_read import Verified

_KEYS = (
    "seq", "at", "who", "host", "pid", "tranship", "operation", "action", "engine", "engine_kind", "engine_address",
    "engine_version", "container", "subject", "outcome", "result", "error", "title", "object", "plan", "report",
    "backup", "deployed", "prev", "hash",
)  # fmt: skip


def entry(one: Entry) -> dict[str, Any]:
    """A line. What it does not say is null: a line of before the chain has no "hash", a stop no "deployed"."""
    return {key: one.get(key) for key in _KEYS}


def deployment(one: Entry) -> dict[str, Any]:
    """What was brought to run. "record" is the hash of its line, by which it is found again."""
    ran = part(one, "deployed")
    return {
        "record": one.get("hash"),
        "seq": one.get("seq"),
        "at": one.get("at"),
        "who": one.get("who"),
        "host": one.get("host"),
        "action": one.get("action"),
        "engine": ran.get("engine"),
        "name": ran.get("name") or one.get("subject"),
        "id": ran.get("id"),
        "image": ran.get("image"),
        "image_id": ran.get("image_id"),
        "digests": ran.get("digests") or [],
        "unknown": ran.get("unknown"),
        "plan": one.get("plan"),
    }


def chain(verified: Verified) -> dict[str, Any]:
    """The proof."""
    last = verified.last
    return {
        "ok": verified.ok,
        "lines": verified.lines,
        "files": verified.files,
        "last": None if last is None else {"seq": last.seq, "hash": last.hash},
        "flaws": [{"file": flaw.file, "line": flaw.line or None, "what": flaw.what} for flaw in verified.flaws],
        "more_flaws": verified.more,
        "notes": list(verified.notes),
    }


__all__ = ["chain", "deployment", "entry"]
