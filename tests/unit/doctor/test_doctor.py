"""What doctor says of a machine, by trees of files that stand for one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.capabilities import EngineInfo
from backends.model.errors import Denied, Unreachable
from backends.model.events import ConnectionState, Link
from backends.model.fleet import EngineView
from backends.model.ids import EngineId, EngineKind
from backends.services.doctor import Diagnosis, HostFacts, Level, count_ids, examine_engines, examine_host, read_host

DOCKER = EngineId(EngineKind.DOCKER, "docker")
WELL = HostFacts(
    user="me",
    uid=1000,
    cgroup_version="2",
    subuids=65536,
    subgids=65536,
    idmap_tools=True,
    linger=True,
    runtime_dir="/run/user/1000",
)


def by_topic(diagnoses: list[Diagnosis], topic: str) -> list[Diagnosis]:
    return [diagnosis for diagnosis in diagnoses if diagnosis.topic == topic]


def test_a_machine_that_is_well_has_no_problem() -> None:
    info = EngineInfo("26.1.5", "1.45", False, True)
    engine = EngineView(DOCKER, ConnectionState(Link.CONNECTED), info, "unix:///d.sock")
    diagnoses = [*examine_engines([engine]), *examine_host(WELL)]
    assert {diagnosis.level for diagnosis in diagnoses} == {Level.OK}
    assert by_topic(diagnoses, "engine docker")[0].sentence == "26.1.5, rootful, at unix:///d.sock"


def test_engines_that_are_lost_are_problems_absent_ones_are_not() -> None:
    denied = Denied("may not be read", detail="EACCES", hint="join the group docker", engine=DOCKER)
    lost = EngineView(DOCKER, ConnectionState(Link.LOST, denied), endpoint="unix:///d.sock")
    absent = replace(lost, connection=ConnectionState(Link.ABSENT, Unreachable("no podman here", hint="install it")))
    problem = examine_engines([lost])[0]
    assert (problem.level, problem.hint) == (Level.PROBLEM, "join the group docker")
    assert "EACCES" in problem.sentence
    assert examine_engines([absent])[0].level is Level.NOTE


def test_what_rootless_needs_is_said_with_the_command() -> None:
    poor = replace(WELL, subuids=0, subgids=10, idmap_tools=False, linger=False, runtime_dir="")
    rootless = by_topic(examine_host(poor), "rootless")
    text = " ".join(f"{diagnosis.sentence} {diagnosis.hint}" for diagnosis in rootless)
    for part in ("no line for me", "gives me 10 ids", "uidmap", "XDG_RUNTIME_DIR", "loginctl enable-linger me"):
        assert part in text


def test_what_systemd_does_not_delegate_is_named(tmp_path: Path) -> None:
    uid = read_host({}, tmp_path).uid
    folder = tmp_path / f"sys/fs/cgroup/user.slice/user-{uid}.slice/user@{uid}.service"
    folder.mkdir(parents=True)
    (folder / "cgroup.controllers").write_text("memory pids\n")
    facts = replace(WELL, delegated=read_host({}, tmp_path).delegated)
    (found,) = [one for one in examine_host(facts) if one.level is not Level.OK]
    assert "does not delegate cpu:" in found.sentence
    assert "Delegate=cpu" in found.command
    assert examine_host(replace(facts, cgroup_version="1"))[-1].level is Level.OK


@pytest.mark.parametrize(
    ("hint", "command"),
    [
        ("install it by `apt install x`, or `dnf install x`", "apt install x"),
        ("sudo usermod -aG video,render me; then log in anew", "sudo usermod -aG video,render me"),
        ("restart the machine, or: sudo modprobe -r a && sudo modprobe b", "sudo modprobe -r a && sudo modprobe b"),
        ("tranship migrate web --confirm accepts it; --undo takes it back", "tranship migrate web --confirm"),
        ("log in by a real session", ""),
        ("", ""),
    ],
)
def test_the_command_of_a_hint_is_ready_to_be_pasted(hint: str, command: str) -> None:
    assert Diagnosis("x", Level.NOTE, "s", hint).command == command


def test_root_is_told_that_rootless_is_for_others() -> None:
    rootless = by_topic(examine_host(replace(WELL, uid=0, subuids=0)), "rootless")
    assert [diagnosis.level for diagnosis in rootless] == [Level.NOTE]


def test_cgroups_of_a_tree(tmp_path: Path) -> None:
    cgroup = tmp_path / "sys/fs/cgroup"
    cgroup.mkdir(parents=True)
    assert read_host({}, tmp_path).cgroup_version == ""
    (cgroup / "memory").mkdir()
    assert read_host({}, tmp_path).cgroup_version == "1"
    (cgroup / "unified").mkdir()
    (cgroup / "unified" / "cgroup.controllers").touch()
    assert read_host({}, tmp_path).cgroup_version == "hybrid"
    (cgroup / "cgroup.controllers").touch()
    assert read_host({}, tmp_path).cgroup_version == "2"


def test_user_facts_of_a_tree(tmp_path: Path) -> None:
    user = read_host({}, tmp_path).user
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/subuid").write_text(f"other:1:5\n{user}:100000:65536\n")
    assert read_host({}, tmp_path).linger is None
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    facts = read_host({"XDG_RUNTIME_DIR": str(tmp_path)}, tmp_path)
    assert (facts.subuids, facts.subgids, facts.linger, facts.runtime_dir) == (65536, 0, False, str(tmp_path))
    (tmp_path / "var/lib/systemd/linger").mkdir(parents=True)
    (tmp_path / "var/lib/systemd/linger" / user).touch()
    assert read_host({"XDG_RUNTIME_DIR": "/does/not/exist"}, tmp_path).linger is True


def test_ids_are_counted_by_name_and_number() -> None:
    text = "me:100000:65536\n1000:200000:10\nyou:1:99\nme:x:y\nme\n# me:1:1\n"
    assert count_ids(text, "me", 1000) == 65546


@given(st.text())
def test_any_text_gives_a_count(text: str) -> None:
    assert count_ids(text, "me", 1000) >= 0
