"""The move that the project exists for, by the command line, there and back; the engines themselves are asked."""

from __future__ import annotations

import json
import re
import signal
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.cli import Cli
from tests.real import RealEngines, host_port
from tests.thorough import thorough

pytestmark = [pytest.mark.engines, pytest.mark.e2e]

FILES = 1000
# Owners, modes, times and contents that differ from file to file; names that break careless quoting; links.
FILL = f"""
set -e
mkdir -p /data/in && cd /data
i=0
while [ $i -lt {FILES} ]; do
  d=in/d$((i % 10)); mkdir -p $d
  echo "content of $i" > $d/f$i
  chown $((1000 + i % 7)):$((2000 + i % 5)) $d/f$i
  chmod 0$((4 + i % 4))$((i % 8))$((i % 5)) $d/f$i
  i=$((i + 1))
done
echo odd > "in/a name with spaces, 'quotes' and ü"
ln -s f0 in/d0/link
mkdir in/empty && chmod 1777 in/empty && chown 33:33 in/empty
chown 999:998 /data && chmod 2750 /data
"""
LIST = "cd /data && find . -print0 | sort -z | xargs -0 stat -c '%n|%F|%u|%g|%a|%s'"
SUMS = "cd /data && find . -type f -print0 | sort -z | xargs -0 md5sum"
LINKS = "cd /data && find . -type l -print0 | sort -z | xargs -0 -n 1 readlink"
ENV = {"PLAIN": "1", "SPACED": "a b  c", "QUOTED": 'it\'s "q"', "EQUALS": "a=b=c", "EMPTY": "", "UNICODE": "grüße"}
LABEL = ("org.example.team", "vision, and more")


@pytest.fixture
def cli(real_engines: RealEngines, run_label: dict[str, str]) -> Iterator[Cli]:
    program = Cli(real_engines, run_label)
    yield program
    program.clean()


def env_of(cli: Cli, engine: str, name: str) -> dict[str, str]:
    """The configured environment, without what each engine adds by itself."""
    pairs = (entry.split("=", 1) for entry in cli.inspect(engine, name)["Config"]["Env"])
    return {key: value for key, value in pairs if key not in {"container", "HOME", "HOSTNAME", "TERM"}}


def files_of(cli: Cli, engine: str, name: str) -> list[str]:
    """Every file of the volume as the running container sees it: type, owner, mode, size, content, link target."""
    return [
        line
        for script in (LIST, SUMS, LINKS)
        for line in cli.engines.cli(engine, "exec", name, "sh", "-c", script).splitlines()
    ]


def mounts_of(cli: Cli, engine: str, name: str) -> list[tuple[str, str]]:
    return [(mount["Type"], mount["Destination"]) for mount in cli.inspect(engine, name)["Mounts"]]


def status_of(cli: Cli, engine: str, name: str) -> str:
    return str(cli.inspect(engine, name)["State"]["Status"])


def served(cli: Cli, port: int) -> bytes:
    """What answers at the published port, within a deadline: a web server needs a moment."""
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://{cli.engines.ip}:{port}/in/d1/f1", timeout=5) as answer:
                body: bytes = answer.read()
                return body
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def start_workload(cli: Cli, name: str, port: int) -> str:
    volume = cli.volume("docker", f"{name}-data")
    env = [f"--env={key}={value}" for key, value in ENV.items()]
    options = [f"--volume={volume}:/data", f"--publish={port}:80", f"--label={LABEL[0]}={LABEL[1]}", *env]
    cli.make(
        "docker", name, *options, "--hostname=trainer", "--workdir=/data", "--restart=on-failure:3", image="test/web:1"
    )
    cli.engines.cli("docker", "exec", name, "sh", "-c", FILL)
    return volume


def migrate(cli: Cli, *argv: str) -> dict[str, Any]:
    ran = cli("migrate", *argv, "--yes", "--json")
    assert ran.code == 0, ran.err + ran.out
    answer = ran.json
    assert answer["error"] is None
    assert answer["report"]["equal"] is True
    assert all(check["equal"] for check in answer["report"]["checks"])
    return answer


