"""Reads the times that engines write (RFC 3339 with nanoseconds). Pure; knows nothing of any engine."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_time(text: str) -> datetime | None:
    """An aware datetime, or None for "", for Go's zero time (year 1: "never") and for what is no time at all.

    Digits beyond microseconds are cut off. A time without a zone is taken as UTC.
    """
    if not text or text.startswith("0001-01-01"):
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def from_unix(seconds: float) -> datetime:
    """An aware UTC datetime of seconds since 1970; what a datetime cannot hold becomes 1970 itself."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


__all__ = ["from_unix", "parse_time"]
