"""Options of `podman run` as keys of a Quadlet's [Container] or [Pod] section. Pure; used by `quadlet` alone.

Source: podman-systemd.unit(5) of Podman 5.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from backends.export.quadlet_text import bare, literal, word, words

_WORDS = {
    "--env": "Environment",
    "--label": "Label",
    "--annotation": "Annotation",
    "--cap-add": "AddCapability",
    "--cap-drop": "DropCapability",
    "--device": "AddDevice",
    "--sysctl": "Sysctl",
}
"""Keys that take a list of words, in systemd's quotes."""

_VALUES = {
    "--add-host": "AddHost",
    "--dns": "DNS",
    "--dns-option": "DNSOption",
    "--dns-search": "DNSSearch",
    "--entrypoint": "Entrypoint",
    "--expose": "ExposeHostPort",
    "--group-add": "GroupAdd",
    "--health-cmd": "HealthCmd",
    "--health-interval": "HealthInterval",
    "--health-on-failure": "HealthOnFailure",
    "--health-retries": "HealthRetries",
    "--health-start-period": "HealthStartPeriod",
    "--health-timeout": "HealthTimeout",
    "--hostname": "HostName",
    "--log-driver": "LogDriver",
    "--mount": "Mount",
    "--network": "Network",
    "--pids-limit": "PidsLimit",
    "--publish": "PublishPort",
    "--shm-size": "ShmSize",
    "--stop-timeout": "StopTimeout",
    "--tmpfs": "Tmpfs",
    "--tz": "Timezone",
    "--ulimit": "Ulimit",
    "--user": "User",
    "--userns": "UserNS",
    "--volume": "Volume",
    "--workdir": "WorkingDir",
}
"""Keys that take one value as it stands."""

_SWITCHES = {"--init": "RunInit=true", "--read-only": "ReadOnly=true"}
_SECURITY = {
    "no-new-privileges": "NoNewPrivileges=true",
    "label=disable": "SecurityLabelDisable=true",
    "label=nested": "SecurityLabelNested=true",
}
_SECURITY_VALUES = {
    "label=type:": "SecurityLabelType",
    "label=filetype:": "SecurityLabelFileType",
    "label=level:": "SecurityLabelLevel",
    "mask=": "Mask",
    "unmask=": "Unmask",
}
_POD_KEYS = frozenset({"--add-host", "--dns", "--dns-option", "--dns-search", "--network", "--publish", "--userns"})
"""What a [Pod] section knows of these in Podman 5.4."""


@dataclass(frozen=True, slots=True)
class Known:
    """Volumes and networks that have units beside the container's: the name of each, and its unit's stem."""

    volumes: Mapping[str, str]
    networks: Mapping[str, str]


def container_lines(flags: Iterable[tuple[str, ...]], known: Known, *, pod: bool = False) -> Iterator[str]:
    """A line for each option; PodmanArgs= for one without a key, or whose value the key could not take."""
    for flag in flags:
        name, value = flag[0], flag[1] if len(flag) > 1 else ""
        if pod and name not in _POD_KEYS:
            yield _arguments(flag)
        elif len(flag) == 1:
            yield _SWITCHES.get(name) or _arguments(flag)
        elif name in _WORDS:
            yield f"{_WORDS[name]}={word(value)}"
        elif name in _VALUES and bare(value):
            yield f"{_VALUES[name]}={literal(_with_units(name, value, known))}"
        elif name == "--security-opt":
            yield _security(flag, value)
        else:
            yield _arguments(flag)


def _arguments(flag: tuple[str, ...]) -> str:
    """The option as it is. The generator's list of words ends at an empty one: such a value stands behind "="."""
    return f"PodmanArgs={words(['='.join(flag)] if '' in flag else flag)}"


def _security(flag: tuple[str, ...], value: str) -> str:
    if value in _SECURITY:
        return _SECURITY[value]
    for start, key in _SECURITY_VALUES.items():
        if value.startswith(start) and bare(value.removeprefix(start)):
            return f"{key}={literal(value.removeprefix(start))}"
    return _arguments(flag)


def _with_units(name: str, value: str, known: Known) -> str:
    """The value with the unit of its volume or network in the place of its name, so that systemd makes that first."""
    if name == "--volume":
        source, colon, rest = value.partition(":")
        return f"{known.volumes[source]}.volume{colon}{rest}" if colon and source in known.volumes else value
    if name == "--network":
        network, colon, rest = value.partition(":")
        return f"{known.networks[network]}.network{colon}{rest}" if network in known.networks else value
    if name == "--mount":
        parts = value.split(",")
        for at, part in enumerate(parts):
            if part.startswith("source=") and part.removeprefix("source=") in known.volumes and "type=volume" in parts:
                parts[at] = f"source={known.volumes[part.removeprefix('source=')]}.volume"
        return ",".join(parts)
    return value


__all__ = ["Known", "container_lines"]
