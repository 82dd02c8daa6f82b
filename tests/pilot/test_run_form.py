"""The form of a new container: keys in, a container on the engine out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from backends.engines.demo_container import DemoContainer
from backends.model.container import ContainerState
from backends.model.errors import Conflict
from backends.model.ids import ContainerKey
from backends.model.workload import WorkloadSpec
from tests.pilot.stage import Stage, stage
from tui.screens.frame import KeyBar
from tui.screens.run import RunScreen
from widgets.form import FormField, FormRow

IMAGE = "pytorch/pytorch:2.5.1-cuda12.4"


def form(play: Stage) -> RunScreen:
    """The form on top."""
    assert isinstance(play.app.screen, RunScreen)
    return play.app.screen


async def open_form(play: Stage, *keys: str) -> RunScreen:
    """Open the form by these keys, and wait until its draft was judged."""
    await play.press(*keys)
    await play.until(lambda: isinstance(play.app.screen, RunScreen) and play.app.screen.judged is not None, "the form")
    await settled(play)
    return form(play)


async def settled(play: Stage) -> None:
    """Wait until what is typed is what was judged, with what the engine says."""

    def judged() -> bool:
        found = form(play).judged
        busy = any(one.group == "draft" and not one.is_finished for one in play.app.workers)
        return found is not None and found.draft == form(play).draft and not busy

    await play.until(judged, "the draft judged")


async def type_into(play: Stage, field: str, text: str) -> None:
    """Type into a field, in place of what is there."""
    form(play).query_one(f"#field-{field}", FormField).focus_text()
    await play.press("end", "ctrl+u")
    await play.type(text)
    await settled(play)


def said(play: Stage, field: str) -> str:
    """What stands beside a field."""
    notes = form(play).query_one(f"#field-{field}", FormField).query(".form-note")
    return "\n".join(str(one.render()) for one in notes if one.display)


def completes(box: Input, whole: str) -> bool:
    """Whether the rest of it is offered."""
    return box._suggestion == whole


def made(play: Stage, name: str) -> DemoContainer:
    """A container as its own engine has it."""
    worlds = (play.docker.world, play.podman.world)
    return next(one for world in worlds for one in world.containers.values() if one.spec.name == name)


async def test_what_is_typed_is_run(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await open_form(play, "n", "enter")
        await type_into(play, "image", IMAGE)
        await type_into(play, "name", "mine")
        await type_into(play, "command", "sleep 60")
        await type_into(play, "mounts", "data:/data")
        rows = form(play).query_one("#field-mounts", FormField).query(FormRow)
        assert len(rows) == 2, "a further line is there"
        line = str(form(play).query_one("#run-command").render())
        assert "run --detach --name mine --volume data:/data" in line
        await play.press("ctrl+s")
        await play.until(lambda: play.on_top() == "FleetScreen", "back in the fleet")
        assert play.state("mine") is ContainerState.RUNNING
        assert made(play, "mine").argv == ("sleep", "60")
        await play.until(lambda: play.selected() == "mine", "the cursor on its row")


async def test_an_image_is_enough_and_its_name_is_typed_over(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await open_form(play, "n", "enter")
        await play.type(IMAGE)
        await play.press("tab")
        assert form(play).draft.one("name") == "pytorch"
        await play.type("mine")
        assert form(play).draft.one("name") == "mine"
        await play.press("ctrl+u", "shift+tab", "ctrl+s")
        await play.until(lambda: play.selected() == "pytorch", "back in the fleet, the cursor on its row")
        assert made(play, "pytorch").spec.image.endswith(IMAGE)


async def test_the_cursor_goes_to_an_awaited_row_unless_a_person_moves_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.press("home")
        play.table.await_row(play.row("tensorboard").key)
        assert play.selected() == "tensorboard", "at once where its row is there"
        play.table.await_row(replace(play.row("tensorboard").key, id="not yet"))
        await play.press("up")
        above = play.selected()
        id = await play.docker.create_container(WorkloadSpec(name="later", image=IMAGE))
        play.table.await_row(ContainerKey(play.docker.id, id))
        await play.until(lambda: play.selected() == "later", "its row, and the cursor on it")
        play.table.await_row(replace(play.row("tensorboard").key, id="not yet"))
        await play.select(above)
        await play.until(lambda: play.table._awaited is None, "nothing is awaited")
        assert play.selected() == above


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_made(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await open_form(play, "n", "enter")
        await type_into(play, "image", IMAGE)
        await type_into(play, "name", "mine")
        await type_into(play, "memory", "lots")
        assert "no size" in said(play, "memory")
        form(play).query_one("#field-image", FormField).focus_text()
        await play.press("ctrl+s")
        assert play.app.focused is not None
        assert play.app.focused.ancestors_with_self.count(form(play).query_one("#field-memory")) == 1
        await type_into(play, "memory", "1g")
        assert said(play, "memory") == ""
        assert not play.exists("mine")


async def test_a_preset_fills_it_and_says_why(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("jupyter-lab")
        await open_form(play, "n", "down", "down", "down", "enter")
        draft = form(play).draft
        assert draft.one("shm_size") == "2g"
        assert draft.all("ports") == ("127.0.0.1:8889:8888",), "8888 is taken: the next free one"
        assert "data loaders" in said(play, "shm-size")
        assert "has no image" in said(play, "image")
        assert "→ tranship pull quay.io/jupyter/" in said(play, "image")
        assert said(play, "mounts").count("\n") == 1
        await play.press("escape")
        assert play.on_top() == "FleetScreen", "nothing was typed, nothing is asked"


async def test_one_like_another(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("jupyter-lab")
        await open_form(play, "N")
        assert form(play).draft.one("name") == "jupyter-lab-2"
        await play.press("ctrl+s")
        await play.until(lambda: play.on_top() == "FleetScreen", "back in the fleet")
        old, new = made(play, "jupyter-lab").spec, made(play, "jupyter-lab-2").spec
        assert new.env == old.env
        assert new.gpu == old.gpu
        assert new.mounts == old.mounts
        assert [port.host_port for port in new.ports] != [port.host_port for port in old.ports]


async def test_a_change_keeps_the_one_before(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("tensorboard")
        id = made(play, "tensorboard").id
        await open_form(play, "C")
        assert "Ctrl+S make again" in str(play.app.screen.query_one(KeyBar).render())
        await type_into(play, "memory", "2g")
        await play.press("ctrl+s")
        assert play.on_top() == "ConfirmDialog"
        await play.press("y")
        await play.until(lambda: play.on_top() == "FleetScreen", "back in the fleet")
        assert made(play, "tensorboard").spec.memory_bytes == 2 << 30
        assert play.state("tensorboard") is ContainerState.RUNNING
        kept = made(play, "tensorboard-before")
        assert (kept.id, kept.state) == (id, ContainerState.EXITED)


async def test_a_change_that_fails_is_put_back(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("tensorboard")
        before = made(play, "tensorboard")
        await open_form(play, "C")
        await type_into(play, "memory", "2g")
        play.docker.faults.fail("create_container", Conflict("the engine says no", engine=play.docker.id))
        await play.press("ctrl+s", "y")
        await play.until(lambda: "the engine says no" in play.toasts(), "the reason")
        await play.until(lambda: play.state("tensorboard") is ContainerState.RUNNING, "the one before")
        assert made(play, "tensorboard") is before
        assert not play.exists("tensorboard-before")
        assert play.on_top() == "RunScreen", "what was typed is still there"


async def test_a_burst_of_keys_goes_where_each_belongs(tmp_path: Path) -> None:
    """Over a slow link a Tab and the text behind it arrive at once."""
    async with stage(tmp_path) as play:
        await open_form(play, "n", "enter")
        for key in (*"alpha", "tab", *"beta", "tab", *"gamma"):
            play.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await play.until(lambda: form(play).draft.one("command") == "gamma", "the command")
        assert form(play).draft.one("image") == "alpha"
        assert form(play).draft.one("name") == "beta"


async def test_leaving_asks_where_something_was_typed(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await open_form(play, "n", "enter")
        await type_into(play, "name", "mine")
        await play.press("escape")
        assert play.on_top() == "ConfirmDialog"
        await play.press("n")
        assert form(play).draft.one("name") == "mine"
        await play.press("escape", "y")
        await play.until(lambda: play.on_top() == "FleetScreen")


async def test_gpus_are_chosen_and_the_line_is_copied(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await open_form(play, "n", "enter")
        await type_into(play, "image", IMAGE)
        await play.press("ctrl+g")
        assert play.on_top() == "GpuPicker"
        await play.press("home", "enter")
        await play.until(lambda: play.on_top() == "RunScreen")
        assert form(play).draft.one("gpus") == "all"
        await settled(play)
        await play.press("ctrl+y")
        assert "nvidia.com/gpu=" in play.app.clipboard


async def test_names_and_paths_are_completed(tmp_path: Path) -> None:
    (tmp_path / "data-set").mkdir()
    async with stage(tmp_path) as play:
        await open_form(play, "n", "enter")
        for field, begun, whole in (
            ("image", "pytorch/py", IMAGE),
            ("restart", "unl", "unless-stopped"),
            ("mounts", f"{tmp_path}/da", f"{tmp_path}/data-set/"),
        ):
            await type_into(play, field, begun)
            box = form(play).query_one(f"#field-{field} Input", Input)
            await play.until(partial(completes, box, whole), f"{field} completed")
            await play.press("right")
            assert form(play).draft.one(field) == whole


@pytest.mark.parametrize("key", ["n", "N", "C"])
async def test_readonly_refuses(tmp_path: Path, key: str) -> None:
    async with stage(tmp_path, readonly=True) as play:
        await play.press(key)
        assert "Read-only" in play.toasts()
        assert play.on_top() == "FleetScreen"


async def test_the_form_can_be_left_after_a_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("backends.services.launch.launch", broken)
    async with stage(tmp_path) as play:
        await open_form(play, "n", "enter")
        await type_into(play, "image", IMAGE)
        await type_into(play, "name", "mine")
        await play.press("ctrl+s")
        await play.until(lambda: "ZeroDivisionError" in play.toasts(), "the bug")
        await play.press("escape")
        assert "being created" not in play.toasts()
        assert play.on_top() == "ConfirmDialog"
