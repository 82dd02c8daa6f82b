"""Containers as Quadlet files: units that systemd runs with Podman. Pure; runs nothing.

Source: podman-systemd.unit(5) of Podman 5.4. What is said is what `podman run` would be told (`command`), each option
by its key where there is one, by PodmanArgs= where there is none. What a unit cannot say is a comment and a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum

from backends.export.command import run_command
from backends.export.distinct import distinct
from backends.export.exported import PRIVATE_MODE, Exported, ExportFile, Member
from backends.export.quadlet_keys import Known, container_lines
from backends.export.quadlet_text import comment, line, section, word, words
from backends.export.unsaid import Ledger, sentence
from backends.model.ids import EngineKind
from backends.model.network import NetworkSpec
from backends.model.plan import Finding, Severity
from backends.model.secrets import is_secret_name
from backends.model.settings import NamespaceSpec, NetworkingSpec, ProcessSpec
from backends.model.workload import RestartName, RestartPolicy, VolumeSpec, WorkloadSpec


class Scope(StrEnum):
    """Who runs the units: the user's own systemd, or the machine's."""

    USER = "user"
    SYSTEM = "system"


_UNIT = re.compile(r"[^A-Za-z0-9_.-]")
_DEVICE_OPTIONS = {"device": "Device", "type": "Type", "o": "Options"}
"""Options of the local volume driver that have keys. Source: podman-systemd.unit(5), "Volume units"."""


def quadlet(members: Sequence[Member], *, scope: Scope = Scope.USER) -> Exported:
    """A `.container` for each, and `.volume`, `.network`, `.pod` for what they stand on.

    A file of mode 0600 beside the unit holds the variables that look secret.
    """
    files: list[ExportFile] = []
    ledger = Ledger("Quadlet")
    members = [one.with_image_check() for one in distinct(members, ledger)]
    findings = list(ledger.findings)
    known = Known(
        {volume.name: unit_name(volume.name) for member in members for volume in member.volumes},
        {network.name: unit_name(network.name) for member in members for network in member.networks},
    )
    for member in members:
        made, told = _container(member, known, scope, _before(member, members))
        files += made
        findings += told
    volumes = {volume.name: volume for member in members for volume in member.volumes}
    networks = {network.name: network for member in members for network in member.networks}
    files += [_volume(volume) for volume in volumes.values()]
    files += [_network(network) for network in networks.values()]
    for pod in dict.fromkeys(member.pod for member in members if member.pod):
        files.append(_pod(pod, [member for member in members if member.pod == pod], known))
    if volumes:
        title = "The units make volumes that are missing; their content is not in the files"
        findings.append(Finding(Severity.NOTE, title, remedy="`tranship backup`, or a migration, brings it."))
    return Exported(tuple(files), tuple(findings), _commands(members, scope))


def unit_name(name: str) -> str:
    """A name as the stem of a unit file."""
    return _UNIT.sub("_", name) or "unnamed"


def _before(member: Member, members: Sequence[Member]) -> list[str]:
    """Services that are to run before it: of what it needs, unless that is in its own pod, which starts all."""
    needed = (one for one in members if one.spec.name in member.needs and not (one.pod and one.pod == member.pod))
    return [f"{unit_name(one.spec.name)}.service" for one in needed]


def _container(
    member: Member, known: Known, scope: Scope, before: Sequence[str]
) -> tuple[list[ExportFile], list[Finding]]:
    spec, ledger = member.spec, Ledger("Quadlet")
    name = unit_name(spec.name)
    secrets = {key: value for key, value in spec.env.items() if is_secret_name(key)}
    beside = {key: value for key, value in secrets.items() if not set(value) & {"\n", "\r"} and key.isprintable()}
    files = []
    lines = [f"Image={line(spec.image)}"]
    if spec.name:
        lines.append(f"ContainerName={line(spec.name)}")
    if member.pod:
        lines.append(f"Pod={unit_name(member.pod)}.pod")
    if beside:
        # A line is NAME=VALUE, taken as it stands, a carriage return at its end apart. Source: podman, pkg/env/env.go.
        text = "".join(f"{key}={value}\n" for key, value in beside.items())
        files.append(ExportFile(f"{name}.env", text, PRIVATE_MODE))
        lines.append(f"EnvironmentFile={name}.env")
        ledger.differs(
            spec.name, "", f"{', '.join(sorted(beside))}: the values stand in {name}.env, for your eyes only"
        )
    said = replace(
        spec,
        name="",
        env={key: value for key, value in spec.env.items() if key not in beside},
        restart=RestartPolicy(),
        process=replace(spec.process, auto_remove=False),
    )
    if member.pod:
        said = replace(said, ports=(), network=NetworkingSpec(), hostname=None, namespaces=_own(spec.namespaces))
    command = run_command(said, EngineKind.PODMAN, verb=(), secret=lambda _: False)
    for what in command.unsaid:
        ledger.cannot(spec.name, "", what)
    lines += container_lines(command.flags, known)
    exec_words = command.words[1:]
    if "" in exec_words:  # the generator's list of words ends there
        ledger.cannot(
            spec.name,
            "command",
            "an empty word of the command, nor what is behind it",
            "Run the command by a shell's -c.",
        )
    if exec_words:
        lines.append(f"Exec={words(exec_words)}")
    _notes(spec, member, ledger)
    told = [entry.finding for entry in ledger.entries]
    head = [
        comment(f"The container {spec.name}, as Tranship read it from {member.kind.value}."),
        *(comment(sentence(one)) for one in told),
    ]
    unit = [
        *head,
        *section("Unit", [f"Description={line(f'The container {spec.name}')}", *_after(before)]),
        *section("Container", lines),
        *section("Service", _service(spec.restart, spec.process)),
        *section("Install", _install(spec.restart, scope)),
    ]
    left = [key for key in secrets if key not in beside]
    files.insert(0, ExportFile(f"{name}.container", _text(unit), PRIVATE_MODE if left else 0o644))
    return files, told


def _own(spaces: NamespaceSpec) -> NamespaceSpec:
    """What a container in a pod has besides the pod's namespaces."""
    held = {name: "" for name in ("ipc", "pid", "uts", "cgroup", "user") if getattr(spaces, name) not in {"", "host"}}
    return replace(spaces, shm_bytes=None, **held)


