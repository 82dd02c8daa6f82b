"""Ten containers exported and made again by the format's own program, on the real engines: equal by their recipes."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from backends.engine import Engine
from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.export.compose import compose_with_ledger
from backends.export.compose_service import COMPOSE_LABELS
from backends.export.exported import Exported, Member
from backends.export.kubernetes import Workload, kubernetes_with_ledger
from backends.export.kubernetes_labels import NAME_LABEL
from backends.migration.pods import unfold
from backends.migration.table import Side
from backends.migration.verify import compare_specs
from backends.model.ids import EngineId, EngineKind
from backends.model.workload import WorkloadSpec
from backends.wire.endpoint import Endpoint
from tests.export_recipes import Ten
from tests.real import RealEngines

pytestmark = pytest.mark.engines
PROGRAM_TIMEOUT_S = 120


@dataclass
class Place:
    """One engine with a run's ten containers, read back and taken away again."""

    real: RealEngines
    name: str
    engine: Engine
    run: str
    ten: Ten
    side: Side
    folder: Path

    async def members(self) -> list[Member]:
        """What the engine says of the ten; afterwards nothing of them is there."""
        for network in self.ten.networks:
            await self.engine.create_network(network)
        for volume in self.ten.volumes:
            await self.engine.create_volume(volume)
        seen = []
        for spec in self.ten.specs:
            made = await self.engine.create_container(spec)
            seen.append(await self.engine.workload_spec(made))
        self.clear()
        kind = self.engine.id.kind
        return [Member(spec, kind, self.ten.volumes, self.ten.networks) for spec in seen]

    def clear(self) -> None:
        """Remove all that has the run's name."""
        names = self.real.cli(self.name, "ps", "-aq", "--filter", f"name={self.run}").split()
        if self.name == "podman":
            pods = self.real.cli("podman", "pod", "ps", "-q", "--filter", f"name={self.run}").split()
            self._cli("pod", "rm", "-f", "-t", "0", *pods) if pods else None
            secrets = self.real.cli("podman", "secret", "ls", "-q", "--filter", f"name={self.run}").split()
            self._cli("secret", "rm", *secrets) if secrets else None
            names = self.real.cli(self.name, "ps", "-aq", "--filter", f"name={self.run}").split()
        self._cli("rm", "-f", "-v", *names) if names else None
        for kind in ("volume", "network"):
            found = self.real.cli(self.name, kind, "ls", "-q", "--filter", f"name={self.run}").split()
            self._cli(kind, "rm", *found) if found else None

    def _cli(self, *argv: str) -> None:
        self.real.cli(self.name, *argv)

    def write(self, out: Exported) -> None:
        """The files, as a user has them."""
        for file in out.files:
            (self.folder / file.name).write_text(file.text)

    def program(self, *argv: str) -> str:
        """Run a program among the files; returns stdout."""
        environ = {**os.environ, "PATH": f"{self.real.bin}:{os.environ['PATH']}", "DOCKER_HOST": self.real.docker}
        done = subprocess.run(
            argv, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=PROGRAM_TIMEOUT_S
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    async def recipe(self, name: str) -> WorkloadSpec:
        """Of a container by its name."""
        return await self.engine.workload_spec((await self.engine.inspect_container(name)).key.id)


@pytest.fixture
async def place(
    request: pytest.FixtureRequest, real_engines: RealEngines, run_label: Mapping[str, str], tmp_path: Path
) -> AsyncIterator[Place]:
    """By the engine's name ("docker", "podman"); cleared whatever happened."""
    name = request.param
    kinds = {"docker": (DockerEngine, EngineKind.DOCKER), "podman": (PodmanEngine, EngineKind.PODMAN)}
    adapter, kind = kinds[name]
    engine = adapter(EngineId(kind, name), Endpoint.parse(getattr(real_engines, name)))
    run = f"exp-{uuid.uuid4().hex[:8]}"
    made = Place(
        real_engines, name, engine, run, Ten(run, run_label), Side(engine.id, await engine.connect()), tmp_path
    )
    try:
        yield made
    finally:
        made.clear()
        await engine.close()


def _unequal(wanted: WorkloadSpec, seen: WorkloadSpec, place: Place) -> dict[str, str]:
    """Fields that are not the same, with both values."""
    checks = compare_specs(wanted, seen, place.side)
    return {check.subject: f"{wanted.name}: {check.source} | {check.target}" for check in checks if not check.equal}


def _plain(spec: WorkloadSpec) -> WorkloadSpec:
    """Without what Compose programs give by themselves: labels, the service's name as alias, Podman's own network."""
    labels = {key: value for key, value in spec.labels.items() if not key.startswith(COMPOSE_LABELS)}
    ends = tuple(
        replace(end, aliases=tuple(alias for alias in end.aliases if alias != spec.name))
        for end in spec.network.networks
        if end.network != "podman"
    )
    mode = spec.network.mode if ends or spec.network.mode != "bridge" else ""
    return replace(spec, labels=labels, network=replace(spec.network, networks=ends, mode=mode))


@pytest.mark.parametrize("place", ["docker", "podman"], indirect=True)
async def test_compose_makes_them_again(place: Place) -> None:
    members = await place.members()
    out, ledger = compose_with_ledger(members)
    told = {(entry.who, entry.path) for entry in ledger.entries if entry.path}
    assert place.name == "podman" or not told, "Compose can say all of these; podman-compose does not read all"
    place.write(out)
    if place.name == "docker":
        place.program("docker", "compose", "-f", "compose.yaml", "up", "--no-start", "--quiet-pull")
    else:
        place.program(sys.executable, "-m", "podman_compose", "-f", "compose.yaml", "up", "--no-start")
    for member in members:
        seen = _plain(await place.recipe(member.spec.name))
        found = _unequal(member.spec, seen, place)
        assert not {field: said for field, said in found.items() if (member.spec.name, field) not in told}
        unheard = {path for who, path in told if who == member.spec.name} - found.keys()
        assert not unheard, "what is told is so"
    for network in place.ten.networks:
        shown = place.real.cli(place.name, "network", "inspect", network.name)
        assert network.subnets[0].subnet in shown
    for volume in place.ten.volumes:
        labels = place.real.cli(place.name, "volume", "inspect", "-f", "{{json .Labels}}", volume.name)
        assert volume.labels.items() <= json.loads(labels).items()


OF_PODS = {"name", "network.base_hosts", "resources.cgroup_parent"}
"""What a Pod has of its own on Podman, whatever is played: names, its infra container's files and cgroup."""

UNTOLD = {"gpu", "resources.ulimits", "resources.sysctls.net.ipv4.ip_forward"}
"""What Podman does not tell of a container that no command line made; looked at from inside."""

_NOTES = ("io.podman.annotations.", "io.kubernetes.", "container.seccomp.")


def _above(field: str) -> set[str]:
    """The field and all that it is in: "log", "log.options", "log.options.max-size"."""
    return {field[:place] for place, letter in enumerate(f"{field}.") if letter == "."}


async def _played(place: Place, name: str) -> WorkloadSpec:
    """A Pod's container with what its infra container holds for it, without Podman's notes on Pods."""
    seen = await place.recipe(f"{name}-{name}")
    partner = seen.network.mode.removeprefix("container:")
    if partner != seen.network.mode:
        seen = unfold({seen.name: seen}, await place.recipe(partner), seen.name)[seen.name]
    notes = {key: value for key, value in seen.process.annotations.items() if not key.startswith(_NOTES)}
    labels = {key: value for key, value in seen.labels.items() if key != NAME_LABEL}
    return replace(seen, labels=labels, process=replace(seen.process, annotations=notes))


@pytest.mark.parametrize("place", ["podman"], indirect=True)
async def test_kube_play_makes_them_again(place: Place) -> None:
    members = await place.members()
    for network in place.ten.networks:
        await place.engine.create_network(network)
    for member in members:
        out, ledger = kubernetes_with_ledger([member], workload=Workload.POD, podman=True)
        place.write(out)
        for command in out.commands:
            place.program(*shlex.split(command.replace(" play ", " play --start=false ")))
        seen = await _played(place, member.spec.name)
        told = OF_PODS | UNTOLD | {entry.path for entry in ledger.entries if entry.path}
        found = _unequal(member.spec, seen, place)
        assert not {field: said for field, said in found.items() if not told & _above(field)}
    _inside(place)


def _inside(place: Place) -> None:
    """What only a container that runs can show: the GPU's nodes, limits, a sysctl, its address and its secret."""
    run = place.run
    place.real.cli("podman", "pod", "start", *(f"{run}-{name}" for name in ("gpu", "limits", "process", "nets")))
    shown = {
        name: place.real.cli("podman", "exec", f"{run}-{name}-{run}-{name}", "sh", "-c", line)
        for name, line in {
            "gpu": "ls /dev",
            "limits": "ulimit -Sn; ulimit -Hn",
            "process": "cat /proc/sys/net/ipv4/ip_forward",
            "nets": "ip address",
        }.items()
    }
    assert "nvidia0" in shown["gpu"]
    assert "nvidia1" not in shown["gpu"]
    assert shown["limits"].split() == ["512", "1024"]
    assert shown["process"].strip() == "0"
    assert f"{place.ten.address}/24" in shown["nets"]
