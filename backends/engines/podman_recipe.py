"""Pure: a container's inspect JSON, less its image's and Podman's own doing, as a WorkloadSpec. Makes no calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from backends.engines.podman_asked import MADE_BY, Asked, asked
from backends.engines.podman_command import untold
from backends.engines.podman_defaults import UNTOLD, HostDefaults, unmapped, walk
from backends.engines.podman_recipe_health import health, log
from backends.engines.podman_recipe_limits import cpus_nano, resources, ulimits_doubtful
from backends.engines.podman_recipe_mounts import mount_details, mounts, ports
from backends.engines.podman_recipe_parts import namespaces, networking, process, security
from backends.engines.podman_translate import CDI_LABEL, Json, bare_id, gpus_of, labels_of, restart_of, strings
from backends.model.container import NO_LABELS
from backends.model.reference import full_reference, is_image_id
from backends.model.workload import GpuRequest, UnmappedField, WorkloadSpec

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MODES = ("NetworkMode", "IpcMode", "PidMode", "UTSMode", "CgroupMode", "UsernsMode")


def workload_spec(inspect: Json, image: Json, host: HostDefaults, names: Mapping[str, str] = NO_LABELS) -> WorkloadSpec:
    """The recipe of a container. inspect, image: their libpod inspect JSON; host: what this engine gives unasked.

    names: id → name of the containers whose namespaces it shares (`partners`).
    """
    config, settings = inspect["Config"], inspect["HostConfig"]
    image_config = image.get("Config") or {}
    entrypoint, command = _process(config, image_config)
    gpus = gpus_of(inspect)
    said = asked(inspect)
    env, unset = _environment(inspect, strings(image_config.get("Env")), bool(gpus), said.env)
    workdir = str(config.get("WorkingDir") or "/")
    return WorkloadSpec(
        name=str(inspect.get("Name") or ""),
        image=_image_name(inspect, image),
        image_id=bare_id(str(inspect.get("Image") or "")),
        command=command,
        entrypoint=entrypoint,
        env=MappingProxyType(env),
        labels=MappingProxyType(_labels(config, image_config)),
        user=_user(inspect, str(image_config.get("User") or image.get("User") or ""), said),
        workdir=workdir if workdir != str(image_config.get("WorkingDir") or "/") else None,
        hostname=_hostname(inspect, said),
        tty=bool(config.get("Tty")),
        stdin_open=bool(config.get("OpenStdin")),
        ports=ports(config, settings, image_config, said),
        mounts=tuple(mounts(inspect, said)),
        restart=restart_of(inspect),
        memory_bytes=max(0, int(settings.get("Memory") or 0)),
        cpus_nano=cpus_nano(settings, said),
        gpu=GpuRequest(cdi_devices=gpus) if gpus else None,
        process=process(inspect, image, said, unset),
        network=networking(inspect, host, said, names),
        namespaces=namespaces(inspect, host, said, names),
        security=security(inspect, said, has_gpu=bool(gpus)),
        resources=resources(inspect, host, said),
        health=health(inspect, image, said),
        log=log(inspect, host, said),
        unmapped=tuple(sorted(_left_over(inspect, host, said), key=lambda field: field.path)),
    )


def partners(inspect: Json) -> tuple[str, ...]:
    """Ids of the containers whose namespaces this one shares."""
    settings = inspect.get("HostConfig") or {}
    modes = [str(settings.get(key) or "") for key in _MODES]
    return tuple(sorted({mode.partition(":")[2] for mode in modes if mode.startswith("container:")}))


def _user(inspect: Json, of_image: str, said: Asked) -> str | None:
    """None where it is the image's, and where Podman has chosen it: with keep-id, the caller."""
    user = str(inspect["Config"].get("User") or "")
    keeps = said.known and "user" not in said.values and said.text("namespaces.user").startswith("keep-id")
    return None if keeps or user == of_image else user


def _hostname(inspect: Json, said: Asked) -> str | None:
    """None where Podman has chosen it: the id's beginning; the host's own name on the host's network; another's."""
    hostname = str(inspect["Config"].get("Hostname") or "")
    if hostname in {"", str(inspect["Id"])[:12]}:
        return None
    if "hostname" not in said.values:
        shared = str(inspect["HostConfig"].get("UTSMode") or "").partition(":")[0] in {"host", "container"}
        if shared or (said.known and inspect["HostConfig"].get("NetworkMode") == "host"):
            return None
    return hostname


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


def _environment(
    inspect: Json, image: Sequence[str], has_cdi: bool, asked: frozenset[str] | None
) -> tuple[dict[str, str], set[str]]:
    """Variables that neither the image nor Podman set, and names that the image sets and the container lacks."""
    config = inspect["Config"]
    words = list(strings(config.get("Env")))
    base = dict(_pairs(image))
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


def _left_over(inspect: Json, host: HostDefaults, said: Asked) -> Iterator[UnmappedField]:
    """What a WorkloadSpec does not say."""
    settings = inspect["HostConfig"]
    shared = set(partners(inspect))
    for field in walk(inspect, host):
        if field.path != "Dependencies" or not set(strings(inspect["Dependencies"])) <= shared:
            yield field
    yield from mount_details(inspect.get("Mounts") or ())
    if ulimits_doubtful(inspect, said):
        yield unmapped("HostConfig.Ulimits", settings.get("Ulimits"), UNTOLD)
    check = inspect["Config"].get("Healthcheck") or {}
    if strings(check.get("Test"))[:1] not in {(), ("NONE",)} and not check.get("Interval"):
        yield unmapped("Config.Healthcheck", dict(check), "it is run by hand only, which cannot be said")
    if settings.get("UsernsMode") == "private" and not namespaces(inspect, host, said, {}).user:
        yield unmapped("HostConfig.IDMappings", settings.get("IDMappings"), "its own map of users is not carried")
    yield from untold(inspect, host)


__all__ = ["MADE_BY", "partners", "workload_spec"]
