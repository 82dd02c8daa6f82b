"""Which names are those of secrets, whose values are never shown. Pure."""

from __future__ import annotations

import re

SECRET = re.compile(
    r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|PASS(?![A-Za-z])|[^A-Za-z]PWD(?![A-Za-z])", re.IGNORECASE
)
"""Names whose values are not shown (DB_PASS and DB_PWD, but not PWD, the working directory). They are carried."""


def is_secret(name: str) -> bool:
    """Whether the value of a variable of this name is not to be shown."""
    return SECRET.search(name) is not None


__all__ = ["SECRET", "is_secret"]
