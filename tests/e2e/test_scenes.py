"""What a person does in a terminal, by keys in tmux, on the real engines; what happened is asked of the engines."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import real
from tests.e2e.terminal import Terminal
from tests.private import PrivateEngine
from tests.real import RealEngines

pytestmark = [pytest.mark.engines, pytest.mark.e2e]

ROOT = Path(__file__).resolve().parents[2]
TRANSHIP = str(Path(sys.executable).parent / "tranship")
# `make screenshots` sets it: the scenes then leave their pictures in the repository.
SHOTS = os.environ.get("TRANSHIP_SHOTS")


def _environ(docker: str, podman: str) -> dict[str, str]:
    """Only these engines; no runtime folder in which discovery might find another."""
    return {
        **os.environ,
        "DOCKER_HOST": docker,
        "CONTAINER_HOST": podman,
        "XDG_RUNTIME_DIR": "/nonexistent",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
    }


def _terminal(tmp_path: Path, environ: dict[str, str], *, columns: int = 120, rows: int = 36) -> Terminal:
    return Terminal([TRANSHIP], columns=columns, rows=rows, cwd=ROOT, environ=environ, socket=tmp_path / "tmux")


def _picture(terminal: Terminal, tmp_path: Path, name: str) -> None:
    folder = Path(SHOTS) if SHOTS else tmp_path
    terminal.picture(folder / f"{name}.svg", f"tranship: {name}")


def _select(terminal: Terminal, name: str) -> None:
    """Filter by the name, so that it is the row under the cursor."""
    terminal.keys("/")
    terminal.type(name)
    terminal.keys("Enter")
    terminal.wait(rf"▌[^\n]*{re.escape(name)}")


@pytest.fixture(autouse=True)
def _tmux() -> None:
    """Scenes need tmux, which tests/engines/up installs; in CI its absence is a failure."""
    if shutil.which("tmux") is None and not real.required():
        pytest.skip("tmux is not installed")


@pytest.fixture
def web(real_engines: RealEngines, run_label: dict[str, str]) -> Iterator[str]:
    """A container on Docker with env, a port, a label and a named volume with files; gone everywhere afterwards."""
    name = "scene-web"
    (label,) = (f"{key}={value}" for key, value in run_label.items())
    cli = real_engines.cli
    _forget(real_engines, name)  # what a run that was ended from outside has left
    cli("docker", "volume", "create", "--label", label, "scene-data")
    cli(
        "docker", "run", "-d", "--name", name, "--label", label, "--label", "team=vision", "-e", "GREETING=hello there",
        "-p", "18473:80", "-v", "scene-data:/vol", "test/web:1",
    )  # fmt: skip
    cli("docker", "exec", name, "sh", "-c", "for i in $(seq 50); do echo $i > /vol/f$i; chown $i:7 /vol/f$i; done")
    try:
        yield name
    finally:
        _forget(real_engines, name)


def _forget(engines: RealEngines, name: str) -> None:
    for engine in ("docker", "podman"):
        if name in engines.cli(engine, "ps", "-a", "--format", "{{.Names}}").split():
            engines.cli(engine, "rm", "-f", "-v", name)
        if "scene-data" in engines.cli(engine, "volume", "ls", "-q").split():
            engines.cli(engine, "volume", "rm", "scene-data")


def test_move_by_keys(real_engines: RealEngines, web: str, tmp_path: Path) -> None:
    with _terminal(tmp_path, _environ(real_engines.docker, real_engines.podman)) as terminal:
        terminal.wait(r"● docker[^\n]*● podman")  # both are there: before, there is nowhere to move it to
        _select(terminal, web)
        terminal.keys("m")
        terminal.wait(r"Nothing stands in the way[^$]*Enter run")
        _picture(terminal, tmp_path, "migrate-plan")
        terminal.keys("Enter")
        terminal.wait(r"Migrate \(y\)")
        terminal.keys("y")
        terminal.wait(r"The copy equals its source", 60)
        _picture(terminal, tmp_path, "migrate-done")
        terminal.keys("Escape")
        terminal.wait(rf"DKR +{web} +○ exited[^$]*PDM +{web} +[●◍]|PDM +{web} +[●◍][^$]*DKR +{web} +○ exited")
        _picture(terminal, tmp_path, "migrate-after")
        terminal.keys("q")
        assert terminal.exit_status() == 0
    cli = real_engines.cli
    assert cli("docker", "inspect", "-f", "{{.State.Status}}", web).strip() == "exited"
    (copy,) = json.loads(cli("podman", "inspect", web))
    assert copy["State"]["Status"] == "running"
    assert "GREETING=hello there" in copy["Config"]["Env"]
    assert copy["Config"]["Labels"]["team"] == "vision"
    assert copy["HostConfig"]["PortBindings"]["80/tcp"][0]["HostPort"] == "18473"
    listing = "cd /vol && for f in *; do stat -c '%n %u %g %a' $f; cat $f; done"
    files = cli("podman", "exec", web, "sh", "-c", listing)
    assert files.splitlines()[:2] == ["f1 1 7 644", "1"]
    assert len(files.splitlines()) == 100


def test_docker_dies_and_comes_back(real_engines: RealEngines, run_label: dict[str, str], tmp_path: Path) -> None:
    """Badge and rows say so, Podman's rows stay live all the while, and all comes back by itself."""
    (label,) = (f"{key}={value}" for key, value in run_label.items())
    with PrivateEngine("docker", real_engines) as docker:
        docker.take_image("test/busybox:1")
        docker.cli("run", "-d", "--network", "none", "--name", "on-docker", "test/busybox:1", "sleep", "3600")
        real_engines.cli("podman", "rm", "-f", "-i", "-t", "0", "on-podman")
        real_engines.cli(
            "podman", "run", "-d", "--label", label, "--name", "on-podman", "test/busybox:1", "sleep", "99"
        )
        with _terminal(tmp_path, _environ(docker.url, real_engines.podman)) as terminal:
            terminal.wait(r"on-docker +● running")
            terminal.wait(r"on-podman +● running")
            docker.kill()
            terminal.wait(r"○ docker|docker[^\n]*lost|✕ docker")
            _picture(terminal, tmp_path, "engine-lost")
            assert "on-docker" in terminal.screen()
            # Podman's rows are live: a change made behind the program's back shows while Docker is dead.
            real_engines.cli("podman", "rename", "on-podman", "on-podman-live")
            real_engines.cli("podman", "pause", "on-podman-live")
            terminal.wait(r"on-podman-live +◐ paused")
            docker.start()
            docker.wait()
            terminal.wait(r"● docker")
            docker.cli("rename", "on-docker", "on-docker-again")
            terminal.wait(r"on-docker-again +● running")
            _picture(terminal, tmp_path, "engine-back")
            docker.freeze()  # it hangs: its socket accepts, nobody answers
            try:
                terminal.wait(r"✕ docker")
                real_engines.cli("podman", "unpause", "on-podman-live")
                terminal.wait(r"on-podman-live +● running")
                _select(terminal, "on-podman-live")  # keys are as fast as ever
                terminal.keys("Escape")
            finally:
                docker.thaw()
            terminal.wait(r"● docker")
            terminal.wait(r"on-docker-again +● running")
            terminal.keys("q")
            assert terminal.exit_status() == 0
        real_engines.cli("podman", "rm", "-f", "-t", "0", "on-podman-live")
