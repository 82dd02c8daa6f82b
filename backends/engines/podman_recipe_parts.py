"""Pure: the groups of a recipe (process, network, namespaces, rights) out of inspect JSON.

Used by podman_recipe alone. What Podman writes by itself is subtracted where it is not known that it was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from backends.engines.podman_asked import MADE_BY, Asked, capability
from backends.engines.podman_defaults import INJECTED_ANNOTATIONS, HostDefaults
from backends.engines.podman_recipe_mounts import devices
from backends.engines.podman_translate import Json, labels_of, strings
from backends.model.settings import (
    NamespaceSpec,
    NetworkAttachment,
    NetworkingSpec,
    ProcessSpec,
    SecuritySpec,
)

WAIT_FOR_EVER_S = 4294967295
"""The largest stop timeout that libpod takes (uint32); stands for Docker's -1."""
KEEP_GROUPS = "run.oci.keep_original_groups"
"""The annotation by which the runtime keeps the caller's groups. Source: crun(1); podman-create(1), --group-add."""

Names = Mapping[str, str]


def _partner(mode: str, names: Names) -> str:
    """ "container:ID" → "container:NAME"."""
    kind, _, container = mode.partition(":")
    return f"container:{names.get(container, container)}" if kind == "container" else mode


def process(inspect: Json, image: Json, asked: Asked, unset: set[str]) -> ProcessSpec:
    """unset: variables of the image that the container lacks."""
    config, settings = inspect["Config"], inspect["HostConfig"]
    systemd = bool(config.get("SystemdMode"))
    own = {"", "None", "0", "15", "SIGTERM", str((image.get("Config") or {}).get("StopSignal"))}
    signal = str(config.get("StopSignal") or "")
    timeout = config.get("StopTimeout")
    foreign = {
        name: value
        for name, value in {**labels_of(settings.get("Annotations")), **labels_of(config.get("Annotations"))}.items()
        if name not in INJECTED_ANNOTATIONS and name != MADE_BY
    }
    keeps = foreign.pop(KEEP_GROUPS, "") == "1"
    wanted = asked.values.get("process.http_proxy")
    return ProcessSpec(
        groups=("keep-groups",) if keeps else strings(settings.get("GroupAdd")),
        init=bool(settings.get("Init")),
        stop_signal=asked.unless("process.stop_signal", signal, *own, *(("SIGRTMIN+3",) if systemd else ())) or None,
        stop_timeout_s=-1 if timeout == WAIT_FOR_EVER_S else asked.unless("process.stop_timeout_s", timeout, 10, None),
        stdin_once=bool(config.get("StdinOnce")),
        domainname=str(config.get("Domainname") or ""),
        unset_env=_unset(asked, unset),
        http_proxy=wanted if isinstance(wanted, bool) else None,
        systemd=asked.text("process.systemd") or ("always" if systemd and asked.ours else "true" if systemd else ""),
        auto_remove=bool(settings.get("AutoRemove")),
        timezone=str(config.get("Timezone") or ""),
        umask=asked.unless("process.umask", str(config.get("Umask") or ""), "0022", "", nothing=""),
        annotations=MappingProxyType(foreign),
    )


def _unset(asked: Asked, unset: set[str]) -> tuple[str, ...]:
    told = asked.words("process.unset_env")
    return (*told, *sorted(unset - set(told)))


def networking(inspect: Json, host: HostDefaults, asked: Asked, names: Names) -> NetworkingSpec:
    """Addresses are read from what was asked: those that inspect shows may be the engine's choice."""
    config, settings = inspect["Config"], inspect["HostConfig"]
    shown = str(settings.get("NetworkMode") or "")
    nets, mac = _attachments(inspect, config, shown, asked)
    told = asked.text("network.mode")
    mode = _partner(shown, names)
    if told.partition(":")[0] == shown and mode == shown:
        mode = told  # with its options, which inspect leaves out
    own = shown == host.network and not told and not nets
    return NetworkingSpec(
        mode="" if own else "bridge" if nets else mode,
        networks=nets,
        mac=mac,
        dns=strings(settings.get("Dns")),
        dns_search=strings(settings.get("DnsSearch")),
        dns_options=strings(settings.get("DnsOptions")),
        extra_hosts=strings(settings.get("ExtraHosts")),
        links=strings(settings.get("Links")),
        publish_all=bool(settings.get("PublishAllPorts")),
        base_hosts=str(settings.get("HostsFile") or ""),
        no_hosts=bool(inspect.get("UseImageHosts")),
        no_resolv=bool(asked.values.get("network.no_resolv")),
    )


def _attachments(inspect: Json, config: Json, mode: str, asked: Asked) -> tuple[tuple[NetworkAttachment, ...], str]:
    """The networks that were asked for, and the address on the default one where only that was."""
    if mode not in {"bridge", "pasta", "slirp4netns"}:
        return (), ""
    shown = (inspect.get("NetworkSettings") or {}).get("Networks") or {}
    own: set[object] = {str(inspect["Id"])[:12], config.get("Hostname"), inspect.get("Name")}
    told = {str(entry.get("network")): entry for entry in asked.entries("network.networks")}
    order = [name for name in told if name in shown] + [name for name in shown if name not in told]
    found = [
        _attachment(name, shown[name] or {}, _entry(told.get(name, {}), asked, first=at == 0), own)
        for at, name in enumerate(order)
    ]
    mac = asked.text("network.mac")
    default = NetworkAttachment({"bridge": "podman"}.get(mode, mode))
    if found == [default] and not (asked.ours and told):
        return (), mac
    if found and mac:
        found[0] = replace(found[0], mac=found[0].mac or mac)
        return tuple(found), ""
    return tuple(found), mac


