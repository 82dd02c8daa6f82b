"""The export screen: each format by its number, copied, written, installed, alone or with its project."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pilot.stage import Stage, stage
from tui.screens.frame import TitleBar
from widgets.line import plain
from widgets.lines_pane import LinesPane

TRAINER = "train-llama3-8b"


def _text(play: Stage, pane: str = "#export") -> str:
    return "\n".join(map(plain, play.app.screen.query_one(pane, LinesPane).lines))


async def test_formats_by_number_and_what_they_lose(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.select(TRAINER)
        await play.press("X")
        await play.until(lambda: "docker run --detach" in _text(play), "the line")
        for key, word in (("2", "AddDevice=nvidia.com/gpu=0"), ("3", "services:"), ("4", "kind: Deployment")):
            await play.press(key)
            await play.until(lambda word=word: word in _text(play), word)  # type: ignore[misc]
        await play.press("tab")
        await play.until(lambda: "docker run --detach" in _text(play), "the first again")
        await play.press("y")
        assert f"\n# {TRAINER}\ndocker run --detach \\\n" in play.app.clipboard
        await play.press("P")
        await play.until(lambda: "no Compose project" in play.toasts(), "it has none")


async def test_a_project_is_written_and_over_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("mlops-mlflow-1")
        await play.press("X", "2", "P")
        await play.until(lambda: "mlops-postgres-1.container" in _text(play), "all three")
        assert "3 containers" in plain_title(play)
        for _ in range(2):
            await play.press("w")
            await play.pilot.press("ctrl+u")
            await play.type(str(tmp_path / "units"))
            await play.press("enter")
            await play.until(lambda: (tmp_path / "units/mlops-postgres-1.container").exists(), "written")
        await play.until(lambda: "exists already" in play.toasts(), "the second time")


async def test_units_are_installed_after_a_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    unit = tmp_path / "config/containers/systemd" / f"{TRAINER}.container"
    async with stage(tmp_path) as play:
        await play.select(TRAINER)
        await play.press("X", "I")
        await play.until(lambda: "Only Quadlet units are installed" in play.toasts(), "not the line")
        await play.press("2")
        await play.until(lambda: "[Container]" in _text(play), "units")
        await play.press("I", "n")
        assert not unit.exists()
        await play.press("I", "y")
        await play.until(unit.exists, "installed")


def plain_title(play: Stage) -> str:
    return str(play.app.screen.query_one(TitleBar).query_one(".about").render())


async def test_manifests_are_compared_with_schemas_and_compose_may_use_what_is_there(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.select("mlops-postgres-1")
        await play.press("X", "e")
        await play.until(lambda: "Only Compose" in play.toasts(), "what it is for")
        await play.press("4")
        await play.until(lambda: "by the schemas of Kubernetes" in _text(play, "#lost"), "what the schemas say")
        await play.press("3")
        await play.until(lambda: "services:" in _text(play), "the file")
        assert "external: true" not in _text(play)
        await play.press("e")
        await play.until(lambda: "external: true" in _text(play), "what is there")
