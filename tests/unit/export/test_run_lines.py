"""A script of run lines makes what its containers stand on, once, and only where that is not there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from backends.export.exported import Member
from backends.export.run_lines import run_lines
from backends.model.ids import EngineKind
from backends.model.network import NetworkSpec, Subnet
from backends.model.settings import NetworkAttachment, NetworkingSpec
from backends.model.workload import UnmappedField, VolumeSpec, WorkloadSpec

NET = NetworkSpec("back end", subnets=(Subnet("10.9.0.0/24", "10.9.0.1"),), internal=True, dns=False)
VOLUME = VolumeSpec("data", {"a": "b c"}, {"type": "tmpfs"})


def member(name: str, kind: EngineKind) -> Member:
    spec = WorkloadSpec(
        name,
        "docker.io/test/web:1",
        env={"API_TOKEN": "hush"},
        network=NetworkingSpec("bridge", (NetworkAttachment("back end"),)),
        unmapped=(UnmappedField("Odd", "1", "nobody knows"),),
    )
    return Member(spec, kind, (VOLUME,), (NET,))


def ran(text: str, folder: Path, *, there: bool) -> list[str]:
    """What a shell would have an engine do; nothing is there before, or all."""
    for name in ("docker", "podman"):
        program = folder / name
        program.write_text(
            f'#!/bin/sh\n[ "$2" = inspect ] && exit {0 if there else 1}\nprintf "%s|" {name} "$@"; echo\n'
        )
        program.chmod(0o755)
    done = subprocess.run(
        ["sh", "-eu", "-c", text], env={"PATH": f"{folder}:/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("kind", "name", "own"), [(EngineKind.DOCKER, "docker", ""), (EngineKind.PODMAN, "podman", "--disable-dns|")]
)
def test_on_a_fresh_host_and_on_one_that_has_all(tmp_path: Path, kind: EngineKind, name: str, own: str) -> None:
    made = run_lines([member("one", kind), member("two", kind)])
    made_first = [
        f"{name}|volume|create|--opt|type=tmpfs|--label|a=b c|data|",
        f"{name}|network|create|--subnet|10.9.0.0/24|--gateway|10.9.0.1|--internal|{own}back end|",
    ]
    run = [
        f"{name}|run|--detach|--name|{who}|--network|back end|--env|API_TOKEN|docker.io/test/web:1|"
        for who in ("one", "two")
    ]
    assert ran(made.files[0].text, tmp_path, there=False) == [*made_first, *run]
    assert ran(made.files[0].text, tmp_path, there=True) == run
    assert "hush" not in made.files[0].text
    assert [one.title for one in made.findings] == [
        text for who in ("one", "two")
        for text in (f"{who}: API_TOKEN: the values are left out", f"{who}: Odd is not in the line")
    ]  # fmt: skip
