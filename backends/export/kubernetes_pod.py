"""Containers that live together as one Pod: what they share. Pure; used by `kubernetes`.

Source: Kubernetes API reference, core/v1 PodSpec (1.34).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from backends.export.exported import Member
from backends.export.kubernetes_container import container
from backends.export.kubernetes_labels import NAME_LABEL, labels, notes
from backends.export.kubernetes_mounts import Claims, Volumes
from backends.export.kubernetes_parts import Body, Place
from backends.export.names import Names, dns_label
from backends.export.unsaid import Ledger
from backends.model.settings import UNLIMITED, NetworkingSpec
from backends.model.workload import RestartName, WorkloadSpec

_SHARED = "container:"


class Workload(StrEnum):
    """What runs the Pod."""

    DEPLOYMENT = "deployment"  # kept running, a new Pod for one that is lost
    JOB = "job"  # run to its end
    POD = "pod"  # the Pod alone: gone with its node


@dataclass(slots=True)
class Unit:
    """One Pod. name: its workload's, fit for Kubernetes. secrets: per Secret's name, what it holds."""

    name: str
    members: list[Member]
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)


def restart_policy(specs: Iterable[WorkloadSpec], workload: Workload, ledger: Ledger) -> str:
    """Always for a Deployment; the containers' own else, the strongest of several."""
    asked = {spec.name: spec.restart.name for spec in specs}
    wanted = set(asked.values())
    lasting = bool(wanted & {RestartName.ALWAYS, RestartName.UNLESS_STOPPED})
    if workload is Workload.DEPLOYMENT or (lasting and workload is Workload.POD):
        policy = "Always"
    elif lasting or RestartName.ON_FAILURE in wanted:
        policy = "OnFailure"
    else:
        policy = "Never"
    same = {"Always": (RestartName.ALWAYS,), "OnFailure": (RestartName.ON_FAILURE,), "Never": (RestartName.NO,)}
    for who, name in asked.items():
        if name not in same[policy]:
            warn = {name, policy} != {RestartName.UNLESS_STOPPED, "Always"}
            what = f"its restart policy {name.value} becomes {policy}"
            remedy = "A Job or a Pod alone may end." if warn and workload is Workload.DEPLOYMENT else ""
            ledger.differs(who, "restart", what, remedy, warn=warn)
    for spec in specs:
        if spec.restart.max_retries and workload is not Workload.JOB:
            ledger.cannot(spec.name, "restart", "how often it is started again")
    return policy


def pod(unit: Unit, policy: str, claims: Claims, podman: bool, ledger: Ledger) -> tuple[Body, Body]:
    """The Pod's metadata and its spec; the unit's secrets are filled in."""
    volumes, names = Volumes(unit.name, claims), Names(dns=True)
    kept: Body = {NAME_LABEL: unit.name}
    noted: Body = {}
    bodies = []
    for member in unit.members:
        spec = member.spec
        place = Place(spec.name, podman, policy != "Never", ledger)
        name = names.of(spec.name)
        secret = dns_label(f"{unit.name}-{name}-env" if len(unit.members) > 1 else f"{unit.name}-env")
        inner, hidden = container(spec, name, secret, volumes, place)
        bodies.append(inner)
        if hidden:
            unit.secrets[secret] = hidden
        own_labels, own_notes = labels(spec, place)
        kept |= own_labels
        noted |= own_notes | notes(spec, name, place)
    specs = [member.spec for member in unit.members]
    body: Body = {"restartPolicy": policy} | _shared(specs, podman, ledger)
    if not podman:
        # A container of an engine has neither variables for each Service nor a token of the cluster.
        body |= {"automountServiceAccountToken": False, "enableServiceLinks": False}
    body["containers"] = bodies
    listed = volumes.documents()
    body |= {"volumes": listed} if listed else {}
    return {"labels": kept} | ({"annotations": noted} if noted else {}), body


def _shared(specs: Sequence[WorkloadSpec], podman: bool, ledger: Ledger) -> Body:
    body: Body = {}
    hostname = next((spec.hostname for spec in specs if spec.hostname), None)
    if hostname and dns_label(hostname) == hostname:
        body["hostname"] = hostname
    elif hostname:
        ledger.cannot(specs[0].name, "hostname", f"the host name {hostname}")
    else:
        ledger.differs(specs[0].name, "hostname", "its host name is the Pod's name")
    body |= _context(specs, ledger)
    body |= _spaces(specs, ledger)
    for spec in specs:
        _network_mode(spec, {one.name for one in specs}, body, ledger)
    stops = [spec.process.stop_timeout_s for spec in specs if spec.process.stop_timeout_s is not None]
    if UNLIMITED in stops:
        ledger.cannot(specs[0].name, "process.stop_timeout_s", "that a stop waits for ever")
    longest = max(stops, default=UNLIMITED)
    body |= {"terminationGracePeriodSeconds": longest} if longest >= 0 else {}
    body |= _dns([spec.network for spec in specs], podman, specs[0].name, ledger)
    return body


