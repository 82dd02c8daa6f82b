"""Help, palette, logs, details, migration, and what happens when something breaks."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.widgets import Input

from backends.engines.demo import DemoEngine
from backends.engines.demo_fleet import demo_engines
from backends.model.container import ContainerState
from backends.model.errors import Protocol
from backends.services.fleet import Fleet
from tests.pilot.stage import Stage, stage
from tui.actions import ACTIONS
from tui.app import TranshipApp
from tui.config import Settings
from tui.screens.help import HelpScreen
from tui.screens.migrate import MigrateScreen
from tui.screens.move_keys import Stage as MoveStage
from widgets.json_pane import JsonPane
from widgets.line import plain
from widgets.lines_pane import LinesPane
from widgets.link_list import LinkList
from widgets.log_view import LogView
from widgets.plan_view import PlanView


def text_of(pane: LinesPane) -> str:
    """All lines of a pane."""
    return "\n".join(map(plain, pane.lines))


def crash_log(state_dir: Path) -> str:
    """The text of the one crash log."""
    (log,) = state_dir.glob("crash-*.log")
    return log.read_text()


def texts(view: LogView) -> list[str]:
    """What the container printed."""
    return [entry.text for entry in view.entries if not isinstance(entry, str)]


def said_by_us(view: LogView) -> str:
    """The lines that are not the container's."""
    return "\n".join(entry for entry in view.entries if isinstance(entry, str))


