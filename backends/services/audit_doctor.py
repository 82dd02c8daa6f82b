"""Whether the audit trail is whole, and can be written: for `doctor`. Writes nothing; blocks."""

from __future__ import annotations

import os
from pathlib import Path

from backends.model.errors import BackendError
from backends.services.audit_read import read
from backends.services.doctor import Diagnosis, Level

_TOPIC = "audit trail"
_VERIFY = "`tranship audit --verify` names all of them"


def examine_audit(path: Path) -> list[Diagnosis]:
    """The proof of its chain, and whether this user may append to it."""
    try:
        _, proof = read(path, most=1)
    except BackendError as error:
        return [Diagnosis(_TOPIC, Level.PROBLEM, f"{path} cannot be read: {error.title}", error.hint)]
    found: list[Diagnosis] = []
    if proof.flaws:
        count = len(proof.flaws) + proof.more
        flaws = "1 flaw" if count == 1 else f"{count} flaws"
        found.append(Diagnosis(_TOPIC, Level.PROBLEM, f"it is not whole: {flaws}, as {proof.flaws[0]}", _VERIFY))
    elif not proof.lines:
        found.append(Diagnosis(_TOPIC, Level.OK, "nothing is written down yet"))
    else:
        lines = "1 line" if proof.lines == 1 else f"{proof.lines:,} lines"
        found.append(Diagnosis(_TOPIC, Level.OK, f"{lines}, and nobody changed, moved or removed one"))
    held = path if path.exists() else next(folder for folder in path.parents if folder.exists())
    if not os.access(held, os.W_OK):
        hint = "what is done is not written down until it can be"
        found.append(Diagnosis(_TOPIC, Level.PROBLEM, f"{held} may not be written by you", hint))
    return found


__all__ = ["examine_audit"]
