"""Ten containers as Quadlet files: Podman's own generator makes services of them, whose command lines make equal ones.

There is no systemd among the test engines: its part, reading ExecStart, is `tests.systemd_words`.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from backends.export.quadlet import quadlet
from backends.export.run_lines import run_lines
from backends.migration.verify import compare_specs
from backends.model.plan import Severity
from backends.model.secrets import is_secret_name
from backends.model.workload import RestartPolicy, WorkloadSpec
from backends.services.exports import members_of
from backends.services.quadlet_check import check
from tests.engines_export.place import open_place
from tests.export_recipes import IMAGE
from tests.real import RealEngines, host_port
from tests.systemd_words import command_words
from tests.thorough import thorough

pytestmark = pytest.mark.engines

_GENERATORS = {"--replace", "--rm", "-d", "--cgroups=split", "--sdnotify=conmon"}
"""What Quadlet adds to every `podman run` for systemd. Source: podman-systemd.unit(5), "Container units"."""


_SHELL = "that the health check runs without a shell"
"""What `docker run` has no option for, among the ten."""


def _commands(services: str) -> Iterator[list[str]]:
    """`podman …` of each service that the generator made, what containers stand on first."""
    lines = re.findall(r"^ExecStart=(.*)$", services, re.MULTILINE)
    read = [command_words(line) for line in lines]
    yield from sorted(read, key=lambda words: words[1] == "run")


def _created(words: Sequence[str]) -> list[str]:
    """`run` as `create`, without what is systemd's."""
    kept = [word for word in words[2:] if word not in _GENERATORS and not word.startswith("--cidfile=")]
    return ["create", *kept]


@pytest.mark.parametrize("source", ["docker", "podman"])
async def test_the_generators_services_make_them_again(
    real_engines: RealEngines, run_label: Mapping[str, str], tmp_path: Path, source: str
) -> None:
    async with (
        open_place(real_engines, source, run_label, tmp_path) as there,
        open_place(real_engines, "podman", run_label, tmp_path) as here,
    ):
        members = await there.members()
        here.run = there.run  # what is made has the source's names
        made = quadlet(members)
        assert not [one for one in made.findings if one.severity is not Severity.NOTE], "Quadlet can say all of these"
        found, services = await check(made.files, user=False, program=_generator(real_engines))
        assert found == ()
        here.write(made)
        for words in _commands(services):
            if words[1] != "run":
                here.cli(*words[1:])
        for words in _commands(services):
            if words[1] == "run":
                here.cli(*_with_files(_created(words), tmp_path))
        for member in members:
            spec = replace(member.spec, restart=RestartPolicy(), image_id="")
            assert here.unequal(spec, await here.recipe(spec.name)) == {}
        for network in there.ten.networks:
            assert network.subnets[0].subnet in here.cli("network", "inspect", network.name)
        for volume in there.ten.volumes:
            shown = await here.engine.inspect_volume(volume.name)
            assert volume.labels.items() <= shown.labels.items()


async def test_a_pod_becomes_a_pod_unit(
    real_engines: RealEngines, run_label: Mapping[str, str], tmp_path: Path
) -> None:
    async with open_place(real_engines, "podman", run_label, tmp_path) as place:
        pod, port = f"{place.run}-pod", host_port()
        marks = [word for key, value in run_label.items() for word in ("--label", f"{key}={value}")]
        try:
            place.cli("pod", "create", "--name", pod, *marks, "-p", f"127.0.0.1:{port}:80", "--hostname", "both")
            for name in ("one", "two"):
                place.cli("create", "--pod", pod, "--name", f"{place.run}-{name}", *marks, IMAGE, "sleep", "9")
            rows = [row for row in await place.engine.list_containers() if row.pod == pod and not row.infra]
            before = await members_of(place.engine, rows)
            place.cli("pod", "rm", "-f", pod)
            made = quadlet(before)
            assert {file.name for file in made.files} == {
                f"{pod}.pod", f"{place.run}-one.container", f"{place.run}-two.container",
            }  # fmt: skip
            assert not [one for one in made.findings if one.severity is not Severity.NOTE]
            found, services = await check(made.files, user=False, program=_generator(real_engines))
            assert found == ()
            (line,) = re.findall(r"^ExecStartPre=(.*pod create.*)$", services, re.MULTILINE)
            words = [word for word in command_words(line)[1:] if not word.startswith(("--infra-conmon", "--pod-id"))]
            place.cli(*words)
            for words in _commands(services):
                if words[1] == "run":
                    created = _created(words)
                    at = created.index("--pod-id-file")
                    created[at : at + 2] = ["--pod", pod]
                    place.cli(*created)
            rows = [row for row in await place.engine.list_containers() if row.pod == pod and not row.infra]
            after = await members_of(place.engine, rows)
            assert {one.spec.name: one.spec.ports for one in after} == {one.spec.name: one.spec.ports for one in before}
            for old, new in zip(before, after, strict=True):
                checks = compare_specs(replace(old.spec, image_id=""), new.spec, place.side)
                assert [one for one in checks if not one.equal] == []
        finally:
            place.cli("pod", "rm", "-f", "--ignore", pod)