def _after(before: Sequence[str]) -> list[str]:
    """Source: systemd.unit(5), Requires=, After=."""
    return [f"{key}={words(before)}" for key in ("Requires", "After") if before]


def _notes(spec: WorkloadSpec, member: Member, ledger: Ledger) -> None:
    for unknown in spec.unmapped:
        if not (member.pod and unknown.path == "Pod"):
            ledger.cannot(spec.name, "unmapped", unknown.path, unknown.reason)
    if not spec.process.auto_remove:
        ledger.differs(
            spec.name, "", "systemd makes the container anew at each start: what it wrote outside volumes is gone then"
        )
    if spec.restart.name is RestartName.NO:
        ledger.differs(
            spec.name,
            "",
            "it is not started at boot, since it was not restarted either",
            "Add [Install] to change that.",
        )
    if spec.restart.name is RestartName.ON_FAILURE and spec.restart.max_retries:
        tries = spec.restart.max_retries
        ledger.differs(
            spec.name,
            "",
            f"it was restarted {tries} times at most",
            f"systemd counts within a time: StartLimitBurst={tries}",
        )
    if spec.image.startswith("localhost/"):
        ledger.differs(
            spec.name, "", "its image is in no registry", f"Podman must have it: podman image exists {spec.image}"
        )
    if spec.gpu is not None and spec.gpu.cdi_names():
        ledger.differs(spec.name, "", "its GPUs are CDI devices", "The host lists them by `nvidia-ctk cdi list`.")


