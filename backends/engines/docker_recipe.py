"""A container's inspect JSON to the engine-neutral recipe; what the recipe cannot say is reported. Pure.

Everything that is configured ends up in exactly one of two places: a field of WorkloadSpec, or `unmapped`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from backends.engines.docker_defaults import CARRIED, FACTS, HostDefaults, is_default, reason_of
from backends.engines.docker_recipe_mounts import mounts
from backends.engines.docker_recipe_networks import namespaces, networking, partners
from backends.engines.docker_recipe_parts import Json, Left, gpu_request, ports
from backends.engines.docker_recipe_process import health, log, process
from backends.engines.docker_recipe_rights import resources, security
from backends.engines.docker_translate import bare
from backends.engines.image_config import words
from backends.model.container import NO_LABELS
from backends.model.reference import full_reference, is_image_id
from backends.model.workload import RestartName, RestartPolicy, UnmappedField, WorkloadSpec


def workload_spec(
    inspect: Json,
    image: Json | None,
    defaults: HostDefaults | None = None,
    names: Mapping[str, str] = NO_LABELS,
) -> WorkloadSpec:
    """The recipe. image: GET /images/{id}/json of the image that it runs, None where it is gone from the store.
    names: of the containers whose namespaces it shares (`partners`), by id.
    """
    defaults = defaults or HostDefaults()
    config, host = inspect.get("Config") or {}, inspect.get("HostConfig") or {}
    base = (image or {}).get("Config") or {}
    left = Left()
    if image is None:
        left.add("Image", inspect.get("Image"), "the image is gone: what it said cannot be told from what was asked")
    entrypoint, command = _process(config, base)
    env, unset = _env(config, base)
    limits, cpus_nano = resources(host, defaults)
    spec = WorkloadSpec(
        name=str(inspect.get("Name") or "").removeprefix("/"),
        image=_image(inspect, config, image),
        image_id=bare(str(inspect.get("Image") or "")),
        command=command,
        entrypoint=entrypoint,
        env=env,
        labels=_labels(config, base, left),
        user=_differing(config, base, "User"),
        workdir=_differing(config, base, "WorkingDir"),
        hostname=_hostname(inspect, config, host, defaults),
        tty=bool(config.get("Tty")),
        stdin_open=bool(config.get("OpenStdin")),
        ports=ports(config, host, base, left),
        mounts=mounts(inspect, config, host, left),
        restart=_restart(host.get("RestartPolicy") or {}, left),
        memory_bytes=int(host.get("Memory") or 0),
        cpus_nano=cpus_nano,
        gpu=gpu_request(host, _pairs(config.get("Env")), left),
        process=process(config, base, host, unset),
        network=networking(inspect, config, host, names, left),
        namespaces=namespaces(host, defaults, names),
        security=security(host, left),
        resources=limits,
        health=health(config, base, left),
        log=log(host, defaults),
    )
    for path, value in _walk(inspect, base):
        left.add(path, value, reason_of(path))
    return _with_unmapped(spec, left)


def _with_unmapped(spec: WorkloadSpec, left: Left) -> WorkloadSpec:
    fields = (UnmappedField(path, json.dumps(value, sort_keys=True), why) for path, (value, why) in left.items())
    return replace(spec, unmapped=tuple(sorted(fields, key=lambda field: field.path)))


def _walk(inspect: Json, base: Json) -> Iterator[tuple[str, Any]]:
    """Every configured key that no part of the recipe looks at."""
    for section in ("Config", "HostConfig", "NetworkSettings"):
        for key, value in (inspect.get(section) or {}).items():
            path = f"{section}.{key}"
            if path in CARRIED or path in FACTS or is_default(path, value):
                continue
            if section == "Config" and key in base and base[key] == value:
                continue
            yield path, value


def _image(inspect: Json, config: Json, image: Json | None) -> str:
    """A full reference: as it was asked for; where that was an id, one of the image's own tags."""
    asked = str(config.get("Image") or "")
    tags = [tag for tag in (image or {}).get("RepoTags") or () if "<none>" not in tag]
    image_id = str(inspect.get("Image") or "")
    by_id = is_image_id(asked) or (len(asked) >= 4 and bare(image_id).startswith(asked))
    for candidate in (asked, *tags) if not by_id else tags:
        try:
            return full_reference(candidate)
        except ValueError:
            continue
    return image_id or asked


def _process(config: Json, base: Json) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """(entrypoint, command) where they differ from the image's. Setting an entrypoint drops the image's command."""
    entrypoint, command = words(config.get("Entrypoint")), words(config.get("Cmd"))
    base_entrypoint, base_command = words(base.get("Entrypoint")), words(base.get("Cmd"))
    if entrypoint != base_entrypoint or (base_command and not command):
        return entrypoint, command or None
    return None, None if command == base_command else command


def _pairs(entries: object) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for entry in entries if isinstance(entries, list) else ():
        key, _, value = str(entry).partition("=")
        pairs[key] = value
    return pairs


def _env(config: Json, base: Json) -> tuple[dict[str, str], tuple[str, ...]]:
    """(what the image does not say, what is taken away). A word without "=" takes a variable away."""
    said = [str(entry) for entry in config.get("Env") or ()]
    bare_words = {entry for entry in said if "=" not in entry}
    mine, its = _pairs([entry for entry in said if "=" in entry]), _pairs(base.get("Env"))
    away = (bare_words | its.keys()) - mine.keys()
    return {key: value for key, value in mine.items() if its.get(key) != value}, tuple(sorted(away))


def _hostname(inspect: Json, config: Json, host: Json, defaults: HostDefaults) -> str | None:
    """None where Docker chose it: the short id, its machine's on the host's network, the partner's on a shared one."""
    name, mode = str(config.get("Hostname") or ""), str(host.get("NetworkMode") or "")
    own = {"", str(inspect.get("Id") or "")[:12]} | ({defaults.host_name} if mode == "host" else set())
    return None if name in own or mode.startswith("container:") or host.get("UTSMode") == "host" else name


def _labels(config: Json, base: Json, left: Left) -> dict[str, str]:
    mine, its = config.get("Labels") or {}, base.get("Labels") or {}
    for key in its.keys() - mine.keys():
        left.add(f"Config.Labels[{key}]", None, "taking a label of the image away cannot be said on every engine")
    return {key: str(value) for key, value in mine.items() if its.get(key) != value}


def _differing(config: Json, base: Json, key: str) -> str | None:
    value = config.get(key) or ""
    return None if value == (base.get(key) or "") else str(value)


def _restart(policy: Mapping[str, Any], left: Left) -> RestartPolicy:
    try:
        name = RestartName(policy.get("Name") or "no")
    except ValueError:
        left.add("HostConfig.RestartPolicy", dict(policy), "an unknown restart policy")
        return RestartPolicy()
    retries = int(policy.get("MaximumRetryCount") or 0)
    if retries and name is not RestartName.ON_FAILURE:
        left.add("HostConfig.RestartPolicy.MaximumRetryCount", retries, "only on-failure counts its tries")
        retries = 0
    return RestartPolicy(name, retries)


__all__ = ["partners", "workload_spec"]