def _generator(real: RealEngines) -> list[str]:
    """The generator beside the engines; `check` gives its folder by the environment, which has to go along."""
    line = 'exec "$0" env QUADLET_UNIT_DIRS="$QUADLET_UNIT_DIRS" /usr/libexec/podman/quadlet "$@"'
    return ["sh", "-c", line, str(real.bin / "engines-exec")]


def _with_files(words: Sequence[str], folder: Path) -> list[str]:
    """The file of the environment where it lies now: the generator's folder is gone."""
    pairs = zip(("", *words), words, strict=False)
    return [str(folder / Path(word).name) if before == "--env-file" else word for before, word in pairs]


@pytest.mark.parametrize("name", ["docker", *thorough("podman")])  # Podman reads the same options in a unit
async def test_their_own_lines_make_them_again(
    real_engines: RealEngines, run_label: Mapping[str, str], tmp_path: Path, name: str
) -> None:
    async with open_place(real_engines, name, run_label, tmp_path) as place:
        members = await place.members()
        for network in place.ten.networks:
            await place.engine.create_network(network)
        for volume in place.ten.volumes:
            await place.engine.create_volume(volume)
        for member in members:
            made = run_lines([member])
            told = [one.title for one in made.findings if "the values are left out" not in one.title]
            words = await _as_a_shell_reads(made.files[0].text)
            assert words[:2] == [name, "run"]
            assert words[2] == "--detach"
            environ = {"DOCKER_HOST": real_engines.docker, "PATH": os.environ["PATH"], **_secret(member.spec)}
            done = await asyncio.to_thread(
                subprocess.run,
                [str(real_engines.bin / name), "create", *words[3:]],
                env=environ,
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, done.stderr
            wanted = _as_docker_says(member.spec, name)
            unequal = place.unequal(wanted, await place.recipe(wanted.name))
            unequal.pop("process.stdin_once", None)  # `docker create` attaches stdin, which `run --detach` does not
            assert list(unequal) == ["health.test"] * len(told)
            assert all(title.endswith(f"cannot say {_SHELL}") for title in told)


async def _as_a_shell_reads(text: str) -> list[str]:
    """The words of the one command in it."""
    told = "".join(f'{name}() {{ printf "%s\\0" {name} "$@"; }}\n' for name in ("docker", "podman"))
    ran = await asyncio.to_thread(subprocess.run, ["sh", "-c", told + text], capture_output=True, timeout=30)
    assert (ran.returncode, ran.stderr) == (0, b"")
    return ran.stdout.decode().split("\0")[:-1]


def _as_docker_says(spec: WorkloadSpec, name: str) -> WorkloadSpec:
    """Docker's --entrypoint has one word, and the others come first in the command: the same process."""
    if name != "docker" or not spec.entrypoint:
        return spec
    first, *rest = spec.entrypoint
    return replace(spec, entrypoint=(first,), command=(*rest, *(spec.command or ())))


def _secret(spec: WorkloadSpec) -> dict[str, str]:
    """What the shell that runs the line has set."""
    return {key: value for key, value in spec.env.items() if is_secret_name(key)}
