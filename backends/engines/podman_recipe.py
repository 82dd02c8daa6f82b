"""Pure: a container's inspect JSON, less its image's and Podman's own doing, as a WorkloadSpec. Makes no calls."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from backends.engines.podman_command import untold
from backends.engines.podman_defaults import (
    EMPTY,
    INJECTED_ANNOTATIONS,
    UNTOLD,
    HostDefaults,
    unmapped,
    walk,
)
from backends.engines.podman_translate import (
    CDI_LABEL,
    Json,
    bare_id,
    create_options,
    gpus_of,
    inspected_ports,
    labels_of,
    mount_of,
    split_port,
    strings,
)
from backends.model.container import MountKind, Port
from backends.model.reference import full_reference, is_image_id
from backends.model.workload import (
    GpuRequest,
    MountSpec,
    RestartName,
    RestartPolicy,
    UnmappedField,
    WorkloadSpec,
)

MADE_BY = "io.tranship.made"
"""Annotation on what we create: JSON list of the variables that we set. It says as well that the container has nothing
but what a WorkloadSpec says, so its rlimits are the engine's own."""

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENV_OPTION = re.compile(r"(?:--env|-[ditPq]*e)(?:=?(?P<value>.*))", re.DOTALL)
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_DEFAULT_NETWORKS = {"bridge": "podman", "pasta": "pasta", "slirp4netns": "slirp4netns"}
_MOUNT_KEYS = {"Type", "Name", "Source", "Destination", "Driver", "Mode", "Options", "RW", "Propagation"}
_PLAIN_MOUNT_OPTIONS = {"rbind", "bind", "nosuid", "nodev", "rprivate", "private", "rw", "ro", "exec"}
_NVIDIA_NODES = re.compile(r"/dev/nvidia.*|/dev/dri/.*|/dev/kfd|/dev/dxg")


def workload_spec(inspect: Json, image: Json, host: HostDefaults) -> WorkloadSpec:
    """The recipe of a container. inspect, image: their libpod inspect JSON; host: what this engine gives unasked."""
    config, settings = inspect["Config"], inspect["HostConfig"]
    image_config = image.get("Config") or {}
    entrypoint, command = _process(config, image_config)
    gpus = gpus_of(inspect)
    left: list[UnmappedField] = list(walk(inspect, host))
    left += _left_over(inspect, image, host, bool(gpus))
    env, unset = _environment(inspect, strings(image_config.get("Env")), bool(gpus))
    if unset:
        left.append(unmapped("Config.Env", sorted(unset), "variables of the image that the container has not"))
    workdir = str(config.get("WorkingDir") or "/")
    user = str(config.get("User") or "")
    hostname = str(config.get("Hostname") or "")
    own_name = str(inspect["Id"])[:12]
    return WorkloadSpec(
        name=str(inspect.get("Name") or ""),
        image=_image_name(inspect, image),
        image_id=bare_id(str(inspect.get("Image") or "")),
        command=command,
        entrypoint=entrypoint,
        env=MappingProxyType(env),
        labels=MappingProxyType(_labels(config, image_config)),
        user=user if user != str(image_config.get("User") or image.get("User") or "") else None,
        workdir=workdir if workdir != str(image_config.get("WorkingDir") or "/") else None,
        hostname=hostname if hostname not in {"", own_name} else None,
        tty=bool(config.get("Tty")),
        stdin_open=bool(config.get("OpenStdin")),
        ports=_ports(config, settings, image_config),
        mounts=tuple(_mounts(inspect.get("Mounts") or ())),
        restart=_restart(settings.get("RestartPolicy") or {}),
        memory_bytes=max(0, int(settings.get("Memory") or 0)),
        cpus_nano=_cpus(settings),
        gpu=GpuRequest(cdi_devices=gpus) if gpus else None,
        unmapped=tuple(sorted(left, key=lambda field: field.path)),
    )


def _image_name(inspect: Json, image: Json) -> str:
    """A name that any engine understands; the image's id where it has no name."""
    for name in (str(inspect.get("ImageName") or ""), *strings(image.get("RepoTags"))):
        if name and not is_image_id(name):
            try:
                return full_reference(name)
            except ValueError:
                continue
    return bare_id(str(inspect.get("Image") or ""))


