"""The way to every screen and box of the program, by keys. Holds no test: a new screen must have its way here."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.screen import Screen
from textual.widgets import Input

import tui
import widgets
from backends.model.errors import Conflict
from tests.pilot.stage import Stage
from tui.plain_screen import TooSmall
from tui.screens import (
    advice,
    audit,
    build,
    compare,
    container,
    doctor,
    events,
    export,
    files,
    gpus,
    help,
    image,
    images,
    links,
    list_screen,
    logs,
    migrate,
    path_question,
    program,
    run,
    schedules,
    search,
    security,
    stores,
    sweep,
    sweep_form,
    transfers,
    trial,
    volumes,
)
from tui.screens.base import SubScreen, TranshipScreen
from tui.screens.filtered_log import FilteredLogScreen
from tui.screens.fleet import FleetScreen
from tui.screens.form_screen import FormScreen
from widgets import (
    build_dialog,
    column_picker,
    dialogs,
    flow_dialog,
    gpu_picker,
    part_picker,
    preset_picker,
    registry_dialogs,
)
from widgets.form import FormField

Kind = type[Screen[Any]]
Step = str | Callable[[Stage], Awaitable[None]]
"""A key, or something done."""

BASES: set[Kind] = {
    TranshipScreen,
    SubScreen,
    FormScreen,
    FilteredLogScreen,
    list_screen.ListScreen,
    stores.StoresScreen,
    dialogs.Dialog,
    registry_dialogs._Fields,
}
"""What screens and boxes are made of, and nobody sees."""


@dataclass(frozen=True)
class Walk:
    """row: the container that is selected first. steps: from there to the screen. more: keys that show its other parts.

    mute: nothing on it comes from outside.
    """

    steps: tuple[Step, ...]
    more: tuple[Step, ...] = ()
    row: str = "tensorboard"
    mute: bool = False


async def _failed(play: Stage) -> None:
    error = Conflict("stands in the way", detail="for a reason", hint="do something", engine=play.docker.id)
    play.docker.faults.fail("stop", error, times=1)
    await play.press("s")
    await play.until(lambda: "stands in" in play.toasts() or "tands in" in play.toasts(), "the failure")


def _typed(text: str) -> Callable[[Stage], Awaitable[None]]:
    """Into the field that has the focus, all at once."""

    async def type_it(play: Stage) -> None:
        field = play.app.screen.focused
        assert isinstance(field, Input), f"{field} has the focus on {play.on_top()}"
        field.value = text
        await play.pilot.pause()

    return type_it


def _comes(kind: Kind) -> Callable[[Stage], Awaitable[None]]:
    async def wait(play: Stage) -> None:
        await play.until(lambda: isinstance(play.app.screen, kind), kind.__name__)

    return wait


async def _built(play: Stage) -> None:
    folder = play.app.state_dir / "context"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Containerfile").write_text("FROM redis:7\nRUN echo [b]EVIL \x1b[31m \u202e x\n")
    play.app.screen.query_one("#build-folder", Input).value = str(folder)
    play.app.screen.query_one("#build-name", Input).value = "mine:1"
    await play.press("enter")


async def _swept(play: Stage) -> None:
    """The form of a sweep, filled in."""
    texts = {"image": "docker.io/library/postgres:16", "grid": "lr=[b]EVIL\u202e,0.1", "command": "train {lr}"}
    for name, text in texts.items():
        play.app.screen.query_one(f"#field-{name}", FormField).query_one(Input).value = text
    await play.pilot.pause()


async def _small(play: Stage) -> None:
    await play.pilot.resize_terminal(30, 10)


def _file(play: Stage) -> Path:
    return play.app.state_dir / "image.tar"


async def _loading(play: Stage) -> None:
    _file(play).write_bytes(b"no archive")
    play.docker.faults.hang("import_image")
    await _typed(str(_file(play)))(play)
    await play.press("enter")
    await play.until(lambda: isinstance(play.app.screen, dialogs.ChoiceDialog), "into which engine")
    await play.press("enter")


_IMAGES = ("a",)
WALKS: Mapping[Kind, Walk] = {
    FleetScreen: Walk((), ("tab", "tab", "tab", "g", "o", "right", "i", "slash", "e", "enter")),
    container.ContainerScreen: Walk(("enter",), ("2", "3", "4", "5", "6", "7", "8", "9"), row="rag-embedder"),
    logs.LogScreen: Walk(("l",), ("t", "w", "p", "space"), row="mlops-minio-1"),
    links.LinkScreen: Walk(("b",), ("x", "y", "t", "v"), row="jupyter-lab"),
    advice.AdviceScreen: Walk(("U",), ("a", "y")),
    security.SecurityScreen: Walk(("H",), ("a", "i", "y")),
    export.ExportScreen: Walk(("X",), ("tab", "tab", "tab", "P"), row="mlops-minio-1"),
    sweep_form.SweepForm: Walk(("B", _swept)),
    sweep.SweepScreen: Walk(("B", _swept, "ctrl+s"), ("tab",)),
    trial.TrialScreen: Walk(("T",), ("t", "s", "plus")),
    migrate.MigrateScreen: Walk(("m",), ("t", "f", "p", "d", "i", "P")),
    files.FilesScreen: Walk(("f",), ("down", "enter", "h", "slash", "e", "enter")),
    program.ProgramScreen: Walk(("x", _typed("echo hello"), "enter"), ("space", "r"), row="mlops-minio-1"),
    image.ImageScreen: Walk(("w",), ("tab", "enter", "a", "c", "w", "o")),
    images.ImagesScreen: Walk(_IMAGES, ("down", "tab", "o", "slash", "e", "enter")),
    compare.CompareScreen: Walk((*_IMAGES, "space", "down", "equals_sign"), ("tab", "c", "o", "r")),
    build.BuildScreen: Walk((*_IMAGES, "b", _comes(build_dialog.BuildDialog), _built), ("tab",)),
    search.SearchScreen: Walk((*_IMAGES, "S", _typed("python"), "enter"), ("down", "v")),
    transfers.TransfersScreen: Walk((*_IMAGES, "p", _typed("alpine"), "enter"), ("tab", "c")),
    volumes.VolumesScreen: Walk(("V",), ("down", "tab", "o")),
    volumes.NetworksScreen: Walk(("W",), ("down", "tab", "o")),
    gpus.GpuScreen: Walk(("z",), ("h", "a", "tab", "tab", "I")),
    events.EventScreen: Walk(("r", "E"), ("space",)),
    doctor.DoctorScreen: Walk(("D",), ("a",)),
    schedules.SchedulesScreen: Walk(("J", "b"), ("down",), mute=True),
    audit.AuditScreen: Walk(("J",), ("tab", "d")),
    schedules.SchedulesScreen: Walk(("J", "b"), ("r",), mute=True),
    run.RunScreen: Walk(("N",), ("ctrl+y", "tab", "tab"), row="train-llama3-8b"),
    help.HelpScreen: Walk(("question_mark",), mute=True),
    TooSmall: Walk((_small,), mute=True),
    dialogs.ConfirmDialog: Walk(("d",)),
    dialogs.InputDialog: Walk(("R",)),
    dialogs.ErrorDialog: Walk((_failed, "e")),
    dialogs.ChoiceDialog: Walk(("Y",)),
    path_question.PathDialog: Walk(("f", "down", "c"), mute=True),
    column_picker.ColumnPicker: Walk(("F",), ("space", "down"), mute=True),
    gpu_picker.GpuPicker: Walk(("N", "ctrl+g"), ("down", "space"), row="train-llama3-8b"),
    part_picker.PartPicker: Walk(("m", "o"), ("down", "space"), row="mlops-minio-1"),
    preset_picker.PresetPicker: Walk(("n", "ctrl+o"), ("down",), mute=True),
    build_dialog.BuildDialog: Walk((*_IMAGES, "b"), mute=True),
    registry_dialogs.PullDialog: Walk((*_IMAGES, "p", _typed("alpine")), ("tab",), mute=True),
    registry_dialogs.LoginDialog: Walk((*_IMAGES, "l"), ("tab",), mute=True),
    flow_dialog.FlowDialog: Walk((*_IMAGES, "R", _comes(dialogs.InputDialog), _loading), mute=True),
}


def all_screens() -> set[Kind]:
    """Every screen and box that the program has, from its code."""
    for package in (tui, widgets):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found: set[Kind] = set()
    fresh: list[Kind] = [Screen]
    while fresh:
        for one in fresh.pop().__subclasses__():
            fresh.append(one)
            if one.__module__.split(".")[0] in {"tui", "widgets"}:
                found.add(one)
    return found - BASES
