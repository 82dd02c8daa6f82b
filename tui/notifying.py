"""Tells a person what happened: on the screen, by the bell, by a notification of the desktop. Decides nothing."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey
from backends.services.notices import Notice, NoticeKind, NoticeWatch
from tui.config import NotifySetting
from widgets.text import inert

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

    from tui.saying import Saying

_LONGEST = 200
_SEVERITIES: dict[NoticeKind, SeverityLevel] = {
    NoticeKind.FAILED: "error",
    NoticeKind.OUT_OF_MEMORY: "error",
    NoticeKind.FINISHED: "information",
}
_POSTED = 3
"""Notifications of the desktop for one look at the fleet: a hundred runs that end together are not a hundred."""


class Notifier:
    """Watches the views of an app. setting: what is told, and how."""

    def __init__(self, app: Saying, setting: NotifySetting, idle_minutes: float) -> None:
        self._app, self._setting = app, setting
        self._watch = NoticeWatch(idle_minutes * 60)

    def own(self, key: ContainerKey) -> None:
        """The person acted on it: its end is no news."""
        self._watch.own(key, time.monotonic())

    def take(self, view: FleetView) -> None:
        """Tell what is news in it."""
        news = [one for one in self._watch.take(view, time.monotonic()) if one.kind.value in self._setting.kinds]
        for notice in news if self._setting.screen else ():
            self._app.notify(_text(notice), severity=_SEVERITIES.get(notice.kind, "warning"), timeout=10, markup=False)
        if news and self._setting.bell:
            self._app.bell()
        if self._setting.desktop:
            self._post([_text(one) for one in news])

    def _post(self, texts: list[str]) -> None:
        if len(texts) > _POSTED:
            texts = [*texts[: _POSTED - 1], f"{texts[_POSTED - 1]}, and {len(texts) - _POSTED} more"]
        for text in texts:
            self._app.write_to_terminal(desktop_notification(text, tmux=bool(os.environ.get("TMUX"))))


def _text(notice: Notice) -> str:
    return inert(notice.text)[:_LONGEST]


def desktop_notification(text: str, *, tmux: bool) -> str:
    """OSC 9, which iTerm2, kitty, WezTerm, Ghostty and others post as a notification; through tmux where in one.

    text: inert. tmux passes it on where `allow-passthrough` is on.
    """
    sequence = f"\x1b]9;{text}\x07"
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\" if tmux else sequence
