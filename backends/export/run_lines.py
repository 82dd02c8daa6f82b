"""Containers as a shell's script of `docker run` or `podman run` lines. Pure; runs nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from backends.export.command import run_command
from backends.export.exported import Exported, ExportFile, Member
from backends.model.ids import EngineKind
from backends.model.network import NetworkSpec
from backends.model.plan import Finding, Severity
from backends.model.workload import VolumeSpec

FILE = "run.sh"


def run_lines(members: Sequence[Member]) -> Exported:
    """A line for each, in their own engine's words, after lines that make its volumes and networks where they are not.

    Values that look secret are left to the environment: the line names the variable alone.
    """
    findings: list[Finding] = []
    parts: list[str] = []
    first: dict[str, None] = {}
    for member in members:
        spec, program = member.spec, "podman" if member.kind is EngineKind.PODMAN else "docker"
        command = run_command(spec, member.kind)
        first |= dict.fromkeys(_before(member, program))
        parts.append(f"# {' '.join(spec.name.split())}\n{command.lines}\n")
        findings += [Finding(Severity.WARN, f"{spec.name}: {program} run cannot say {what}") for what in command.unsaid]
        if command.hidden:
            title = f"{spec.name}: {', '.join(command.hidden)}: the values are left out"
            findings.append(Finding(Severity.NOTE, title, remedy="Set them in the shell that runs the line."))
        findings += [
            Finding(Severity.WARN, f"{spec.name}: {unknown.path} is not in the line", remedy=unknown.reason)
            for unknown in spec.unmapped
        ]
    text = "\n".join([*(f"{line}\n" for line in first), *parts])
    return Exported((ExportFile(FILE, text),), tuple(findings), (f"sh {FILE}",))


def _before(member: Member, program: str) -> Iterator[str]:
    """What it stands on, as lines that do nothing where that is there."""
    for volume in member.volumes:
        yield _unless_there(program, "volume", volume.name, _volume_words(volume))
    for network in member.networks:
        yield _unless_there(program, "network", network.name, _network_words(network, program == "podman"))


def _unless_there(program: str, kind: str, name: str, words: Sequence[str]) -> str:
    seen = shlex.join([program, kind, "inspect", name])
    return f"{seen} >/dev/null 2>&1 || {shlex.join([program, kind, 'create', *words, name])}"


def _volume_words(volume: VolumeSpec) -> list[str]:
    words = [word for key, value in volume.driver_options.items() for word in ("--opt", f"{key}={value}")]
    return words + [word for key, value in volume.labels.items() for word in ("--label", f"{key}={value}")]


def _network_words(network: NetworkSpec, podman: bool) -> list[str]:
    words = ["--driver", network.driver] if network.driver not in {"", "bridge"} else []
    for subnet in network.subnets:
        words += ["--subnet", subnet.subnet]
        words += ["--gateway", subnet.gateway] if subnet.gateway else []
        words += ["--ip-range", subnet.ip_range] if subnet.ip_range else []
    words += ["--internal"] if network.internal else []
    words += ["--ipv6"] if network.ipv6 else []
    words += ["--disable-dns"] if podman and not network.dns else []
    words += [word for key, value in network.options.items() for word in ("--opt", f"{key}={value}")]
    return words + [word for key, value in network.labels.items() for word in ("--label", f"{key}={value}")]


__all__ = ["FILE", "run_lines"]
