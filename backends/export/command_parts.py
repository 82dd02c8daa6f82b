"""Groups of a recipe as options of `docker run` and `podman run`. Pure; used by `command` alone."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from backends.model.run_words import cpus_text, size_text
from backends.model.settings import HealthSpec, LogSpec, NamespaceSpec, NetworkingSpec, ProcessSpec, SecuritySpec
from backends.model.workload import RestartPolicy, WorkloadSpec

Flag = tuple[str, ...]

_THROTTLES = {
    "read-bps": "--device-read-bps",
    "write-bps": "--device-write-bps",
    "read-iops": "--device-read-iops",
    "write-iops": "--device-write-iops",
    "weight": "--blkio-weight-device",
}


def space_flags(spaces: NamespaceSpec) -> Iterator[Flag]:
    """Namespaces and /dev/shm."""
    if spaces.shm_bytes is not None:
        yield ("--shm-size", size_text(spaces.shm_bytes))
    for name, value in (
        ("--ipc", spaces.ipc),
        ("--pid", spaces.pid),
        ("--uts", spaces.uts),
        ("--cgroupns", spaces.cgroup),
        ("--userns", spaces.user),
    ):
        if value:
            yield (name, value)


def limit_flags(spec: WorkloadSpec) -> Iterator[Flag]:
    """Limits."""
    limits = spec.resources
    for ulimit in limits.ulimits:
        yield ("--ulimit", f"{ulimit.name}={ulimit.soft}:{ulimit.hard}")
    for name, value in (
        ("--memory", size_text(spec.memory_bytes) if spec.memory_bytes else ""),
        ("--memory-reservation", size_text(limits.memory_reservation_bytes) if limits.memory_reservation_bytes else ""),
        ("--memory-swap", size_text(limits.memory_swap_bytes) if limits.memory_swap_bytes else ""),
        ("--memory-swappiness", limits.memory_swappiness),
        ("--oom-score-adj", limits.oom_score_adj),
        ("--cpus", cpus_text(spec.cpus_nano) if spec.cpus_nano else ""),
        ("--cpu-shares", limits.cpu_shares or ""),
        ("--cpu-quota", limits.cpu_quota_us or ""),
        ("--cpu-period", limits.cpu_period_us or ""),
        ("--cpu-rt-runtime", limits.cpu_realtime_runtime_us or ""),
        ("--cpu-rt-period", limits.cpu_realtime_period_us or ""),
        ("--cpuset-cpus", limits.cpuset_cpus),
        ("--cpuset-mems", limits.cpuset_mems),
        ("--pids-limit", limits.pids_limit),
        ("--blkio-weight", limits.blkio_weight or ""),
        ("--cgroup-parent", limits.cgroup_parent),
        ("--runtime", limits.runtime),
    ):
        if value not in (None, ""):
            yield (name, str(value))
    if limits.oom_kill_disable:
        yield ("--oom-kill-disable",)
    for throttle in limits.throttles:
        if throttle.kind in _THROTTLES:
            yield (_THROTTLES[throttle.kind], f"{throttle.path}:{throttle.rate}")
    for key, text in limits.sysctls.items():
        yield ("--sysctl", f"{key}={text}")
    for key, text in limits.storage.items():
        yield ("--storage-opt", f"{key}={text}")


def network_flags(network: NetworkingSpec, podman: bool, unsaid: list[str]) -> Iterator[Flag]:
    """Networks, names and addresses. An option for one network each, since Docker's CLI takes a list of them."""
    if not network.networks and network.mode:
        yield ("--network", network.mode)
    for end in network.networks:
        options = [f"alias={alias}" for alias in end.aliases]
        options += [f"ip={end.ipv4}"] if end.ipv4 else []
        options += [f"ip6={end.ipv6}"] if end.ipv6 else []
        options += [f"{'mac' if podman else 'mac-address'}={end.mac}"] if end.mac else []
        options += [f"interface_name={end.interface}"] if end.interface and podman else []
        if not options:
            yield ("--network", end.network)
        elif podman:
            yield ("--network", f"{end.network}:{','.join(options)}")
        else:
            yield ("--network", ",".join([f"name={end.network}", *options]))
        if end.interface and not podman:
            unsaid.append(f"the interface's name {end.interface} on {end.network}")
        unsaid.extend(f"the option {key} of the network {end.network}" for key in end.options)
    for name, values in (
        ("--dns", network.dns),
        ("--dns-search", network.dns_search),
        ("--dns-option", network.dns_options),
        ("--add-host", network.extra_hosts),
        ("--link", network.links),
    ):
        for value in values:
            yield (name, value)
    if network.mac:
        yield ("--mac-address", network.mac)
    if network.publish_all:
        yield ("--publish-all",)
    yield from _podmans(
        podman,
        unsaid,
        [
            ("--hosts-file", network.base_hosts),
            ("--no-hosts", network.no_hosts),
            ("--dns", "none" if network.no_resolv else ""),
        ],
    )


def process_flags(spec: WorkloadSpec, podman: bool, unsaid: list[str]) -> Iterator[Flag]:
    """How the first process is run and ended."""
    process = spec.process
    for name, given in (
        ("--tty", spec.tty),
        ("--interactive", spec.stdin_open),
        ("--init", process.init),
        ("--rm", process.auto_remove),
    ):
        if given:
            yield (name,)
    for name, value in (
        ("--user", spec.user),
        ("--workdir", spec.workdir),
        ("--hostname", spec.hostname),
        ("--stop-signal", process.stop_signal),
        ("--stop-timeout", process.stop_timeout_s),
    ):
        if value is not None:
            yield (name, str(value))
    if spec.restart != RestartPolicy():
        yield ("--restart", str(spec.restart))
    for group in process.groups:
        yield ("--group-add", group)
    for key, text in process.annotations.items():
        yield ("--annotation", f"{key}={text}")
    yield from _unlike(process, podman, unsaid)
    if spec.log is not None:
        yield from _log_flags(spec.log)


