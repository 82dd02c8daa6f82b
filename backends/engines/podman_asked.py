"""Pure: what was asked for when a container was made, which its inspect JSON does not tell. Makes no calls.

Two sources: the annotation that we write on what we create, and the command line that `podman run|create` keeps. Both
become the same: paths of WorkloadSpec ("resources.pids_limit") with the value that was asked for. The annotation holds
no variable's value, no command and no check: nothing where a secret could stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

from backends.engines.podman_command import pairs_of
from backends.engines.podman_translate import CDI_NAME, Json, create_options, host_ip, labels_of, strings
from backends.model.container import MountKind
from backends.model.settings import HealthSpec
from backends.model.workload import WorkloadSpec

MADE_BY = "io.tranship.made"
"""Annotation on what we create: {"env": names of the variables that we set, "asked": {path: value}}."""

_PORTS = 65536

NOTHING: Mapping[str, Any] = MappingProxyType({})

_PLAIN = (
    "cpus_nano", "hostname", "user", "process.stop_signal", "process.stop_timeout_s", "process.umask",
    "process.unset_env", "process.http_proxy", "process.systemd", "network.mode", "network.mac", "network.no_resolv",
    "network.publish_all", "namespaces.ipc", "namespaces.pid", "namespaces.uts", "namespaces.cgroup", "namespaces.user",
    "namespaces.shm_bytes", "security.cap_add", "security.cap_drop", "security.seccomp", "security.apparmor",
    "security.selinux", "security.unmask", "security.mask", "security.read_write_tmpfs", "security.device_cgroup_rules",
    "resources.memory_swap_bytes", "resources.memory_swappiness", "resources.oom_score_adj", "resources.pids_limit",
    "resources.blkio_weight", "resources.sysctls", "resources.storage", "log.driver", "log.options",
)  # fmt: skip
"""Fields that inspect does not tell, or of which it does not tell whether they were asked for."""

_ENV_OPTION = re.compile(r"(?:--env|-[ditPq]*e)(?:=?(?P<value>.*))", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Asked:
    """env: the variables that were asked for, None where that is not known. values: path → what was asked for.

    ours: by our annotation; known: by that or by a command line, so that what is not in `values` was not asked for.
    """

    env: frozenset[str] | None = None
    values: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    ours: bool = False
    known: bool = False

    def unless(self, path: str, value: Any, *own: Any, nothing: Any = None) -> Any:
        """The value that inspect shows, or `nothing` where it is the engine's own and was not asked for."""
        return value if path in self.values or value not in own else nothing

    def words(self, path: str) -> tuple[str, ...]:
        """A list of words; none where it was not asked for."""
        return strings(self.values.get(path))

    def text(self, path: str) -> str:
        """A text, "" where it was not asked for."""
        value = self.values.get(path)
        return value if isinstance(value, str) else ""

    def entries(self, path: str) -> tuple[Mapping[str, Any], ...]:
        """A list of JSON objects."""
        value = self.values.get(path)
        return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def annotation(spec: WorkloadSpec) -> str:
    """The text that says of a container of ours what inspect will not say."""
    values: dict[str, Any] = {}
    for path in _PLAIN:
        group, _, name = path.rpartition(".")
        part = getattr(spec, group) if group else spec
        value = getattr(part, name) if part is not None else None
        if value is not None and value not in ("", 0, (), {}, False):
            values[path] = dict(value) if isinstance(value, Mapping) else value
        elif (value is False and name in {"http_proxy", "read_write_tmpfs"}) or (value == 0 and _counts(name, value)):
            values[path] = value
    values |= _lists(spec)
    if spec.health is not None:
        values["health.set"] = _set_numbers(spec.health)
        if spec.health.startup is not None:
            values["health.startup.set"] = _set_numbers(spec.health.startup)
    return json.dumps({"env": sorted(spec.env), "asked": values}, sort_keys=True)


_COUNTING = {"stop_timeout_s", "memory_swappiness", "oom_score_adj", "pids_limit", "shm_bytes"}


def _counts(name: str, value: object) -> bool:
    """Whether 0 says something else than "not asked for"."""
    return type(value) is int and name in _COUNTING


def _set_numbers(health: HealthSpec) -> list[str]:
    names = ("interval_ns", "timeout_ns", "start_period_ns", "start_interval_ns", "retries")
    return [name for name in names if getattr(health, name)]


