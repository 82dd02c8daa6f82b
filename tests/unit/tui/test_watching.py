"""Moments as people type them, and which browser is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tui.browser import open_address, opener
from tui.moments import moment_of

NOW = datetime(2026, 11, 28, 14, 30, tzinfo=UTC)


def test_moments() -> None:
    assert moment_of("10m", NOW) == NOW - timedelta(minutes=10)
    assert moment_of(" 2 h ago", NOW) == NOW - timedelta(hours=2)
    assert moment_of("14:00", NOW) == NOW - timedelta(minutes=30)
    assert moment_of("23:15:10", NOW) == datetime(2026, 11, 27, 23, 15, 10, tzinfo=UTC)
    assert moment_of("2026-11-01 08:00", NOW) == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert moment_of("2026-11-01T08:00:00+02:00", NOW).utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize("text", ["", "soon", "25:00", "999999999w", "2026-13-01"])
def test_what_is_no_moment_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="write for example: 10m"):
        moment_of(text, NOW)


def program(folder: Path, name: str, body: str) -> Path:
    """A program of a shell's words."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_a_browser_is_that_of_the_environment_or_of_the_desktop(tmp_path: Path) -> None:
    program(tmp_path, "xdg-open", "exit 0")
    browser = program(tmp_path, "mine", f'echo "$1" > {tmp_path}/opened')
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    assert opener(path) == []
    assert opener({**path, "DISPLAY": ":0"}) == ["xdg-open"]
    assert opener({**path, "BROWSER": "w3m"}) == []
    assert opener({**path, "BROWSER": "not-there:mine"}) == []
    env = {**path, "BROWSER": f"{browser} %s"}
    assert open_address("http://localhost:1/?token=a;b", env) == ""
    assert (tmp_path / "opened").read_text() == "http://localhost:1/?token=a;b\n"
    assert "cannot open" in open_address("file:///etc/passwd", env)
    assert "no browser" in open_address("http://x/", path)
    failing = program(tmp_path, "failing", "echo no display >&2; exit 3")
    assert open_address("http://x/", {**path, "BROWSER": str(failing)}) == f"{failing} ended with 3: no display"
