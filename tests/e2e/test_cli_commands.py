"""The command line on real Docker and Podman: each command's effect is asked of the engine itself."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Iterator

import pytest

from tests.e2e.cli import Cli
from tests.real import RealEngines
from tests.thorough import thorough

pytestmark = [pytest.mark.engines, pytest.mark.e2e]

ENGINES = ["docker", "podman"]
DEAD = "unix:///tmp/tranship-no-such.sock"


@pytest.fixture
def cli(real_engines: RealEngines, run_label: dict[str, str]) -> Iterator[Cli]:
    program = Cli(real_engines, run_label)
    yield program
    program.clean()


def test_engines_names_both_and_their_versions(cli: Cli) -> None:
    ran = cli("engines", "--json")
    assert ran.code == 0, ran.err
    engines = {engine["name"]: engine for engine in ran.json["engines"]}
    assert engines["docker"]["link"] == engines["podman"]["link"] == "connected"
    versions = {name: cli.engines.cli(name, "version", "--format", "{{.Server.Version}}").strip() for name in ENGINES}
    assert {name: engines[name]["info"]["version"] for name in ENGINES} == versions
    plain = cli("engines")
    assert plain.code == 0
    assert all(version in plain.out for version in versions.values())


def test_ps_lists_what_the_engines_list(cli: Cli) -> None:
    names = {engine: cli.name("ps") for engine in ENGINES}
    ids = {engine: cli.make(engine, names[engine], "--env=A=1", "--publish=80") for engine in ENGINES}
    ran = cli("ps", "--json")
    assert ran.code == 0, ran.err
    rows = {(row["engine"], row["name"]): row for row in ran.json["containers"]}
    for engine in ENGINES:
        row = rows[(engine, names[engine])]
        assert (row["id"], row["state"]) == (ids[engine], "running")
        assert [port["container_port"] for port in row["ports"] if port["host_port"]][:1] == [80]
        assert "stats" not in row
    only = cli("ps", "--engine", "podman", "--json").json["containers"]
    assert {row["engine"] for row in only} == {"podman"}
    table = cli("ps").out.splitlines()
    assert table[0].split() == ["ENGINE", "NAME", "IMAGE", "STATE", "PORTS", "AGE"]
    assert any(names["docker"] in line and "test/busybox:1" in line for line in table)


def test_ps_stats_reads_memory_and_cpu(cli: Cli) -> None:
    name = cli.name("stats")
    for engine in ENGINES:
        cli.make(engine, name)
    ran = cli("ps", "--stats", "--running", "--json")
    rows = [row for row in ran.json["containers"] if row["name"] == name]
    assert len(rows) == 2
    for row in rows:
        assert row["stats"]["memory_bytes"] > 0, row["stats"]
        assert row["stats"]["cpu_percent"] >= 0.0, row["stats"]


@pytest.mark.parametrize("engine", ["docker", *thorough("podman")])
def test_the_life_of_a_container(cli: Cli, engine: str) -> None:
    name, other = cli.name("life"), cli.name("other")
    cli.make(engine, name)
    cli.adopt(engine, other)

    def state() -> str:
        return str(cli.inspect(engine, name)["State"]["Status"])

    for verb, wanted in [("pause", "paused"), ("unpause", "running"), ("restart", "running")]:
        ran = cli(verb, name, "--engine", engine, "--json")
        assert ran.code == 0, ran.err
        result = ran.json["results"][0]
        assert (result["action"], result["done"], result["container"]["state"]) == (verb, True, wanted)
        assert state() == wanted
    assert cli("stop", "--time", "0", name).code == 0
    assert state() == "exited"
    started = cli("start", name)
    assert started.code == 0
    assert f"{name} on {engine}: started" in started.out
    assert state() == "running"
    assert cli("kill", name, "--signal", "KILL").code == 0
    assert state() == "exited"
    assert cli("rename", name, other).code == 0
    assert cli.exists(engine, other)
    assert not cli.exists(engine, name)
    refused = cli("rm", other)
    assert refused.code == 2
    assert "--yes" in refused.err
    removed = cli("rm", other, "--yes", "--json")
    assert removed.code == 0
    assert removed.json["results"][0]["container"] is None
    assert not cli.exists(engine, other)


@pytest.mark.parametrize("engine", ["podman", *thorough("docker")])
def test_a_running_container_is_removed_by_force_only(cli: Cli, engine: str) -> None:
    name = cli.name("force")
    cli.make(engine, name)
    ran = cli("rm", "--yes", name)
    assert ran.code == 1
    assert ran.err.startswith(f"tranship: {engine}: ")
    assert len(ran.err.splitlines()) == 1
    assert cli.exists(engine, name)
    assert cli("rm", "--yes", "--force", name).code == 0
    assert not cli.exists(engine, name)


@pytest.mark.parametrize("engine", ["podman", *thorough("docker")])
def test_logs(cli: Cli, engine: str) -> None:
    name = cli.name("logs")
    # The pause keeps the engine from reading the two streams in another order than they were written in.
    script = r'echo one; echo two >&2; sleep 1; printf "\033[31mred\n"; sleep 600'
    cli.make(engine, name, command=("sh", "-c", script))
    with cli.running("logs", "--follow", name) as follower:
        follower.line("red")  # all three lines are written by now
        assert follower.interrupt() == 130
    ran = cli("logs", name)
    assert ran.code == 0
    assert ran.out.splitlines() == ["one", "red"]
    assert ran.err.splitlines() == ["two"]
    lines = [json.loads(line) for line in cli("logs", "--json", "--timestamps", name).out.splitlines()]
    assert sorted((line["stream"], line["text"]) for line in lines) == [
        ("stderr", "two"),
        ("stdout", "\x1b[31mred"),
        ("stdout", "one"),
    ]
    assert all(line["at"].endswith("Z") for line in lines)
    assert cli("logs", "--tail", "1", name).out.splitlines() == ["red"]


def test_logs_follow_ends_by_sigterm_with_its_code(cli: Cli) -> None:
    name = cli.name("term")
    cli.make("podman", name, command=("sh", "-c", "echo up; sleep 600"))
    with cli.running("logs", "-f", "--json", name) as follower:
        follower.line("up")
        assert follower.interrupt(signal.SIGTERM) == 143


@pytest.mark.parametrize("engine", ["docker", *thorough("podman")])
def test_layers(cli: Cli, engine: str) -> None:
    ran = cli("layers", "test/web:1", "--engine", engine, "--json")
    assert ran.code == 0, ran.err
    inspected = json.loads(cli.engines.cli(engine, "image", "inspect", "test/web:1"))[0]["RootFS"]["Layers"]
    assert [layer["diff_id"] for layer in ran.json["layers"] if layer["diff_id"]] == inspected
    missing = cli("layers", "test/no-such:1")
    assert missing.code == 1
    assert "no engine has the image" in missing.err


def test_doctor_finds_both_engines(cli: Cli) -> None:
    ran = cli("doctor", "--json")
    assert ran.code == 0, ran.err
    levels = {diagnosis["topic"]: diagnosis["level"] for diagnosis in ran.json["diagnoses"]}
    assert levels["engine docker"] == levels["engine podman"] == "ok"
    assert {"GPUs", "cgroups", "rootless"} <= set(levels)
    plain = cli("doctor")
    assert plain.code == 0
    assert "✓ engine docker" in plain.out
    assert "audit.jsonl" in plain.out


def test_without_a_terminal_one_plain_snapshot(cli: Cli) -> None:
    name = cli.name("snap")
    cli.make("docker", name)
    ran = cli()
    assert ran.code == 0, ran.err
    assert name in ran.out
    assert "ENGINE" in ran.out
    assert "\x1b" not in ran.out
    assert "DEMO" not in ran.out


def test_a_dead_socket_is_three_and_the_other_engine_goes_on(cli: Cli) -> None:
    name = cli.name("alive")
    cli.make("podman", name)
    ran = cli("ps", "--json", DOCKER_HOST=DEAD)
    assert ran.code == 3
    assert name in [row["name"] for row in ran.json["containers"]]
    assert [error["engine"] for error in ran.json["errors"]] == ["docker"]
    assert ran.err.startswith("tranship: docker: ")
    for argv in (
        ["engines"],
        ["doctor"],
        ["stop", name, "-e", "docker"],
        ["stop", "test-nowhere"],
        ["ps", "-e", "docker"],
    ):
        dead = cli(*argv, DOCKER_HOST=DEAD)
        assert dead.code == 3, argv
    assert cli("pause", name, DOCKER_HOST=DEAD).code == 0


def test_podman_without_a_socket_is_served_and_ended(cli: Cli) -> None:
    name = cli.name("served")
    cli.make("podman", name)
    with tempfile.TemporaryDirectory(prefix="test-", dir="/tmp") as folder:  # short: a socket's path ends at 107 bytes
        found = {"CONTAINER_HOST": "", "XDG_RUNTIME_DIR": folder, "PATH": f"{cli.engines.bin}:{os.environ['PATH']}"}
        ran = cli("ps", "--engine", "podman", "--json", **found)
        assert ran.code == 0, ran.err
        assert name in [row["name"] for row in ran.json["containers"]]
        assert os.listdir(folder) == []
    assert folder not in cli.engines.cli("engines-exec", "ps", "-eo", "args")


def test_an_unknown_container_or_engine(cli: Cli) -> None:
    nowhere = cli("stop", "test-nowhere", "--json")
    assert nowhere.code == 1
    assert nowhere.json["error"]["kind"] == "NotFound"
    assert "tranship ps" in nowhere.err
    unknown = cli("ps", "--engine", "dokcer")
    assert unknown.code == 2
    assert "docker" in unknown.err


def test_a_name_on_both_engines_must_be_told_apart(cli: Cli) -> None:
    name = cli.name("twin")
    for engine in ENGINES:
        cli.make(engine, name)
    ran = cli("stop", "-t", "0", name)
    assert ran.code == 2
    assert "docker and on podman" in ran.err
    assert "--engine" in ran.err
    assert cli.inspect("docker", name)["State"]["Status"] == "running"
    assert cli("stop", "-t", "0", name, "--engine", "podman").code == 0
    assert cli.inspect("docker", name)["State"]["Status"] == "running"
    assert cli.inspect("podman", name)["State"]["Status"] == "exited"


def test_rm_asks_on_a_terminal_and_takes_only_a_yes(cli: Cli) -> None:
    name = cli.name("ask")
    cli.make("docker", name)
    for typed, code in (("\n", 1), ("n\n", 1), ("yes\n", 0)):
        asked = cli.on_terminal(["rm", "--force", name], until="[y/N]", typed=typed)
        assert f"Remove {name} (running) on docker? [y/N]" in asked.out
        assert asked.code == code, asked
        assert cli.exists("docker", name) is (code != 0)


def test_ctrl_c_at_the_question_removes_nothing(cli: Cli) -> None:
    name = cli.name("ctrlc")
    cli.make("docker", name)
    asked = cli.on_terminal(["rm", "--force", name], until="[y/N]", typed="\x03")
    assert asked.code == 130, asked
    assert "Traceback" not in asked.out
    assert cli.exists("docker", name)


def test_readonly_changes_nothing(cli: Cli) -> None:
    name = cli.name("ro")
    cli.make("docker", name)
    for argv in (["stop", name], ["rm", "--yes", "--force", name], ["rename", name, "test-x"], ["kill", name]):
        ran = cli("--readonly", *argv)
        assert ran.code == 1, argv
        assert "read-only" in ran.err
    assert cli.inspect("docker", name)["State"]["Status"] == "running"