def test_there_and_back_again_under_another_name(cli: Cli) -> None:
    name = cli.name("move")
    back = f"{name}-back"
    port = host_port()
    volume = start_workload(cli, name, port)
    files, env = files_of(cli, "docker", name), env_of(cli, "docker", name)
    assert len([line for line in files if line.startswith("./in/") and "|regular file|" in line]) == FILES + 1
    assert {key: env[key] for key in ENV} == ENV
    body = served(cli, port)

    cli.adopt("podman", name)
    cli.volumes.append(("podman", volume))
    there = migrate(cli, name, "--from", "docker", "--to", "podman")
    assert there["plan"]["target"] == {"engine": "podman", "name": name}
    assert there["report"]["moved_bytes"] > FILES
    assert status_of(cli, "docker", name) == "exited"
    assert status_of(cli, "podman", name) == "running"
    assert files_of(cli, "podman", name) == files
    assert env_of(cli, "podman", name) == env
    assert mounts_of(cli, "podman", name).count(("volume", "/data")) == 1
    config = cli.inspect("podman", name)["Config"]
    assert (config["Labels"][LABEL[0]], config["Hostname"], config["WorkingDir"]) == (LABEL[1], "trainer", "/data")
    assert served(cli, port) == body

    cli.adopt("docker", back)
    cli.volumes += [("podman", move["target"]) for move in there["plan"]["volumes"]]
    again = migrate(cli, name, "--from", "podman", "--to", "docker", "--name", back)
    cli.volumes += [("docker", move["target"]) for move in again["plan"]["volumes"]]
    assert status_of(cli, "podman", name) == "exited"
    assert status_of(cli, "docker", back) == "running"
    assert files_of(cli, "docker", back) == files
    assert env_of(cli, "docker", back) == env
    origin, copy = cli.inspect("docker", name), cli.inspect("docker", back)
    for key in ("Hostname", "WorkingDir", "Cmd", "Entrypoint", "User", "Labels"):
        assert copy["Config"][key] == origin["Config"][key], key
    for key in ("PortBindings", "Memory", "NanoCpus"):
        assert copy["HostConfig"][key] == origin["HostConfig"][key], key
    assert copy["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert origin["HostConfig"]["RestartPolicy"]["Name"] == "no", "a reboot must not start both"
    assert copy["Image"] == origin["Image"]
    assert served(cli, port) == body
    # The first source is where it was, stopped; its volume still holds what it held.
    assert status_of(cli, "docker", name) == "exited"
    used = [mount["Name"] for mount in cli.inspect("docker", back)["Mounts"] if mount["Destination"] == "/data"]
    assert used != [volume]


def test_a_plan_touches_nothing_and_a_taken_name_blocks(cli: Cli) -> None:
    name = cli.name("block")
    cli.make("docker", name, "--cap-add=SYS_PTRACE", "--cgroup-parent=/test")
    plan = cli("migrate", name, "--from", "docker", "--to", "podman", "--plan", "--json")
    assert plan.code == 0, plan.err
    said = {field["field"]: (field["verdict"], field["source"]) for field in plan.json["plan"]["fields"]}
    assert said["resources.cgroup_parent"] == ("dropped", "/test")
    assert ("same", "CAP_SYS_PTRACE") in {
        (field["verdict"], field["source"])
        for field in plan.json["plan"]["fields"]
        if field["field"] == "security.cap_add"
    }
    assert not cli.exists("podman", name)
    cli.make("podman", name)
    for argv in ([], ["--plan"], ["--json"]):
        blocked = cli("migrate", name, "--from", "docker", "--to", "podman", "--yes", *argv)
        assert blocked.code == 4, blocked
    assert status_of(cli, "docker", name) == "running"


def test_bad_usage_and_dead_engines(cli: Cli) -> None:
    name = cli.name("usage")
    cli.make("docker", name)
    assert cli("migrate", name, "--from", "docker", "--to", "podman").code == 2
    assert cli("migrate", name, "--from", "docker", "--to", "docker", "--yes").code == 2
    assert cli("migrate", name, "--from", "docker", "--to", "pod", "--yes").code == 2
    dead = "unix:///tmp/tranship-no-such.sock"
    unreachable = cli("migrate", name, "--from", "docker", "--to", "podman", "--yes", CONTAINER_HOST=dead)
    assert unreachable.code == 3
    assert unreachable.err.startswith("tranship: podman: ")
    assert status_of(cli, "docker", name) == "running"


def test_a_failure_on_the_target_leaves_all_as_it_was(cli: Cli) -> None:
    """The copy's command is not in the image's place: the target cannot start it, and everything is taken back."""
    name = cli.name("fail")
    script = "test -e /data/once && exit 3; touch /data/once; sleep 600"
    volume = cli.volume("docker", f"{name}-data")
    cli.make("docker", name, f"--volume={volume}:/data", command=("sh", "-c", script))
    cli.adopt("podman", name)
    cli.volumes.append(("podman", volume))
    # Its first start leaves a file in the volume that makes each later start fail: the copy dies at once.
    ran = cli("migrate", name, "--from", "docker", "--to", "podman", "--yes", "--json")
    assert ran.code == 1, ran
    assert ran.json["error"]["kind"] == "MigrationFailed"
    assert ran.json["report"] is None
    assert "undone:" in ran.err
    assert not cli.exists("podman", name)
    assert volume not in cli.engines.cli("podman", "volume", "ls", "-q").split()


@pytest.mark.parametrize("number", [signal.SIGINT, *thorough(signal.SIGTERM)])
def test_a_signal_takes_everything_back(cli: Cli, number: signal.Signals) -> None:
    name = cli.name("signal")
    volume = cli.volume("docker", f"{name}-data")
    cli.make("docker", name, f"--volume={volume}:/data")
    cli.engines.cli("docker", "exec", name, "dd", "if=/dev/urandom", "of=/data/big", "bs=1M", "count=400")
    cli.adopt("podman", name)
    cli.volumes.append(("podman", volume))
    with cli.running("migrate", name, "--from", "docker", "--to", "podman", "--yes") as move:
        step = move.error_line(volume)  # the plan names it first, then the step that copies it
        while not re.match(r"\[\d+/\d+\]", step):
            step = move.error_line(volume)
        assert move.interrupt(number) == 128 + number
    assert status_of(cli, "docker", name) == "running"
    assert not cli.exists("podman", name)
    assert volume not in cli.engines.cli("podman", "volume", "ls", "-q").split()


def test_the_move_is_in_the_audit_log_without_its_environment(cli: Cli) -> None:
    name = cli.name("audit")
    cli.make("docker", name, "--env=TOKEN=very-secret-value")
    cli.adopt("podman", name)
    migrate(cli, name, "--from", "docker", "--to", "podman")
    audit = cli("doctor", "--json").json["files"]["audit"]
    with open(audit, encoding="utf-8") as log:
        text = log.read()
    entries = [json.loads(line) for line in text.splitlines()]
    assert [(entry["action"], entry["outcome"]) for entry in entries] == [("container.migrate", "done")]
    assert "very-secret-value" not in text
