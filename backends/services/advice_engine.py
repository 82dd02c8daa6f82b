"""What of an engine decides: the recipe's settings, GPUs, limits, health checks, images, orchestration. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from backends.giving import INSTALL_RUNTIME, listed_gpus, nvidia_runtime
from backends.model.advice import Effect, Statement
from backends.model.capabilities import Capability
from backends.model.container import Health
from backends.model.reference import is_image_id, parse_reference
from backends.security.trust import TrustOutcome, judge
from backends.services.advice_facts import EngineSeen, Ground, Workload

SWARM_LABEL = "com.docker.swarm.service.name"
"""Docker writes it on the containers of its services. Source: docs.docker.com, "Docker object labels"."""
_LIMITS = {"memory": "memory", "cpu": "CPU", "pids": "process"}
_COMPOSE = {True: ("docker-compose",), False: ("podman-compose", "docker-compose")}
_GPU_SPEC = "sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"
_SHOWN = 4


def settings(engine: EngineSeen, work: Workload) -> Iterator[Statement]:
    """Where it is now; or what a plan of the move there says of its settings."""
    if engine.here:
        state = work.container.state.value
        yield Statement(engine.name, "settings", Effect.SERVES, f"has it now, {state}, with all of its settings",
                        "inspect: State.Status", state)  # fmt: skip
        return
    for finding in engine.blocks:
        yield Statement(engine.name, "settings", Effect.BLOCKS, finding.title, "plan of a move: recipe against info",
                        finding.detail or finding.title, finding.remedy)  # fmt: skip
    for finding in engine.warns:
        yield Statement(engine.name, "settings", Effect.TELLS, f"a move there warns: {finding.title}",
                        "plan of a move: recipe against info", finding.detail or finding.title,
                        finding.remedy)  # fmt: skip
    for field in engine.dropped:
        if not field.field.startswith(("memory_bytes", "cpus_nano", "resources.pids_limit")):  # told as limits
            yield Statement(engine.name, "settings", Effect.LACKS, f"does not take {field.field}: {field.reason}",
                            f"recipe: {field.field}", field.source)  # fmt: skip
    if not engine.blocks and not engine.dropped:
        yield Statement(engine.name, "settings", Effect.SERVES, "takes every setting of it",
                        "plan of a move: recipe against info", "nothing dropped")  # fmt: skip


def gpus(engine: EngineSeen, work: Workload) -> Iterator[Statement]:
    """Whether the way to GPUs is ready, where it wants one."""
    if work.spec.gpu is None:
        return
    info, listed = engine.info, listed_gpus(engine.info)
    why = info.capabilities.why_not(Capability.CDI)
    if listed:
        more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
        source = f"CDI specs in {', '.join(info.cdi_folders)}" if info.cdi_folders else "CDI specs"
        yield Statement(engine.name, "GPU", Effect.SERVES, f"knows {len(listed)} CDI names of GPUs", source,
                        ", ".join(listed[:_SHOWN]) + more)  # fmt: skip
    elif engine.docker and nvidia_runtime(info):
        yield Statement(engine.name, "GPU", Effect.SERVES, "has NVIDIA's runtime", "info: Runtimes",
                        ", ".join(info.runtimes))  # fmt: skip
    elif not info.local and not engine.docker:
        yield Statement(engine.name, "GPU", Effect.TELLS, "does not tell its CDI specs from another machine",
                        "endpoint", engine.endpoint)  # fmt: skip
    else:
        remedy = INSTALL_RUNTIME if engine.docker else _GPU_SPEC
        sentence = f"has no way to a GPU{f': {why}' if why else ''}"
        yield Statement(engine.name, "GPU", Effect.BLOCKS, sentence, "info: Runtimes, CDI specs",
                        ", ".join(info.runtimes) or "none", remedy)  # fmt: skip


def limits(engine: EngineSeen, work: Workload) -> Iterator[Statement]:
    """Whether it enforces the limits that the recipe has."""
    spec, info = work.spec, engine.info
    pids = spec.resources.pids_limit
    asked = {"memory": spec.memory_bytes, "cpu": spec.cpus_nano, "pids": pids is not None and pids > 0}
    wanted = [name for name, value in asked.items() if value]
    if not wanted:
        return
    words = ", ".join(_LIMITS[name] for name in wanted)
    told = f"{info.cgroup_version or 'not told'}: {' '.join(info.cgroup_controllers) or 'controllers not told'}"
    why = info.capabilities.why_not(Capability.RESOURCE_LIMITS)
    missing = []
    if info.cgroup_version == "2" and info.cgroup_controllers:
        missing = [name for name in wanted if name not in info.cgroup_controllers]
    if why:
        yield Statement(engine.name, "limits", Effect.LACKS, f"does not enforce its {words} limits: {why}",
                        "info: cgroup version", told, "boot with cgroup version 2")  # fmt: skip
    elif missing:
        yield Statement(engine.name, "limits", Effect.LACKS, f"was not given the controllers {', '.join(missing)}",
                        "info: cgroup controllers", told,
                        "systemctl edit user@.service, [Service] Delegate=cpu cpuset io memory pids")  # fmt: skip
    else:
        yield Statement(
            engine.name, "limits", Effect.SERVES, f"enforces its {words} limits", "info: cgroup version", told
        )


def health(engine: EngineSeen, work: Workload) -> Iterator[Statement]:
    """Whether its health is checked by itself, where it has a check."""
    why = engine.info.capabilities.why_not(Capability.HEALTHCHECK)
    checked = work.spec.health is not None or work.container.health is not Health.NONE
    if checked and why:
        yield Statement(engine.name, "health", Effect.LACKS, f"does not check its health by itself: {why}",
                        "info: cgroupManager", "not systemd")  # fmt: skip


def image(engine: EngineSeen, work: Workload) -> Iterator[Statement]:
    """Whether it has the image, and what it would do to get it."""
    reference, policy = work.spec.image, engine.info.policy
    if engine.has_image:
        yield Statement(engine.name, "image", Effect.SERVES, "has its image", "images", reference)
    domain = _domain(reference)
    if domain in policy.blocked_registries and not engine.has_image:
        yield Statement(engine.name, "image", Effect.LACKS, f"may not pull from {domain}", "info: registries, Blocked",
                        domain, "registries.conf")  # fmt: skip
    if domain and domain in policy.insecure_registries:
        yield Statement(engine.name, "image", Effect.TELLS, f"trusts {domain} without proof of who it is",
                        "info: registries, Insecure", domain)  # fmt: skip
    if domain and engine.trust is not None and engine.trust.policy is not None:
        verdict = judge(engine.trust.policy, reference)
        refuses = verdict.outcome is TrustOutcome.REFUSES
        takes = "would take it without a signature"
        if verdict.outcome is not TrustOutcome.ACCEPTS:
            takes = "would refuse it" if refuses else "would take it with a signature only"
        yield Statement(engine.name, "image", Effect.LACKS if refuses and not engine.has_image else Effect.TELLS,
                        f"its policy {takes} from {domain}", f"{engine.trust.path}: {verdict.scope}",
                        verdict.words)  # fmt: skip
    if len(policy.search_registries) > 1:
        said = ", ".join(policy.search_registries)
        yield Statement(engine.name, "image", Effect.TELLS, f"looks for short names on {said}",
                        "info: registries.search", said)  # fmt: skip


def _domain(reference: str) -> str:
    try:
        return "" if not reference or is_image_id(reference) else parse_reference(reference).domain
    except ValueError:  # no name: it comes from no registry
        return ""


def orchestration(engine: EngineSeen, work: Workload, ground: Ground) -> Iterator[Statement]:
    """Compose, swarm, pods: what the container is a part of, and who goes on with that."""
    container, labels = work.container, work.spec.labels
    service = labels.get(SWARM_LABEL, "") or container.labels.get(SWARM_LABEL, "")
    if service:
        member = bool(engine.info.policy.swarm)
        effect = Effect.SERVES if member else Effect.LACKS
        sentence = f"is {'part of a' if member else 'in no'} swarm, and the container is of the service {service}"
        yield Statement(engine.name, "orchestration", effect, sentence, "info: Swarm.LocalNodeState",
                        "active" if member else "not active")  # fmt: skip
    if container.project and engine.info.local:
        found = next((ground.programs[name] for name in _COMPOSE[engine.docker] if name in ground.programs), "")
        sentence = f"Compose goes on with project {container.project}" if found else "no Compose program is here for it"
        yield Statement(engine.name, "orchestration", Effect.SERVES if found else Effect.LACKS, sentence, "PATH",
                        found or f"no {' or '.join(_COMPOSE[engine.docker])}")  # fmt: skip
    if container.pod:
        effect = Effect.LACKS if engine.docker else Effect.SERVES
        sentence = f"{'has no pods' if engine.docker else 'has pods'}, and the container is in {container.pod}"
        yield Statement(engine.name, "orchestration", effect, sentence, "inspect: Pod", container.pod)
    if not engine.docker:
        sentence = "plays Kubernetes YAML (podman kube play), and writes it"
        yield Statement(engine.name, "orchestration", Effect.TELLS, sentence, "info: version", engine.info.version)


__all__ = ["SWARM_LABEL", "gpus", "health", "image", "limits", "orchestration", "settings"]
