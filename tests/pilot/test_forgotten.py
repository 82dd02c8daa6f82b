"""A screen that is gone is forgotten, with all that was drawn of it."""

from __future__ import annotations

import gc
from functools import partial
from pathlib import Path

from textual._styles_cache import StylesCache
from textual.widget import Widget
from textual.widgets._toast import Toast, ToastRack

from tests.pilot.stage import stage
from tui.toasts import AT_MOST


async def test_lines_go_with_the_widget_that_drew_them(tmp_path: Path) -> None:
    """Textual's cache of colours kept them (tui/mended.py)."""
    async with stage(tmp_path) as play:
        for _ in range(3):
            await play.press("question_mark")
            assert play.on_top() == "HelpScreen"
            await play.press("escape")
        await play.until(lambda: orphans() == [], "nothing drawn is kept of what is gone")


async def test_what_held_a_toast_goes_with_it(tmp_path: Path) -> None:
    """Of one that is folded, too: Textual left its holder, which has a task (tui/mended.py)."""
    async with stage(tmp_path, toasts=True) as play:
        rack = play.app.screen.query_one(ToastRack)
        for number in range(AT_MOST + 2):
            play.app.notify(f"number {number}", timeout=60)
            await play.until(partial(stands, rack, f"number {number}"), "it stands")
        await play.until(lambda: len(rack.children) == AT_MOST, "and nothing else")


def stands(rack: ToastRack, words: str) -> bool:
    """Whether a toast says it."""
    return any(words in str(toast.render()) for toast in rack.query(Toast))


def orphans() -> list[StylesCache]:
    """Lines of widgets that are no more."""
    gc.collect()
    held = gc.get_objects()
    owned = {id(one._styles_cache) for one in held if isinstance(one, Widget)}
    return [one for one in held if type(one) is StylesCache and id(one) not in owned]
