"""Pulls, pushes, search and logins by keys on the demo fleet; what happened is asked of its engines."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from backends.model.errors import RateLimited
from backends.model.events import Phase
from tests.pilot.stage import Stage, stage
from tests.pilot.test_images_screen import has, opened, said
from tui.screens.transfers import TransfersScreen
from widgets.dialogs import ChoiceDialog, ConfirmDialog
from widgets.line import plain
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable
from widgets.registry_dialogs import LoginDialog, PullDialog, Tick

ALPINE = "docker.io/library/alpine:latest"


def rows(play: Stage, table: str = "#transfers") -> list[str]:
    return [" ".join(plain(cell) for cell in row.cells) for row in play.app.screen.query_one(table, LiveTable).rows]


def detail(play: Stage) -> str:
    return "\n".join(plain(one) for one in play.app.screen.query_one("#transfer-layers", LinesPane).lines)


def phases(play: Stage) -> list[Phase]:
    return [state.phase for state in play.app.commands.transfers.states.values()]


async def ask_to_pull(play: Stage, name: str) -> None:
    """The dialog of a pull, with a name typed."""
    await play.press("p")
    assert isinstance(play.app.screen, PullDialog)
    await play.press(*name)


async def test_a_pull_to_two_engines_is_seen_and_brings_the_image(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await opened(play)
        await ask_to_pull(play, "alpine")
        assert ALPINE in said(play, "#meaning")
        ticks = list(play.app.screen.query(Tick))
        assert [tick.value for tick in ticks] == [True, False, False]
        await play.press("tab", "tab", "space", "enter")
        await play.until(lambda: isinstance(play.app.screen, TransfersScreen), "the transfers")
        await play.until(lambda: phases(play) == [Phase.DONE, Phase.DONE], "both pulls")
        await play.until(lambda: all("done" in row for row in rows(play)), "the rows")
        assert has(play.docker, ALPINE)
        assert has(play.podman, ALPINE)
        assert ALPINE in detail(play)
        await play.press("c")
        assert rows(play) == []


async def test_what_is_wrong_is_said_in_the_dialog(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play)
        await ask_to_pull(play, "Not A Name")
        await play.press("enter")
        assert "no valid image name" in said(play, ".dialog-wrong")
        play.app.screen.query_one("#reference", Input).value = "alpine"
        await play.press("tab", "space", "enter")
        assert "Choose an engine" in said(play, ".dialog-wrong")
        await play.press("escape")
        assert play.app.commands.transfers.states == {}


async def test_a_pull_is_cancelled_and_tried_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play)
        play.docker.faults.hang("transfer")
        await ask_to_pull(play, "alpine")
        await play.press("enter")
        await play.until(lambda: phases(play) == [Phase.PROGRESS], "the pull")
        await play.press("q", "q", "q")
        await play.until(lambda: isinstance(play.app.screen, ConfirmDialog), "the question before the end")
        assert "pulled or pushed" in said(play, ".dialog-title")
        await play.press("n", "a")
        await play.until(lambda: play.on_top() == "ImagesScreen", "the images")
        await play.press("v", "x")
        await play.until(lambda: phases(play) == [Phase.CANCELLED], "the end of it")
        assert not has(play.docker, ALPINE)
        play.docker.faults.clear()
        await play.press("x")
        assert "ended already" in play.toasts()
        await play.press("r")
        await play.until(lambda: phases(play) == [Phase.DONE], "the second try")
        assert has(play.docker, ALPINE)


async def test_a_failure_stands_with_its_remedy(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play)
        limited = RateLimited("docker.io limits how often it is asked", hint="Wait a while.", engine=play.docker.id)
        play.docker.faults.fail("pull", limited)
        await ask_to_pull(play, "alpine")
        await play.press("enter")
        await play.until(lambda: phases(play) == [Phase.FAILED], "the failure")
        await play.until(lambda: "Wait a while." in detail(play), "the remedy")
        assert "failed" in rows(play)[0]
        assert play.toasts().count("limits how often") == 1


async def test_a_push_asks_first(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play, "redis demo-docker")
        await play.press("u")
        assert isinstance(play.app.screen, ConfirmDialog)
        assert "Push redis:7?" in said(play, ".dialog-title")
        await play.press("n")
        assert play.docker.world.host.registry.pushed == {}
        await play.press("u", "y")
        await play.until(lambda: phases(play) == [Phase.DONE], "the push")
        assert set(play.docker.world.host.registry.pushed) == {"docker.io/library/redis:7"}


async def test_a_search_leads_to_a_platform_and_to_a_pull(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await opened(play)
        await play.press("S")
        assert play.on_top() == "SearchScreen"
        await play.press(*"python", "enter")
        await play.until(lambda: len(rows(play, "#found")) == 2, "the results")
        assert "9,800" in rows(play, "#found")[0]
        play.docker.world.host.registry.catalogue["docker.io/library/python:latest"] = (
            play.docker.world.host.registry.catalogue["docker.io/library/python:3.12-slim"]
        )
        await play.press("v")
        await play.until(lambda: isinstance(play.app.screen, ChoiceDialog), "the platforms")
        await play.press("down", "enter")
        assert isinstance(play.app.screen, PullDialog)
        assert play.app.screen.query_one("#platform", Input).value == "linux/arm64"
        await play.press("enter")
        await play.until(lambda: phases(play) == [Phase.DONE], "the pull")
        facts = await play.docker.image_facts("docker.io/library/python:latest")
        assert facts.architecture == "arm64"


async def log_in(play: Stage, secret: str) -> None:
    """Fill the fields in."""
    for id, value in (("registry", "registry.example.com"), ("username", "demo"), ("secret", secret)):
        play.app.screen.query_one(f"#{id}", Input).value = value
    await play.press("enter")


async def test_a_login_and_the_way_out_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await opened(play)
        await play.press("l")
        await play.until(lambda: isinstance(play.app.screen, LoginDialog), "the login")
        await log_in(play, "wrong")
        await play.until(lambda: "refuses this user name" in play.toasts(), "the refusal")
        assert "wrong" not in play.toasts()
        await play.press("l")
        await play.until(lambda: isinstance(play.app.screen, LoginDialog), "the login")
        await log_in(play, "demo")
        await play.until(lambda: play.docker.logged_in, "the account")
        await play.press("l")
        await play.until(lambda: isinstance(play.app.screen, ChoiceDialog), "the logins")
        await play.press("down", "enter")
        await play.until(lambda: isinstance(play.app.screen, ConfirmDialog), "the question")
        await play.press("y")
        await play.until(lambda: not play.docker.logged_in, "the logout")


@pytest.mark.parametrize("key", ["p", "u", "l"])
async def test_nothing_of_it_in_read_only_mode(tmp_path: Path, key: str) -> None:
    async with stage(tmp_path, readonly=True) as play:
        await opened(play)
        await play.press(key)
        assert play.on_top() == "ImagesScreen"
        assert "Read-only" in play.toasts()