def _process(config: Json, image: Json) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Entrypoint and command, None where the image's own. An entrypoint given by hand drops the image's command."""
    entrypoint = tuple(word for word in strings(config.get("Entrypoint")) if word) or ()
    command = strings(config.get("Cmd"))
    if entrypoint != strings(image.get("Entrypoint")):
        return entrypoint, command
    return None, command if command != strings(image.get("Cmd")) else None


def _environment(inspect: Json, image: Sequence[str], has_cdi: bool) -> tuple[dict[str, str], set[str]]:
    """Variables that neither the image nor Podman set, and names that the image sets and the container lacks."""
    config = inspect["Config"]
    words = list(strings(config.get("Env")))
    base = dict(_pairs(image))
    asked = _asked_names(inspect)
    env: dict[str, str] = {}
    for name, value in _pairs(words if asked is not None else _without_injected(words, inspect, has_cdi)):
        env.setdefault(name, value)  # what CDI brings for a name that the user set comes second
    injected = {"container": {"podman", "oci"}, "PATH": {_DEFAULT_PATH}, "HOSTNAME": {str(config.get("Hostname"))}}
    if config.get("Tty"):
        injected["TERM"] = {"xterm"}
    own = {
        name: value
        for name, value in env.items()
        if base.get(name) != value
        and (name in asked if asked is not None else name in base or value not in injected.get(name, ()))
    }
    return own, set(base) - {name for name, _ in _pairs(words)}


def _asked_names(inspect: Json) -> frozenset[str] | None:
    """The variables that were asked for, by our annotation or by the command line; None where neither tells all."""
    config = inspect["Config"]
    try:
        names = json.loads(labels_of(config.get("Annotations")).get(MADE_BY, "null"))
    except (ValueError, RecursionError):
        names = None
    if isinstance(names, list):
        return frozenset(map(str, names))
    if not config.get("CreateCommand"):
        return None
    found: set[str] = set()
    options = create_options(inspect)
    for word, following in zip(options, [*options, ""][1:], strict=True):
        if word.startswith(("--env-file", "--env-host", "--env-merge")):
            return None
        option = _ENV_OPTION.fullmatch(word)
        if option:
            found.add((option["value"] or following).partition("=")[0])
    return None if any(name.endswith("*") for name in found) else frozenset(found)


def _without_injected(words: list[str], inspect: Json, has_cdi: bool) -> list[str]:
    """Once started, Podman has appended HOME, HOSTNAME and then what the CDI devices bring, in this order."""
    config = inspect["Config"]
    hostname = f"HOSTNAME={config.get('Hostname') or ''}"
    if not inspect.get("OCIConfigPath") or hostname not in words:
        return words
    at = words.index(hostname)
    if has_cdi:
        words = words[: at + 1]
    name = str(config.get("User") or "").partition(":")[0]
    if at and words[at - 1] in {"HOME=/", "HOME=/root", f"HOME=/home/{name}"}:
        words = words[: at - 1] + words[at:]
    return words


def _pairs(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        name, _, value = word.partition("=")
        yield name, value


def _labels(config: Json, image: Json) -> dict[str, str]:
    base = labels_of(image.get("Labels"))
    return {
        name: value
        for name, value in labels_of(config.get("Labels")).items()
        if base.get(name) != value and name != CDI_LABEL
    }


def _ports(config: Json, settings: Json, image: Json) -> tuple[Port, ...]:
    """Published ports, and exposed ones that the image does not expose itself."""
    published = inspected_ports(settings.get("PortBindings"))
    taken = {(port.container_port, port.protocol) for port in published}
    taken |= {split_port(name) for name in image.get("ExposedPorts") or ()}
    exposed = {split_port(name) for name in config.get("ExposedPorts") or ()} - taken
    return (*published, *(Port(number, protocol) for number, protocol in sorted(exposed)))


def _mounts(entries: Iterable[Json]) -> Iterator[MountSpec]:
    for entry in entries:
        mount = mount_of(entry)
        if mount.kind in {MountKind.BIND, MountKind.VOLUME}:
            anonymous = mount.kind is MountKind.VOLUME and bool(_ANONYMOUS.fullmatch(mount.source))
            named = mount.kind is MountKind.VOLUME
            subpath = str(entry.get("SubPath") or "") if named else ""
            no_copy = named and "nocopy" in strings(entry.get("Options"))
            yield MountSpec(
                mount.kind,
                mount.source,
                mount.destination,
                mount.read_only,
                anonymous,
                subpath=subpath,
                no_copy=no_copy,
            )


def _restart(policy: Json) -> RestartPolicy:
    return RestartPolicy(
        RestartName(str(policy.get("Name") or "no")), max(0, int(policy.get("MaximumRetryCount") or 0))
    )


def _cpus(settings: Json) -> int:
    return max(0, int(settings.get("NanoCpus") or 0))


def _left_over(inspect: Json, image: Json, host: HostDefaults, has_gpu: bool) -> Iterator[UnmappedField]:
    """What the fields that are read here say beyond a WorkloadSpec."""
    config, settings = inspect["Config"], inspect["HostConfig"]
    yield from _limits(inspect, config, settings)
    yield from _mount_details(inspect.get("Mounts") or ())
    yield from _networks(inspect, config, settings, host)
    image_config = image.get("Config") or {}
    signal = config.get("StopSignal")
    if signal not in ("", None, 0, 15, "15", "SIGTERM", image_config.get("StopSignal")):
        yield unmapped("Config.StopSignal", signal)
    check = config.get("Healthcheck")
    if check not in EMPTY and check not in (image.get("Healthcheck"), image_config.get("Healthcheck")):
        yield unmapped("Config.Healthcheck", check)
    foreign = {
        name: value
        for name, value in {**labels_of(settings.get("Annotations")), **labels_of(config.get("Annotations"))}.items()
        if name not in INJECTED_ANNOTATIONS and name != MADE_BY
    }
    if foreign:
        yield unmapped("Config.Annotations", foreign)
    log = settings.get("LogConfig") or {}
    asked = {key: value for key, value in log.items() if key not in {"Type", "Path"} and value not in (*EMPTY, "0B")}
    if asked or str(log.get("Type") or host.log_driver) != host.log_driver:
        yield unmapped("HostConfig.LogConfig", log)
    others = [
        device
        for device in settings.get("Devices") or ()
        if not (has_gpu and _NVIDIA_NODES.fullmatch(str(device.get("PathInContainer"))))
    ]
    if others:
        yield unmapped("HostConfig.Devices", others)
    yield from untold(inspect, host)


def _limits(inspect: Json, config: Json, settings: Json) -> Iterator[UnmappedField]:
    memory, swap = int(settings.get("Memory") or 0), settings.get("MemorySwap") or 0
    if swap not in (0, 2 * memory):
        yield unmapped("HostConfig.MemorySwap", swap)
    nano, period, quota = (settings.get(key) or 0 for key in ("NanoCpus", "CpuPeriod", "CpuQuota"))
    if period not in (0, 100_000):
        yield unmapped("HostConfig.CpuPeriod", period)
    if quota and not (nano > 0 and abs(quota * 1_000_000_000 - nano * (period or 100_000)) <= 1_000_000_000):
        yield unmapped("HostConfig.CpuQuota", quota)
    ulimits = settings.get("Ulimits") or []
    if not ulimits or MADE_BY in labels_of(config.get("Annotations")):
        return
    if config.get("CreateCommand"):
        if any(word.partition("=")[0] == "--ulimit" for word in create_options(inspect)):
            yield unmapped("HostConfig.Ulimits", ulimits)
    elif not all(_own_limit(limit) for limit in ulimits):
        yield unmapped("HostConfig.Ulimits", ulimits, UNTOLD)


def _own_limit(limit: Mapping[str, Any]) -> bool:
    """One of the limits that Podman sets where containers.conf says nothing (specgen, rootful and rootless)."""
    known = {"RLIMIT_NOFILE": (1_048_576,), "RLIMIT_NPROC": (4_194_304,)}
    return limit.get("Hard") in known.get(str(limit.get("Name")), ()) and limit.get("Soft") == limit.get("Hard")


def _mount_details(entries: Iterable[Json]) -> Iterator[UnmappedField]:
    for entry in entries:
        path = f"Mounts[{entry.get('Destination')}]"
        if mount_of(entry).kind not in {MountKind.BIND, MountKind.VOLUME}:
            yield unmapped(path, dict(entry))
            continue
        odd: dict[str, Any] = {key: value for key, value in entry.items() if key not in _MOUNT_KEYS and value}
        named = mount_of(entry).kind is MountKind.VOLUME
        plain = _PLAIN_MOUNT_OPTIONS | {"nocopy"} if named else _PLAIN_MOUNT_OPTIONS - {"bind"}
        if named:
            odd.pop("SubPath", None)
        options = [word for word in strings(entry.get("Options")) if word not in plain]
        if options:
            odd["Options"] = options
        if entry.get("Mode"):
            odd["Mode"] = entry["Mode"]
        if entry.get("Propagation") not in (None, "", "rprivate", "private"):
            odd["Propagation"] = entry["Propagation"]
        if entry.get("Driver") not in (None, "", "local"):
            odd["Driver"] = entry["Driver"]
        if odd:
            yield unmapped(path, odd)


def _networks(inspect: Json, config: Json, settings: Json, host: HostDefaults) -> Iterator[UnmappedField]:
    mode = str(settings.get("NetworkMode") or "")
    if mode != host.network:
        yield unmapped("HostConfig.NetworkMode", mode, "networks are not carried yet; the copy gets the default one")
    if mode not in _DEFAULT_NETWORKS:
        return
    networks = (inspect.get("NetworkSettings") or {}).get("Networks") or {}
    own = {str(inspect["Id"])[:12], config.get("Hostname"), inspect.get("Name")}
    odd: dict[str, Any] = {}
    for name, network in networks.items():
        network = network or {}
        told = {key: network.get(key) for key in ("DriverOpts", "IPAMConfig", "Links") if network.get(key)}
        aliases = [alias for alias in network.get("Aliases") or () if alias not in own]
        if aliases:
            told["Aliases"] = aliases
        if told or name != _DEFAULT_NETWORKS[mode]:
            odd[name] = told
    if odd:
        yield unmapped("NetworkSettings.Networks", odd)
