"""Moments as people type them: "10m", "14:30", "2026-11-28 14:30". Pure; knows no clock."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

EXAMPLES = "10m, 2h, 1d, 14:30, 2026-11-28 14:30"
_AGO = re.compile(r"(\d{1,9})\s*(s|m|h|d|w)(?:\s+ago)?")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


def moment_of(text: str, now: datetime) -> datetime:
    """The moment that a text means; now: aware, in the zone that the text is meant in where it names none.

    A time of day is the last one that was. Raises ValueError with what to write instead.
    """
    text = text.strip()
    try:
        if ago := _AGO.fullmatch(text):
            return now - int(ago[1]) * _UNITS[ago[2]]
        if clock := _CLOCK.fullmatch(text):
            hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
            today = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
            return today if today <= now else today - timedelta(days=1)
        parsed = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(f"“{text}” is no moment; write for example: {EXAMPLES}") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=now.tzinfo)
