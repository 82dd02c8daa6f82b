"""What of this machine decides between engines: rights, start at boot, ports, users' ids. Pure.

Sources: podman-restart.service (podman contrib/systemd/system); docs.docker.com "Start containers automatically";
subuid(5); loginctl(1), enable-linger; Linux ip-sysctl, ip_unprivileged_port_start.
"""

from __future__ import annotations

from collections.abc import Iterator

from backends.model.advice import Effect, Statement
from backends.model.workload import RestartName
from backends.services.advice_facts import EngineSeen, Ground, Workload
from backends.services.boot_facts import RESTART
from backends.services.doctor import ENOUGH_IDS

_SYSTEMD = "/run/systemd/system"
_PORT_START = "/proc/sys/net/ipv4/ip_unprivileged_port_start"


def machine(ground: Ground) -> Iterator[Statement]:
    """What rootless engines find on this machine."""
    host = ground.host

    def told(topic: str, sentence: str, source: str, value: object, remedy: str = "") -> Statement:
        return Statement("", topic, Effect.TELLS, sentence, source, str(value), remedy)

    yield told("cgroups", f"control groups of version {host.cgroup_version or 'none'}", "/sys/fs/cgroup",
               host.cgroup_version or "none mounted")  # fmt: skip
    if host.uid == 0:
        yield told("rootless", "you are root: rootless engines belong to other users", "uid", 0)
        return
    for file, count in (("/etc/subuid", host.subuids), ("/etc/subgid", host.subgids)):
        enough = "enough for most images" if count >= ENOUGH_IDS else f"fewer than the {ENOUGH_IDS} that images need"
        flag = "--add-subuids" if file.endswith("uid") else "--add-subgids"
        remedy = "" if count >= ENOUGH_IDS else f"sudo usermod {flag} 100000-165535 {host.user}"
        yield told("rootless", f"{host.user} has {count} ids: {enough}", file, count, remedy)
    tools = "are here" if host.idmap_tools else "are not here: no rootless engine can map ids"
    yield told("rootless", f"newuidmap and newgidmap {tools}", "PATH", "found" if host.idmap_tools else "not found",
               "" if host.idmap_tools else "sudo apt-get install uidmap")  # fmt: skip
    if host.delegated is not None:
        said = " ".join(sorted(host.delegated)) or "none"
        yield told("limits", f"systemd delegates to {host.user}: {said}", "user@.service/cgroup.controllers", said)


def rights(engine: EngineSeen) -> Iterator[Statement]:
    """As whom it runs."""
    field = "info: SecurityOptions" if engine.docker else "info: host.security.rootless"
    if engine.info.rootless:
        sentence = "runs without root: a way out of a container ends as its user"
        yield Statement(engine.name, "rootless", Effect.SERVES, sentence, field, "rootless")
    else:
        sentence = "runs as root: a way out of a container ends as root of the host"
        yield Statement(engine.name, "rootless", Effect.TELLS, sentence, field, "not rootless")


def ports(engine: EngineSeen, work: Workload, ground: Ground) -> Iterator[Statement]:
    """Ports that an ordinary user may not publish."""
    low = [port.host_port for port in work.spec.ports if port.host_port and port.host_port < 1024]
    if not low or not engine.info.rootless:
        return
    first = ground.unprivileged_port if engine.info.local else None
    said = ", ".join(map(str, sorted(low)))
    if first is None:
        sentence = f"may not publish {said}, unless its host allows ports below 1024"
        yield Statement(engine.name, "ports", Effect.LACKS, sentence, "recipe: ports", said,
                        "sysctl net.ipv4.ip_unprivileged_port_start")  # fmt: skip
    elif min(low) < first:
        yield Statement(engine.name, "ports", Effect.LACKS, f"may not publish {said}: users begin at {first}",
                        _PORT_START, str(first),
                        f"sudo sysctl net.ipv4.ip_unprivileged_port_start={min(low)}")  # fmt: skip
    else:
        yield Statement(engine.name, "ports", Effect.SERVES, f"may publish {said}", _PORT_START, str(first))


def boot(engine: EngineSeen, work: Workload, ground: Ground) -> Iterator[Statement]:
    """Whether the container starts with the machine, where its restart policy wants that."""
    policy = work.spec.restart.name
    if policy in {RestartName.NO, RestartName.ON_FAILURE}:
        return

    def say(effect: Effect, sentence: str, source: str, value: str, remedy: str = "") -> Statement:
        return Statement(engine.name, "boot", effect, sentence, source, value, remedy)

    if not engine.info.local:
        yield say(
            Effect.TELLS, "is on another machine, whose units are not read from here", "endpoint", engine.endpoint
        )
    elif not ground.boot.systemd:
        yield say(Effect.TELLS, "there is no systemd here that would start it at boot", _SYSTEMD, "not there")
    elif engine.info.rootless and ground.host.uid == 0:
        yield say(Effect.TELLS, "belongs to another user, whose units are not read", "uid", "0")
    elif engine.docker:
        yield from _docker_boot(engine, ground, policy)
    else:
        yield from _podman_boot(engine, ground, policy)
    if engine.info.local and engine.info.rootless and ground.host.linger is False and ground.host.uid != 0:
        user = ground.host.user
        yield say(Effect.LACKS, f"its containers end when {user} logs out, and do not start at boot",
                  f"/var/lib/systemd/linger/{user}", "not there", f"loginctl enable-linger {user}")  # fmt: skip


def _docker_boot(engine: EngineSeen, ground: Ground, policy: RestartName) -> Iterator[Statement]:
    rootless = engine.info.rootless
    link = ground.boot.user_docker if rootless else ground.boot.docker
    command = f"{'systemctl --user' if rootless else 'sudo systemctl'} enable docker"
    if link:
        sentence = f"starts at boot, and its containers of policy {policy} with it"
        yield Statement(engine.name, "boot", Effect.SERVES, sentence, link, "enabled")
    elif ground.boot.docker_by_socket and not engine.info.rootless:
        sentence = "starts only when somebody asks it something; its containers wait until then"
        yield Statement(engine.name, "boot", Effect.LACKS, sentence, ground.boot.docker_by_socket, "enabled", command)
    else:
        sentence = "is not started at boot by systemd"
        yield Statement(engine.name, "boot", Effect.LACKS, sentence, "*.wants/docker.service", "not there", command)


def _podman_boot(engine: EngineSeen, ground: Ground, policy: RestartName) -> Iterator[Statement]:
    rootless = engine.info.rootless
    link = ground.boot.user_podman_restart if rootless else ground.boot.podman_restart
    command = f"systemctl --user enable {RESTART}" if rootless else f"sudo systemctl enable {RESTART}"
    old = not engine.info.version.split(".")[0].isdecimal() or int(engine.info.version.split(".")[0]) < 6
    if policy is RestartName.UNLESS_STOPPED and old:
        yield Statement(engine.name, "boot", Effect.LACKS, f"{RESTART} starts those of policy always only, before "
                        "Podman 6", "recipe: restart", str(policy), "set the policy always")  # fmt: skip
    if link:
        yield Statement(engine.name, "boot", Effect.SERVES, f"{RESTART} starts containers at boot", link, "enabled")
    else:
        yield Statement(engine.name, "boot", Effect.LACKS, f"{RESTART} is not enabled: nothing starts it at boot",
                        f"*.wants/{RESTART}", "not there", command)  # fmt: skip


__all__ = ["boot", "machine", "ports", "rights"]
