"""Shells and commands by keys on the demo fleet; what needs a real terminal is in tests/e2e/test_reach_scenes.py."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from tests.pilot.stage import Stage, stage
from tui.screens.frame import TitleBar
from widgets.dialogs import InputDialog
from widgets.log_view import LogView


def _about(play: Stage) -> str:
    return str(play.app.screen.query_one(TitleBar).query_one(".about").render())


def _output(play: Stage) -> list[str]:
    entries = play.app.screen.query_one(LogView).entries
    return [one if isinstance(one, str) else one.text for one in entries]


async def _command(play: Stage, command: str) -> None:
    await play.until(lambda: isinstance(play.app.screen, InputDialog), "the question")
    play.app.screen.query_one(Input).value = command
    await play.press("enter")
    await play.until(lambda: play.on_top() == "ProgramScreen", "its screen")


async def test_one_command_says_what_it_says_and_how_it_ended(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("jupyter-lab")
        await play.press("x")
        await _command(play, 'sh -c "echo one; echo two; exit 4"')
        await play.until(lambda: "exit code 4" in _about(play), "the end")
        assert _output(play)[1:] == ["one", "two", "✕ exit code 4"]
        await play.press("r")
        await play.until(lambda: _output(play).count("two") == 2, "the second run")
        await play.press("x")
        await _command(play, "no-such-program")
        await play.until(lambda: "✕ exit code 127: there is no such program" in _output(play), "the end")
        await play.press("escape")
        assert play.on_top() == "FleetScreen"


async def test_what_is_no_command_is_said_while_it_is_typed(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("jupyter-lab")
        await play.press("x")
        await play.until(lambda: isinstance(play.app.screen, InputDialog), "the question")
        play.app.screen.query_one(Input).value = 'sh -c "echo'
        await play.press("enter")
        assert isinstance(play.app.screen, InputDialog)
        assert "No closing quotation" in str(play.app.screen.query_one(".dialog-wrong").render())


async def test_a_screen_without_a_terminal_says_what_to_do(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("jupyter-lab")
        for key in "SA":
            await play.press(key)
            await play.until(lambda: "no terminal to give away" in play.toasts(), "the refusal")
            assert "tranship shell" in play.toasts()
            play.app.clear_notifications()


async def test_what_does_not_run_and_read_only_refuse(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("finetune-mistral")
        for key in "SAx":
            await play.press(key)
        assert play.toasts().count("this works on one that is running") == 3
    async with stage(tmp_path, readonly=True) as play:
        await play.select("jupyter-lab")
        for key in "SAx":
            await play.press(key)
        assert play.toasts().count("Read-only") == 3
