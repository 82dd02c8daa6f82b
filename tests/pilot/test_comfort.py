"""Small comforts of the fleet: a pane by its number, the mouse, copies, columns that are chosen and kept."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

from textual.events import MouseScrollDown
from textual.widget import Widget

from tests.pilot.stage import Stage, stage
from tui.actions import keymap
from tui.kept_columns import FILE
from tui.screens.frame import KeyBar
from tui.screens.panes import Panes
from widgets.column_picker import ColumnPicker
from widgets.dialogs import ChoiceDialog
from widgets.line import plain


def focused(play: Stage) -> str:
    """Where the focus is: the id of a pane, else the class."""
    widget = play.app.screen.focused
    return (widget.id or type(widget).__name__) if widget is not None else ""


async def wheel(play: Stage, widget: Widget, turns: int) -> None:
    """Turn the wheel down over the middle of a widget."""
    place = widget.region.center
    x, y = int(place[0]), int(place[1])
    for _ in range(turns):
        play.app.screen._forward_event(
            MouseScrollDown(widget, x, y, 0, 1, 0, False, False, False, screen_x=x, screen_y=y)
        )
        await play.pilot.pause()


async def test_a_pane_by_its_number_and_by_the_mouse(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        panes = play.app.screen.query_one(Panes)
        for key, pane in (("3", "layers"), ("4", "info"), ("2", "gpus")):
            await play.press(key)
            await play.until(lambda pane=pane: focused(play) == pane)  # type: ignore[misc]
            assert panes.chosen == pane
            assert panes.query_one(f"#{pane}").display
        await play.press("1")
        assert focused(play) == "ContainerTable"

        await play.pilot.click("#gpus")
        assert focused(play) == "gpus"
        await play.pilot.click("ContainerTable", offset=(20, 3))
        assert focused(play) == "ContainerTable"
        assert play.selected() == play.shown()[2]

        await play.press("4", "1")
        for widget in (play.table, panes.query_one("#info")):
            before = widget.scroll_offset.y
            assert widget.max_scroll_y > 0
            await wheel(play, widget, 3)
            await play.until(lambda widget=widget, before=before: widget.scroll_offset.y > before)  # type: ignore[misc]
        assert play.selected() == play.shown()[2]  # the wheel looks elsewhere, it chooses nothing


async def test_what_is_copied(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        row = play.row("rag-redis")
        play.table.move_to(row.key)
        await play.press("y")
        assert play.app.clipboard == row.key.id
        for place, text in enumerate((row.key.id, row.name, row.image)):
            await play.pilot.press("Y")
            assert isinstance(play.app.screen, ChoiceDialog)
            await play.pilot.press(*["down"] * place, "enter")
            assert play.app.clipboard == text

        secret = "a-secret-value"
        demo = next(e for e in (play.docker, play.podman) if e.id == row.key.engine).world.containers[row.key.id]
        demo.spec = replace(demo.spec, env={**demo.spec.env, "DB_PASSWORD": secret})
        await play.press("Y", "down", "down", "down", "enter")
        await play.until(
            lambda: play.app.clipboard.startswith(f"{row.key.engine.plays} run --detach --name rag-redis ")
        )
        assert secret not in play.app.clipboard
        assert "--env DB_PASSWORD " in play.app.clipboard
        await play.until(lambda: "Set DB_PASSWORD yourself" in play.toasts())


def headings(play: Stage) -> list[str]:
    """Titles of the columns that are drawn, from left to right."""
    return play.table.render_line(0).text.replace("▲", " ").replace("▼", " ").split()


async def test_columns_are_chosen_ordered_and_kept(tmp_path: Path) -> None:
    kept = tmp_path / FILE
    async with stage(tmp_path, size=(200, 50)) as play:
        usual = headings(play)
        assert usual[:4] == ["ENG", "NAME", "STATE", "CPU"]
        await play.press("F")
        assert isinstance(play.app.screen, ColumnPicker)
        await play.press("space", "down", "space", "down", "down", "right", "escape")  # no ENG; NAME stays; CPU one on
        shown = headings(play)
        assert shown[:4] == ["NAME", "STATE", "MEMORY", "CPU"]
        assert sorted([*shown, "ENG"]) == sorted(usual)
        number = next(n for n, row in enumerate(play.table.rows) if row.key == play.row("rag-redis").key)
        cells = play.table.rows[number].cells
        words = [plain(cells[place]).strip() for place in (1, 2, 4, 3, 5)]  # each still under its own title
        assert " ".join(play.table.render_line(1 + number).text.split()).startswith(" ".join(" ".join(words).split()))
        await play.until(kept.exists)
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600

    async with stage(tmp_path, size=(80, 24)) as play:
        await play.until(lambda: headings(play)[:4] == ["NAME", "STATE", "MEMORY", "CPU"])
        await play.press("F", "u", "escape")
        assert headings(play)[:4] == ["ENG", "NAME", "STATE", "CPU"]
        await play.until(lambda: not kept.exists())


async def test_a_choice_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"order": "name"}')
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.until(lambda: "columns that you chose cannot be read" in play.toasts())
        assert headings(play)[:2] == ["ENG", "NAME"]


async def test_a_chosen_key_is_named_in_the_footer_and_one_for_an_action_without_any_works(tmp_path: Path) -> None:
    try:
        async with stage(tmp_path, keys={"container.stop": "f8", "fleet.invert_marks": "f9"}) as play:
            assert "f8 stop" in str(play.app.screen.query_one(KeyBar).render())
            await play.press("f9")
            assert len(play.table.marked) == len(play.shown())
    finally:
        keymap({})  # other tests have the keys that nobody chose