def _service(restart: RestartPolicy, process: ProcessSpec) -> Iterator[str]:
    """Source: systemd.service(5), Restart=, TimeoutStartSec=, TimeoutStopSec=."""
    if restart.name in {RestartName.ALWAYS, RestartName.UNLESS_STOPPED}:
        yield "Restart=always"
    elif restart.name is RestartName.ON_FAILURE:
        yield "Restart=on-failure"
    yield "TimeoutStartSec=900"  # an image may have to be pulled first
    if process.stop_timeout_s is not None and process.stop_timeout_s > 60:
        yield f"TimeoutStopSec={process.stop_timeout_s + 10}"


def _install(restart: RestartPolicy, scope: Scope) -> Iterator[str]:
    if restart.name is not RestartName.NO:
        yield "WantedBy=default.target" if scope is Scope.USER else "WantedBy=multi-user.target default.target"


def _volume(volume: VolumeSpec) -> ExportFile:
    lines = [f"VolumeName={line(volume.name)}"]
    for key, value in volume.driver_options.items():
        if key in _DEVICE_OPTIONS:
            lines.append(f"{_DEVICE_OPTIONS[key]}={line(value)}")
        else:
            lines.append(f"PodmanArgs={words(['--opt', f'{key}={value}'])}")
    lines += [f"Label={word(f'{key}={value}')}" for key, value in volume.labels.items()]
    return ExportFile(f"{unit_name(volume.name)}.volume", _text(section("Volume", lines)))


def _network(network: NetworkSpec) -> ExportFile:
    lines = [f"NetworkName={line(network.name)}"]
    if network.driver not in {"", "bridge"}:
        lines.append(f"Driver={line(network.driver)}")
    for one in network.subnets:
        lines.append(f"Subnet={line(one.subnet)}")
        lines += [f"Gateway={line(one.gateway)}"] if one.gateway else []
        lines += [f"IPRange={line(one.ip_range)}"] if one.ip_range else []
    lines += ["Internal=true"] if network.internal else []
    lines += ["IPv6=true"] if network.ipv6 else []
    lines += [] if network.dns else ["DisableDNS=true"]
    for key, value in network.options.items():
        lines.append(f"PodmanArgs={words(['--opt', f'{key}={value}'])}")
    lines += [f"Label={word(f'{key}={value}')}" for key, value in network.labels.items()]
    return ExportFile(f"{unit_name(network.name)}.network", _text(section("Network", lines)))


def _pod(pod: str, members: Sequence[Member], known: Known) -> ExportFile:
    """The pod has the ports, the networks and the host name of all who are in it."""
    first = members[0].spec
    ports = tuple(dict.fromkeys(port for one in members for port in one.spec.ports if port.host_port is not None))
    own = (one.spec.network for one in members if not one.spec.network.mode.startswith("container:"))
    network = next((one for one in own if one != NetworkingSpec()), NetworkingSpec())
    hostname = next((one.spec.hostname for one in members if one.spec.hostname), None)
    shm = next((one.spec.namespaces.shm_bytes for one in members if one.spec.namespaces.shm_bytes is not None), None)
    spaces = NamespaceSpec(shm_bytes=shm)
    said = WorkloadSpec("", first.image, ports=ports, network=network, hostname=hostname, namespaces=spaces)
    flags = run_command(said, EngineKind.PODMAN, verb=()).flags
    lines = [f"PodName={line(pod)}", *container_lines(flags, known, pod=True)]
    return ExportFile(f"{unit_name(pod)}.pod", _text(section("Pod", lines)))


def _commands(members: Sequence[Member], scope: Scope) -> tuple[str, ...]:
    systemctl = "systemctl --user" if scope is Scope.USER else "systemctl"
    pods = dict.fromkeys(f"{unit_name(one.pod)}-pod.service" for one in members if one.pod)
    alone = [f"{unit_name(one.spec.name)}.service" for one in members if not one.pod]
    first = (f"{systemctl} daemon-reload", f"{systemctl} start {' '.join([*pods, *alone])}")
    return (*first, "loginctl enable-linger") if scope is Scope.USER else first


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines).lstrip("\n") + "\n"


__all__ = ["Scope", "quadlet", "unit_name"]
