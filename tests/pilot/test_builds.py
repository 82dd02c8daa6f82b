"""Building from the images' screen by keys; what was built is asked of the engine."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from tests.pilot.stage import Stage, stage
from tests.pilot.test_images_screen import has, opened
from tui.screens.build import BuildScreen
from widgets.build_dialog import BuildDialog
from widgets.dialogs import ConfirmDialog
from widgets.line import plain
from widgets.live_table import LiveTable
from widgets.log_view import LogView

NAME = "docker.io/library/mine:1"


def folder(tmp_path: Path, text: str) -> str:
    made = tmp_path / "context"
    made.mkdir(exist_ok=True)
    (made / "Containerfile").write_text(text)
    return str(made)


async def asked(play: Stage, path: str, name: str = "mine:1") -> None:
    """The dialog, filled in and sent off."""
    await opened(play)
    await play.press("b")
    await play.until(lambda: isinstance(play.app.screen, BuildDialog))
    play.app.screen.query_one("#build-folder", Input).value = path
    play.app.screen.query_one("#build-name", Input).value = name
    await play.press("enter")


def screen(play: Stage) -> BuildScreen:
    return next(one for one in play.app.screen_stack if isinstance(one, BuildScreen))


def steps(play: Stage) -> list[str]:
    """State and instruction of each step."""
    rows = screen(play).query_one("#build-steps", LiveTable).rows
    return [f"{plain(row.cells[0])} {plain(row.cells[4])}" for row in rows]


def output(play: Stage) -> str:
    entries = screen(play).query_one(LogView).entries
    return "\n".join(entry if isinstance(entry, str) else entry.text for entry in entries)


async def test_a_build_is_shown_step_by_step_and_its_image_opened(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        path = folder(tmp_path, "FROM redis:7\nRUN echo [bold]hello\nRUN echo all > /x\n")
        await asked(play, path)
        await play.until(lambda: has(play.docker, NAME), "the image")
        await play.until(lambda: f"built: {NAME}" in output(play))
        assert steps(play) == ["✓ FROM redis:7", "✓ RUN echo [bold]hello", "✓ RUN echo all > /x"]
        assert "[bold]hello" in output(play)
        await play.press("r")
        await play.until(lambda: [step[0] for step in steps(play)] == ["✓", "=", "="], "all from the cache")
        await play.press("enter")
        await play.until(lambda: play.on_top() == "ImageScreen")
        await play.press("escape")
        await play.until(lambda: play.on_top() == "ImagesScreen")


async def test_a_failure_shows_its_step_with_its_last_lines_and_what_to_do(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await asked(play, folder(tmp_path, "FROM redis:7\nRUN echo before && exit 3\nRUN echo never\n"))
        await play.until(lambda: "✕" in output(play))
        assert steps(play) == ["✓ FROM redis:7", "✕ RUN echo before && exit 3"]
        assert "before" in output(play)
        assert "✕ Containerfile, line 2: step 2 of 3 ended with code 3" in output(play)
        assert output(play).count("\nbefore\n") + output(play).startswith("before\n") == 1, "said once"
        assert "→ " in output(play)
        await play.press("enter")
        assert play.on_top() == "BuildScreen", "there is no image"


async def test_a_running_build_is_left_only_by_cancelling_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.docker.faults.hang("build_step")
        await asked(play, folder(tmp_path, "FROM redis:7\n"))
        await play.until(lambda: play.app.commands.builds.running == ("mine:1",))
        await play.press("escape")
        await play.until(lambda: isinstance(play.app.screen, ConfirmDialog))
        await play.press("n")
        assert play.app.commands.builds.running
        await play.press("x", "y")
        await play.until(lambda: "cancelled" in output(play))
        assert not play.app.commands.builds.running
        assert not has(play.docker, NAME)
        await play.press("escape")
        assert play.on_top() == "ImagesScreen"


async def test_what_is_wrong_is_said_before_anything_is_built(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await asked(play, str(tmp_path / "absent"))
        assert isinstance(play.app.screen, BuildDialog)
        wrong = play.app.screen.query_one(".dialog-wrong")
        await play.until(lambda: "There is no folder" in str(wrong.render()))
        play.app.screen.query_one("#build-folder", Input).value = folder(tmp_path, "FROM x\n")
        play.app.screen.query_one("#build-arguments", Input).value = "A"
        await play.press("enter")
        await play.until(lambda: "NAME=VALUE" in str(wrong.render()))
        await play.press("escape")
        assert play.on_top() == "ImagesScreen"
