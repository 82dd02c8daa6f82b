"""Command, variables, resources and probes of a container in Kubernetes' words. Pure; used by `kubernetes_container`.

Source: Kubernetes API reference, core/v1 Container, Probe, ResourceRequirements; podman-kube-play(1) 5.4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from backends.export.unsaid import Ledger
from backends.model.secrets import is_secret_name
from backends.model.settings import HealthSpec
from backends.model.workload import NVIDIA_CDI_KIND, GpuRequest, WorkloadSpec

Body = dict[str, Any]

SHARES_OF_A_CORE = 1024
"""Source: kubelet, cm/helpers_linux.go, MilliCPUToShares."""

_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
"""Names that every Kubernetes takes. Source: apimachinery, validation.IsEnvVarName."""

_DEFAULT_CHECK_S, _DEFAULT_RETRIES = 30, 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where the file is for. podman: `podman kube play`; else a cluster.

    restarts: a container that ends is started again. who: the container, for remarks.
    """

    who: str
    podman: bool
    restarts: bool
    ledger: Ledger


def literal(text: str) -> str:
    """A text in which nothing is expanded. Source: kubernetes, third_party/forked/golang/expansion."""
    return text.replace("$", "$$") if "$$" in text or "$(" in text else text


def program(spec: WorkloadSpec, place: Place) -> Body:
    """Kubernetes' command is the entrypoint, its args are the command."""
    entrypoint, command = spec.entrypoint, spec.command
    if entrypoint == ():
        if not command:
            place.ledger.cannot(place.who, "entrypoint", "that the image's entrypoint is switched off")
        entrypoint, command = command, None
    body: Body = {}
    if entrypoint:
        body["command"] = [literal(word) for word in entrypoint]
    if command:
        body["args"] = [literal(word) for word in command]
    elif command == ():
        place.ledger.cannot(place.who, "command", "that the image's command is switched off")
    if place.podman and any(word.startswith("\n") for word in (*(entrypoint or ()), *(command or ()))):
        what = "Podman reads no word of a command that begins with a line break, and will refuse the file"
        place.ledger.differs(place.who, "command", what, "Take the line break away.", warn=True)
    return body


