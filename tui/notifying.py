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
_AT_ONCE = 3
"""A hundred runs that end together are not a hundred toasts, nor a hundred notifications of the desktop."""
_TOGETHER_S = 1.0
"""Each new toast lays the screen out anew several times: where many containers end, keys would wait for all of them."""


class Notifier:
    """Watches the views of an app. setting: what is told, and how."""

    def __init__(self, app: Saying, setting: NotifySetting, idle_minutes: float) -> None:
        self._app, self._setting = app, setting
        self._watch = NoticeWatch(idle_minutes * 60)
        self._waiting: list[Notice] = []
        self._held = False  # a timer shows those that wait
        self._shown_at = -_TOGETHER_S  # time.monotonic()

    def own(self, key: ContainerKey) -> None:
        """The person acted on it: its end is no news."""
        self._watch.own(key, time.monotonic())

    def take(self, view: FleetView) -> None:
        """Tell what is news in it."""
        news = [one for one in self._watch.take(view, time.monotonic()) if one.kind.value in self._setting.kinds]
        if news and self._setting.screen:
            self._waiting += news
            self._show()
        if news and self._setting.bell:
            self._app.bell()
        if self._setting.desktop:
            for text in _few([_text(one) for one in news]):
                self._app.write_to_terminal(desktop_notification(text, tmux=bool(os.environ.get("TMUX"))))

    def _show(self) -> None:
        """The first at once; those that come within a second of it are shown together."""
        wait_s = self._shown_at + _TOGETHER_S - time.monotonic()
        if wait_s > 0:
            if not self._held:
                self._held = True
                self._app.set_timer(wait_s, self._show_held, name="notices")
            return
        self._shown_at = time.monotonic()
        # What failed is told by its name; the sort is stable.
        waiting, self._waiting = sorted(self._waiting, key=lambda one: _severity(one) != "error"), []
        for notice, text in zip(waiting, _few([_text(one) for one in waiting]), strict=False):
            self._app.notify(text, severity=_severity(notice), timeout=10, markup=False)

    def _show_held(self) -> None:
        self._held = False
        if self._waiting:
            self._show()


def _few(texts: list[str]) -> list[str]:
    """At most so many as are told at once: the last one says how many there are besides."""
    if len(texts) <= _AT_ONCE:
        return texts
    return [*texts[: _AT_ONCE - 1], f"{texts[_AT_ONCE - 1]}, and {len(texts) - _AT_ONCE} more"]


def _severity(notice: Notice) -> SeverityLevel:
    return _SEVERITIES.get(notice.kind, "warning")


def _text(notice: Notice) -> str:
    return inert(notice.text)[:_LONGEST]


def desktop_notification(text: str, *, tmux: bool) -> str:
    """OSC 9, which iTerm2, kitty, WezTerm, Ghostty and others post as a notification; through tmux where in one.

    text: inert. tmux passes it on where `allow-passthrough` is on.
    """
    sequence = f"\x1b]9;{text}\x07"
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\" if tmux else sequence
