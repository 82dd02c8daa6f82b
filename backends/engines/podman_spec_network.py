"""Pure: a recipe's network and namespaces as parts of SpecGenerator JSON. Used by podman_spec alone; makes no calls.

Source: podman 5.4, pkg/specgen/specgen.go and namespaces.go, and what inspect said of containers made with each field.
"""

from __future__ import annotations

import re
from typing import Any

from backends.engines.podman_spec_lacking import lacking
from backends.model.settings import NamespaceSpec, NetworkAttachment, NetworkingSpec

Body = dict[str, Any]


def add_network(body: Body, spec: NetworkingSpec, *, published: bool, rootless: bool) -> None:
    """Rootless engines keep their default network (pasta) unless something else is said: a bridge there is a namespace
    of its own without a route from the host's addresses, and hides the client's address. Rootful ones are told
    `bridge`, which is their default too, so that a containers.conf with another default does not make published ports
    an error.
    """
    if spec.links:
        hint = "Put both containers on a network of their own, with the link's name as alias."
        raise lacking("network.links", ", ".join(spec.links), hint)
    networks = _networks(spec)
    mode, _, value = spec.mode.partition(":")
    if networks:
        if mode not in {"", "bridge"}:
            raise lacking("network.networks", f"together with mode {spec.mode}", "Use the mode bridge.")
        mode = "bridge"
        body["Networks"] = {net.network: _attachment(net) for net in networks}
        body["networkOrder"] = [net.network for net in networks]
    elif not mode and published and not rootless:
        mode = "bridge"
    if mode in {"pasta", "slirp4netns"}:
        body["netns"] = {"nsmode": mode}
        if value:
            body["network_options"] = {mode: value.split(",")}
    elif mode == "bridge":
        body["netns"] = {"nsmode": "bridge"}
    elif mode:
        body["netns"] = _namespace("network.mode", spec.mode, {"bridge", "none", "host", "private"})
    _add_names(body, spec)


def _networks(spec: NetworkingSpec) -> list[NetworkAttachment]:
    """Those to join; an address alone is one on the default network."""
    if not spec.mac:
        return list(spec.networks)
    if spec.networks:
        raise lacking("network.mac besides networks", spec.mac, "Give the address to one of the networks.")
    return [NetworkAttachment("podman", mac=spec.mac)]


def _add_names(body: Body, spec: NetworkingSpec) -> None:
    """How the container finds others by name, and what it publishes."""
    for key, words in (
        ("dns_server", spec.dns),
        ("dns_search", spec.dns_search),
        ("dns_option", spec.dns_options),
        ("hostadd", spec.extra_hosts),
    ):
        if words:
            body[key] = list(words)
    if spec.base_hosts:
        body["base_hosts_file"] = spec.base_hosts
    for key, wanted in (
        ("publish_image_ports", spec.publish_all),
        ("use_image_hosts", spec.no_hosts),
        ("use_image_resolve_conf", spec.no_resolv),
    ):
        if wanted:
            body[key] = True


def _attachment(net: NetworkAttachment) -> Body:
    found: Body = {}
    if net.aliases:
        found["aliases"] = list(net.aliases)
    addresses = [address for address in (net.ipv4, net.ipv6) if address]
    if addresses:
        found["static_ips"] = addresses
    for key, value in (("static_mac", net.mac), ("interface_name", net.interface)):
        if value:
            found[key] = value
    if net.options:
        found["options"] = dict(net.options)
    return found


def _namespace(field: str, text: str, modes: set[str]) -> Body:
    mode, _, value = text.partition(":")
    if mode == "container" and value:
        return {"nsmode": "container", "value": value}
    if text not in modes:
        raise lacking(field, text, "Use one of " + ", ".join(sorted(modes)) + ", or container:NAME.")
    return {"nsmode": mode}


def add_namespaces(body: Body, spec: NamespaceSpec) -> None:
    """Namespaces and /dev/shm."""
    for key, name, text, modes in (
        ("ipcns", "ipc", spec.ipc, {"host", "private", "shareable", "none"}),
        ("pidns", "pid", spec.pid, {"host", "private"}),
        ("utsns", "uts", spec.uts, {"host", "private"}),
        ("cgroupns", "cgroup", spec.cgroup, {"host", "private"}),
    ):
        if text:
            body[key] = _namespace(f"namespaces.{name}", text, modes)
    if spec.user:
        _add_users(body, spec.user)
    if spec.shm_bytes is not None:
        if spec.ipc.partition(":")[0] in {"host", "none", "container"}:
            hint = "Leave it out: there is no /dev/shm of its own."
            raise lacking(f"namespaces.shm_bytes with ipc {spec.ipc}", spec.shm_bytes, hint)
        body["shm_size"] = spec.shm_bytes


def _add_users(body: Body, text: str) -> None:
    mode, _, value = text.partition(":")
    if mode == "auto":
        size = re.fullmatch(r"size=(\d+)", value)
        if value and not size:
            raise lacking("namespaces.user", text, "Only a size can be asked for.")
        options = {"Size": int(size[1])} if size else {}
        body["userns"] = {"nsmode": "auto", **({"value": value} if value else {})}
        body["idmappings"] = {"AutoUserNs": True, "AutoUserNsOpts": options}
    elif mode == "keep-id":
        body["userns"] = {"nsmode": "keep-id", **({"value": value} if value else {})}
    elif text in {"nomap", "no-map"}:
        body["userns"] = {"nsmode": "no-map"}
    else:
        body["userns"] = _namespace("namespaces.user", text, {"host", "keep-id", "auto", "nomap"})


__all__ = ["add_namespaces", "add_network"]
