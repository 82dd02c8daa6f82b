"""Names in the demo: image references, container names, ids. Pure."""

from __future__ import annotations

import hashlib
import re

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
"""Docker's rule for container and volume names."""


def valid_name(name: str) -> bool:
    """Whether a container or volume may be called so."""
    return _NAME.fullmatch(name) is not None


def full_reference(reference: str) -> str:
    """A reference with registry and tag, as Docker's rules complete it: "python" → "docker.io/library/python:latest".

    Source: distribution/reference, normalize.go (a first part without "." or ":" that is not "localhost" is no host).
    """
    first, slash, _ = reference.partition("/")
    hosted = bool(slash) and ("." in first or ":" in first or first == "localhost")
    path = reference if hosted else f"docker.io/{reference if slash else 'library/' + reference}"
    last = path.rsplit("/", 1)[-1]
    return path if ":" in last or "@" in last else f"{path}:latest"


def container_id(engine: str, name: str, number: int) -> str:
    """64 hex digits; the same engine, name and number give the same id in each run."""
    return hashlib.sha256(f"{engine}/{name}/{number}".encode()).hexdigest()
