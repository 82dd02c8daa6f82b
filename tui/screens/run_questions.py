"""What is asked before a container is made again. Builds the dialog; does nothing itself."""

from __future__ import annotations

from backends.services.recreate import Before
from backends.services.recreate_words import before_words
from tui.screens.move_questions import short
from widgets.dialogs import ConfirmDialog
from widgets.line import line
from widgets.text import inert


def change_question(before: Before) -> ConfirmDialog:
    """Names what stays with the one before."""
    container = before.container
    title = f"Make {short(container.name)} on {container.key.engine} again?"
    words = [line(inert(text)) for text in before_words(before)]
    return ConfirmDialog(title, words, yes="Make it", no="Keep it")


__all__ = ["change_question"]
