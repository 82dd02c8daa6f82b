"""Rules that several fields share: what an engine cannot be given, and with which reason. Pure."""

from __future__ import annotations

from typing import Any

from backends.migration.table import Case, Fate, Rule, dropped, keep

CONTROLLERS = {"memory": "memory", "cpu": "CPU", "cpuset": "CPU set", "pids": "process", "io": "block device"}
"""Controllers of cgroup v2 and what they limit. Source: Linux Documentation/admin-guide/cgroup-v2.rst."""


def podman_only(what: str) -> Rule:
    """Docker has no such setting; what: its effect there."""

    def rule(value: Any, case: Case) -> Fate:
        return dropped(f"Docker has no such setting: {what}") if case.target.docker else Fate(value)

    return rule


def no_controller(controller: str, case: Case) -> str:
    """Why the target cannot enforce limits of that controller, "" where it can."""
    if case.decided.no_limits:
        return f"the target does not enforce limits: {case.decided.no_limits}"
    info = case.target.info
    if info.cgroup_version == "2" and info.cgroup_controllers and controller not in info.cgroup_controllers:
        return f"the cgroup controller {controller} is not delegated to the target"
    return ""


def limit(controller: str, inner: Rule = keep) -> Rule:
    """A limit of that controller, with a further rule where it can be enforced."""

    def rule(value: Any, case: Case) -> Fate:
        why = no_controller(controller, case)
        return dropped(why) if why else inner(value, case)

    return rule


def only_cgroup_v1(value: Any, case: Case) -> Fate:
    """A control file that cgroup v2 does not have."""
    if case.target.info.cgroup_version == "2":
        return dropped("cgroup v2, which the target uses, has no such control")
    return Fate(value)


def never(reason: str) -> Rule:
    """It is not carried to any engine."""
    return lambda _value, _case: dropped(reason)


def namespace(value: str, case: Case) -> Fate:
    """Another container's namespace goes only where that container moves along."""
    if not value.startswith("container:"):
        return Fate(value)
    partner = value.removeprefix("container:")
    found = case.decided.partners.get(partner)
    if found is None:
        return dropped(f"it is shared with the container {partner}, which does not move along")
    reason = "" if found == partner else "the container that it is shared with has this name on the target"
    return Fate(f"container:{found}", reason)
