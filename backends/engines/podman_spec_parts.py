"""Pure: the groups of a WorkloadSpec as parts of SpecGenerator JSON. Used by podman_spec alone; makes no calls.

What libpod's API would drop without a word is refused here by its name. Source: podman 5.4, pkg/specgen/specgen.go,
and what inspect said of containers made with each field.
"""

from __future__ import annotations

import re
import signal
from typing import Any

from backends.engines.health_check import health_body
from backends.engines.podman_recipe_parts import KEEP_GROUPS, WAIT_FOR_EVER_S
from backends.engines.podman_spec_lacking import lacking
from backends.model.capabilities import EngineInfo
from backends.model.errors import Refused
from backends.model.settings import (
    UNLIMITED,
    HealthSpec,
    LogSpec,
    ProcessSpec,
    SecuritySpec,
)

Body = dict[str, Any]

_FAILURE_ACTIONS = {"none": 0, "kill": 2, "restart": 3, "stop": 4}
"""libpod/define/healthchecks.go; 1 is "invalid"."""
_SIZES = {"": 1, "b": 1, "k": 1000, "m": 1000**2, "g": 1000**3}
"""Of log sizes, which both engines count in powers of 1000 (docker/go-units, FromHumanSize)."""


def signal_number(name: str) -> int:
    """ "SIGINT", "int", "2", "SIGRTMIN+3" → the number on Linux. Raises Refused for another word."""
    word = name.upper().removeprefix("SIG")
    real_time = re.fullmatch(r"RTMIN\+(\d+)|RTMAX-(\d+)", word)
    if word.isdecimal():
        return int(word)
    if real_time:
        up, down = real_time.groups()
        return signal.SIGRTMIN + int(up) if up else signal.SIGRTMAX - int(down)
    try:
        return int(signal.Signals[f"SIG{word}"])
    except KeyError as error:
        raise Refused("No such signal", detail=name) from error


def add_process(body: Body, spec: ProcessSpec) -> None:
    """How the first process is run and ended."""
    if spec.domainname:
        hint = "Put the domain into the host name, or among the DNS search domains."
        raise lacking("process.domainname", spec.domainname, hint)
    if spec.stdin_once:
        raise lacking("process.stdin_once", True, "Leave it out: the container then keeps its stdin open.")
    _add_groups(body, spec.groups)
    if spec.init:
        body["init"] = True
    if spec.stop_signal is not None:
        body["stop_signal"] = signal_number(spec.stop_signal)
    if spec.stop_timeout_s is not None:
        body["stop_timeout"] = WAIT_FOR_EVER_S if spec.stop_timeout_s == UNLIMITED else spec.stop_timeout_s
    if spec.unset_env:
        body["unsetenv"] = list(spec.unset_env)
    if spec.http_proxy is not None:
        body["httpproxy"] = spec.http_proxy
    if spec.auto_remove:
        body["remove"] = True
    for key, value in (("systemd", spec.systemd), ("timezone", spec.timezone), ("umask", spec.umask)):
        if value:
            body[key] = value


def _add_groups(body: Body, groups: tuple[str, ...]) -> None:
    if "keep-groups" in groups:
        if len(groups) > 1:
            raise lacking("process.groups", ", ".join(groups), "keep-groups stands alone.")
        body["annotations"][KEEP_GROUPS] = "1"  # as the command line does: the API knows no such group
    elif groups:
        body["groups"] = list(groups)


def add_security(body: Body, spec: SecuritySpec, info: EngineInfo, seccomp_path: str) -> None:
    """seccomp_path: where the engine finds the profile, where one is given as text."""
    for key, wanted in (
        ("privileged", spec.privileged),
        ("no_new_privileges", spec.no_new_privileges),
        ("read_only_filesystem", spec.read_only_rootfs),
    ):
        if wanted:
            body[key] = True
    if spec.read_write_tmpfs is not None:
        body["read_write_tmpfs"] = spec.read_write_tmpfs
    for key, words in (
        ("cap_add", spec.cap_add),
        ("cap_drop", spec.cap_drop),
        ("selinux_opts", spec.selinux),
        ("unmask", spec.unmask),
        ("mask", spec.mask),
    ):
        if words:
            body[key] = list(words)
    notes: dict[str, str] = body["annotations"]
    if spec.selinux:
        notes["io.podman.annotations.label"] = ",".join(spec.selinux)  # as the command line does, for inspect
    if spec.seccomp:
        body["seccomp_profile_path"] = "unconfined" if spec.seccomp == "unconfined" else seccomp_path
        if spec.seccomp == "unconfined":
            notes["io.podman.annotations.seccomp"] = "unconfined"
    if spec.apparmor:
        if info.apparmor is False and spec.apparmor != "unconfined":
            hint = "Leave the profile out, or switch AppArmor on in the host's kernel."
            raise lacking("security.apparmor where the host has no AppArmor", spec.apparmor, hint)
        body["apparmor_profile"] = spec.apparmor
        notes["io.podman.annotations.apparmor"] = spec.apparmor
    if spec.device_cgroup_rules:
        body["device_cgroup_rule"] = [_cgroup_rule(rule) for rule in spec.device_cgroup_rules]


def _cgroup_rule(text: str) -> Body:
    """ "c 1:3 rwm" as OCI's LinuxDeviceCgroup."""
    parts = re.fullmatch(r"([abc])\s+(\*|\d+):(\*|\d+)\s+([rwm]+)", text.strip())
    if not parts:
        raise Refused("No such rule for devices", detail=text, hint='As in "c 1:3 rwm".')
    rule: Body = {"allow": True, "type": parts[1], "access": parts[4]}
    for key, number in (("major", parts[2]), ("minor", parts[3])):
        rule[key] = -1 if number == "*" else int(number)
    return rule


def add_health(body: Body, spec: HealthSpec | None) -> None:
    """The check, and what Podman does besides."""
    if spec is None:
        return
    body["healthconfig"] = health_body(spec)
    if spec.on_failure:
        if spec.on_failure not in _FAILURE_ACTIONS:
            raise lacking("health.on_failure", spec.on_failure, "Use kill, restart, stop or none.")
        body["health_check_on_failure_action"] = _FAILURE_ACTIONS[spec.on_failure]
    if spec.startup is not None:
        body["startupHealthConfig"] = {**health_body(spec.startup), "Successes": spec.startup_successes}


def add_log(body: Body, spec: LogSpec | None) -> None:
    """libpod's API takes a size and a path by themselves, and the tag; other options it passes over in silence.

    Raises Refused for a size that is none, and for those options.
    """
    if spec is None:
        return
    found: Body = {"driver": spec.driver} if spec.driver else {}
    for name, value in spec.options.items():
        if name in {"max-size", "max_size"}:
            size = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([bkmg]?)b?", value.lower())
            if not size:
                raise Refused("No valid size of a log", detail=value, hint='As in "10m".')
            found["size"] = int(float(size[1]) * _SIZES[size[2]])
        elif name == "path":
            found["path"] = value
        elif name == "tag":
            found["options"] = {"tag": value}
        else:
            raise lacking(f"log.options.{name}", value, "Podman knows max-size, path and tag.")
    body["log_configuration"] = found


__all__ = ["add_health", "add_log", "add_process", "add_security", "signal_number"]