def _context(specs: Sequence[WorkloadSpec], ledger: Ledger) -> Body:
    sysctls = {key: value for spec in specs for key, value in spec.resources.sysctls.items()}
    groups: list[int] = []
    for spec in specs:
        for group in spec.process.groups:
            if group.isdecimal() and group.isascii():
                groups += [int(group)] if int(group) not in groups else []
            else:
                ledger.cannot(spec.name, "process.groups", f"the group {group} by name", "Write its number.")
    context: Body = {"supplementalGroups": groups} if groups else {}
    if sysctls:
        context["sysctls"] = [{"name": key, "value": value} for key, value in sysctls.items()]
        what = f"most clusters refuse sysctls ({', '.join(sysctls)}) unless the kubelet allows them"
        ledger.differs(specs[0].name, "", what)
    return {"securityContext": context} if context else {}


def _spaces(specs: Sequence[WorkloadSpec], ledger: Ledger) -> Body:
    body: Body = {}
    inside = {f"{_SHARED}{spec.name}" for spec in specs}
    for spec in specs:
        spaces = spec.namespaces
        if spaces.pid == "host":
            body["hostPID"] = True
        elif spaces.pid in inside:
            body["shareProcessNamespace"] = True
        elif spaces.pid not in {"", "private"}:
            ledger.cannot(spec.name, "namespaces.pid", f"the PID namespace {spaces.pid}")
        if spaces.ipc == "host":
            body["hostIPC"] = True
        elif spaces.ipc in {"private", "shareable"} | inside:
            ledger.differs(spec.name, "namespaces.ipc", "the IPC namespace is the Pod's: its containers share it")
        elif spaces.ipc:
            ledger.cannot(spec.name, "namespaces.ipc", f"the IPC namespace {spaces.ipc}")
    return body


def _network_mode(spec: WorkloadSpec, inside: set[str], body: Body, ledger: Ledger) -> None:
    mode = spec.network.mode
    if mode == "host":
        body["hostNetwork"] = True
        ledger.differs(spec.name, "namespaces.uts", "with the host's network it has the host's UTS namespace too")
    elif mode == "none":
        ledger.cannot(spec.name, "network.mode", "that it has no network", "A NetworkPolicy that denies all does.")
    elif mode.startswith(_SHARED) and mode.removeprefix(_SHARED) not in inside:
        ledger.cannot(spec.name, "network.mode", f"that it shares the network of {mode.removeprefix(_SHARED)}")
    elif mode not in {"", "bridge"} and not mode.startswith(_SHARED):
        ledger.differs(spec.name, "network.mode", f"the network mode {mode} becomes the cluster's network")


def _dns(networks: Sequence[NetworkingSpec], podman: bool, who: str, ledger: Ledger) -> Body:
    body: Body = {}
    servers, searches, options = (
        list(dict.fromkeys(one for network in networks for one in getattr(network, name)))
        for name in ("dns", "dns_search", "dns_options")
    )
    config: Body = {"nameservers": servers} if servers else {}
    config |= {"searches": searches} if searches else {}
    if options:
        pairs = [option.partition(":") for option in options]
        config["options"] = [{"name": key} | ({"value": value} if value else {}) for key, _, value in pairs]
    if servers and not podman:
        body["dnsPolicy"] = "None"
        ledger.differs(who, "", "with DNS servers of its own it does not know the cluster's names", warn=True)
    elif not podman and any(network.mode == "host" for network in networks):
        body["dnsPolicy"] = "ClusterFirstWithHostNet"
    body |= {"dnsConfig": config} if config else {}
    hosts: dict[str, list[str]] = {}
    for network in networks:
        for entry in network.extra_hosts:
            name, _, address = entry.partition(":")
            if _is_address(address):
                hosts.setdefault(address.strip("[]"), []).append(name)
            else:
                ledger.cannot(who, "network.extra_hosts", f"the host name {name} for {address}")
    if hosts:
        body["hostAliases"] = [{"ip": address, "hostnames": names} for address, names in hosts.items()]
    return body


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


__all__ = ["Unit", "Workload", "pod", "restart_policy"]
