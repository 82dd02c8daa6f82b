"""Findings about what the target's host gives: ports, namespaces, users, limits, start at boot. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backends.migration.checks import block, note, warn
from backends.migration.facts import SourceFacts, TargetFacts, one_machine
from backends.migration.rules import CONTROLLERS
from backends.migration.show import describe_port
from backends.migration.table import NO_PARTNERS, Case
from backends.model.capabilities import Capability
from backends.model.container import Container, Health, Port
from backends.model.ids import EngineKind
from backends.model.plan import FieldPlan, Finding, Verdict
from backends.model.workload import RestartName, WorkloadSpec

PRIVILEGED_PORTS = 1024
"""Ports below need a right that a rootless engine lacks. Source: Linux, net.ipv4.ip_unprivileged_port_start."""

_EVERY_ADDRESS = frozenset({"", "0.0.0.0", "::"})


def _clash(wanted: Port, other: Port) -> bool:
    if not wanted.host_port or wanted.host_port != other.host_port or wanted.protocol != other.protocol:
        return False
    return wanted.host_ip == other.host_ip or bool({wanted.host_ip, other.host_ip} & _EVERY_ADDRESS)


def _holders(source: SourceFacts, target: TargetFacts, stops: bool) -> list[tuple[Container, str]]:
    """Containers that may hold ports of the target's host, each with its engine. The source itself only where it keeps
    running.
    """
    found = [(other, str(target.engine)) for other in target.containers]
    if one_machine(source.info, target.info):
        own = source.container.key.id
        here = (*(other for other in source.containers if other.key.id != own), *(() if stops else (source.container,)))
        found += [(other, str(source.engine)) for other in here]
    return [(other, where) for other, where in found if other.state.alive]


def ports(wanted: WorkloadSpec, source: SourceFacts, target: TargetFacts, stops: bool) -> Iterator[Finding]:
    """Published ports that the target cannot or may not be able to give. wanted: the target's recipe."""
    running = source.container.state.alive
    holders = _holders(source, target, stops)
    for port in wanted.ports:
        holder = next((held for held in holders if any(_clash(port, other) for other in held[0].ports)), None)
        if holder is not None:
            make = block if running else warn
            other, where = holder
            yield make(
                f"port {port.host_port}/{port.protocol} is taken on {where}",
                f"container {other.name} publishes it",
                f"stop {other.name}, or publish one of the two elsewhere",
            )
        if target.info.rootless and port.host_port and port.host_port < PRIVILEGED_PORTS:
            yield warn(
                f"{describe_port(port)}: a rootless engine may not publish ports below {PRIVILEGED_PORTS}",
                "Where it is refused, the start fails and everything is put back.",
                "lower net.ipv4.ip_unprivileged_port_start on the target's host",
            )


def partners(case: Case) -> Iterator[Finding]:
    """Namespaces of other containers and pods: they go only where the partner moves along."""
    spec = case.spec
    spaces = spec.namespaces
    modes = {
        "network": spec.network.mode, "ipc": spaces.ipc, "pid": spaces.pid, "uts": spaces.uts,
        "cgroup": spaces.cgroup, "user": spaces.user,
    }  # fmt: skip
    for what, mode in modes.items():
        other = mode.removeprefix("container:")
        if other != mode and other not in (case.decided.partners or NO_PARTNERS):
            yield block(
                f"its {what} namespace is the one of the container {other}",
                "Without that container the copy would not be what the source is.",
                "move both together: P on the screen, --project on the command line",
            )
    pod = next((entry for entry in spec.unmapped if entry.path == "Pod"), None)
    if pod is not None and not case.decided.partners:
        yield block(
            "the source is in a pod",
            "It shares its network with the pod's other containers, which stay where they are.",
            "move all of them together: P on the screen, --project on the command line",
        )


def _number(user: str) -> int | None:
    """The number of a user ("1000:50" → 1000), None for a name."""
    number = user.partition(":")[0]
    return int(number) if number.isascii() and number.isdigit() else None


def users(source: SourceFacts, target: TargetFacts) -> Iterator[Finding]:
    """Whether the target has the user's number at all."""
    user = source.spec.user if source.spec.user is not None else source.user
    number, ranges = _number(user or ""), target.info.id_ranges
    if number is None or not ranges or not target.info.rootless:
        return
    if not any(first <= number < first + count for first, count in ranges):
        last = max(first + count for first, count in ranges) - 1
        yield block(
            f"{target.engine} has no user {number}",
            f"A rootless engine has the ids that its user was given: up to {last}.",
            "give its user more in /etc/subuid and /etc/subgid, then podman system migrate",
        )


def limits(fields: Iterable[FieldPlan], case: Case) -> Iterator[Finding]:
    """Limits that the target cannot enforce."""
    info, spec = case.target.info, case.spec
    if case.decided.no_limits and (spec.memory_bytes or spec.cpus_nano):
        yield warn("the copy runs without memory and CPU limits", case.decided.no_limits)
        return
    undelegated = [
        name
        for name in CONTROLLERS
        if any(entry.verdict is Verdict.DROPPED and f"controller {name} is" in entry.reason for entry in fields)
    ]
    if undelegated:
        yield warn(
            f"the copy runs without {', '.join(CONTROLLERS[name] for name in undelegated)} limits",
            f"The target was given only: {', '.join(info.cgroup_controllers)}.",
            "systemctl edit user@.service, [Service] Delegate=cpu cpuset io memory pids",
        )


def life(source: SourceFacts, target: TargetFacts, case: Case) -> Iterator[Finding]:
    """Start at boot, health checks, rights, the network that a rootless engine gives by itself."""
    spec, info = source.spec, target.info
    if spec.restart.name is not RestartName.NO and target.engine.kind is EngineKind.PODMAN:
        yield warn(
            f"restart policy {spec.restart.name}: Podman has no daemon that starts the copy at boot",
            "It honours always, and unless-stopped only from version 6 on."
            if spec.restart.name is RestartName.UNLESS_STOPPED
            else "",
            "systemctl enable podman-restart.service"
            + (" --user, and loginctl enable-linger" if info.rootless else ""),
        )
    if source.container.health is Health.UNHEALTHY:
        yield warn(
            f"{source.container.name} is unhealthy",
            "The copy is made equal to it, so nobody waits until that one is healthy.",
            "mend it before the move where you want the move to prove its health",
        )
    checked = spec.health is not None or source.container.health is not Health.NONE
    if checked and (why := info.capabilities.why_not(Capability.HEALTHCHECK)):
        yield note("the copy's health is not checked by itself", why)
    if spec.security.privileged and info.rootless:
        yield warn("privileged on a rootless engine is no more than its user may do", "It makes no device nodes.")
    if spec.security.seccomp and info.seccomp is False:
        yield warn("the target has no seccomp: the copy runs without that profile")
    plain = not spec.network.mode and not spec.network.networks
    if plain and case.target.podman and info.rootless and case.source.docker:
        yield note(
            "the copy has a network of its own (pasta)",
            "Other containers do not reach it by address, only by its published ports.",
            "put both on a network that was made for them",
        )
    if spec.resources.ulimits and info.rootless:
        yield note(
            "a rootless engine cannot raise limits above its caller's",
            "Where one is refused, the start fails and everything is put back.",
        )
    elif not spec.resources.ulimits and case.crossing:
        yield note(
            "limits of open files and processes are the target's own",
            "Docker gives its daemon's, Podman 1,048,576 at most.",
            "set them for the source (--ulimit) where the program needs a certain number",
        )