def _lists(spec: WorkloadSpec) -> dict[str, Any]:
    """Fields that are lists of records."""
    found: dict[str, Any] = {
        "network.networks": [{**asdict_of(net), "options": dict(net.options)} for net in spec.network.networks],
        "security.devices": [asdict(device) for device in spec.security.devices],
        "resources.ulimits": [asdict(limit) for limit in spec.resources.ulimits],
        "ports": [asdict(port) for port in spec.ports if port.host_port is not None],
        "mounts": [
            {
                "destination": mount.destination,
                "options": list(mount.options),
                "propagation": mount.propagation,
                "no_copy": mount.no_copy,
                "anonymous": mount.anonymous,
                "create_source": mount.create_source,
            }
            for mount in spec.mounts
            if mount.kind is not MountKind.OTHER
        ],
    }
    return {path: value for path, value in found.items() if value}


def asdict_of(record: Any) -> dict[str, Any]:
    """A slotted dataclass as a dict, without copying what it holds."""
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def asked(inspect: Json) -> Asked:
    """What was asked for, by our annotation, else by the command line; nothing where neither is there."""
    config = inspect["Config"]
    text = labels_of(config.get("Annotations")).get(MADE_BY)
    if text is not None:
        made = _annotated(text)
        if made is not None:
            return made
    if not config.get("CreateCommand"):
        return Asked()
    options = create_options(inspect)
    return Asked(_commanded_env(options), MappingProxyType(_commanded(options)), known=True)


def _annotated(text: str) -> Asked | None:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(said, list):  # as it was written before other things than variables were carried
        return Asked(frozenset(map(str, said)), ours=True, known=True)
    if not isinstance(said, dict) or not isinstance(said.get("env"), list) or not isinstance(said.get("asked"), dict):
        return None
    return Asked(frozenset(map(str, said["env"])), MappingProxyType(said["asked"]), ours=True, known=True)


def _commanded_env(options: Sequence[str]) -> frozenset[str] | None:
    """The variables that the options name; None where one of them tells no names."""
    found: set[str] = set()
    for word, following in zip(options, [*options, ""][1:], strict=True):
        if word.startswith(("--env-file", "--env-host", "--env-merge")):
            return None
        option = _ENV_OPTION.fullmatch(word)
        if option:
            found.add((option["value"] or following).partition("=")[0])
    return None if any(name.endswith("*") for name in found) else frozenset(found)


_MARKS: Mapping[str, str] = {
    "--stop-signal": "process.stop_signal", "--stop-timeout": "process.stop_timeout_s", "--umask": "process.umask",
    "--ipc": "namespaces.ipc", "--pid": "namespaces.pid", "--uts": "namespaces.uts",
    "--cgroupns": "namespaces.cgroup", "--shm-size": "namespaces.shm_bytes", "--pids-limit": "resources.pids_limit",
    "--oom-score-adj": "resources.oom_score_adj", "--memory-swappiness": "resources.memory_swappiness",
    "--memory-swap": "resources.memory_swap_bytes", "--log-driver": "log.driver",
    "--publish-all": "network.publish_all", "--userns": "namespaces.user", "--hostname": "hostname",
    "--mac-address": "network.mac", "--user": "user",
}  # fmt: skip
"""Options that say one word; inspect says the value, except of the last four."""

_LISTS: Mapping[str, str] = {
    "--cap-add": "security.cap_add", "--cap-drop": "security.cap_drop", "--unsetenv": "process.unset_env",
    "--device-cgroup-rule": "security.device_cgroup_rules",
}  # fmt: skip
_MAPS: Mapping[str, str] = {
    "--sysctl": "resources.sysctls",
    "--storage-opt": "resources.storage",
    "--log-opt": "log.options",
}


def _commanded(options: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for flag, value in pairs_of(options):
        if flag in _MARKS:
            if (flag, value) != ("--memory-swappiness", "-1"):
                found[_MARKS[flag]] = value
        elif flag in _LISTS:
            words = [capability(word) if flag.startswith("--cap") else word for word in value.split(",") if word]
            found.setdefault(_LISTS[flag], []).extend(words)
        elif flag in _MAPS:
            name, _, said = value.partition("=")
            found.setdefault(_MAPS[flag], {})[name] = said
        elif flag in _READERS:
            _READERS[flag](value, found)
    return found


def capability(word: str) -> str:
    """ "net_raw" → "CAP_NET_RAW"; "all" → "ALL"."""
    name = word.upper()
    return name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}"


