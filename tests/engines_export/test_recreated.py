"""Ten containers exported and made again by the format's own program, on the real engines: equal by their recipes."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from backends.export.compose import compose_with_ledger
from backends.export.compose_service import COMPOSE_LABELS
from backends.export.kubernetes import Workload, kubernetes_with_ledger
from backends.export.kubernetes_labels import NAME_LABEL
from backends.migration.pods import unfold
from backends.model.workload import WorkloadSpec
from tests.engines_export.place import Place, open_place
from tests.real import RealEngines

pytestmark = pytest.mark.engines


@pytest.fixture
async def place(
    request: pytest.FixtureRequest, real_engines: RealEngines, run_label: Mapping[str, str], tmp_path: Path
) -> AsyncIterator[Place]:
    """By the engine's name ("docker", "podman")."""
    async with open_place(real_engines, request.param, run_label, tmp_path) as made:
        yield made


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
        found = place.unequal(member.spec, seen)
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
        found = place.unequal(member.spec, seen)
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