def variables(spec: WorkloadSpec, secret: str, place: Place) -> tuple[list[Body], dict[str, str]]:
    """The container's variables, and what its Secret of this name holds of them. Podman expands none in a value.

    A value that begins with a line break goes into the Secret too, where it can be written as base64: Podman writes
    each document again before it reads it, and then cannot (go-yaml 3, seen with Podman 5.4).
    """
    env: list[Body] = []
    hidden: dict[str, str] = {}
    for name, value in spec.env.items():
        if not _VARIABLE.fullmatch(name):
            place.ledger.cannot(place.who, "env", f"a variable named {name!r}")
        elif is_secret_name(name) or (place.podman and value.startswith("\n")):
            hidden[name] = value
            env.append({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": name}}})
        else:
            env.append({"name": name, "value": value if place.podman else literal(value)})
    return env, hidden


def quantity(count: int) -> str:
    """Bytes in the largest unit that is exact. Source: apimachinery, resource.Quantity."""
    for unit, letters in ((1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")):
        if count % unit == 0:
            return f"{count // unit}{letters}"
    return str(count)


def resources(spec: WorkloadSpec, place: Place) -> Body:
    """Limits and requests."""
    more, ledger, who = spec.resources, place.ledger, place.who
    limits: Body = {}
    requests: Body = {}
    milli = -(-spec.cpus_nano // 10**6)
    if spec.cpus_nano % 10**6:
        ledger.differs(who, "cpus_nano", f"the cores are rounded up to {milli} thousandths")
    if more.cpu_quota_us > 0:
        milli = -(-more.cpu_quota_us * 1000 // (more.cpu_period_us or 100_000))
        for path in ("resources.cpu_quota_us", "resources.cpu_period_us", "cpus_nano"):
            ledger.differs(who, path, f"the CPU quota is said as {milli} thousandths of a core")
    elif more.cpu_period_us:
        ledger.cannot(who, "resources.cpu_period_us", "a CPU period without a quota")
    if milli:
        limits["cpu"] = f"{milli}m"
    if spec.memory_bytes:
        limits["memory"] = quantity(spec.memory_bytes)
    if more.cpu_shares and place.podman:
        ledger.cannot(who, "resources.cpu_shares", "CPU shares: Podman does not read CPU requests")
    elif more.cpu_shares:
        asked = max(1, more.cpu_shares * 1000 // SHARES_OF_A_CORE)
        requests["cpu"] = f"{min(asked, milli) if milli else asked}m"
        ledger.differs(who, "resources.cpu_shares", f"CPU shares become a request for {requests['cpu']} of a core")
    if more.memory_reservation_bytes:
        requests["memory"] = quantity(more.memory_reservation_bytes)
    limits |= _gpus(spec.gpu, place)
    return ({"limits": limits} if limits else {}) | ({"requests": requests} if requests else {})


def _gpus(gpu: GpuRequest | None, place: Place) -> Body:
    """By count, as device plugins give them; for Podman by CDI name."""
    if gpu is None:
        return {}
    names = gpu.cdi_names()
    if place.podman:
        return {name: 1 for name in names}
    counts: Body = {}
    for name in names:
        kind, _, device = name.partition("=")
        kind = kind if device else NVIDIA_CDI_KIND
        counts[kind] = counts.get(kind, 0) + 1
        if (device or name) == "all":
            title = f"it has all GPUs of its host; Kubernetes gives a number of them, and the file says 1 ({kind})"
            place.ledger.differs(place.who, "gpu", title, "Put the number in its place.", warn=True)
    shown = ", ".join(names)
    remedy = f"For `podman kube play` say {names[0]}: 1 under limits." if names else ""
    place.ledger.differs(place.who, "gpu", f"Kubernetes chooses which GPUs it gives; here it was {shown}", remedy)
    if gpu.options:
        place.ledger.cannot(place.who, "gpu", "options of the GPU request")
    return counts


def probes(check: HealthSpec | None, place: Place) -> Body:
    """Readiness is what a check says. Liveness too where the container is to be kept running; Podman plays that."""
    if check is None or not check.test or check.test == ("NONE",):
        if check is not None and check.test:
            place.ledger.differs(
                place.who, "health.test", "Kubernetes knows no health check of images: none is written"
            )
        return {}
    probe = _probe(check)
    delay = -(-check.start_period_ns // 10**9)
    late = probe | ({"initialDelaySeconds": delay} if delay else {})
    body: Body = {} if place.podman else {"readinessProbe": probe}
    if place.podman or place.restarts:
        body["livenessProbe"] = late
    if place.restarts and check.on_failure not in {"kill", "restart", "stop"}:
        what = "a container whose livenessProbe fails is started again, where the engine only called it unhealthy"
        place.ledger.differs(place.who, "health.on_failure", what, "Remove livenessProbe to have it marked only.")
    if check.startup is not None:
        body["startupProbe"] = _probe(check.startup)
        if check.startup_successes > 1:
            place.ledger.cannot(place.who, "health.startup_successes", "how often the startup check must succeed")
    _rounded(check, place)
    return body


def _rounded(check: HealthSpec, place: Place) -> None:
    for path in ("interval_ns", "timeout_ns", "start_period_ns"):
        if getattr(check, path) % 10**9:
            place.ledger.differs(place.who, f"health.{path}", "times of the health check are rounded up to seconds")
    if check.test[0] == "CMD-SHELL":
        place.ledger.differs(place.who, "health.test", "the health check's line is run by /bin/sh -c")


def _probe(check: HealthSpec) -> Body:
    """All times said, since the engines' own are not Kubernetes'."""
    kind, *words = check.test
    command = ["/bin/sh", "-c", *words] if kind == "CMD-SHELL" else words
    return {
        "exec": {"command": command},
        "periodSeconds": -(-check.interval_ns // 10**9) or _DEFAULT_CHECK_S,
        "timeoutSeconds": -(-check.timeout_ns // 10**9) or _DEFAULT_CHECK_S,
        "failureThreshold": check.retries or _DEFAULT_RETRIES,
    }


__all__ = ["Body", "Place", "literal", "probes", "program", "quantity", "resources", "variables"]