async def test_help_shows_every_action(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.press("question_mark")
        assert isinstance(play.app.screen, HelpScreen)
        text = text_of(play.app.screen.query_one(LinesPane))
        assert [action.title for action in ACTIONS if action.title not in text] == []
        await play.press("escape")
        assert play.on_top() == "FleetScreen"


async def test_help_in_readonly_leaves_out_what_is_switched_off(tmp_path: Path) -> None:
    async with stage(tmp_path, readonly=True) as play:
        await play.press("question_mark")
        text = text_of(play.app.screen.query_one(LinesPane))
        assert "Remove (asks first)" not in text
        assert "Read-only" in text


async def test_the_palette_does_what_its_entry_says(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("tensorboard")
        await play.press("ctrl+p")
        assert isinstance(play.app.screen, CommandPalette)
        await play.press(*"Stop")
        await play.pilot.pause(0.3)
        await play.press("enter")
        if isinstance(play.app.screen, CommandPalette):
            await play.press("enter")
        await play.until(lambda: play.state("tensorboard") is ContainerState.EXITED)


async def test_logs_follow_and_the_stream_ends_with_the_screen(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("mlops-minio-1")
        await play.press("l")
        await play.until(lambda: play.app.screen.query(LogView))
        view = play.app.screen.query_one(LogView)
        await play.until(lambda: view.line_count > 0, "log lines")
        follows = [view.following]
        await play.press("space")
        follows.append(view.following)
        assert follows == [True, False]
        for field, opens in (("#filter", "f"), ("#search", "slash")):
            await play.press(opens, "x", "escape")
            await play.until(lambda: not play.app.screen.query_one(field, Input).display, "Escape leaves the field")  # noqa: B023 - awaited here
            assert play.app.screen.focused is view
        await play.press("space", "escape")
        await play.until(lambda: not any(one.group == "log" for one in play.app.workers))
        assert play.on_top() == "FleetScreen"


async def test_a_log_goes_on_when_its_container_starts_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("vllm-qwen2.5-7b")  # it says something each second
        key = play.row("vllm-qwen2.5-7b").key
        await play.press("l")
        await play.until(lambda: play.app.screen.query(LogView))
        view = play.app.screen.query_one(LogView)
        await play.until(lambda: view.line_count > 0, "log lines")
        await play.podman.stop(key.id)
        await play.until(lambda: "end of the log" in said_by_us(view), "the end")
        first_run = texts(view)
        await play.podman.start(key.id)
        await play.until(lambda: "it runs again" in said_by_us(view), "the note")
        await play.until(lambda: len(texts(view)) > len(first_run), "lines of the second run")
        assert texts(view)[: len(first_run)] == first_run
        assert said_by_us(view).count("end of the log") == 1


async def test_a_log_that_cannot_be_had_says_why(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.docker.faults.fail("logs", Protocol("the log is garbled", engine=play.docker.id))
        await play.select("tensorboard")
        await play.press("l")
        view = play.app.screen.query_one(LogView)
        await play.until(lambda: view.line_count > 0)
        assert "garbled" in view.render_line(0).text


def _section_shows(pane: LinesPane, word: str) -> bool:
    return word in text_of(pane) and "Asking" not in text_of(pane)


async def test_details_have_sections_by_number_and_tab(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.select("rag-embedder")
        name, key = play.selected(), play.row("rag-embedder").key
        await play.press("enter")
        screen = play.app.screen
        pane = screen.query_one("#detail", LinesPane)
        await play.until(lambda: key.short in text_of(pane), "the facts")
        for number, word in {"3": "COMMAND", "4": "", "5": "", "6": "10.9.", "7": "failed (1)", "8": "changed"}.items():
            await play.press(number)
            await play.until(partial(_section_shows, pane, word), f"section {number}")
        await play.press("9")
        await play.until(lambda: "No event" in text_of(pane), "no events yet")
        await play.docker.pause(key.id) if key.engine == play.docker.id else await play.podman.pause(key.id)
        await play.until(lambda: "pause" in text_of(pane), f"the event of {name}")
        await play.press("tab")
        tree = screen.query_one(JsonPane)
        await play.until(lambda: tree.display and '"' not in text_of(tree) and "Id: " in text_of(tree), "inspect")
        await play.press("slash", *"exitcode", "enter")
        await play.until(lambda: "ExitCode: " in text_of(tree), "what was searched")
        await play.press("escape", "left", "q")
        assert play.on_top() == "FleetScreen"


async def _open_plan(play: Stage, name: str) -> MigrateScreen:
    await play.select(name)
    await play.press("m")
    screen = play.app.screen
    assert isinstance(screen, MigrateScreen)
    await play.until(lambda: screen.stage is MoveStage.PLANNED, "a plan")
    return screen


def _named(engine: DemoEngine, name: str) -> list[ContainerState]:
    return [one.state for one in engine.world.containers.values() if one.spec.name == name]


async def test_migrate_by_keys(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        screen = await _open_plan(play, "tensorboard")
        assert _named(play.podman, "tensorboard") == []  # a plan changes nothing
        await play.press("enter", "y")
        await play.until(lambda: screen.stage is MoveStage.ENDED, "the end of the migration")
        assert _named(play.podman, "tensorboard") == [ContainerState.RUNNING]
        assert _named(play.docker, "tensorboard") == [ContainerState.EXITED]
        assert "CHECKS" in text_of(screen.query_one(PlanView))
        await play.press("enter")
        assert play.on_top() == "FleetScreen"
        await play.until(lambda: play.shown().count("tensorboard") == 2)


async def test_migrate_under_another_name(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        screen = await _open_plan(play, "tensorboard")
        await play.press("n", "end", *"-2", "enter")
        await play.until(lambda: "tensorboard-2" in text_of(screen.query_one(PlanView)), "the plan of the new name")
        await play.until(lambda: screen.stage is MoveStage.PLANNED)
        await play.press("enter", "y")
        await play.until(lambda: screen.stage is MoveStage.ENDED)
        assert _named(play.podman, "tensorboard-2") == [ContainerState.RUNNING]


async def test_no_to_the_question_moves_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        screen = await _open_plan(play, "tensorboard")
        await play.press("enter", "n")
        assert screen.stage is MoveStage.PLANNED
        await play.press("escape")
        assert _named(play.podman, "tensorboard") == []


async def test_a_failed_migration_says_what_was_undone(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.podman.faults.fail("start", Protocol("no more processes", engine=play.podman.id))
        screen = await _open_plan(play, "tensorboard")
        await play.press("enter", "y")
        await play.until(lambda: screen.stage is MoveStage.ENDED, "the end of the migration")
        text = text_of(screen.query_one(PlanView))
        assert "UNDONE" in text
        assert "no more processes" in text
        assert _named(play.podman, "tensorboard") == []
        assert _named(play.docker, "tensorboard") == [ContainerState.RUNNING]


async def test_cancelling_a_migration_undoes_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.podman.faults.hang("import_volume")
        screen = await _open_plan(play, "tensorboard")
        await play.press("enter", "y")
        await play.until(lambda: _named(play.docker, "tensorboard") == [ContainerState.EXITED], "the source to stop")
        await play.press("x", "y")
        await play.until(lambda: screen.stage is MoveStage.ENDED)
        assert _named(play.podman, "tensorboard") == []
        assert _named(play.docker, "tensorboard") == [ContainerState.RUNNING]


async def test_quitting_during_a_migration_asks_and_undoes(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.podman.faults.hang("import_volume")
        await _open_plan(play, "tensorboard")
        await play.press("enter", "y")
        await play.until(lambda: _named(play.docker, "tensorboard") == [ContainerState.EXITED])
        await play.press("ctrl+q")
        assert play.on_top() == "ConfirmDialog"
        await play.press("y")
    assert _named(play.docker, "tensorboard") == [ContainerState.RUNNING]
    assert _named(play.podman, "tensorboard") == []


async def test_a_fleet_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    async def open_fleet(_: object) -> Fleet:
        raise Protocol("nothing works here", hint="see tranship doctor")

    app = TranshipApp(open_fleet, Settings(), state_dir=tmp_path)
    async with app.run_test() as pilot:
        while not app._notifications:
            await pilot.pause(0.01)
        assert "nothing works here" in next(iter(app._notifications)).message
        await pilot.press("s", "m", "enter", "l")
        assert app.is_running


async def test_a_bug_in_a_worker_is_logged_and_the_app_lives(tmp_path: Path) -> None:
    async def open_fleet(_: object) -> Fleet:
        raise ZeroDivisionError("a bug")

    app = TranshipApp(open_fleet, Settings(), state_dir=tmp_path)
    async with app.run_test() as pilot:
        while not app._notifications:
            await pilot.pause(0.01)
        assert "ZeroDivisionError" in next(iter(app._notifications)).message
    assert "ZeroDivisionError: a bug" in crash_log(tmp_path)


async def test_a_bug_in_the_app_leaves_a_log_and_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def meet_a_bug() -> None:
        async with stage(tmp_path) as play:
            play.app.call_later(lambda: 1 / 0)
            await play.until(lambda: play.app.return_code == 1)

    with pytest.raises(ZeroDivisionError):
        await meet_a_bug()
    assert "ZeroDivisionError" in crash_log(tmp_path)
    assert "crash-" in capsys.readouterr().err


async def test_logs_of_a_project_are_merged_filtered_read_upwards_and_saved(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("train-llama3-8b")
        key = play.row("train-llama3-8b").key
        async with play.docker.logs(key.id) as stream:
            everything = len([line async for line in stream])
        await play.press("l", "home")
        view = play.app.screen.query_one(LogView)
        await play.until(lambda: view.line_count > 0, "the tail")
        await play.press("home")
        await play.until(lambda: view.line_count >= everything, "the older lines")
        await play.press("escape")
        await play.select("mlops-minio-1")
        await play.press("l", "p")
        await play.until(lambda: play.app.screen.query(LogView))
        view = play.app.screen.query_one(LogView)
        await play.until(lambda: len(view.look.names) > 1 and view.line_count > 0, "the project's logs")
        assert {name.split("-")[0] for name in view.look.names} == {"mlops"}
        await play.press("f", *"http|get", "enter")
        await play.until(lambda: 0 < view.shown_count < view.line_count, "the filter")
        await play.press("t", "w", "S")
        await play.until(lambda: play.on_top() == "InputDialog")
        path = tmp_path / "saved.log"
        play.app.screen.query_one(Input).value = str(path)
        await play.press("enter")
        await play.until(path.exists, "the file")
        lines = path.read_text().splitlines()
        assert lines
        assert all(("http" in one.lower() or "get" in one.lower()) and " | " in one for one in lines)


async def test_links_mask_their_token_until_asked_and_copy_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    async with stage(tmp_path) as play:
        await play.select("jupyter-lab")
        await play.press("b")
        links = play.app.screen.query_one(LinkList)
        await play.until(lambda: links.chosen is not None, "a link")
        shown = "\n".join(str(links.get_option_at_index(n).prompt) for n in range(links.option_count))
        assert "token=••••" in shown
        assert "dem0dem0" not in shown
        await play.press("enter")
        assert "dem0dem0" in play.app.clipboard
        assert "dem0dem0" not in play.toasts()
        await play.press("x")
        assert "dem0dem0" in str(links.get_option_at_index(0).prompt)
        await play.press("v")
        assert play.app.clipboard.startswith("code --folder-uri vscode-remote://attached-container+")


async def test_the_details_do_what_the_fleet_does_to_a_container(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("scratch")
        await play.press("space")
        await play.select("tensorboard")
        await play.press("enter", "s")
        await play.until(lambda: play.state("tensorboard") is ContainerState.EXITED, "stopped, and not what is marked")
        await play.until(lambda: play.row("tensorboard").state is ContainerState.EXITED)
        assert play.on_top() == "ContainerScreen"
        assert play.app.view.containers[play.table.marked[0]].name == "scratch"
        await play.press("m")
        assert play.on_top() == "MigrateScreen"
        await play.press("escape", "l")
        assert play.on_top() == "LogScreen"
        await play.press("escape", "0", "l")
        assert play.on_top() == "ContainerScreen", "the JSON has a meaning of its own for it"
        await play.press("1", "question_mark")
        text = text_of(play.app.screen.query_one(LinesPane))
        assert text.index("In the details") < text.index("On the selected container") < text.index("Everywhere")
        assert "palette          Restart" in text, "its key reads again here"
        await play.press("escape", "d")
        assert play.on_top() == "ConfirmDialog"
        await play.press("y")
        await play.until(lambda: not play.exists("tensorboard"), "removed")
        await play.until(lambda: "tensorboard" not in play.shown(), "its row gone")
        await play.press("u")
        assert "The container was removed." in play.toasts()


async def test_events_asked_for_before_the_engines_are_there_come_with_them(tmp_path: Path) -> None:
    docker, podman = demo_engines(look_s=0, act_s=0)
    fleet, ready = Fleet([docker, podman]), asyncio.Event()

    async def open_fleet(_: object) -> Fleet:
        await ready.wait()
        return fleet

    app = TranshipApp(open_fleet, Settings(demo=True), state_dir=tmp_path)
    async with app.run_test() as pilot:
        play = Stage(app, pilot, docker, podman, fleet)
        await play.until(lambda: any(one.name == "open fleet" for one in app.workers), "the fleet asked for")
        await play.press("E")
        view = app.screen.query_one(LogView)
        ready.set()
        await play.until(lambda: any(one.name == "tensorboard" for one in app.view.containers.values()), "the fleet")
        await play.docker.kill(play.row("tensorboard").key.id)
        await play.until(lambda: any("exit code 137" in text for text in texts(view)), "the event")
        assert "demo-docker" in view.look.names


async def test_events_are_shown_and_filtered_and_what_fails_by_itself_is_told(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        key = play.row("tensorboard").key
        await play.press("E")
        view = play.app.screen.query_one(LogView)
        await play.docker.kill(key.id)
        await play.until(lambda: "tensorboard on demo-docker failed with exit code 137" in play.toasts(), "the notice")
        await play.until(lambda: any("exit code 137" in text for text in texts(view)), "the event")
        everything = view.shown_count
        await play.press("slash", *"die", "enter")
        await play.until(lambda: 0 < view.shown_count < everything, "the filter")
        await play.press("escape", "escape")
        await play.docker.start(key.id)
        await play.until(lambda: play.state("tensorboard") is ContainerState.RUNNING)
        await play.select("tensorboard")
        await play.until(lambda: play.row("tensorboard").state is ContainerState.RUNNING)
        said = play.toasts().count("tensorboard on demo-docker")
        await play.press("s")
        await play.until(lambda: play.row("tensorboard").state is ContainerState.EXITED)
        assert play.toasts().count("tensorboard on demo-docker") == said  # the person did it
