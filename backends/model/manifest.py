"""Kubernetes objects that were given to a cluster. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Manifest: TypeAlias = Mapping[str, object]
"""One object as its YAML has it: apiVersion, kind, metadata, …"""


@dataclass(frozen=True, slots=True)
class AppliedObject:
    """An object that a cluster took. namespace: "" where its kind has none. created: it was not there before."""

    kind: str
    name: str
    namespace: str
    created: bool

    def __str__(self) -> str:
        return f"{self.kind.lower()}/{self.name}"


__all__ = ["AppliedObject", "Manifest"]
