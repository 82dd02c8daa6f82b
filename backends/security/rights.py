"""What a container may do: root, capabilities, privileged, seccomp, AppArmor, SELinux, masked paths. Pure.

Sources of what a right gives: capabilities(7); moby profiles/seccomp/default.go, which opens system calls by
capability; CIS Docker Benchmark 1.6, chapter 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from backends.model.rights import ALL, capabilities
from backends.security.facts import ContainerFacts, own_caps
from backends.security.finding import SecurityFinding, Severity

_TO_HOST = frozenset(
    {
        *("CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"),
        *("CAP_BPF", "CAP_SYS_BOOT", "CAP_MAC_ADMIN", "CAP_MAC_OVERRIDE"),
    }
)
"""Each of them opens a known way to the host or to all of its files (capabilities(7))."""
_WIDE = frozenset(
    {
        *("CAP_NET_ADMIN", "CAP_SYS_TIME", "CAP_SYSLOG", "CAP_PERFMON", "CAP_AUDIT_CONTROL", "CAP_SYS_TTY_CONFIG"),
        *("CAP_CHECKPOINT_RESTORE", "CAP_LINUX_IMMUTABLE", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ"),
        *("CAP_MKNOD", "CAP_NET_RAW", "CAP_SYS_RESOURCE", "CAP_SYS_NICE", "CAP_IPC_OWNER", "CAP_IPC_LOCK"),
    }
)


def rights(facts: ContainerFacts) -> Iterator[SecurityFinding]:
    """All findings about what it may do. A privileged one has no walls, so that these are not told one by one."""
    yield from _user(facts)
    if facts.spec.security.privileged:
        yield _privileged(facts)
        return
    yield from _capabilities(facts)
    yield from _walls(facts)


def _eased(severity: Severity, facts: ContainerFacts) -> Severity:
    """On a rootless engine, or behind a user namespace, a way out ends at a user without rights: one step less."""
    return severity.lowered() if facts.mapped else severity


def _privileged(facts: ContainerFacts) -> SecurityFinding:
    limit = " A rootless engine gives no more than its user has." if facts.info.rootless else ""
    return SecurityFinding(
        "privileged", _eased(Severity.CRITICAL, facts), "privileged: all capabilities, all devices, no seccomp",
        "HostConfig.Privileged", "true",
        f"Whoever is root in it can mount the host's disks and load kernel modules.{limit}",
        "Make it again without --privileged, with the capabilities and devices that it needs by name.",
        "--privileged=false",
    )  # fmt: skip


def _user(facts: ContainerFacts) -> Iterator[SecurityFinding]:
    if not facts.root:
        return
    said = facts.user or "not set: root"
    if facts.mapped:
        where = "the engine's own user" if facts.info.rootless else "a user of its user namespace"
        yield SecurityFinding(
            "root-mapped", Severity.INFO, f"runs as root, which is {where} on the host", "Config.User", said,
            "A way out of the container ends as that user.", "A user without rights inside is one wall more.",
            "--user 1000:1000",
        )  # fmt: skip
        return
    remap = '"userns-remap": "default" in daemon.json' if facts.docker else "--userns=auto"
    yield SecurityFinding(
        "root", Severity.MEDIUM, "runs as root, without a user namespace: root in it is root of the host",
        "Config.User, HostConfig.UsernsMode", said,
        "A way out of the container ends as root of the host.",
        f"Run it as a user without rights; or map users ({remap}); or move it to a rootless engine.",
        "--user 1000:1000",
    )  # fmt: skip


def _capabilities(facts: ContainerFacts) -> Iterator[SecurityFinding]:
    own, source = own_caps(facts.engine, facts.info)
    has = capabilities(facts.spec.security, own)
    if ALL in has:
        left = ", ".join(sorted(name for name in has if name.startswith("-")))
        yield SecurityFinding(
            "cap-all", _eased(Severity.CRITICAL, facts), "has all capabilities", "HostConfig.CapAdd",
            f"ALL{f', {left}' if left else ''}", "Among them are those that open the host (CAP_SYS_ADMIN).",
            "Name only those that the program needs.", "--cap-drop ALL",
        )  # fmt: skip
        return
    added = has - own
    for severity, names in (
        (Severity.HIGH, added & _TO_HOST),
        (Severity.MEDIUM, added & _WIDE),
        (Severity.LOW, added - _TO_HOST - _WIDE),
    ):
        if names:
            text = ", ".join(sorted(names))
            yield SecurityFinding(
                "cap-added", _eased(severity, facts), f"has more capabilities than {facts.engine} gives: {text}",
                "HostConfig.CapAdd", text, f"capabilities(7) says what each opens. The engine's own: {source}.",
                "Take away what the program does not need.",
                " ".join(f"--cap-drop {quote(name.removeprefix('CAP_'))}" for name in sorted(names)),
            )  # fmt: skip
    if has and not added and has >= own:
        yield SecurityFinding(
            "cap-default", Severity.INFO, f"keeps all {len(own)} capabilities that {facts.engine} gives by itself",
            "HostConfig.CapDrop", "nothing dropped", f"The list: {source}.",
            "Most programs that need no root need none: drop all, and add what is missed.", "--cap-drop ALL",
        )  # fmt: skip


def _walls(facts: ContainerFacts) -> Iterator[SecurityFinding]:
    security = facts.spec.security
    if not security.no_new_privileges and not facts.info.policy.no_new_privileges:
        yield SecurityFinding(
            "new-privileges", Severity.LOW, "programs in it may gain rights by setuid files",
            "HostConfig.SecurityOpt", "no-new-privileges is not set",
            "A user without rights becomes root inside by sudo or su, where the image has them.",
            "Forbid it.", "--security-opt no-new-privileges",
        )  # fmt: skip
    if security.seccomp == "unconfined":
        yield SecurityFinding(
            "seccomp-off", _eased(Severity.HIGH, facts), "no seccomp: every system call is open",
            "HostConfig.SecurityOpt: seccomp=", "unconfined",
            "The engine's own profile shuts some 50 calls that most ways out of containers need.",
            "Make it again without this option; a program that needs a call gets a profile of its own.",
            "--security-opt seccomp=builtin" if facts.docker else "",
        )  # fmt: skip
    if security.apparmor == "unconfined" and facts.info.apparmor is not False:
        yield SecurityFinding(
            "apparmor-off", _eased(Severity.MEDIUM, facts), "no AppArmor profile",
            "HostConfig.SecurityOpt: apparmor=", "unconfined", "The engine's own keeps it from writing to /proc and "
            "/sys and from mounting.", "Make it again without this option.",
            f"--security-opt apparmor={'docker-default' if facts.docker else 'containers-default'}",
        )  # fmt: skip
    if "disable" in security.selinux and facts.info.selinux is not False:
        yield SecurityFinding(
            "selinux-off", _eased(Severity.MEDIUM, facts), "no SELinux separation",
            "HostConfig.SecurityOpt: label=", "disable", "It may touch files of the host and of other containers as "
            "its user may.", "Make it again without this option; give mounts a label instead (:z, :Z).",
            "--security-opt label=type:container_t",
        )  # fmt: skip
    if security.unmask:
        yield SecurityFinding(
            "paths-unmasked", _eased(Severity.HIGH, facts), "kernel files that engines hide are open",
            "HostConfig.MaskedPaths, HostConfig.ReadonlyPaths", ", ".join(security.unmask),
            "Through /proc/sys and /proc/kcore the kernel itself is read and set.",
            "Make it again without systempaths=unconfined (Podman: --security-opt unmask).",
        )  # fmt: skip
    if not security.read_only_rootfs:
        yield SecurityFinding(
            "root-writable", Severity.INFO, "its root file system can be written", "HostConfig.ReadonlyRootfs",
            "false", "Whoever is inside can change its programs.", "Where it writes to volumes only, shut the rest.",
            "--read-only",
        )  # fmt: skip
    limit = facts.spec.resources.pids_limit
    if limit == -1 or (limit is None and facts.docker):
        yield SecurityFinding(
            "no-pids-limit", Severity.LOW, "no limit of processes", "HostConfig.PidsLimit",
            "unlimited" if limit == -1 else "not set, which is without end on Docker",
            "A fork bomb in it takes the host's process table.", "Give it one.", "--pids-limit 2048",
        )  # fmt: skip


__all__ = ["rights"]
