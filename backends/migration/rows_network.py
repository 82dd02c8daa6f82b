"""Rows of the field table: ports, mounts, networks, names. Pure data and rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from backends.migration.rules import namespace, podman_only
from backends.migration.show import describe_mount, describe_network, describe_port, words, yes
from backends.migration.table import PLAIN_TEXT, Case, Fate, Row, dropped, named, text
from backends.model.container import NO_LABELS, MountKind, Port
from backends.model.plan import PortChoice
from backends.model.settings import NetworkAttachment
from backends.model.workload import MountSpec

_UNPUBLISHED = frozenset({"host", "none"})
"""Networks with which both engines publish nothing. Docker remembers the ports all the same (live)."""

_ROOTLESS_MODES = ("pasta", "slirp4netns")
_DOCKER_OPTIONS = frozenset({"rro"})
"""Options of binds and volumes that Docker has too; Podman's others (noexec, U, O, …): podman-run(1), --volume."""


def _port(value: Port, case: Case) -> Fate:
    choices, mode = case.decided.choices, case.spec.network.mode
    if mode in _UNPUBLISHED and case.target.podman and value.host_port is not None:
        without = replace(value, host_ip="", host_port=None)
        return Fate(without, f"with the network {mode} no port is published; Podman keeps none that could be")
    if not value.host_port:
        return Fate(value)
    if choices.port is PortChoice.RANDOM:
        return Fate(replace(value, host_port=0), "the target chooses the port, as was asked for")
    if choices.port is PortChoice.REMAP and value.host_port in choices.port_map:
        chosen = choices.port_map[value.host_port]
        said = "the port that was asked for" if chosen else "the target chooses the port, as was asked for"
        return Fate(replace(value, host_port=chosen), "" if chosen == value.host_port else said)
    return Fate(value)


def _publish_all(value: bool, case: Case) -> Fate:
    mode = case.spec.network.mode
    if mode in _UNPUBLISHED and case.target.podman:
        return dropped(f"with the network {mode} no port is published; Podman would forget which are exposed")
    return Fate(value)


def _foreign_options(mount: MountSpec) -> tuple[str, ...]:
    return tuple(option for option in mount.options if option.partition("=")[0] not in _DOCKER_OPTIONS)


def _volume(value: MountSpec, case: Case) -> Fate:
    folder = case.decided.shared.get(value.source)
    if folder is not None:
        inside = f"{folder}/{value.subpath}" if value.subpath else folder
        bind = replace(
            value, kind=MountKind.BIND, source=inside, anonymous=False, subpath="", no_copy=None, create_source=False
        )
        return Fate(bind, "both share the folder of the source's volume, as was asked for")
    choice = case.decided.volumes[value.source]
    # Its data is carried: what the image has there must not be added, not even to an empty volume.
    filled = "its data is carried, so the image's files are not copied in again" if value.no_copy is False else ""
    copy = replace(value, source=choice.value, anonymous=False, no_copy=True)
    return Fate(copy, "; ".join(filter(None, (choice.reason, filled))))


def _mount(value: MountSpec, case: Case) -> Fate:
    if value.kind is MountKind.OTHER:
        return dropped("only binds, volumes and tmpfs can be carried")
    fate = _volume(value, case) if value.kind is MountKind.VOLUME else Fate(value)
    foreign = _foreign_options(fate.value) if case.target.docker and case.source.podman else ()
    if foreign and value.kind is not MountKind.TMPFS:
        kept = tuple(option for option in fate.value.options if option not in foreign)
        also = f"Docker has no mount option {words(foreign)}"
        fate = replace(
            fate, value=replace(fate.value, options=kept), reason="; ".join(filter(None, (fate.reason, also)))
        )
    if case.target.docker and value.relabel and value.kind is MountKind.TMPFS:
        fate = replace(fate, value=replace(fate.value, relabel=""))
    elif case.target.docker and value.relabel and (fate.value.subpath or not fate.value.recursive):
        also = "Docker gives SELinux labels to plain binds and volumes only"
        fate = replace(fate, value=replace(fate.value, relabel=""), reason="; ".join(filter(None, (fate.reason, also))))
    return fate


def _mode(value: str, case: Case) -> Fate:
    if value.startswith("container:"):
        return namespace(value, case)
    if value.startswith(_ROOTLESS_MODES) and not (case.target.podman and case.target.info.rootless):
        return Fate("", f"only rootless Podman has {value.partition(':')[0]}", text="the target's own network")
    return Fate(value)


def _attachment(value: NetworkAttachment, case: Case) -> Fate:
    changed, reasons = value, []
    if (value.ipv4 or value.ipv6) and (why := case.decided.networks.get(value.network, "")):
        changed = replace(changed, ipv4="", ipv6="")
        reasons.append(why)
    if case.crossing and value.options:
        changed = replace(changed, options=NO_LABELS)
        reasons.append("options of a network's driver differ between engines")
    if case.target.docker and value.interface:
        changed = replace(changed, interface="")
        reasons.append("Docker names the interface itself")
    return Fate(changed, "; ".join(reasons))


def _links(value: tuple[str, ...], case: Case) -> Fate:
    if case.target.docker and all(link.partition(":")[0] in case.decided.partners for link in value):
        return Fate(value)
    others = {link.partition(":")[0].removeprefix("/"): link.partition(":")[2] for link in value}
    by_name = all(name in case.decided.partners and alias in {"", name} for name, alias in others.items())
    if by_name and case.spec.network.networks:
        return Fate((), "found by its name on the network that both join", text=words(others))
    return dropped("a link names another container of the source: put both on one network, with the alias there")