def _entry(told: Json, asked: Asked, *, first: bool) -> Json:
    """What was asked for of one network; addresses by an option of their own are the first one's."""
    own = {key: asked.text(f"network.{key}") for key in ("ipv4", "ipv6")} if first else {}
    return {**own, **told}


def _attachment(name: str, seen: Json, told: Json, own: set[object]) -> NetworkAttachment:
    """own: aliases that Podman gives by itself."""
    wanted = strings(told.get("aliases"))
    aliases = [alias for alias in strings(seen.get("Aliases")) if alias in wanted or alias not in own]
    aliases.sort(key=lambda alias: wanted.index(alias) if alias in wanted else len(wanted))
    return NetworkAttachment(
        name,
        tuple(aliases),
        str(told.get("ipv4") or ""),
        str(told.get("ipv6") or ""),
        str(told.get("mac") or ""),
        str(told.get("interface") or ""),
        labels_of(told.get("options")),
    )


def namespaces(inspect: Json, host: HostDefaults, asked: Asked, names: Names) -> NamespaceSpec:
    """What differs from a container of its own namespaces."""
    settings = inspect["HostConfig"]

    def mode(key: str, name: str, *own: str) -> str:
        seen = _partner(str(settings.get(key) or ""), names)
        return str(asked.unless(f"namespaces.{name}", seen, "", *own, nothing=""))

    annotations = labels_of(settings.get("Annotations"))
    user = asked.text("namespaces.user") or annotations.get("io.podman.annotations.userns", "")
    shown = str(settings.get("UsernsMode") or "")
    shm = settings.get("ShmSize")
    return NamespaceSpec(
        ipc=mode("IpcMode", "ipc", "shareable"),
        pid=mode("PidMode", "pid", "private"),
        uts=mode("UTSMode", "uts", "private"),
        cgroup=mode("CgroupMode", "cgroup", host.cgroup_namespace),
        user=user if user not in {"", "private"} else _partner(shown, names) if shown != "private" else "",
        # 64 MB, and 64 MiB on newer ones
        shm_bytes=asked.unless("namespaces.shm_bytes", shm, 65_536_000, 67_108_864, None, 0),
    )


def security(inspect: Json, asked: Asked, *, has_gpu: bool) -> SecuritySpec:
    """What the container may do."""
    settings = inspect["HostConfig"]
    said: dict[str, list[str]] = {}
    for option in strings(settings.get("SecurityOpt")):
        name, _, value = option.partition("=")
        said.setdefault(name, []).append(value)
    privileged = bool(settings.get("Privileged"))
    add, drop = _capabilities(inspect, asked, privileged=privileged)
    unmask = list(asked.words("security.unmask"))
    if "unmask" in said and not unmask and not privileged:
        unmask = ["ALL" if word == "all" else word for value in said["unmask"] for word in value.split(":")]
    profile = str(inspect.get("AppArmorProfile") or "")
    apparmor = (said.get("apparmor") or [""])[-1] or ("" if profile.startswith("containers-default-") else profile)
    writable = asked.values.get("security.read_write_tmpfs")
    return SecuritySpec(
        privileged=privileged,
        cap_add=add,
        cap_drop=drop,
        no_new_privileges="no-new-privileges" in said,
        seccomp=asked.text("security.seccomp") or (said.get("seccomp") or [""])[-1],
        apparmor=asked.text("security.apparmor") or apparmor,
        selinux=asked.words("security.selinux")
        or tuple(word for value in said.get("label", ()) for word in value.split(",")),
        unmask=tuple(unmask),
        mask=asked.words("security.mask") or tuple(said.get("mask", ())),
        read_only_rootfs=bool(settings.get("ReadonlyRootfs")),
        read_write_tmpfs=writable if isinstance(writable, bool) else None,
        devices=devices(settings, asked, has_gpu=has_gpu),
        device_cgroup_rules=asked.words("security.device_cgroup_rules"),
    )


def _capabilities(inspect: Json, asked: Asked, *, privileged: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """As they were asked for, where what the container has agrees; else what differs from Podman's own set."""
    settings = inspect["HostConfig"]
    shown = [{capability(word) for word in strings(settings.get(key))} for key in ("CapAdd", "CapDrop")]
    told = [asked.words(f"security.{key}") for key in ("cap_add", "cap_drop")]
    if asked.known and (
        privileged or all("ALL" in words or seen <= set(words) for seen, words in zip(shown, told, strict=True))
    ):
        return told[0], told[1]
    if asked.known and "ALL" in told[1]:
        return told[0], told[1]
    if privileged:
        return (), ()
    return tuple(sorted(shown[0])), tuple(sorted(shown[1]))


__all__ = ["KEEP_GROUPS", "WAIT_FOR_EVER_S", "namespaces", "networking", "process", "security"]
