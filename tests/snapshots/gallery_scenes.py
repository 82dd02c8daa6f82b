"""The scenes of the gallery: how each screen is reached on the demo fleet, and what it shows when it is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from textual.widgets import Input

from backends.engines.demo import DemoEngine

if TYPE_CHECKING:
    from tests.snapshots.gallery import Easel

Size: TypeAlias = tuple[int, int]
SMALL, MEDIUM, WIDE = (80, 24), (120, 36), (200, 50)
Play: TypeAlias = "Callable[[Easel], Awaitable[None]]"


@dataclass(frozen=True)
class Scene:
    """A screen in a state worth looking at. best: the size that shows it best. history: readings of some seconds.

    look: for docs only, of a screen that has a scene already; "" takes it in every look.
    """

    name: str
    play: Play
    best: Size = MEDIUM
    history: bool = False
    look: str = ""


def keys(*steps: str | tuple[str, ...]) -> Play:
    """Keys to press (a tuple), and what is waited for (a regular expression), in turn."""

    async def play(easel: Easel) -> None:
        for step in steps:
            if isinstance(step, str):
                await easel.wait(step)
            else:
                await easel.press(*step)

    return play


def keys_after(first: Play, *steps: str | tuple[str, ...]) -> Play:
    """The same, behind another play."""

    async def play(easel: Easel) -> None:
        await first(easel)
        await keys(*steps)(easel)

    return play


def on(name: str, *then: str | tuple[str, ...]) -> Play:
    """The same, with the cursor on that container."""
    return keys(("slash", *name, "enter"), r"filter|/", *then)


async def _build(easel: Easel, text: str) -> None:
    from widgets.build_dialog import BuildDialog

    context = easel.folder / "context"
    context.mkdir()
    (context / "Containerfile").write_text(text)
    await easel.press("a")
    await easel.wait(r"Images  \d")
    await easel.press("b")
    await easel.wait(lambda app: isinstance(app.screen, BuildDialog))
    await easel.press()
    dialog = easel.app.screen
    dialog.query_one("#build-folder", Input).value = str(context)
    dialog.query_one("#build-name", Input).value = "train:2"


_STEPS = "FROM redis:7\nRUN echo resolving\nRUN echo installing && echo done\nCOPY . /app\n"


async def _building(easel: Easel) -> None:
    fleet = easel.app.bridge.fleet
    assert fleet is not None
    engine = fleet.engines[0]
    assert isinstance(engine, DemoEngine)
    await _build(easel, _STEPS)
    await easel.press("enter")
    await easel.wait(r"✓ .*FROM")
    engine.faults.hang("build_step")
    await easel.wait(r"RUN echo")


async def _build_failed(easel: Easel) -> None:
    await _build(easel, _STEPS.replace("echo done", "exit 3"))
    await easel.press("enter")
    await easel.wait(r"ended with code 3")


async def _failed(easel: Easel) -> None:
    from backends.model.errors import Conflict

    fleet = easel.app.bridge.fleet
    assert fleet is not None
    engine = fleet.engines[0]
    assert isinstance(engine, DemoEngine)
    error = Conflict(
        "port 8888 is taken", detail="bind: address already in use", hint="choose another", engine=engine.id
    )
    engine.faults.fail("stop", error, times=1)
    await on("jupyter", ("s",))(easel)
    await easel.wait(lambda app: any("is taken" in one.message for one in app._notifications))
    await easel.press()


async def _swept(easel: Easel) -> None:
    from widgets.form import FormField

    await keys(("B",), "[Ss]weep")(easel)
    texts = {"image": "docker.io/library/postgres:16", "grid": "lr=0.1,0.01", "command": "train {lr}"}
    texts["out"] = str(easel.folder / "sweep.jsonl")
    for name, text in texts.items():
        easel.app.screen.query_one(f"#field-{name}", FormField).query_one(Input).value = text
    await easel.press("ctrl+s")
    await easel.wait(r"RUN|STATE|lr=0.01")


async def _trial(easel: Easel) -> None:
    await on("mlops-postgres", ("T",), "Trial")(easel)
    await easel.press("minus", "minus", "minus", "s", "enter")
    await easel.wait("against demo")


MOVED = (("m",), "Nothing stands", ("enter",), "Migrate rag-redis to", ("y",), "waits for your word")
SCENES: tuple[Scene, ...] = (
    Scene("fleet", keys(("down",)), WIDE, history=True),
    Scene("fleet-narrow", keys(("down",)), SMALL, history=True, look="dark"),
    Scene("fleet-light", keys(("down",)), MEDIUM, history=True, look="light"),
    Scene("fleet-grouped", keys(("g", "g"), "mlops")),
    Scene("fleet-marked", keys(("space", "down", "down", "space", "d"), "Remove")),
    Scene("fleet-filter-none", keys(("slash", *"nothing-like-it", "enter"), "nothing-like-it")),
    Scene("columns", keys(("F",), "Columns")),
    Scene("palette", keys(("colon",), "Search")),
    Scene("help", keys(("question_mark",), "Moving")),
    Scene("gpus", keys(("z",), "GPU use"), WIDE, history=True),
    Scene("gpu-idle", keys(("I",), "idle")),
    Scene("images", keys(("a",), r"MADE BY"), WIDE),
    Scene("image", on("rag-redis", ("w",), r"Files of layer", "opt/|usr/"), WIDE),
    Scene("image-waste", on("rag-redis", ("w",), r"Files of layer", ("w",), "efficiency")),
    Scene("compare", keys(("a", "slash", *"quay.io/test", "enter"), "held:1", ("home", "space", "down", "equals_sign"),
                          "CONFIGURATION"), WIDE),
    Scene("build", _building),
    Scene("build-failed", _build_failed),
    Scene("pull", keys(("a",), r"Images  \d", ("p", *"python"), "Pull")),
    Scene("transfers", keys(("a",), r"Images  \d", ("p", *"python:3.12-slim", "enter"), r"\d%|done")),
    Scene("search", keys(("a",), r"Images  \d", ("S", *"python", "enter"), "STARS", r"\d+ for ")),
    Scene("platforms", keys(("a",), r"Images  \d", ("S", *"alpine", "enter"), r"\d+ for ", ("v",), "linux/")),
    Scene("logins", keys(("a",), r"Images  \d", ("l",), "[Ll]og in|Login|registry")),
    Scene("volumes", keys(("V",), r"Volumes  \d", "KiB")),
    Scene("networks", keys(("W",), r"Networks  \d")),
    Scene("files", on("train", ("f",), "etc/")),
    Scene("volume-files", keys(("V",), r"Volumes  \d", ("slash", *"notebooks", "enter", "enter"), "evals")),
    Scene("copy-out", on("train", ("f",), "etc/", ("down", "c"), "Copy .* out to")),
    Scene("doctor", keys(("D",), "Doctor", "engine demo-docker|demo-docker")),
    Scene("security", keys(("H",), "Security of", ("a",), "Security of (all|\\d)"), WIDE),
    Scene("advice", on("train", ("U",), "Advice")),
    Scene("audit", keys(("J",), "Audit", "ann"), WIDE),
    Scene("export-command", on("jupyter", ("X",), "docker run")),
    Scene("export-quadlet", on("jupyter", ("X", "2"), r"\[Container\]")),
    Scene("export-compose", on("mlops-mlflow", ("X", "3"), "services:", ("P",), "services:")),
    Scene("export-kubernetes", on("mlops-mlflow", ("X", "4"), "apiVersion"), WIDE),
    Scene("trial-choose", on("mlops-postgres", ("T",), "Trial")),
    Scene("trial", _trial),
    Scene("events", keys(("home", "down", "down", "r"), ("E",), "Events", "restart")),
    Scene("events-none", keys(("E",), "Events", ("slash", *"nothing-like-it", "enter"))),
    Scene("logs", on("vllm", ("l",), "Log of.*following", r"vllm|INFO|info")),
    Scene("logs-merged", on("mlops-mlflow", ("l",), "Log of", ("p",), "mlops-postgres-1")),
    Scene("logs-filter-none", on("vllm", ("l",), "Log of", "lines read", ("f", *"nowhere", "enter"), "Not one of")),
    Scene("container-facts", on("train", ("enter",), "1 Facts")),
    *(
        Scene(f"container-{name}", on("train", ("enter",), "1 Facts", (key,), shows), history=name == "plots")
        for key, name, shows in (
            ("2", "plots", "CPU"),
            ("3", "processes", "PID"),
            ("5", "mounts", "/"),
            ("6", "networks", "bridge"),
            ("9", "events", "event"),
            ("0", "inspect", "Config"),
        )
    ),
    Scene("container-environment", on("mlops-postgres", ("enter",), "1 Facts", ("4",), "PASSWORD|POSTGRES")),
    Scene("container-health", on("rag-embedder", ("enter",), "1 Facts", ("7",), "health|Health")),
    Scene("container-changed", on("rag-embedder", ("enter",), "1 Facts", ("8",), "changed|added")),
    Scene("links", on("jupyter", ("b",), "Links of", "Jupyter +http")),
    Scene("presets", keys(("n",), "What kind of container", ("down",) * 5, "pytorch/pytorch")),
    Scene("run", keys(("n",), "What kind of container", (*["down"] * 3, "enter"), "--name jupyter"), WIDE),
    Scene("run-wrong", keys(("n",), "What kind", ("enter", *"web", "tab", "x", "ctrl+s"), "docker run|image")),
    Scene("migrate-plan", on("rag-redis", ("m",), "Nothing stands in the way|findings|STEPS|Steps"), WIDE),
    Scene("migrate-plan-light", on("rag-redis", ("m",), "Nothing stands in the way", ("end",)), MEDIUM, look="light"),
    Scene("migrate-parts", on("rag-redis", ("m",), "Nothing stands", ("o",), "VOLUMES")),
    Scene("migrate-done", on("rag-redis", *MOVED)),
    Scene("moves", on("rag-redis", *MOVED, ("escape", "escape"), "Tranship", ("M",), "rag-redis")),
    Scene("sweeps", keys(("B",), "[Ss]weep")),
    Scene("copy-words", keys(("Y",), "[Cc]opy")),
    Scene("exec", on("train", ("x",), "[Rr]un")),
    Scene("program", on("train", ("x",), "Run in", (*"ls /", "enter"), "ended|code|etc")),
    Scene("rename", on("jupyter", ("R",), "ename")),
    Scene("failed-in-full", keys_after(_failed, ("e",), "already in use")),
    Scene("sweep", _swept),
    Scene("gpu-picker", on("train", ("N",), "Run one like", ("ctrl+g",), "A100")),
    Scene("build-question", keys(("a",), r"Images  \d", ("b",), "Build")),
    Scene("push", keys(("a",), r"Images  \d", ("u",), "[Pp]ush")),
    Scene("load", keys(("a",), r"Images  \d", ("R",), "[Ll]oad")),
    Scene("prune", keys(("a",), r"Images  \d", ("P",), "[Rr]emove")),
    Scene("network-new", keys(("W",), r"Networks  \d", ("c",), "[Nn]ame")),
    Scene("schedules", keys(("J",), "Audit", ("b",), "[Ss]chedule")),
)  # fmt: skip
