"""Keys that arrive all at once, as they do over a slow link: each goes to what the keys before it have opened."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.widgets import Static

from backends.model.container import ContainerState
from tests.pilot.stage import Stage, stage
from tui.screens.logs import LogScreen
from tui.screens.migrate import MigrateScreen
from widgets.dialogs import ConfirmDialog
from widgets.log_view import LogView


def _burst(one: Stage, *keys: str) -> None:
    """Hand the app all keys before it has looked at the first."""
    for key in keys:
        one.app.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_letters_after_the_slash_are_for_the_filter(tmp_path: Path) -> None:
    """As keys of the table they would stop and pause containers."""
    async with stage(tmp_path) as one:
        before = {name: one.state(name) for name in one.shown()}
        _burst(one, "slash", *"rags")
        await one.until(lambda: len(one.shown()) == 0)
        assert {name: one.state(name) for name in before} == before
        assert ContainerState.RUNNING in before.values()


async def test_what_comes_after_enter_is_for_the_filtered_row(tmp_path: Path) -> None:
    async with stage(tmp_path) as one:
        _burst(one, "slash", *"rag-redis", "enter", "m")
        await one.until(lambda: isinstance(one.app.screen, MigrateScreen))
        assert isinstance(one.app.screen, MigrateScreen)
        assert one.shown() == ["rag-redis"]


async def test_what_comes_after_a_move_is_for_the_row_moved_to(tmp_path: Path) -> None:
    """Else it would be the row that the cursor leaves which is asked about."""
    async with stage(tmp_path) as one:
        names = one.shown()
        _burst(one, "down", "j", "d")
        await one.until(lambda: isinstance(one.app.screen, ConfirmDialog))
        asked = "".join(str(part.render()) for part in one.app.screen.query(".dialog-title").results(Static))
        assert names[2] in asked


async def test_what_is_searched_for_in_a_log_is_typed_into_its_field(tmp_path: Path) -> None:
    async with stage(tmp_path) as one:
        _burst(one, "slash", *"vllm", "enter", "l")
        await one.until(lambda: isinstance(one.app.screen, LogScreen) and one.app.screen.query_one(LogView).line_count)
        _burst(one, "slash", *"tokens", "enter")
        about = one.app.screen.query_one(".about", Static)
        await one.until(lambda: " found" in str(about.render()), "what was found")
        assert " 0 found" not in str(about.render())
        assert one.app.screen.query_one(LogView).has_focus
