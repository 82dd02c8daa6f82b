"""What reaches a container, and what it could give away: ports, devices, secrets in plain sight. Pure.

Values of variables and arguments are never part of a finding: names and places only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from shlex import quote

from backends.model.container import Port
from backends.model.secrets import is_secret_name, masked_text
from backends.security.facts import ContainerFacts
from backends.security.finding import SecurityFinding, Severity

_EVERYWHERE = frozenset({"", "0.0.0.0", "::", "*"})
_MEMORY = re.compile(r"/dev/(?:mem|kmem|port|core|fd0|raw/.*)")
_DISKS = re.compile(r"/dev/(?:sd[a-z]+|vd[a-z]+|xvd[a-z]+|hd[a-z]+|nvme\d+n\d+|dm-|mapper/|md|loop|disk/).*")
_USUAL = re.compile(r"/dev/(?:nvidia.*|dri(?:/.*)?|kfd|infiniband(?:/.*)?|null|zero|full|random|urandom|tty|shm)")
"""GPUs, and InfiniBand, are what ML containers are given; the rest every container has."""
_SWITCHES = frozenset({"", "0", "1", "true", "false", "yes", "no", "on", "off", "none"})
_FINGERPRINTS = re.compile(r"[0-9A-Fa-f\s]{16,}")  # of public keys, as images of Python have them
_ALL_DEVICES = re.compile(r"a|a \*:\*.*|[bc] \*:\*.*")


def exposure(facts: ContainerFacts) -> Iterator[SecurityFinding]:
    """All of them."""
    yield from _ports(facts)
    yield from _secrets(facts)
    yield from _devices(facts)


def secret_names(env: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the variables that hold what looks like a secret, sorted: by their name, or by their value."""
    return tuple(sorted(name for name, value in env.items() if _secret(name, value)))


def _secret(name: str, value: str) -> bool:
    if masked_text(value) != value:
        return True
    if not is_secret_name(name) or value.lower() in _SWITCHES:
        return False
    if value.startswith("/") and name.upper().endswith(("_FILE", "_PATH", "_DIR")):
        return False  # where the secret is, not what it is
    public = "GPG" in name.upper() and _FINGERPRINTS.fullmatch(value) is not None
    return not public and not (value.isdecimal() and "TOKENS" in name.upper())


def _ports(facts: ContainerFacts) -> Iterator[SecurityFinding]:
    open_ = [port for port in facts.spec.ports if port.host_port is not None and port.host_ip in _EVERYWHERE]
    if open_:
        said = ", ".join(f"{port.host_port or 'any'}:{port.container_port}/{port.protocol}" for port in open_)
        flags = " ".join(f"--publish {quote(_on_loopback(port))}" for port in open_)
        yield SecurityFinding(
            "port-everywhere", Severity.MEDIUM, f"published on all addresses of the host: {said}",
            "HostConfig.PortBindings", said,
            "Whoever reaches the host reaches it; rootful engines open the firewall for it.",
            "Publish it on the address that it is for, and reach it by ssh -L (tranship links).", flags,
        )  # fmt: skip
    if facts.spec.network.publish_all:
        yield SecurityFinding(
            "port-publish-all", Severity.MEDIUM, "every port that the image exposes is published",
            "HostConfig.PublishAllPorts", "true", "The image decides what can be reached, on all addresses.",
            "Publish by name.", "--publish 127.0.0.1:PORT:PORT",
        )  # fmt: skip


def _on_loopback(port: Port) -> str:
    return f"127.0.0.1:{port.host_port or ''}:{port.container_port}/{port.protocol}"


def _secrets(facts: ContainerFacts) -> Iterator[SecurityFinding]:
    spec = facts.spec
    remedy = (
        "podman secret create NAME -, then --secret NAME,type=env" if not facts.docker else "a file that is mounted"
    )
    if names := secret_names(spec.env):
        secrets = "" if facts.docker else " ".join(f"--secret {quote(name)},type=env" for name in names)
        yield SecurityFinding(
            "secret-env", Severity.MEDIUM, f"secrets in its environment: {', '.join(names)}", "Config.Env",
            ", ".join(names), "Everyone who may inspect it reads them; so do all its programs, and crash reports.",
            f"Give them another way: {remedy}.", secrets,
        )  # fmt: skip
    if facts.image.secrets:
        said = ", ".join(facts.image.secrets)
        yield SecurityFinding(
            "secret-image", Severity.MEDIUM, f"secrets in its image: {said}", "image: Config.Env", said,
            "Everyone who has the image has them, for ever.", "Withdraw them, and build with a build secret instead.",
            "--mount=type=secret",
        )  # fmt: skip
    for field, words in (("Config.Cmd", spec.command or ()), ("Config.Entrypoint", spec.entrypoint or ())):
        text = " ".join(words)
        if masked_text(text) != text:
            yield SecurityFinding(
                "secret-command", Severity.MEDIUM, "a secret in its command line", field, "hidden",
                "Everyone on the host reads it in the list of processes.", f"Give it another way: {remedy}.",
            )  # fmt: skip


def _devices(facts: ContainerFacts) -> Iterator[SecurityFinding]:
    for device in facts.spec.security.devices:
        path = device.host_path
        if _USUAL.fullmatch(path):
            continue
        raw = bool(_MEMORY.fullmatch(path) or _DISKS.fullmatch(path))
        severity = Severity.HIGH if raw else Severity.LOW
        yield SecurityFinding(
            "device-raw" if raw else "device", severity.lowered() if facts.info.rootless else severity,
            f"has the host's device {path}", "HostConfig.Devices", f"{path} ({device.permissions})",
            "It reads and writes past all files' rights." if raw else "What it can do depends on its driver.",
            "Take it away where the program does not need it, or give it for reading only.",
            f"--device {quote(f'{path}:{path}:r')}" if "w" in device.permissions and raw else "",
        )  # fmt: skip
    for rule in facts.spec.security.device_cgroup_rules:
        if _ALL_DEVICES.fullmatch(rule.strip()):
            yield SecurityFinding(
                "device-rule", Severity.HIGH, "may use all devices of the host", "HostConfig.DeviceCgroupRules", rule,
                "With CAP_MKNOD it makes the node of any disk.", "Name the devices that it needs (--device).",
            )  # fmt: skip


__all__ = ["exposure", "secret_names"]