def _unlike(process: ProcessSpec, podman: bool, unsaid: list[str]) -> Iterator[Flag]:
    """What only one of the two has."""
    for name in process.unset_env:
        if podman:
            yield ("--unsetenv", name)
        else:
            unsaid.append(f"that {name} of the image is not set")
    if process.domainname:
        if podman:
            unsaid.append(f"the domain name {process.domainname}")
        else:
            yield ("--domainname", process.domainname)
    if process.stdin_once:
        unsaid.append("that stdin is closed after the first who writes to it")
    options: list[tuple[str, str | bool]] = [
        ("--http-proxy", "" if process.http_proxy is None else str(process.http_proxy).lower()),
        ("--systemd", process.systemd),
        ("--tz", process.timezone),
        ("--umask", process.umask),
    ]
    yield from _podmans(podman, unsaid, options, equals=True)


def _log_flags(log: LogSpec) -> Iterator[Flag]:
    if log.driver:
        yield ("--log-driver", log.driver)
    for key, text in log.options.items():
        yield ("--log-opt", f"{key}={text}")


def rights_flags(security: SecuritySpec, podman: bool, unsaid: list[str]) -> Iterator[Flag]:
    """What the container may do."""
    if security.privileged:
        yield ("--privileged",)
    for capability in security.cap_add:
        yield ("--cap-add", capability)
    for capability in security.cap_drop:
        yield ("--cap-drop", capability)
    if security.no_new_privileges:
        yield ("--security-opt", "no-new-privileges")
    for key, value in (("seccomp", security.seccomp), ("apparmor", security.apparmor)):
        if key == "seccomp" and value not in {"", "unconfined"}:
            unsaid.append("the seccomp profile, which is a text here and a file's name on a command line")
        elif value:
            yield ("--security-opt", f"{key}={value}")
    for option in security.selinux:
        yield ("--security-opt", f"label={option}")
    yield from _paths(security, podman, unsaid)
    if security.read_only_rootfs:
        yield ("--read-only",)
    tmpfs = "" if security.read_write_tmpfs is None else str(security.read_write_tmpfs).lower()
    yield from _podmans(podman, unsaid, [("--read-only-tmpfs", tmpfs)], equals=True)
    for device in security.devices:
        yield ("--device", f"{device.host_path}:{device.container_path}:{device.permissions}")
    for rule in security.device_cgroup_rules:
        yield ("--device-cgroup-rule", rule)


def _paths(security: SecuritySpec, podman: bool, unsaid: list[str]) -> Iterator[Flag]:
    if podman:
        for word, paths in (("unmask", security.unmask), ("mask", security.mask)):
            if paths:
                yield ("--security-opt", f"{word}={':'.join(paths)}")
    elif security.unmask == ("ALL",) and not security.mask:
        yield ("--security-opt", "systempaths=unconfined")
    elif security.unmask or security.mask:
        unsaid.append("which paths of /proc and /sys are hidden")


def health_flags(health: HealthSpec | None, podman: bool, unsaid: list[str]) -> Iterator[Flag]:
    """The health check. The command lines know a shell's line; Podman's also a list of words."""
    if health is None:
        return
    kind, *words = health.test
    if kind == "NONE":
        yield ("--no-healthcheck",)
        return
    yield ("--health-cmd", _health_command(kind, words, podman, unsaid))
    for name, count_ns in (
        ("--health-interval", health.interval_ns),
        ("--health-timeout", health.timeout_ns),
        ("--health-start-period", health.start_period_ns),
    ):
        if count_ns:
            yield (name, f"{count_ns // 10**9}s" if count_ns % 10**9 == 0 else f"{count_ns}ns")
    if health.start_interval_ns:
        if podman:
            unsaid.append("how often the health is checked at the start")
        else:
            yield ("--health-start-interval", f"{health.start_interval_ns}ns")
    if health.retries:
        yield ("--health-retries", str(health.retries))
    yield from _podmans(podman, unsaid, [("--health-on-failure", health.on_failure)])
    if health.startup is not None:
        unsaid.append("the startup check")


def _health_command(kind: str, words: list[str], podman: bool, unsaid: list[str]) -> str:
    """One word for the check's command. Podman takes a JSON list for a program with arguments, and "CMD" before one
    without; a list that begins with "CMD" it takes apart at spaces (specgenutil/specgen.go, makeHealthCheckFromCli).
    """
    if kind == "CMD-SHELL" and words:
        return words[0]
    if kind == "CMD" and podman and len(words) > 1:
        import json

        return json.dumps(words)
    if kind == "CMD" and podman and words and not any(letter.isspace() for letter in words[0]):
        return f"CMD {words[0]}"
    if kind == "CMD":
        unsaid.append("that the health check runs without a shell")
    return shlex.join(words)


def _podmans(
    podman: bool, unsaid: list[str], options: list[tuple[str, str | bool]], *, equals: bool = False
) -> Iterator[Flag]:
    """Options that Podman alone has. equals: those that take their value behind "=" only, being switches by nature."""
    for name, value in options:
        if not value:
            continue
        if not podman:
            unsaid.append(f"{name.lstrip('-')}, which is Podman's own")
        elif value is True:
            yield (name,)
        else:
            yield (f"{name}={value}",) if equals else (name, str(value))


__all__ = ["health_flags", "limit_flags", "network_flags", "process_flags", "rights_flags", "space_flags"]
