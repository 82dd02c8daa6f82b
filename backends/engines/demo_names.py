"""Names in the demo: image references, container names, ids. Pure."""

from __future__ import annotations

import hashlib
import re

from backends.model import reference

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
"""Docker's rule for container and volume names."""


def valid_name(name: str) -> bool:
    """Whether a container or volume may be called so."""
    return _NAME.fullmatch(name) is not None


def full_reference(text: str) -> str:
    """A reference in full; what is no name stays as it is, and is then found nowhere."""
    try:
        return reference.full_reference(text)
    except ValueError:
        return text


def container_id(engine: str, name: str, number: int) -> str:
    """64 hex digits; the same engine, name and number give the same id in each run."""
    return hashlib.sha256(f"{engine}/{name}/{number}".encode()).hexdigest()
