"""Keeps the toasts from covering a screen: at most three, the newest says how many were folded. Says nothing itself."""

from __future__ import annotations

from collections.abc import Iterable

from textual.notifications import Notification

AT_MOST = 3
"""Toasts that stand at a time: with their hints, less than half of a screen of 24 rows."""


class Toasts:
    """Which toasts make room for a new one. Those folded count for as long as they would have stood."""

    def __init__(self) -> None:
        self._folded: list[Notification] = []
        self._teller: Notification | None = None  # the newest, and its text without how many went
        self._told = ""

    def make_room(self, standing: Iterable[Notification], new: Notification) -> list[Notification]:
        """Returns those that have to go; what failed stays longest. Only the new one says how many went."""
        kept = list(standing)
        gone = [one for one in kept if new.message == (self._told if one is self._teller else one.message)]
        kept = [one for one in kept if one not in gone]  # said again, it is not said twice, and hides nothing
        folded: list[Notification] = []
        while len(kept) >= AT_MOST:
            oldest = next((one for one in kept if one.severity != "error"), kept[0])
            kept.remove(oldest)
            folded.append(oldest)
        self._folded = [one for one in (*self._folded, *folded) if not one.has_expired]
        if self._teller is not None:
            self._teller.message = self._told
        self._teller, self._told = new, new.message
        if self._folded:
            new.message += f"\n+{len(self._folded)} more, folded"
        return [*gone, *folded]


__all__ = ["AT_MOST", "Toasts"]