def _base_hosts(value: str, case: Case) -> Fate:
    if case.target.podman:
        return Fate(value)
    if value == "none":
        return Fate("", "Docker never takes another host file as the base", text="none")
    return dropped("Docker never takes another host file as the base: add the names with extra_hosts")


def ports_key(ports: Sequence[Port]) -> Any:
    """Ports with one word for every address, in order."""
    return sorted((replace(port, host_ip=_any(port.host_ip)) for port in ports), key=repr)


def _any(address: str) -> str:
    return "" if address in {"0.0.0.0", "::"} else address


def _mounts_key(mounts: Sequence[MountSpec]) -> Any:
    """Mounts by where they are; whether a volume had a name of its own is not told again by an engine, and what is to
    be made before the first start is over by then."""
    plain = (replace(mount, anonymous=False, create_source=False) for mount in mounts)
    return sorted(plain, key=lambda mount: mount.destination)


def _networks_key(joined: Sequence[NetworkAttachment]) -> Any:
    return sorted((replace(one, aliases=tuple(sorted(one.aliases))) for one in joined), key=lambda one: one.network)


ROWS = (
    Row(
        "ports", "HostConfig.PortBindings, Config.ExposedPorts", "portmappings, expose", text(describe_port), _port,
        "the same, or as was chosen (remap, random)",
        named(lambda port: f"{port.container_port}/{port.protocol}"), key=ports_key,
        subs={
            "container_port": ("the key", "container_port", ""), "protocol": ("the key", "protocol", ""),
            "host_ip": ("HostIp", "host_ip", ""), "host_port": ("HostPort", "host_port", "0 = any free port"),
        },
    ),
    Row(
        "mounts", "Mounts, HostConfig.Binds, .Mounts, .Tmpfs", "mounts, volumes", text(describe_mount), _mount,
        "volumes with their data; what is neither bind, volume nor tmpfs is dropped",
        named(lambda mount: mount.destination), key=_mounts_key,
        subs={
            "kind": ("Type", "type", ""), "source": ("Source, Name", "source, Name", "a volume's name may change"),
            "destination": ("Destination", "destination, Dest", ""), "read_only": ("RW", "options: ro", ""),
            "anonymous": ("Name of 64 hex digits", "IsAnonymous", "the copy of an anonymous volume gets a name"),
            "subpath": ("VolumeOptions.Subpath", "SubPath", ""),
            "no_copy": ("VolumeOptions.NoCopy", "options: nocopy, notmpcopyup", "set where data is carried"),
            "propagation": ("BindOptions.Propagation", "options", ""), "relabel": ("Mode: z, Z", "options: z, Z", ""),
            "options": ("Binds, Tmpfs", "options", "Podman's own (U, O, idmap) are dropped on Docker"),
            "size_bytes": ("TmpfsOptions.SizeBytes", "options: size", ""),
            "mode": ("TmpfsOptions.Mode", "options: mode", ""),
            "recursive": ("BindOptions.NonRecursive", "options: bind, rbind", ""),
            "create_source": ("Binds", "-", "a missing folder is made by Docker's -v only"),
        },
    ),
    Row(
        "network.mode", "HostConfig.NetworkMode", "netns", PLAIN_TEXT, _mode,
        "pasta and slirp4netns exist on rootless Podman only; container: goes where the partner moves along",
    ),
    Row(
        "network.networks", "NetworkSettings.Networks", "Networks", text(describe_network), _attachment,
        "made on the target where it is missing; addresses stay where the target's address range is the same",
        named(lambda joined: joined.network), key=_networks_key,
        subs={
            "network": ("the key", "the key", ""), "aliases": ("Aliases", "aliases", "without those of the engine"),
            "ipv4": ("IPAMConfig.IPv4Address", "static_ips", "only where it was asked for"),
            "ipv6": ("IPAMConfig.IPv6Address", "static_ips", "only where it was asked for"),
            "mac": ("MacAddress", "static_mac", "only where it was asked for"),
            "interface": ("-", "interface_name", "dropped on Docker"),
            "options": ("DriverOpts", "options", "dropped between Docker and Podman"),
        },
    ),
    Row("network.mac", "Config.MacAddress", "static_mac", PLAIN_TEXT),
    Row("network.dns", "HostConfig.Dns", "dns_server", text(words)),
    Row("network.dns_search", "HostConfig.DnsSearch", "dns_search", text(words)),
    Row("network.dns_options", "HostConfig.DnsOptions", "dns_option", text(words)),
    Row("network.extra_hosts", "HostConfig.ExtraHosts", "hostadd", text(words), key=sorted),
    Row(
        "network.links", "HostConfig.Links", "-", text(words), _links,
        "a name on the common network where the other container moves along, else dropped",
    ),
    Row("network.publish_all", "HostConfig.PublishAllPorts", "publish_image_ports", text(yes), _publish_all,
        "dropped on Podman with the network host or none"),
    Row(
        "network.base_hosts", "-", "base_hosts_file", PLAIN_TEXT, _base_hosts, "Docker's is always none",
    ),
    Row(
        "network.no_hosts", "-", "use_image_hosts", text(yes), podman_only("it writes /etc/hosts"), "dropped on Docker",
    ),
    Row(
        "network.no_resolv", "-", "use_image_resolve_conf", text(yes), podman_only("it writes /etc/resolv.conf"),
        "dropped on Docker",
    ),
)  # fmt: skip
