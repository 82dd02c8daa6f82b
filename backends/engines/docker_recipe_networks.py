"""How a container reaches others, and which namespaces it shares. Pure; used by docker_recipe alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backends.engines.docker_defaults import DEFAULT_SHM_BYTES, ENDPOINT_FACTS, HostDefaults
from backends.engines.docker_recipe_mounts import empty_within
from backends.engines.docker_recipe_parts import Json, Left
from backends.model.settings import NamespaceSpec, NetworkAttachment, NetworkingSpec

_DEFAULT_NETWORKS = frozenset({"bridge", "default"})
_WHOLE_MODES = frozenset({"host", "none"})  # NetworkMode alone says everything
_PARTNER = "container:"
INTERFACE_OPTION = "com.docker.network.endpoint.ifname"  # Docker 28.1 and later
_SAID = frozenset({"Aliases", "Links", "MacAddress", "IPAMConfig", "DriverOpts"})
_REASONS = {
    "GwPriority": "which network is the way out is the target's own choice",
    "IPAMConfig": "link-local addresses are Docker's alone",
}


def partners(inspect: Json) -> set[str]:
    """Ids of the containers whose namespaces it shares."""
    host = inspect.get("HostConfig") or {}
    modes = (str(host.get(key) or "") for key in ("NetworkMode", "IpcMode", "PidMode"))
    return {mode.removeprefix(_PARTNER) for mode in modes if mode.startswith(_PARTNER)}


def _named(mode: str, names: Mapping[str, str]) -> str:
    partner = mode.removeprefix(_PARTNER)
    return f"{_PARTNER}{names.get(partner, partner)}" if mode.startswith(_PARTNER) else mode


def namespaces(host: Json, defaults: HostDefaults, names: Mapping[str, str]) -> NamespaceSpec:
    """names: of the partners, by id. Docker's own: IPC private, the cgroup's private on cgroup v2 and host on v1."""
    ipc, pid = (_named(str(host.get(key) or ""), names) for key in ("IpcMode", "PidMode"))
    cgroup, shm = str(host.get("CgroupnsMode") or ""), int(host.get("ShmSize") or 0)
    own = {"1": ("host",), "2": ("private",)}.get(defaults.cgroup_version, ("host", "private"))
    return NamespaceSpec(
        ipc="" if ipc == "private" else ipc,
        pid=pid,
        uts=str(host.get("UTSMode") or ""),
        cgroup="" if cgroup in own else cgroup,
        user=str(host.get("UsernsMode") or ""),
        shm_bytes=None if shm in {0, DEFAULT_SHM_BYTES} else shm,
    )


def networking(inspect: Json, config: Json, host: Json, names: Mapping[str, str], left: Left) -> NetworkingSpec:
    """Networks without what Docker adds to an endpoint by itself; addresses only where they were asked for."""
    mode = _named(str(host.get("NetworkMode") or ""), names)
    joined = list(_joined(inspect, config, mode, left))
    links = [_link(link) for link in host.get("Links") or ()]
    links += [link for _, more in joined for link in more if link not in links]
    ends = [end for end, _ in joined]
    alone = len(ends) == 1 and ends[0].network in _DEFAULT_NETWORKS | _WHOLE_MODES
    mac = ends[0].mac if alone else ""
    if alone and ends[0] != NetworkAttachment(ends[0].network, mac=mac):
        left.add(f"NetworkSettings.Networks[{ends[0].network}]", _words(ends[0]), "only user-defined networks have it")
    if config.get("NetworkDisabled"):
        mode, ends, alone = "none", [], False
    elif not ends and mode and mode not in _DEFAULT_NETWORKS | _WHOLE_MODES and not mode.startswith(_PARTNER):
        ends = [NetworkAttachment(mode, mac=str(config.get("MacAddress") or ""))]
    elif not ends:
        mac = str(config.get("MacAddress") or "")
    if ends and not alone:
        mode = "bridge"
    return NetworkingSpec(
        mode=mode if (ends and not alone) or mode not in _DEFAULT_NETWORKS else "",
        networks=() if alone else tuple(ends),
        mac=mac,
        dns=_strings(host.get("Dns")),
        dns_search=_strings(host.get("DnsSearch")),
        dns_options=_strings(host.get("DnsOptions")),
        extra_hosts=_strings(host.get("ExtraHosts")),
        links=tuple(links),
        publish_all=bool(host.get("PublishAllPorts")),
    )


def _strings(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _words(end: NetworkAttachment) -> dict[str, object]:
    return {"aliases": end.aliases, "ipv4": end.ipv4, "ipv6": end.ipv6, "options": dict(end.options)}


def _link(link: object) -> str:
    """Inspect says "/base:/mine/alias", create takes "base:alias"."""
    partner, _, alias = str(link).partition(":")
    return f"{partner.removeprefix('/')}:{alias.rpartition('/')[2] or partner.removeprefix('/')}"


def _joined(inspect: Json, config: Json, mode: str, left: Left) -> Iterator[tuple[NetworkAttachment, tuple[str, ...]]]:
    """(attachment, its links) of each network, the one of NetworkMode first, since its gateway is the way out."""
    running = bool((inspect.get("State") or {}).get("Running"))
    short = str(inspect.get("Id") or "")[:12]
    every = (inspect.get("NetworkSettings") or {}).get("Networks") or {}
    asked_for = {"bridge"} if mode in _DEFAULT_NETWORKS else {mode}  # a network may be asked for by its id
    first = next((one for one, end in every.items() if {one, (end or {}).get("NetworkID")} & asked_for), "")
    for network in sorted(every, key=lambda one: (one != first, one)):
        end = every[network] or {}
        options = {str(key): str(value) for key, value in (end.get("DriverOpts") or {}).items()}
        addresses = dict(end.get("IPAMConfig") or {})
        configured = str(config.get("MacAddress") or "") if network == first else ""
        asked = NetworkAttachment(
            network,
            aliases=tuple(alias for alias in _strings(end.get("Aliases")) if alias != short),
            ipv4=str(addresses.pop("IPv4Address", None) or ""),
            ipv6=str(addresses.pop("IPv6Address", None) or ""),
            mac=configured or _mac(end, running),
            interface=options.pop(INTERFACE_OPTION, ""),
            options=options,
        )
        rest = {key: value for key, value in end.items() if key not in ENDPOINT_FACTS | _SAID}
        for key, value in (rest | {"IPAMConfig": addresses}).items():
            if not empty_within(value):
                reason = _REASONS.get(key, "Tranship does not know this setting of Docker")
                left.add(f"NetworkSettings.Networks[{network}].{key}", value, reason)
        yield asked, _strings(end.get("Links"))


def _mac(endpoint: Json, running: bool) -> str:
    """An address that was asked for. A stopped container shows only such a one; a running one the generated one too:
    made from the IPv4 address (02:42:…, moby libnetwork netutils) up to API 1.47, random from 1.48 on, where only
    Config.MacAddress tells.
    """
    mac = str(endpoint.get("MacAddress") or "").lower()
    if not mac or not running:
        return mac
    if "GwPriority" in endpoint:  # API 1.48
        return ""
    octets = str(endpoint.get("IPAddress") or "").split(".")
    made = "02:42:" + ":".join(f"{int(part):02x}" for part in octets if part.isdecimal())
    return "" if mac == made else mac


__all__ = ["INTERFACE_OPTION", "namespaces", "networking", "partners"]
