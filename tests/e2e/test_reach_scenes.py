"""Shells, attached processes and commands in containers by keys in tmux, on the real engines."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import real
from tests.e2e.terminal import Terminal
from tests.e2e.test_scenes import ROOT, TRANSHIP, _environ, _select
from tests.real import RealEngines

pytestmark = [pytest.mark.engines, pytest.mark.e2e]

SAYS = "trap 'exit 4' TERM; while true; do echo tick; sleep 0.3; done"


@pytest.fixture(params=["docker", "podman"])
def engine(request: pytest.FixtureRequest) -> str:
    """The engine's CLI."""
    if shutil.which("tmux") is None and not real.required():
        pytest.skip("tmux is not installed")
    return str(request.param)


@pytest.fixture
def worker(real_engines: RealEngines, run_label: dict[str, str], engine: str) -> Iterator[str]:
    """A container on a terminal of its own that says "tick"."""
    name, (label,) = f"reach-{uuid.uuid4().hex[:8]}", (f"{key}={value}" for key, value in run_label.items())
    real_engines.cli(engine, "run", "-dit", "--name", name, "--label", label, "test/busybox:1", "sh", "-c", SAYS)
    yield name
    with contextlib.suppress(subprocess.CalledProcessError):  # the session's sweep finds it by its label
        real_engines.cli(engine, "rm", "-f", "-t", "0", name) if engine == "podman" else real_engines.cli(
            engine, "rm", "-f", name
        )


def _sized(engines: RealEngines) -> dict[str, str]:
    """Without the size that a worker of pytest-xdist sets: the terminal's own is meant."""
    environ = _environ(engines.docker, engines.podman)
    return {name: value for name, value in environ.items() if name not in {"COLUMNS", "LINES"}}


def _running(engines: RealEngines, engine: str, name: str) -> bool:
    return engines.cli(engine, "inspect", "-f", "{{.State.Running}}", name).strip() == "true"


def test_shell_attach_and_exec_by_keys(real_engines: RealEngines, engine: str, worker: str, tmp_path: Path) -> None:
    environ = _sized(real_engines)
    with Terminal([TRANSHIP], columns=100, rows=30, cwd=ROOT, environ=environ, socket=tmp_path / "tmux") as terminal:
        terminal.wait(worker)
        _select(terminal, worker)
        terminal.keys("S")
        terminal.wait(rf"-- \w+ in {worker} on {engine}: Ctrl-P Ctrl-Q leaves it[^$]*#")
        terminal.type("stty size\n")
        terminal.wait("\n30 100")
        terminal.resize(110, 34)
        terminal.type("until [ \"$(stty size)\" = '34 110' ]; do sleep 0.1; done; echo it is $((33 + 1)) high\n")
        terminal.wait("\nit is 34 high")
        terminal.type("exit 3\n")
        terminal.wait(rf"{worker}: ended with exit code 3[^$]*help")
        terminal.keys("S")
        terminal.wait(rf"in {worker} on[^$]*#")
        terminal.keys("C-p", "C-q")
        terminal.wait(rf"{worker}: left; it runs on[^$]*help")
        assert _running(real_engines, engine, worker)
        terminal.keys("A")
        terminal.wait(rf"-- attached to {worker}[^$]*tick")
        terminal.keys("C-p", "C-q")
        terminal.wait(r"left; it runs on[^$]*help")
        assert _running(real_engines, engine, worker)
        terminal.keys("x")
        terminal.wait(rf"Run in {worker}")
        terminal.type('sh -c "echo here-$((40 + 2)); exit 5"')
        terminal.keys("Enter")
        terminal.wait(r"here-42[^$]*exit code 5")
        terminal.keys("Escape")
        terminal.wait("migrate")
        terminal.keys("A")
        terminal.wait(rf"-- attached to {worker}[^$]*tick")
        real_engines.cli(engine, "kill", "-s", "TERM", worker)
        terminal.wait(rf"{worker}: ended with exit code 4[^$]*help")
        terminal.keys("q")
        assert terminal.exit_status() == 0


def test_the_command_line_on_a_terminal(real_engines: RealEngines, engine: str, worker: str, tmp_path: Path) -> None:
    """A shell on one engine, the first process on the other; both leave the terminal as it was."""
    environ = _sized(real_engines)
    word = "shell" if engine == "docker" else "attach"
    script = f'before=$(stty -g); {TRANSHIP} {word} {worker}; echo code $?; test "$before" = "$(stty -g)" && echo same'
    argv = ["sh", "-c", script]
    with Terminal(argv, columns=90, rows=28, cwd=ROOT, environ=environ, socket=tmp_path / "tmux") as terminal:
        if word == "shell":
            terminal.wait("#")
            terminal.type("stty size; exit 9\n")
            terminal.wait(r"28 90[^$]*code 9\n+same")
        else:
            terminal.wait("tick")
            terminal.keys("C-p", "C-q")
            terminal.wait(r"detached from[^$]*code 0\n+same")
        assert terminal.exit_status() == 0
    assert _running(real_engines, engine, worker)
