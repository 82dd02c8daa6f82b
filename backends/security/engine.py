"""What is risky about an engine itself: who reaches it, as whom it runs, what it leaves open. Pure.

Source: CIS Docker Benchmark 1.6, chapters 2 and 3; docs.docker.com "Protect the Docker daemon socket".
"""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from backends.security.facts import EngineFacts
from backends.security.finding import SecurityFinding, Severity

_OTHERS_WRITE, _GROUP_WRITES = 0o002, 0o020
_NOBODY_ELSE = frozenset({"127.0.0.0/8", "::1/128"})
_HERE = ("127.", "localhost", "[::1]")
_DAEMON = "/etc/docker/daemon.json"


def engine(facts: EngineFacts) -> Iterator[SecurityFinding]:
    """All findings about it."""
    yield from _way_in(facts)
    yield from _rights(facts)
    yield from _registries(facts)
    yield from _trust(facts)


def _way_in(facts: EngineFacts) -> Iterator[SecurityFinding]:
    owner = "the host's root" if not facts.info.rootless else "its user"
    if facts.plain_tcp:
        yield SecurityFinding(
            "engine-tcp-plain", Severity.HIGH if facts.loopback else Severity.CRITICAL,
            "answers by TCP without TLS: whoever reaches the port is " + owner, "endpoint", facts.endpoint,
            "Neither side proves who it is; every user of this machine reaches loopback too.",
            "Use TLS with client certificates, or ssh://.", "ssh://USER@HOST",
        )  # fmt: skip
    socket = facts.socket
    if socket is None:
        return
    said = f"{socket.mode:04o} {socket.owner}:{socket.group}"
    if socket.mode & _OTHERS_WRITE:
        shut = f", but {socket.shut_by} keeps others out" if socket.shut_by else ""
        yield SecurityFinding(
            "engine-socket-open", Severity.LOW if socket.shut_by else Severity.CRITICAL,
            f"every user may write to its socket{shut}", socket.path, said, f"Whoever writes to it is {owner}.",
            "Take the right away.", f"sudo chmod o-rw {quote(socket.path)}",
        )  # fmt: skip
    elif socket.mode & _GROUP_WRITES and socket.group not in {"root", socket.owner}:
        members = ", ".join(socket.members) or "nobody is listed in it"
        yield SecurityFinding(
            "engine-socket-group", Severity.MEDIUM if socket.members else Severity.INFO,
            f"the group {socket.group} may write to its socket: {members}", socket.path, said,
            f"Whoever is in it is {owner}, without a password.", "Keep the group small, or use a rootless engine.",
            f"getent group {quote(socket.group)}",
        )  # fmt: skip


