"""Textual's driver for a page, told that the page has the keys from the start. Draws nothing itself."""

from __future__ import annotations

from textual.drivers.web_driver import WebDriver
from textual.events import AppFocus


class TabDriver(WebDriver):
    """What each tab of `tranship web` runs by.

    WebDriver blurs the app as it starts, mostly before the first screen could focus anything: nothing would then have
    the keys until a click.
    """

    def start_application_mode(self) -> None:
        """As its base, and then the focus that the page has."""
        super().start_application_mode()
        self._app.call_later(self._app.post_message, AppFocus())
