"""What every screen with a form of fields does alike: to the next field and back, and modes that fit the width."""

from __future__ import annotations

from textual import events, on
from textual.widgets import Input

from tui.screens.base import SubScreen


class FormScreen(SubScreen):
    """A screen on which a person types into one field after the other. Which keys do it, each says itself."""

    def action_go(self, step: int) -> None:
        """To the next field, or the one before."""
        if step > 0:
            self.focus_next()
        else:
            self.focus_previous()

    @on(Input.Submitted)
    def _entered(self) -> None:
        """Enter goes on to the next field."""
        self.action_go(1)

    def on_resize(self, _event: events.Resize) -> None:
        """The modes fit the width."""
        self.show_modes()


__all__ = ["FormScreen"]
