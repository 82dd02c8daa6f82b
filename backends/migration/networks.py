"""The networks that the copy joins: which are made, and where addresses can stay. Pure; may not ask an engine."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from backends.migration.rows_process import OURS
from backends.migration.show import shown, words
from backends.migration.table import Side
from backends.model.network import Network, NetworkSpec, Subnet
from backends.model.plan import FieldPlan, Finding, NetworkMove, Severity, Verdict

_OPTIONS: Mapping[str, str] = {
    "com.docker.network.driver.mtu": "mtu",
    "parent": "parent",
    "macvlan_mode": "mode",
    "ipvlan_mode": "mode",
    "com.docker.network.bridge.name": "bridge_name",
}
"""Docker's driver options and Podman's words for them. Source: podman-network-create(1), moby bridge and macvlan."""

BRIDGES = "bridge"
_KNOWN_DRIVERS = frozenset({BRIDGES, "macvlan", "ipvlan"})
_NEVER_SHARED = frozenset({"bridge_name", "com.docker.network.bridge.name"})


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """moves: of each network. lost: per network, why addresses asked for there are not kept ("" = they are)."""

    moves: tuple[NetworkMove, ...]
    lost: Mapping[str, str]
    fields: tuple[FieldPlan, ...]
    findings: tuple[Finding, ...]


def _overlaps(subnet: Subnet, others: Iterable[Network]) -> str:
    """The network whose addresses overlap, "" where there is none."""
    wanted = ipaddress.ip_network(subnet.subnet, strict=False)
    for other in others:
        for theirs in other.spec.subnets:
            seen = ipaddress.ip_network(theirs.subnet, strict=False)
            if wanted.version == seen.version and wanted.overlaps(seen):
                return other.spec.name
    return ""


def _ranges(spec: NetworkSpec) -> str:
    return words(sorted(subnet.subnet for subnet in spec.subnets)) if spec.subnets else "of the engine's choice"


def _existing(name: str, source: NetworkSpec, there: NetworkSpec) -> tuple[str, list[Finding]]:
    """Why addresses are lost on a network that the target has already, and what to know of it."""
    findings = []
    wanted, has = ({subnet.subnet for subnet in spec.subnets} for spec in (source, there))
    reason = "" if wanted <= has else f"the target's network {name} has other addresses ({_ranges(there)})"
    if reason:
        findings.append(
            Finding(
                Severity.WARN,
                f"the target has a network {name} with other addresses",
                f"It stays as it is ({_ranges(there)}; the source's: {_ranges(source)}); the copy joins it.",
                "rename one of the two where they are not meant to be the same",
            )
        )
    if (source.driver, source.internal) != (there.driver, there.internal):
        findings.append(
            Finding(
                Severity.WARN,
                f"the target's network {name} is of another kind",
                f"driver {there.driver}, internal {there.internal}; the source's: {source.driver}, {source.internal}",
            )
        )
    return reason, findings


def _options(spec: NetworkSpec, source: Side, target: Side, shared: bool) -> tuple[dict[str, str], list[FieldPlan]]:
    """The driver's options in the target's words."""
    kept: dict[str, str] = {}
    plans = []
    for key in sorted(spec.options):
        path, value = f"networks.{spec.name}.options.{key}", spec.options[key]
        text = shown(key, value)
        if shared and key in _NEVER_SHARED:
            plans.append(
                FieldPlan(path, Verdict.DROPPED, text, "", "the source's bridge has this name on the same host")
            )
        elif source.engine.kind is target.engine.kind:
            kept[key] = value
            plans.append(FieldPlan(path, Verdict.SAME, text, text))
        else:
            there = _other_word(key, spec.driver, target)
            if not there:
                plans.append(FieldPlan(path, Verdict.DROPPED, text, "", f"{target.called} has no such network option"))
                continue
            kept[there] = value
            verdict = Verdict.SAME if there == key else Verdict.CONVERTED
            reason = "" if there == key else f"{target.called} calls it {there}"
            plans.append(FieldPlan(path, verdict, text, f"{there}={text}" if reason else text, reason))
    return kept, plans


def _other_word(key: str, driver: str, target: Side) -> str:
    if target.podman:
        return "" if _OPTIONS.get(key) == "bridge_name" else _OPTIONS.get(key, "")
    if key == "mode":
        return f"{driver}_mode"
    return next((docker for docker, podman in _OPTIONS.items() if podman == key and podman != "bridge_name"), "")


def _create(
    seen: Network, source: Side, target: Side, live: tuple[Network, ...]
) -> tuple[NetworkSpec, str, list[FieldPlan], list[Finding]]:
    """How a missing network is made. live: networks of both engines that hold addresses of the same host."""
    spec, path = seen.spec, f"networks.{seen.spec.name}"
    plans, findings, lost = [], [], ""
    driver = spec.driver
    if driver in _KNOWN_DRIVERS:
        plans.append(FieldPlan(f"{path}.driver", Verdict.SAME, driver, driver))
    else:
        reason = f"{target.called} has no network driver {driver}: a bridge of its own host takes its place"
        plans.append(FieldPlan(f"{path}.driver", Verdict.CONVERTED, driver, BRIDGES, reason))
        findings.append(Finding(Severity.WARN, f"network {spec.name} becomes a bridge", reason))
        driver, lost = BRIDGES, f"network {spec.name} becomes a bridge"
    clash = next((name for subnet in spec.subnets if (name := _overlaps(subnet, live))), "")
    subnets = spec.subnets
    if driver == BRIDGES and clash:
        subnets = ()
        lost = f"network {clash} of this host has these addresses, so the target chooses others"
        plans.append(FieldPlan(f"{path}.subnets", Verdict.CONVERTED, _ranges(spec), "of the target's choice", lost))
    elif spec.subnets:
        plans.append(FieldPlan(f"{path}.subnets", Verdict.SAME, _ranges(spec), _ranges(spec)))
    for name in ("internal", "ipv6"):
        if getattr(spec, name):
            plans.append(FieldPlan(f"{path}.{name}", Verdict.SAME, "yes", "yes"))
    dns = spec.dns
    if not dns and target.docker:
        dns = True
        reason = "Docker's networks always find containers by name"
        plans.append(FieldPlan(f"{path}.dns", Verdict.CONVERTED, "off", "on", reason))
    options, more = _options(spec, source, target, shared=bool(live))
    plans += more
    labels = {}
    for key in sorted(spec.labels):
        text = shown(key, spec.labels[key])
        if key.startswith(OURS):
            reason = "Tranship's own mark of an earlier move"
            plans.append(FieldPlan(f"{path}.labels.{key}", Verdict.DROPPED, text, "", reason))
        else:
            labels[key] = spec.labels[key]
            plans.append(FieldPlan(f"{path}.labels.{key}", Verdict.SAME, text, text))
    made = replace(spec, driver=driver, subnets=subnets, dns=dns, options=options, labels=labels)
    return made, lost, plans, findings


def plan_networks(
    joined: Iterable[str],
    known: Mapping[str, Network],
    there: tuple[Network, ...],
    sides: tuple[Side, Side],
    live: tuple[Network, ...],
) -> NetworkPlan:
    """What becomes of each network that the source joins.

    known: the source's, by name. there: the target's. sides: source and target. live: networks whose address ranges
    are taken on the host of the target (the source's too, where both engines share it).
    """
    source, target = sides
    has = {network.spec.name: network for network in there}
    moves: list[NetworkMove] = []
    fields: list[FieldPlan] = []
    findings: list[Finding] = []
    lost: dict[str, str] = {}
    for name in dict.fromkeys(joined):
        seen = known.get(name, Network("", NetworkSpec(name)))
        if name in has:
            lost[name], more = _existing(name, seen.spec, has[name].spec)
            findings += more if has[name].id else []  # one that another container of the move makes was judged there
            moves.append(NetworkMove(name, None))
            continue
        create, lost[name], plans, more = _create(seen, source, target, live)
        fields += plans
        findings += more
        moves.append(NetworkMove(name, create))
    return NetworkPlan(tuple(moves), lost, tuple(fields), tuple(findings))
