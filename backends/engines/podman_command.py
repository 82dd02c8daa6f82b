"""Pure: what a container's own `podman run|create` line asked for and `podman inspect` shows nowhere. Makes no calls.

An option that is not listed here as visible is reported, so that one of a future version is said and not lost.
Source: podman-create(1) of 5.4, and what inspect said of containers made with each option (rootful and rootless).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backends.engines.podman_defaults import EMPTY, HostDefaults, is_default, unmapped
from backends.engines.podman_translate import Json, create_options
from backends.model.workload import UnmappedField

NOWHERE = "`podman inspect` does not tell what became of this option"
NOT_APPLIED = "it was asked for, but this engine did not apply it"

_SWITCHES = frozenset(
    {
        "--detach", "--disable-content-trust", "--env-host", "--help", "--http-proxy", "--init", "--interactive",
        "--no-healthcheck", "--no-hostname", "--no-hosts", "--oom-kill-disable", "--passwd", "--privileged",
        "--publish-all", "--quiet", "--read-only", "--read-only-tmpfs", "--replace", "--rm", "--rmi", "--rootfs",
        "--sig-proxy", "--tls-verify", "--tty", "--unsetenv-all",
    }
)  # fmt: skip
"""Options whose value is never the following word (pflag's bools)."""

_SHORT: Mapping[str, str] = {
    "a": "--attach", "c": "--cpu-shares", "d": "--detach", "e": "--env", "h": "--hostname", "i": "--interactive",
    "l": "--label", "m": "--memory", "p": "--publish", "P": "--publish-all", "q": "--quiet", "t": "--tty",
    "u": "--user", "v": "--volume", "w": "--workdir",
}  # fmt: skip

_NO_SETTING = frozenset(
    {
        "--arch", "--attach", "--authfile", "--cidfile", "--creds", "--decryption-key", "--detach", "--detach-keys",
        "--disable-content-trust", "--name", "--os", "--platform", "--pod-id-file", "--pull", "--quiet", "--replace",
        "--retry", "--retry-delay", "--sig-proxy", "--tls-verify", "--variant", "--cert-dir",
    }
)  # fmt: skip
"""They chose the image, or how the client behaved; nothing of the container."""

_VISIBLE = frozenset(
    {
        "--add-host", "--annotation", "--blkio-weight-device", "--cap-add", "--cap-drop", "--cgroup-parent",
        "--cgroupns", "--chrootdirs", "--device-read-bps", "--device-read-iops", "--device-write-bps",
        "--device-write-iops", "--dns", "--dns-option", "--dns-search", "--entrypoint", "--env", "--env-file",
        "--env-host", "--env-merge", "--expose", "--gidmap", "--gpus", "--group-add", "--health-cmd",
        "--health-interval", "--health-log-destination", "--health-max-log-count", "--health-max-log-size",
        "--health-on-failure", "--health-retries", "--health-start-period", "--health-startup-cmd",
        "--health-startup-interval", "--health-startup-retries", "--health-startup-success", "--health-startup-timeout",
        "--health-timeout", "--hostname", "--hosts-file", "--init", "--init-ctr", "--interactive", "--ipc", "--label",
        "--label-file", "--log-driver", "--log-opt", "--network-alias", "--no-healthcheck", "--no-hostname",
        "--no-hosts", "--oom-score-adj", "--passwd", "--pid", "--pod", "--privileged", "--publish", "--publish-all",
        "--read-only", "--requires", "--restart", "--rm", "--rmi", "--runtime", "--sdnotify", "--shm-size",
        "--stop-signal", "--stop-timeout", "--subgidname", "--subuidname", "--timeout", "--tmpfs", "--tty", "--tz",
        "--uidmap", "--umask", "--unsetenv", "--unsetenv-all", "--user", "--userns", "--uts", "--volume",
        "--volumes-from", "--workdir", "--mount",
        "--sysctl", "--storage-opt", "--device-cgroup-rule", "--ip", "--ip6", "--mac-address", "--systemd",
        "--http-proxy", "--read-only-tmpfs", "--device",
    }
)  # fmt: skip
"""Their effect stands in inspect, where podman_recipe finds it, or podman_asked reads them."""

_LIMITS: Mapping[str, str] = {
    "--blkio-weight": "BlkioWeight",
    "--cpu-period": "CpuPeriod",
    "--cpu-quota": "CpuQuota",
    "--cpu-rt-period": "CpuRealtimePeriod",
    "--cpu-rt-runtime": "CpuRealtimeRuntime",
    "--cpu-shares": "CpuShares",
    "--cpus": "NanoCpus",
    "--cpuset-cpus": "CpusetCpus",
    "--cpuset-mems": "CpusetMems",
    "--memory": "Memory",
    "--memory-reservation": "MemoryReservation",
    "--memory-swap": "MemorySwap",
    "--memory-swappiness": "MemorySwappiness",
    "--oom-kill-disable": "OomKillDisable",
    "--pids-limit": "PidsLimit",
}
"""Where in HostConfig a limit stands that was applied. Rootless Podman on cgroup v1, for one, leaves limits out."""

_ASKED_DEFAULTS = frozenset(
    {("--cgroups", "enabled"), ("--systemd", "true"), ("--image-volume", "anonymous"), ("--http-proxy", "true")}
    | {("--read-only-tmpfs", "true"), ("--seccomp-policy", "default"), ("--oom-kill-disable", "false")}
    | {("--memory-swappiness", "-1")}
)

_SEEN_SECURITY = ("apparmor=", "label=", "label:", "no-new-privileges", "seccomp=", "unmask=", "mask=")


def pairs_of(options: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(long name, value) of each option; "true" for a switch without a value."""
    words = iter(options)
    for word in words:
        if word.startswith("--"):
            flag, equals, value = word.partition("=")
            if equals:
                yield flag, value
            elif flag in _SWITCHES:
                yield flag, "true"
            else:
                yield flag, next(words, "")
        elif word.startswith("-"):
            yield from _short_pairs(word[1:], words)


def _short_pairs(letters: str, words: Iterator[str]) -> Iterator[tuple[str, str]]:
    """A cluster such as "itv": switches, then at most one that takes what follows as its value."""
    for at, letter in enumerate(letters):
        flag = _SHORT.get(letter, f"-{letter}")
        if flag not in _SWITCHES:
            rest = letters[at + 1 :].removeprefix("=")
            yield flag, rest or next(words, "")
            return
        yield flag, "true"


def untold(inspect: Json, host: HostDefaults) -> Iterator[UnmappedField]:
    """Each option of the container's command line whose effect inspect does not show; none where an API made it."""
    settings = inspect.get("HostConfig") or {}
    found: dict[str, list[str]] = {}
    for flag, value in pairs_of(create_options(inspect)):
        lost = flag == "--volume" and not _shown_mount(value, inspect)
        if not lost and ((flag, value) in _ASKED_DEFAULTS or _is_told(flag, value, settings, host)):
            continue
        found.setdefault(flag, []).append(value)
    for flag, values in found.items():
        reason = NOT_APPLIED if flag in _LIMITS else NOWHERE
        yield unmapped(f"Config.CreateCommand[{flag}]", values[0] if len(values) == 1 else values, reason)


def _shown_mount(value: str, inspect: Json) -> bool:
    """Whether the place of a --volume is among the mounts. Podman leaves out overlays (":O")."""
    words = value.split(":")
    place = words[0] if len(words) == 1 else words[1]
    places = {str(mount.get("Destination")).rstrip("/") for mount in inspect.get("Mounts") or ()}
    return place.rstrip("/") in places


def _is_told(flag: str, value: str, settings: Mapping[str, Any], host: HostDefaults) -> bool:
    if flag in _NO_SETTING or flag in _VISIBLE:
        return True
    if flag in _LIMITS:
        path = f"HostConfig.{_LIMITS[flag]}"
        seen = settings.get(_LIMITS[flag])
        if flag == "--memory-swap" and value == "-1" and settings.get("Memory"):
            return True
        if flag == "--pids-limit" and value in {"-1", "0"} and seen == 0:
            return True  # no limit was asked for, and there is none
        return str(seen) == value or not (seen in EMPTY or is_default(path, seen, host))
    if flag == "--ulimit":
        return "=" in value
    if flag == "--security-opt":
        return value.startswith(_SEEN_SECURITY)
    if flag in {"--network", "--net"}:
        return _plain_network(value)
    if flag == "--secret":
        return "type=env" not in value.split(",")
    if flag == "--cgroups":
        return settings.get("Cgroups") == value
    return False


def _plain_network(value: str) -> bool:
    """Whether a --network says a mode, or networks with what an attachment says (podman_asked reads it)."""
    mode, colon, _rest = value.partition(":")
    return not colon or mode != "ns"


__all__ = ["NOT_APPLIED", "NOWHERE", "pairs_of", "untold"]
