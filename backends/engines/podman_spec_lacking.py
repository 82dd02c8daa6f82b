"""The error of a field that Podman has not. Makes no calls."""

from __future__ import annotations

from backends.model.errors import Unsupported


def lacking(field: str, value: object, hint: str) -> Unsupported:
    """Podman cannot do what this field says."""
    return Unsupported(f"Podman cannot do this: {field}", detail=str(value), hint=hint)


__all__ = ["lacking"]
