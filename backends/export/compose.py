"""Containers as a Compose file. Pure; runs nothing.

Source: the Compose Specification (compose-spec/spec.md and schema/compose-spec.json). What it cannot say is a comment
in the file and a finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backends.export.compose_parts import Body, kept
from backends.export.compose_service import COMPOSE_LABELS, depends_on, service, service_name
from backends.export.distinct import distinct
from backends.export.exported import Exported, ExportFile, Member
from backends.export.names import Names
from backends.export.unsaid import Ledger
from backends.export.yaml_text import yaml_text
from backends.model.container import MountKind
from backends.model.ids import EngineKind
from backends.model.network import NetworkSpec
from backends.model.workload import VolumeSpec

FILE = "compose.yaml"
_PROJECT_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


def compose(members: Sequence[Member], *, external: bool = False) -> Exported:
    """A project of these containers, a service each.

    external: their volumes and networks are there already and are used as they are; else the file makes those that
    are missing.
    """
    return compose_with_ledger(members, external=external)[0]


def compose_with_ledger(members: Sequence[Member], *, external: bool = False) -> tuple[Exported, Ledger]:
    """The same, and field by field what is not in it."""
    ledger = Ledger("Compose")
    services, volumes, networks = Names(dns=False), Names(dns=False), Names(dns=False)
    members = distinct(members, ledger)
    keys: dict[str, str] = {}
    known: dict[str, str] = {}
    for member in members:
        # Several containers of one service are services of their own names.
        wish = service_name(member) if service_name(member) not in known else f"{member.spec.name}\n"
        keys[member.spec.name] = known[wish] = services.of(wish)
    bodies: Body = {}
    files: list[ExportFile] = []
    for member in members:
        key = keys[member.spec.name]
        body, own = service(member, key, volumes.of, networks.of, lambda name: keys.get(name, ""), ledger)
        bodies[key] = body | depends_on(member.spec.labels, known)
        files += own
        if member.pod:
            ledger.differs(key, "", f"the pod {member.pod} is not in the file: its containers share namespaces")
    podman = all(member.kind is EngineKind.PODMAN for member in members)
    document: Body = {"name": _project(members)}
    if podman:
        document["x-podman"] = {"in_pod": False}  # podman-compose puts all into a pod else
    document["services"] = bodies
    document |= kept(
        {
            "networks": _networks(members, networks, external, ledger),
            "volumes": _volumes(members, volumes, external, ledger),
        }
    )
    comments = ["Compose file of Tranship. Source: compose-spec.io.", *ledger.comments()]
    main = ExportFile(FILE, yaml_text(_without_variables(document), comments=comments))
    commands = (f"{'podman-compose' if podman else 'docker compose'} -f {FILE} up -d",)
    return Exported((main, *files), ledger.findings, commands), ledger


def _project(members: Sequence[Member]) -> str:
    """Source: spec.md, "Name top-level element": small letters, digits, "-" and "_", begun by a letter or digit."""
    asked = next((one.project for one in members if one.project), members[0].spec.name if members else "")
    name = "".join(letter if letter in _PROJECT_LETTERS else "-" for letter in asked.lower()).lstrip("-_")
    return name or "exported"


def _without_variables(value: Any) -> Any:
    """Every text with "$" doubled: Compose puts variables in else. Source: spec.md, "Interpolation"."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _without_variables(one) for key, one in value.items()}
    return [_without_variables(one) for one in value] if isinstance(value, list) else value


def _volumes(members: Sequence[Member], names: Names, external: bool, ledger: Ledger) -> Body:
    facts = {volume.name: volume for member in members for volume in member.volumes}
    body: Body = {}
    for member in members:
        for mount in member.spec.mounts:
            if mount.kind is MountKind.VOLUME and mount.source and not mount.anonymous:
                body[names.of(mount.source)] = _volume(mount.source, facts.get(mount.source), external)
    if body and not external:
        ledger.differs(
            "", "", "Compose does not bring the content of volumes", "`tranship backup` does, or a migration."
        )
    return body


def _volume(name: str, volume: VolumeSpec | None, external: bool) -> Body:
    if external:
        return {"name": name, "external": True}
    options = kept({"driver_opts": dict(volume.driver_options), "labels": _labels(volume.labels)}) if volume else {}
    return {"name": name} | options


def _networks(members: Sequence[Member], names: Names, external: bool, ledger: Ledger) -> Body:
    facts = {network.name: network for member in members for network in member.networks}
    body: Body = {}
    for member in members:
        for end in member.spec.network.networks:
            spec = facts.get(end.network)
            key = names.of(end.network)
            if external or spec is None:
                body[key] = {"name": end.network, "external": True}
            else:
                body[key] = _network(spec, ledger)
    if body and not external:
        remedy = "Where it is there already, say `external: true` in its place."
        ledger.differs("", "", "the file makes its networks: Compose refuses one that others made", remedy)
    return body


def _network(spec: NetworkSpec, ledger: Ledger) -> Body:
    ranges = [kept({"subnet": one.subnet, "gateway": one.gateway, "ip_range": one.ip_range}) for one in spec.subnets]
    if not spec.dns:
        ledger.cannot(spec.name, "", "that the network has no names")
    return {"name": spec.name} | kept(
        {
            "driver": spec.driver,
            "internal": spec.internal,
            "enable_ipv6": spec.ipv6,
            "driver_opts": dict(spec.options),
            "ipam": {"config": ranges} if ranges else {},
            "labels": _labels(spec.labels),
        }
    )


def _labels(labels: Any) -> Body:
    return {key: value for key, value in labels.items() if not key.startswith(COMPOSE_LABELS)}


__all__ = ["compose", "compose_with_ledger"]
