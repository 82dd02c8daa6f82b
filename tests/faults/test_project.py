"""Containers that belong together, moved by the console script: cut off in the middle, finished, and taken back."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from backends.model.ids import EngineKind
from backends.model.plan import StepKind
from tests.e2e.cli import Cli
from tests.faults.ground import Ground, shared
from tests.faults.program import begins, journals, kill_at, moves_told, state_dir
from tests.real import RealEngines, host_port

pytestmark = [pytest.mark.engines, pytest.mark.e2e]

DEADLINE_S = 20.0


@pytest.fixture
def cli(real_engines: RealEngines, run_label: dict[str, str]) -> Cli:
    return Cli(real_engines, run_label)


@pytest.fixture
def project(real_engines: RealEngines, run_label: dict[str, str]) -> Iterator[Ground]:
    """Two containers of a Compose project on Docker, on one network, with one volume."""
    made = Ground(shared(real_engines, EngineKind.DOCKER), shared(real_engines, EngineKind.PODMAN), run_label)
    try:
        made.build()
        member = ["--label", f"com.docker.compose.project={made.run}"]
        made.furnish(*member, volume_mb=2)
        options = ["--name", second(made), "--network", f"{made.run}-net", "-v", f"{made.volume}:/shared"]
        made.source.ask("run", "-d", *options, *member, *made.marks, made.image, "sleep", "9999")
        yield made
    finally:
        made.clear()


def second(ground: Ground) -> str:
    """The name of the other container."""
    return f"{ground.run}-second"


def picture(ground: Ground) -> dict[str, object]:
    """Both as they are on the source."""
    state = ground.source.ask("inspect", "-f", "{{.Id}} {{.State.Status}}", second(ground))
    return {**ground.of_source(), "second": state}


def words(ground: Ground) -> list[str]:
    ends = ["--from", "docker", "--to", "podman", "--image-way", "archive", "--layer", "changes"]
    return ["migrate", ground.run, "--project", *ends, "--yes"]


def test_a_project_is_killed_and_resumed_and_undone(cli: Cli, project: Ground) -> None:
    before = picture(project)
    kill_at(cli, words(project), begins(StepKind.VOLUME))
    assert [record["status"] for record in journals(state_dir())] == ["running"] * 2
    told = moves_told(cli)
    assert [one["level"] for one in told] == ["problem"] * 2
    assert all(f"tranship migrate {project.run} --project --resume" in one["hint"] for one in told)
    refused = cli(*words(project))
    assert refused.code == 1
    assert "--project --resume" in refused.err
    resumed = cli("migrate", project.run, "--project", "--resume", "--json")
    assert resumed.code == 0, resumed.err
    reports = resumed.json["reports"]
    assert [report["equal"] for report in reports] == [True, True]
    assert project.files(project.target) == before["files"]
    seen = "echo from-second > /shared/said; ping -c 1 -W 2 " + project.run
    assert project.target.says_yes("exec", second(project), "sh", "-c", seen), "one network, found by name"
    assert project.target.ask("exec", project.run, "cat", "/data/said") == "from-second\n", "one volume"
    verified = cli("migrate", project.run, "--project", "--verify", "--json")
    assert verified.code == 0, verified.err
    moves = verified.json["moves"]
    assert [move["name"] for move in moves] == [project.run, second(project)]
    assert all(check["equal"] for move in moves for check in move["checks"])
    again = cli(*words(project))
    assert again.code == 4, "done and waiting: names and volumes are taken"
    undone = cli("migrate", project.run, "--project", "--undo", "--yes", "--json")
    assert undone.code == 0, undone.err
    assert undone.json["left"] == []
    assert picture(project) == before
    project.assert_target_clean()


@pytest.mark.thorough
def test_a_project_is_killed_and_undone(cli: Cli, project: Ground) -> None:
    before = picture(project)
    kill_at(cli, words(project), begins(StepKind.START))
    undone = cli("migrate", project.run, "--project", "--undo", "--json")
    assert undone.code == 0, undone.err
    assert undone.json["left"] == []
    assert picture(project) == before
    project.assert_target_clean()
    assert [record["status"] for record in journals(state_dir())] == ["undone"] * 2


# -- a pod -----------------------------------------------------------------------------------------
@pytest.fixture
def port() -> int:
    return host_port()


@pytest.fixture
def pod(real_engines: RealEngines, run_label: dict[str, str], port: int) -> Iterator[Ground]:
    """A pod on Podman with a published port: a web server and one who asks it; named as the ground's run."""
    made = Ground(shared(real_engines, EngineKind.PODMAN), shared(real_engines, EngineKind.DOCKER), run_label)
    ask = made.source.ask
    try:
        made.build()
        ask("pod", "create", "--name", made.run, *made.marks, "-p", f"{port}:80")
        inside = ["--pod", made.run, *made.marks]
        serve = "echo hello > /www/index.html; exec httpd -f -p 80 -h /www"
        volume = ["-v", f"{made.volume}:/www"]
        ask("run", "-d", "--name", f"{made.run}-web", *inside, *volume, made.image, "sh", "-c", serve)
        ask("run", "-d", "--name", f"{made.run}-asks", *inside, made.image, "sleep", "9999")
        yield made
    finally:
        if made.source.says_yes("pod", "inspect", made.run):
            ask("pod", "rm", "-f", "-t", "0", made.run)
        made.clear()


def answer(cli: Cli, port: int) -> str:
    """What the published port gives, tried until it answers."""
    end = time.monotonic() + DEADLINE_S
    while True:
        try:
            with urllib.request.urlopen(f"http://{cli.engines.ip}:{port}/", timeout=2) as page:
                return str(page.read().decode())
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def states(ground: Ground, side: Any) -> dict[str, str]:
    """Each container of the ground there, with its state."""
    lines = side.ask("ps", "-a", "--format", "{{.Names}} {{.State}}").splitlines()
    return dict(line.split(" ", 1) for line in lines if ground.run in line and "infra" not in line)


def test_a_pod_moves_to_docker_and_back_is_undone(cli: Cli, pod: Ground, port: int) -> None:
    web, asks = f"{pod.run}-web", f"{pod.run}-asks"
    assert answer(cli, port) == "hello\n"
    moved = cli(
        "migrate", pod.run, "--project", "--from", "podman", "--to", "docker", "--image-way", "archive", "--yes"
    )
    assert moved.code == 0, moved.err + moved.out
    assert states(pod, pod.target) == {web: "running", asks: "running"}
    assert answer(cli, port) == "hello\n"
    assert pod.target.ask("exec", asks, "wget", "-q", "-O", "-", "http://127.0.0.1/") == "hello\n", "one localhost"
    assert set(states(pod, pod.source).values()) == {"exited"}
    undone = cli("migrate", pod.run, "--project", "--undo", "--yes", "--json")
    assert undone.code == 0, undone.err
    assert undone.json["left"] == []
    assert states(pod, pod.source) == {web: "running", asks: "running"}
    assert answer(cli, port) == "hello\n"
    pod.assert_target_clean()
