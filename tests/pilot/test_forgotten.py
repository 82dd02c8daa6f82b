"""A screen that is gone is forgotten, with all that was drawn of it."""

from __future__ import annotations

import gc
from pathlib import Path

from textual._styles_cache import StylesCache
from textual.widget import Widget

from tests.pilot.stage import stage


async def test_lines_go_with_the_widget_that_drew_them(tmp_path: Path) -> None:
    """Textual's cache of colours kept them (tui/mended.py)."""
    async with stage(tmp_path) as play:
        for _ in range(3):
            await play.press("question_mark")
            assert play.on_top() == "HelpScreen"
            await play.press("escape")
        await play.until(lambda: orphans() == [], "nothing drawn is kept of what is gone")


def orphans() -> list[StylesCache]:
    """Lines of widgets that are no more."""
    gc.collect()
    held = gc.get_objects()
    owned = {id(one._styles_cache) for one in held if isinstance(one, Widget)}
    return [one for one in held if type(one) is StylesCache and id(one) not in owned]
