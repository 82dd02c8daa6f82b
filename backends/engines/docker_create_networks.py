"""Networking of a recipe in Docker's words. Pure; makes no calls."""

from __future__ import annotations

from typing import Any

from backends.engines.docker_create_host import cannot
from backends.engines.docker_recipe_networks import INTERFACE_OPTION
from backends.engines.docker_translate_stores import IPV4_OPTION
from backends.model.network import NetworkSpec
from backends.model.settings import NetworkAttachment, NetworkingSpec

MANY_AT_CREATE = (1, 44)
"""The first version that takes several networks, and the address of an endpoint, at creation."""
_NAMES_INTERFACE = (1, 49)  # Docker 28.1


def networking(network: NetworkingSpec, api: tuple[int, ...]) -> tuple[str, dict[str, Any], str, dict[str, Any]]:
    """(NetworkMode, EndpointsConfig, Config.MacAddress, what else of HostConfig). NetworkMode "" = Docker's own."""
    _refuse(network)
    mode, joined = network.mode, network.networks
    mac = network.mac
    host: dict[str, Any] = {"PublishAllPorts": network.publish_all}
    for key, values in (
        *(("Dns", network.dns), ("DnsSearch", network.dns_search), ("DnsOptions", network.dns_options)),
        ("ExtraHosts", network.extra_hosts),
    ):
        if values:
            host[key] = list(values)
    ends: dict[str, Any] = {}
    if joined:
        mode, mac = joined[0].network, joined[0].mac
        ends = {end.network: _endpoint(end, api) for end in (joined if api >= MANY_AT_CREATE else joined[:1])}
    elif mac and api >= MANY_AT_CREATE:
        mode, ends = "bridge", {"bridge": {"MacAddress": mac}}
    if network.links and joined and mode != "bridge":
        ends[mode]["Links"] = list(network.links)
    elif network.links:
        host["Links"] = list(network.links)
    return mode, ends, mac if api < MANY_AT_CREATE else "", host


def later(network: NetworkingSpec, api: tuple[int, ...]) -> dict[str, dict[str, Any]]:
    """EndpointConfig of each network that is connected after creation."""
    rest = () if api >= MANY_AT_CREATE else network.networks[1:]
    return {end.network: _endpoint(end, api) | ({"MacAddress": end.mac} if end.mac else {}) for end in rest}


def network_body(spec: NetworkSpec) -> dict[str, Any]:
    """The body of POST /networks/create. Source: Docker Engine API, NetworkCreate."""
    if not spec.dns:
        cannot(f"networks[{spec.name}].dns", "false", "names are always found on a network that a user makes")
    body: dict[str, Any] = {
        "Name": spec.name,
        "CheckDuplicate": True,  # before API 1.44 a name could be given twice
        "Driver": spec.driver,
        "Internal": spec.internal,
        "EnableIPv6": spec.ipv6,
        "Labels": dict(spec.labels),
        "Options": dict(spec.options),
    }
    if spec.options.get(IPV4_OPTION) == "false":
        body["EnableIPv4"] = False
    if spec.subnets:
        ranges = [{"Subnet": one.subnet, "Gateway": one.gateway, "IPRange": one.ip_range} for one in spec.subnets]
        body["IPAM"] = {"Config": [{key: value for key, value in one.items() if value} for one in ranges]}
    return body


def _endpoint(end: NetworkAttachment, api: tuple[int, ...]) -> dict[str, Any]:
    options = dict(end.options)
    if end.interface:
        if api < _NAMES_INTERFACE:
            cannot(f"network.networks[{end.network}].interface", end.interface, "this Docker names interfaces itself")
        options[INTERFACE_OPTION] = end.interface
    body: dict[str, Any] = {}
    if end.aliases:
        body["Aliases"] = list(end.aliases)
    addresses = {key: value for key, value in (("IPv4Address", end.ipv4), ("IPv6Address", end.ipv6)) if value}
    if addresses:
        body["IPAMConfig"] = addresses
    if end.mac and api >= MANY_AT_CREATE:
        body["MacAddress"] = end.mac
    if options:
        body["DriverOpts"] = options
    return body


def _refuse(network: NetworkingSpec) -> None:
    mode, joined = network.mode, network.networks
    if mode not in {"", "bridge", "none", "host"} and not mode.startswith("container:"):
        cannot("network.mode", mode, "Docker has no such network mode")
    if joined and mode not in {"", "bridge"}:
        cannot("network.networks", ", ".join(end.network for end in joined), f"the mode is {mode}")
    if network.mac and (joined or mode not in {"", "bridge"}):
        cannot("network.mac", network.mac, "it is the default network's, which the container is not on")
    if network.base_hosts not in {"", "none"}:
        cannot("network.base_hosts", network.base_hosts, "Docker writes /etc/hosts itself")
    for field, value in (("network.no_hosts", network.no_hosts), ("network.no_resolv", network.no_resolv)):
        if value:
            cannot(field, "true", "Docker writes these files in every container")


__all__ = ["MANY_AT_CREATE", "later", "network_body", "networking"]
