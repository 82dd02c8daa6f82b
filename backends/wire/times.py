"""Reads the times that engines write (RFC 3339 with nanoseconds). Pure; knows nothing of any engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


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


def log_times(
    since: datetime | None, until: datetime | None, *, exact: timedelta = timedelta(microseconds=1)
) -> dict[str, str]:
    """The engines' "since" and "until" of a log, as unix seconds, so that lines of just these moments come too.

    exact: how exactly the engine tells a line's time, cutting off the rest: "until" is the end of that span. Podman
    leaves out a line of just the moment of "since", Docker does not; so that lies a little before.
    """
    times: dict[str, str] = {}
    if since is not None:
        times["since"] = _unix_text((since - _EPOCH) // exact * exact - timedelta(microseconds=1))
    if until is not None:
        times["until"] = _unix_text(((until - _EPOCH) // exact + 1) * exact)
    return times


def _unix_text(since_epoch: timedelta) -> str:
    whole, rest = divmod(since_epoch, timedelta(seconds=1))
    return f"{whole}.{rest.microseconds:06d}000"


_EPOCH = datetime.fromtimestamp(0, UTC)

__all__ = ["from_unix", "log_times", "parse_time"]