def _rights(facts: EngineFacts) -> Iterator[SecurityFinding]:
    info, policy = facts.info, facts.info.policy
    if not info.rootless:
        mapped = bool(policy.userns_remap)
        yield SecurityFinding(
            "engine-rootful", Severity.INFO if mapped else Severity.LOW,
            "runs as root" + (", and maps the users of its containers" if mapped else ""),
            "info: SecurityOptions" if facts.docker else "info: host.security.rootless", "no rootless",
            "A way out of a container, or through its socket, ends as root of the host.",
            "Run what needs no root on a rootless engine (tranship migrate).", "dockerd-rootless-setuptool.sh install"
            if facts.docker else "systemctl --user enable --now podman.socket",
        )  # fmt: skip
    if facts.docker and not info.rootless and policy.userns_remap is False:
        yield SecurityFinding(
            "engine-no-userns", Severity.LOW, "does not map users: root in a container is root of the host",
            "info: SecurityOptions", "no name=userns", "A user namespace would stand between.",
            f"Set it in {_DAEMON}; containers and images of before are not seen then.", '"userns-remap": "default"',
        )  # fmt: skip
    if info.seccomp is False:
        yield SecurityFinding(
            "engine-no-seccomp", Severity.HIGH, "filters no system calls", "info: SecurityOptions"
            if facts.docker else "info: host.security.seccompEnabled", "no seccomp", "Every call of the kernel is open "
            "to every container.", "Use a kernel with CONFIG_SECCOMP_FILTER and an engine built with libseccomp.",
        )  # fmt: skip
    if info.apparmor is False and info.selinux is False:
        yield SecurityFinding(
            "engine-no-lsm", Severity.LOW, "neither AppArmor nor SELinux confines containers",
            "info: SecurityOptions" if facts.docker else "info: host.security.apparmorEnabled, .selinuxEnabled",
            "apparmor: no, selinux: no", "One wall less: files and mounts are kept by namespaces alone.",
            "Switch on the one that the distribution has (AppArmor: Debian, Ubuntu, SUSE; SELinux: Fedora, RHEL).",
        )  # fmt: skip
    if policy.no_new_privileges is False:
        yield SecurityFinding(
            "engine-new-privileges", Severity.INFO, "leaves it to each container to forbid setuid programs",
            "info: SecurityOptions", "no name=no-new-privileges", "A container that forgets it can gain rights inside.",
            f"Set it for all in {_DAEMON}.", '"no-new-privileges": true',
        )  # fmt: skip
    if policy.live_restore is False:
        yield SecurityFinding(
            "engine-no-live-restore", Severity.INFO, "containers end when the daemon is restarted",
            "info: LiveRestoreEnabled", "false", "Security updates of the daemon are put off because of it.",
            f"Set it in {_DAEMON} (not together with swarm).", '"live-restore": true',
        )  # fmt: skip
    if info.cgroup_version == "1":
        unlimited = info.rootless
        yield SecurityFinding(
            "engine-cgroup-v1", Severity.MEDIUM if unlimited else Severity.LOW,
            "control groups of version 1" + (": a rootless engine limits nothing on it" if unlimited else ""),
            "info: CgroupVersion", "1", "A container can take all memory and processes of the host."
            if unlimited else "Limits cannot be delegated safely to users.",
            "Boot with version 2.", "systemd.unified_cgroup_hierarchy=1",
        )  # fmt: skip


def _registries(facts: EngineFacts) -> Iterator[SecurityFinding]:
    policy = facts.info.policy
    far = [one for one in policy.insecure_registries if one not in _NOBODY_ELSE and not one.startswith(_HERE)]
    if far:
        said = ", ".join(far)
        field = "info: RegistryConfig" if facts.docker else "info: registries (registries.conf)"
        yield SecurityFinding(
            "engine-insecure-registry", Severity.MEDIUM, f"trusts registries that prove nothing: {said}", field, said,
            "Whoever stands between gives it any image.", "Give the registry a certificate, and take it off the list.",
            f'"insecure-registries" in {_DAEMON}' if facts.docker else "insecure = true in registries.conf",
        )  # fmt: skip
    if len(policy.search_registries) > 1:
        said = ", ".join(policy.search_registries)
        yield SecurityFinding(
            "engine-short-names", Severity.LOW, f"a short image name may come from {len(policy.search_registries)} "
            "registries", "info: registries.search", said, "Whoever has that name on an earlier one is asked first.",
            "Write image names in full, or keep one registry only.", "unqualified-search-registries in registries.conf",
        )  # fmt: skip


def _trust(facts: EngineFacts) -> Iterator[SecurityFinding]:
    trust = facts.trust
    if trust is None:
        return
    where = f"; signatures by {', '.join(trust.registries)}" if trust.registries else ""
    if trust.policy is None:
        yield SecurityFinding(
            "engine-policy-broken", Severity.MEDIUM, "its signature policy cannot be read", trust.path, trust.problem,
            "Podman refuses every image until it is mended.", "Mend the file.", "podman image trust show",
        )  # fmt: skip
        return
    kinds = [one.kind for one in trust.policy.default]
    scopes = sum(len(one) for one in trust.policy.transports.values())
    if kinds == ["insecureAcceptAnything"]:
        yield SecurityFinding(
            "engine-policy-open", Severity.INFO, "takes images of any registry without a signature"
            + (f", but for {scopes} scopes" if scopes else ""), f"{trust.path}: default", f"{kinds[0]}{where}",
            "Whoever can push to a registry decides what runs here.",
            "Refuse by default, and name the registries that you trust.", "podman image trust set -t reject default",
        )  # fmt: skip


__all__ = ["engine"]
