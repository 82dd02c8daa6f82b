"""The security screen: one container and its engine, all of them, the remedy on the clipboard."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from backends.model.container import MountKind
from backends.model.errors import Unreachable
from backends.model.workload import MountSpec
from tests.pilot.stage import Stage, stage
from tui.screens.frame import TitleBar
from widgets.line import plain
from widgets.lines_pane import LinesPane
from widgets.live_table import LiveTable

EVIL = "/srv/[red]\x1b[2J/docker.sock"


def _rows(play: Stage) -> list[str]:
    return ["  ".join(map(plain, row.cells)) for row in play.app.screen.query_one("#security", LiveTable).rows]


async def test_what_is_risky_worst_first_and_its_remedy_copied(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.select("tensorboard")
        held = next(one for one in play.docker.world.containers.values() if one.spec.name == "tensorboard")
        held.spec = replace(held.spec, mounts=(*held.spec.mounts, MountSpec(MountKind.BIND, EVIL, "/s")))
        await play.press("H")
        await play.until(lambda: _rows(play), "findings")
        heading, first, *rest = _rows(play)
        assert heading.startswith("tensorboard  1 critical")
        assert "critical" in first
        assert "\x1b" not in first
        assert any(row.startswith("Engine demo-docker") for row in rest)
        assert any(row.startswith("Moved to rootless Podman") for row in rest)
        full = play.app.screen.query_one("#risk", LinesPane)
        await play.until(lambda: "read: HostConfig.Binds" in "\n".join(map(plain, full.lines)))
        await play.press("down", "y")
        assert play.app.clipboard.startswith("--publish 127.0.0.1:6006")

        await play.press("end")
        await play.until(lambda: "--ulimit" in "\n".join(map(plain, full.lines)), "the last change")
        await play.press("y")
        assert "--ulimit" in play.app.clipboard

        everything = len(_rows(play))
        await play.press("i")
        assert len(_rows(play)) < everything
        await play.press("a")
        await play.until(lambda: any(row.startswith("rag-redis") for row in _rows(play)), "the others")
        assert "all containers" in str(play.app.screen.query_one(TitleBar).query_one(".about").render())
        await play.press("escape")
        assert play.on_top() == "FleetScreen"


async def test_an_engine_that_is_gone_is_said(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.select("rag-redis")
        play.podman.go_down()
        await play.press("H")
        await play.until(lambda: "Security: " in play.toasts(), "why not")
        await play.press("y")
        assert "No finding" in play.toasts()


async def test_slow_looks_are_asked_for_by_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.select("rag-redis")
        await play.press("H")
        await play.until(lambda: _rows(play), "findings")
        await play.press("v")
        await play.until(
            lambda: any("no signature policy" in row for row in _rows(play)), "what of signatures is known"
        )
        await play.press("S")
        await play.until(lambda: any("neither Trivy nor Grype" in row for row in _rows(play)), "that none is there")
        await play.press("v")
        assert "That was done" in play.toasts()
        await play.press("r")
        await play.until(lambda: not any("Grype" in row for row in _rows(play)), "a new look")


def _tried(asked: list[object], play: Stage, times: int) -> bool:
    return len(asked) == times and "hangs" in play.toasts()


async def test_a_scan_that_failed_may_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    async def refuse(*_: object) -> None:
        asked.append(_)
        raise Unreachable("the scanner hangs")

    monkeypatch.setattr("backends.services.deeper.with_scans", refuse)
    async with stage(tmp_path, size=(80, 24)) as play:
        await play.select("rag-redis")
        await play.press("H")
        await play.until(lambda: _rows(play), "findings")
        for times in (1, 2):
            await play.press("S")
            await play.until(partial(_tried, asked, play, times), "why not")
        assert "That was done" not in play.toasts()
