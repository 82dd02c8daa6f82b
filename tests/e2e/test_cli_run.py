"""`tranship run` on real Docker and Podman: what it made is asked of the engine itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.cli import Cli
from tests.real import RealEngines, host_port
from tests.thorough import thorough

pytestmark = [pytest.mark.engines, pytest.mark.e2e]

BUSYBOX = "test/busybox:1"
SERVE = ("sh", "-c", "trap 'exit 0' TERM; sleep 60 & wait")


@pytest.fixture
def cli(real_engines: RealEngines, run_label: dict[str, str]) -> Iterator[Cli]:
    program = Cli(real_engines, run_label)
    yield program
    program.clean()


@pytest.mark.parametrize("engine", [*thorough("docker"), "podman"])
def test_a_preset_runs_and_is_what_it_says(cli: Cli, engine: str) -> None:
    name, port, work = cli.name("run"), host_port(), cli.volume(engine, cli.name("work"))
    cli.adopt(engine, name)
    preset = ("--preset", "jupyter", "--image", BUSYBOX, "--gpus", "device=0", "-p", f"127.0.0.1:{port}:8888")
    mounts = ("-v", f"{work}:/home/jovyan/work", "-v", f"{work}:/home/jovyan/.cache/pip")
    said = cli("--json", "run", "--engine", engine, "--name", name, *preset, *mounts, *SERVE)
    assert said.code == 0, said.err
    seen = cli.inspect(engine, name)
    assert seen["State"]["Running"] is True
    assert seen["HostConfig"]["ShmSize"] == 2 << 30
    assert seen["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert seen["HostConfig"]["PortBindings"]["8888/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": str(port)}]
    assert said.json["container"]["id"] == seen["Id"]
    assert f"--publish 127.0.0.1:{port}:8888" in " ".join(said.json["command"])
    again = cli("--json", "run", "--engine", engine, "--name", name, "-p", f"{port}:80", BUSYBOX)
    assert again.code == 4, again.err
    assert {one["field"] for one in again.json["findings"]} >= {"name", "ports"}


def test_what_cannot_start_is_removed_and_what_ends_at_once_says_why(cli: Cli) -> None:
    name, ended = cli.name("run"), cli.name("run")
    cli.adopt("podman", name)
    cli.adopt("podman", ended)
    nothing = cli("run", "--engine", "podman", "--name", name, BUSYBOX, "no-such-program")
    assert nothing.code == 1
    assert "no-such-program" in nothing.err
    assert not cli.exists("podman", name)
    words = ("sh", "-c", "echo so it is; exit 3")
    early = cli("--json", "run", "--engine", "podman", "--name", ended, "--settle", "60", BUSYBOX, *words)
    assert early.code == 1
    assert "exit code 3" in early.err
    assert early.json["error"]["detail"] == "so it is"
    assert cli.exists("podman", ended)