def _security(value: str, found: dict[str, Any]) -> None:
    name, _, said = value.replace("label:", "label=", 1).partition("=")
    if name in {"mask", "unmask"}:
        places = ["ALL"] if said.lower() == "all" else [place for place in said.split(":") if place]
        found.setdefault(f"security.{name}", []).extend(places)


def _device(value: str, found: dict[str, Any]) -> None:
    if CDI_NAME.fullmatch(value):
        return
    host, *rest = value.split(":")
    place = rest[0] if rest and rest[0].startswith("/") else host
    rights = rest[-1] if rest and not rest[-1].startswith("/") else "rwm"
    found.setdefault("security.devices", []).append({"host_path": host, "container_path": place, "permissions": rights})


def _ulimit(value: str, found: dict[str, Any]) -> None:
    name, _, numbers = value.partition("=")
    soft, _, hard = numbers.partition(":")
    if re.fullmatch(r"-?\d+", soft) and re.fullmatch(r"-?\d+", hard or soft):
        limit = {"name": name.lower(), "soft": int(soft), "hard": int(hard or soft)}
        found.setdefault("resources.ulimits", []).append(limit)


def _network(value: str, found: dict[str, Any]) -> None:
    """A mode, or networks each with its options ("net:ip=…,mac=…,alias=…,interface_name=…")."""
    mode, colon, rest = value.partition(":")
    if mode in {"none", "host", "private", "pasta", "slirp4netns", "container", "ns", "bridge", "default"}:
        found["network.mode"] = "bridge" if mode == "default" else value if mode != "bridge" else mode
        if mode not in {"bridge", "default"}:
            return
        mode = "podman"
    names = mode.split(",") if not colon else [mode]
    for name in names:
        options = [word.partition("=")[::2] for word in rest.split(",") if word]
        net: dict[str, Any] = {"network": name, "aliases": [said for key, said in options if key == "alias"]}
        keys = {"ip": "ipv4", "ip6": "ipv6", "mac": "mac", "interface_name": "interface"}
        net |= {keys[key]: said for key, said in options if key in keys}
        more = {key: said for key, said in options if key not in keys and key != "alias"}
        found.setdefault("network.networks", []).append({**net, **({"options": more} if more else {})})


def _address(value: str, found: dict[str, Any]) -> None:
    found["network.ipv6" if ":" in value else "network.ipv4"] = value


def _port(value: str, found: dict[str, Any]) -> None:
    """ "80", "8080:80", "127.0.0.1::80/udp", "[::1]:9000-9002:80-82"; host_port: 0 where the engine is to choose it."""
    text, _, protocol = value.partition("/")
    head, _, inside = text.rpartition(":")
    address, _, outside = head.rpartition(":")
    first, _, last = inside.partition("-")
    start = outside.partition("-")[0] or "0"
    if not all(word.isdecimal() for word in (first, last or first, start)):
        return
    for offset in range(min(int(last or first) - int(first) + 1, _PORTS)):
        found.setdefault("ports.published", []).append(
            {
                "container_port": int(first) + offset,
                "protocol": protocol or "tcp",
                "host_ip": host_ip(address.strip("[]")),
                "host_port": int(start) + offset if int(start) else 0,
            }
        )


def _flag(path: str, value_if: Mapping[str, object]) -> Callable[[str, dict[str, Any]], None]:
    def read(value: str, found: dict[str, Any]) -> None:
        if value in value_if:
            found[path] = value_if[value]

    return read


_READERS: Mapping[str, Callable[[str, dict[str, Any]], None]] = {
    "--security-opt": _security,
    "--device": _device,
    "--ulimit": _ulimit,
    "--network": _network,
    "--net": _network,
    "--ip": _address,
    "--ip6": _address,
    "--publish": _port,
    "--http-proxy": _flag("process.http_proxy", {"false": False}),
    "--read-only-tmpfs": _flag("security.read_write_tmpfs", {"false": False}),
    "--systemd": _flag("process.systemd", {"false": "false", "always": "always"}),
    "--dns": _flag("network.no_resolv", {"none": True}),
}

__all__ = ["MADE_BY", "Asked", "annotation", "asdict_of", "asked", "capability"]
