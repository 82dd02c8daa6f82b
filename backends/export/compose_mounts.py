"""Mounts, ports, devices and networks of a recipe as keys of a Compose service. Pure; used by `compose_service`.

Source: the Compose Specification (compose-spec/spec.md and schema/compose-spec.json).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backends.export.compose_parts import Body, kept
from backends.export.unsaid import Ledger
from backends.model.container import MountKind, Port
from backends.model.settings import NetworkAttachment, NetworkingSpec
from backends.model.workload import GpuRequest, MountSpec, WorkloadSpec

Key = Callable[[str], str]
"""From a name to the key under which the file knows it."""


def mounts(spec: WorkloadSpec, who: str, volume_key: Key, ledger: Ledger) -> Body:
    """Binds, volumes, and tmpfs in the short form, which alone takes all mount options."""
    long: list[Body] = []
    short: list[str] = []
    for mount in spec.mounts:
        if mount.kind is MountKind.TMPFS:
            short.append(_tmpfs(mount))
            continue
        if mount.kind is MountKind.OTHER:
            ledger.cannot(who, "mounts", f"the mount at {mount.destination}")
            continue
        long.append(_long(mount, volume_key))
        for option in mount.options:
            ledger.cannot(who, "mounts", f"the option {option} of the mount at {mount.destination}")
        if not mount.recursive:
            ledger.cannot(who, "mounts", f"that the bind at {mount.destination} leaves out the mounts below it")
        if mount.relabel and mount.kind is MountKind.VOLUME:
            ledger.cannot(who, "mounts", f"the SELinux relabelling of the volume at {mount.destination}")
    return kept({"volumes": long, "tmpfs": short})


def _long(mount: MountSpec, volume_key: Key) -> Body:
    body: Body = {"type": mount.kind.value}
    if mount.kind is MountKind.BIND:
        body["source"] = mount.source
    elif mount.source and not mount.anonymous:
        body["source"] = volume_key(mount.source)
    body["target"] = mount.destination
    if mount.read_only:
        body["read_only"] = True
    if mount.kind is MountKind.BIND:
        # Said even where it is false: Compose makes missing folders by itself.
        bind: Body = {"create_host_path": mount.create_source}
        body["bind"] = bind | kept({"propagation": mount.propagation, "selinux": mount.relabel})
    else:
        volume = kept({"nocopy": mount.no_copy, "subpath": mount.subpath})
        body |= {"volume": volume} if volume else {}
    return body


def _tmpfs(mount: MountSpec) -> str:
    words = ["ro"] if mount.read_only else []
    words += [f"size={mount.size_bytes}"] if mount.size_bytes else []
    words += [f"mode={mount.mode:o}"] if mount.mode is not None else []
    words += mount.options
    return f"{mount.destination}:{','.join(words)}" if words else mount.destination


def ports(published: Sequence[Port]) -> Body:
    """Published ports, 0 = any free one, and those that are only exposed."""
    long = []
    for port in published:
        if port.host_port is None:
            continue
        body: Body = {"target": port.container_port}
        body |= {"published": str(port.host_port)} if port.host_port else {}
        body |= {"host_ip": port.host_ip} if port.host_ip else {}
        long.append(body | {"protocol": port.protocol})
    exposed = [f"{port.container_port}/{port.protocol}" for port in published if port.host_port is None]
    return kept({"ports": long, "expose": exposed})


def networks(network: NetworkingSpec, who: str, key: Key, service_of: Key, ledger: Ledger) -> Body:
    """service_of: from a container's name to its service's, "" where the export has none."""
    body = kept(
        {
            "dns": list(network.dns),
            "dns_search": list(network.dns_search),
            "dns_opt": list(network.dns_options),
            "extra_hosts": list(network.extra_hosts),
            "mac_address": network.mac,
        }
    )
    inside: list[str] = []
    outside: list[str] = []
    for link in network.links:
        partner, _, alias = link.partition(":")
        service = service_of(partner)
        (inside if service else outside).append(f"{service or partner}:{alias or partner}")
    body |= kept({"links": inside, "external_links": outside})
    if not network.networks:
        # A service without a word on networks joins one of the project's; "bridge" is the engine's own.
        return body | {"network_mode": joined(network.mode, service_of) or "bridge"}
    order = [end.network for end in network.networks]
    ends: Body = {}
    for place, end in enumerate(network.networks):
        asked = _end(end)
        if order != sorted(order):
            asked["priority"] = 100 * (len(order) - place)
        ends[key(end.network)] = asked or None
        if end.interface:
            ledger.cannot(who, "network.networks", f"the interface's name {end.interface} on {end.network}")
        for option in end.options:
            ledger.cannot(who, "network.networks", f"the option {option} of the network {end.network}")
    return body | {"networks": ends}


def _end(end: NetworkAttachment) -> Body:
    return kept(
        {"aliases": list(end.aliases), "ipv4_address": end.ipv4, "ipv6_address": end.ipv6, "mac_address": end.mac}
    )


def joined(mode: str, service_of: Key) -> str:
    """A namespace's mode; "container:NAME" is "service:NAME" where the container is in the export."""
    partner = mode.removeprefix("container:")
    if partner == mode:
        return mode
    service = service_of(partner)
    return f"service:{service}" if service else mode


def gpus(gpu: GpuRequest | None, who: str, podman: bool, ledger: Ledger) -> Body:
    """A reservation, which Compose hands to Docker; for Podman, devices by their CDI names.

    Source: spec.md, `devices` ("can also rely on the CDI syntax"); deploy.md, `devices`.
    """
    if gpu is None:
        return {}
    if podman:
        return {"devices": list(gpu.cdi_names())}
    request: Body = {}
    if gpu.cdi_devices:
        request |= {"driver": "cdi", "device_ids": list(gpu.cdi_devices)}
    else:
        request |= {"driver": gpu.driver} if gpu.driver else {}
        if gpu.device_ids:
            request["device_ids"] = list(gpu.device_ids)
        else:
            request["count"] = "all" if gpu.count < 0 else gpu.count
    request["capabilities"] = list(gpu.capabilities[0]) if gpu.capabilities and gpu.capabilities[0] else ["gpu"]
    request |= {"options": dict(gpu.options)} if gpu.options else {}
    if len(gpu.capabilities) > 1:
        ledger.cannot(who, "gpu", "that a GPU with other capabilities would do too")
    return {"deploy": {"resources": {"reservations": {"devices": [request]}}}}


__all__ = ["Key", "gpus", "joined", "mounts", "networks", "ports"]
