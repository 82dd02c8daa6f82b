"""Shells and commands by keys on the demo fleet; what needs a real terminal is in tests/e2e/test_reach_scenes.py."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from textual.widgets import Input, Static

from backends.model.errors import Unreachable
from tests.pilot.stage import Stage, stage
from tui.screens.frame import TitleBar
from tui.screens.path_question import PathDialog, completed
from widgets.dialogs import ChoiceDialog, ConfirmDialog, InputDialog
from widgets.line import plain
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable
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


@pytest.mark.parametrize(("code", "said"), [(0, ""), (3, "rag-redis: ended with exit code 3"), (None, "it runs on")])
async def test_a_shell_that_was_left_well_needs_no_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int | None, said: str
) -> None:
    async def lend(*_: object) -> int | None:
        return code

    monkeypatch.setattr("tui.terminal.lend", lend)
    async with stage(tmp_path) as play:
        await play.select("rag-redis")
        await play.press("S")
        await play.until(lambda: all(one.is_finished for one in play.app.workers if one.group == "terminal"))
        await play.pilot.pause()
        assert said in play.toasts()
        assert bool(play.toasts()) is bool(said)


async def test_what_does_not_run_and_read_only_refuse(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("finetune-mistral")
        for key in "SAx":
            play.app.clear_notifications()
            await play.press(key)
            assert "this works on one that is running" in play.toasts()
    async with stage(tmp_path, readonly=True) as play:
        await play.select("jupyter-lab")
        for key in "SAx":
            play.app.clear_notifications()
            await play.press(key)
            assert "Read-only" in play.toasts()


# -- volumes and networks ------------------------------------------------------------------------
def _rows(play: Stage, table: str = "#stores") -> list[str]:
    return [" ".join(plain(cell) for cell in row.cells) for row in play.app.screen.query_one(table, LiveTable).rows]


def _complains(play: Stage, words: str) -> bool:
    return words in _said(play, ".dialog-wrong")


def _said(play: Stage, part: str) -> str:
    return str(play.app.screen.query_one(part, Static).render())


async def test_volumes_are_listed_made_and_removed(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.press("V")
        await play.until(lambda: play.on_top() == "VolumesScreen" and len(_rows(play)) == 7, "the volumes")
        await play.until(lambda: "KiB" in _rows(play)[0], "their sizes")
        assert "train-llama3-8b" in _rows(play)[0]
        await play.press("d")
        assert "checkpoints is used by train-llama3-8b: remove the containers first." in play.toasts()
        await play.press("P")
        assert "nothing to prune" in play.toasts()
        await play.press("c")
        await play.until(lambda: isinstance(play.app.screen, ChoiceDialog), "which engine")
        await play.press("enter")
        await play.until(lambda: isinstance(play.app.screen, InputDialog), "which name")
        entry = play.app.screen.query_one(Input)
        for name, wrong in (("checkpoints", "exists already"), ("no good", "no spaces"), ("-x", "beginning with")):
            entry.value = name
            await play.until(partial(_complains, play, wrong), wrong)
        entry.value = "fresh"
        await play.press("enter")
        await play.until(lambda: "fresh" in play.docker.world.volumes, "the volume")
        await play.until(lambda: len(_rows(play)) == 8, "its row")
        await play.press("slash", *"is:unused", "enter", "d")
        await play.until(lambda: isinstance(play.app.screen, ConfirmDialog), "the question")
        assert "Remove fresh on demo-docker?" in _said(play, ".dialog-title")
        assert "Its data is lost." in _said(play, ".dialog-body")
        await play.press("n")
        assert "fresh" in play.docker.world.volumes
        await play.press("P", "y")
        await play.until(lambda: "fresh" not in play.docker.world.volumes, "the pruning")
        await play.until(lambda: "volume fresh removed" in play.toasts(), "the toast")
        await play.press("escape", "tab")
        assert isinstance(play.app.screen.focused, LinesPane)
        await play.press("escape", "escape")
        assert play.on_top() == "FleetScreen"


async def test_a_volume_is_looked_into_and_copied_out_of(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.press("V")
        await play.until(lambda: play.on_top() == "VolumesScreen" and len(_rows(play)) == 7, "the volumes")
        await play.press("slash", *"notebooks", "enter", "enter")
        await play.until(lambda: play.on_top() == "FilesScreen" and len(_rows(play, "#files")) > 0, "its files")
        await play.press("i")
        assert "f on that one in the fleet" in play.toasts()
        await play.press("c")
        await play.until(lambda: isinstance(play.app.screen, PathDialog), "where to")
        play.app.screen.query_one(Input).value = str(tmp_path / "out")
        await play.press("enter")
        await play.until(lambda: "is in" in play.toasts(), "the copy")
        assert (tmp_path / "out").exists()
        await play.press("q")
        assert play.on_top() == "VolumesScreen"


async def test_networks_are_listed_made_and_removed(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.press("W")
        await play.until(lambda: play.on_top() == "NetworksScreen" and len(_rows(play)) == 4, "the networks")
        await play.press("down", "d")
        assert "host is the engine's own network, and stays." in play.toasts()
        await play.press("c", "enter")
        await play.until(lambda: isinstance(play.app.screen, InputDialog), "which name")
        play.app.screen.query_one(Input).value = "lab 10.9.8.0/24"
        await play.press("enter")
        await play.until(lambda: "lab" in play.docker.world.networks, "the network")
        await play.until(lambda: "10.9.8.0/24" in _rows(play)[0], "its row")
        await play.press("home", "d", "y")
        await play.until(lambda: "lab" not in play.docker.world.networks, "its end")


async def test_read_only_changes_no_volume_and_copies_nothing_in(tmp_path: Path) -> None:
    async with stage(tmp_path, readonly=True) as play:
        await play.press("V")
        await play.until(lambda: play.on_top() == "VolumesScreen" and len(_rows(play)) == 7, "the volumes")
        for key in "cdP":
            play.app.clear_notifications()
            await play.press(key)
            assert "Read-only" in play.toasts()
        play.app.clear_notifications()
        await play.press("q", "f", "i")
        assert "Read-only" in play.toasts()


# -- files ---------------------------------------------------------------------------------------
def _is_in(play: Stage, folder: str) -> bool:
    return f"/{folder} · " in _about(play) and "entr" in _about(play)


async def _answered(play: Stage, text: str) -> None:
    await play.until(lambda: isinstance(play.app.screen, InputDialog), "the question")
    play.app.screen.query_one(Input).value = text
    await play.press("enter")


async def test_files_are_browsed_and_copied_both_ways(tmp_path: Path) -> None:
    async with stage(tmp_path / "state") as play:
        await play.select("jupyter-lab")
        await play.press("f")
        await play.until(lambda: "home/" in "".join(_rows(play, "#files")), "the root")
        table = play.app.screen.query_one("#files", LiveTable)
        for name in ("home", "jovyan", "work"):
            table.move_to(name)
            await play.press("enter")
            await play.until(partial(_is_in, play, name), f"in {name}")
        (tmp_path / "out").mkdir()
        table.move_to("train.ipynb" if any(row.key == "train.ipynb" for row in table.rows) else table.rows[-1].key)
        name = str(table.cursor_key)
        await play.press("c")
        await _answered(play, str(tmp_path / "out"))
        await play.until((tmp_path / "out" / name).exists, "the copy")
        await play.until(lambda: "is in" in play.toasts(), "the toast")
        await play.press("c")
        await _answered(play, str(tmp_path / "out"))
        await play.until(lambda: "exists already" in play.toasts(), "the refusal")
        (tmp_path / "new").write_text("from here")
        await play.press("i")
        await _answered(play, str(tmp_path / "new"))
        await play.until(lambda: any(row.key == "new" for row in table.rows), "the file")
        (tmp_path / "new").write_text("from here, again and longer")
        await play.press("i")
        await _answered(play, str(tmp_path / "new"))
        await play.until(lambda: isinstance(play.app.screen, ConfirmDialog), "the question before it is overwritten")
        await play.press("y")
        await play.until(lambda: "27 B" in "".join(_rows(play, "#files")), "the longer file")
        await play.press("backspace")
        await play.until(lambda: "/home/jovyan ·" in _about(play), "the folder above")
        assert play.app.screen.query_one("#files", LiveTable).cursor_key == "work", "where it came from"


async def test_a_copy_is_called_off_and_a_failure_is_said(tmp_path: Path) -> None:
    async with stage(tmp_path / "state") as play:
        await play.select("jupyter-lab")
        await play.press("f")
        await play.until(lambda: "home/" in "".join(_rows(play, "#files")), "the root")
        target = tmp_path / "to"
        target.mkdir()
        play.docker.faults.hang("read_files")
        await play.press("c")
        await _answered(play, str(target))
        await play.until(lambda: list(target.iterdir()), "its hidden folder")
        await play.press("i")
        assert "A copy goes on; x cancels it." in play.toasts()
        await play.press("x")
        await play.until(lambda: not list(target.iterdir()), "nothing is left")
        play.docker.faults.clear()
        play.docker.faults.fail("read_files", Unreachable("the engine is gone", engine=play.docker.id))
        await play.press("c")
        await _answered(play, str(target))
        await play.until(lambda: "the engine is gone" in play.toasts(), "the failure")
        await play.press("x")
        assert "Nothing is being copied." in play.toasts()
        play.docker.faults.clear()
        play.docker.faults.hang("write_files")
        (target / "data.bin").write_bytes(bytes(1000))
        await play.press("i")
        await _answered(play, str(target / "data.bin"))
        await play.until(lambda: any(one.name == "copy data.bin in" for one in play.app.workers), "the copy")
        await play.press("escape")
        await play.until(lambda: play.on_top() == "ConfirmDialog", "the question")
        await play.press("n")
        assert play.on_top() == "FilesScreen"
        await play.press("escape", "y")
        await play.until(lambda: play.on_top() == "FleetScreen", "the fleet")
        assert "left: /data.bin in jupyter-lab" in play.toasts()


async def test_paths_of_this_machine_are_completed(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "train.csv").write_text("1")
    assert completed(str(tmp_path / "da")) == f"{tmp_path}/dataset/"
    assert completed(str(tmp_path / "nothing")) is None
    async with stage(tmp_path / "state") as play:
        await play.select("jupyter-lab")
        await play.press("f")
        await play.until(lambda: "home/" in "".join(_rows(play, "#files")), "the root")
        await play.press("i")
        await play.until(lambda: isinstance(play.app.screen, InputDialog), "the question")
        entry = play.app.screen.query_one(Input)
        entry.value = str(tmp_path / "da")
        await play.press("tab")
        await play.until(lambda: entry.value.endswith("dataset/"), "the folder")
        await play.press("tab")
        await play.until(lambda: entry.value.endswith("train.csv"), "the file")
