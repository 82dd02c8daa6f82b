"""What becomes of each configured field of the source: same, converted or dropped. Pure; drops nothing silently."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from backends.migration import gpus
from backends.model.container import MountKind, Port
from backends.model.plan import FieldPlan, Verdict
from backends.model.workload import MountSpec, RestartPolicy, UnmappedField, WorkloadSpec

SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
"""Names whose values are not shown. They are carried all the same."""

MASK = "********"
OURS = "io.tranship."
"""Prefix of the labels that Tranship itself writes; they belong to one move and are not carried on."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a field becomes, decided elsewhere. reason: "" where it stays."""

    value: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions that need facts of the target.

    name, image: of the copy. volumes: per source volume, the copy's name. gpu: None where none was asked for.
    no_limits: why the target does not enforce memory and CPU limits, "" where it does.
    """

    name: Choice
    image: Choice
    volumes: Mapping[str, Choice] = field(default_factory=dict)
    gpu: gpus.GpuMove | None = None
    no_limits: str = ""


def shown(name: str, value: str) -> str:
    """A value for people: masked where its name looks like a secret's."""
    return MASK if value and SECRET.search(name) else value


def describe_port(port: Port) -> str:
    """A port as people write it."""
    inside = f"{port.container_port}/{port.protocol}"
    if port.host_port is None:
        return f"{inside}, not published"
    where = str(port.host_port) if port.host_port else "any free port"
    return f"{port.host_ip}:{where} -> {inside}" if port.host_ip else f"{where} -> {inside}"


def describe_restart(policy: RestartPolicy) -> str:
    """A restart policy as people write it."""
    return f"{policy.name}:{policy.max_retries}" if policy.max_retries else str(policy.name)


def _entry(name: str, source: str, target: str | None = None, reason: str = "") -> FieldPlan:
    """A field that stays, or is converted where a reason is given."""
    if not reason:
        return FieldPlan(name, Verdict.SAME, source, source if target is None else target)
    return FieldPlan(name, Verdict.CONVERTED, source, source if target is None else target, reason)


def _dropped(name: str, source: str, reason: str) -> FieldPlan:
    return FieldPlan(name, Verdict.DROPPED, source, "", reason)


def _plain(spec: WorkloadSpec) -> Iterable[FieldPlan]:
    """The fields that go over as they are, where they are set."""
    if spec.command is not None:
        yield _entry("command", shlex.join(spec.command) or "(empty)")
    if spec.entrypoint is not None:
        yield _entry("entrypoint", shlex.join(spec.entrypoint) or "(none)")
    for name, value in (("user", spec.user), ("workdir", spec.workdir), ("hostname", spec.hostname)):
        if value is not None:
            yield _entry(name, value)
    if spec.tty:
        yield _entry("tty", "yes")
    if spec.stdin_open:
        yield _entry("stdin", "open")
    for key in sorted(spec.env):
        yield _entry(f"env.{key}", shown(key, spec.env[key]))
    for port in spec.ports:
        yield _entry(f"ports.{port.container_port}/{port.protocol}", describe_port(port))
    if spec.restart != RestartPolicy():
        yield _entry("restart", describe_restart(spec.restart))


def _labels(spec: WorkloadSpec) -> tuple[dict[str, str], list[FieldPlan]]:
    kept: dict[str, str] = {}
    plans: list[FieldPlan] = []
    for key in sorted(spec.labels):
        text = shown(key, spec.labels[key])
        if key.startswith(OURS):
            plans.append(_dropped(f"labels.{key}", text, "Tranship's own mark of an earlier move"))
        else:
            kept[key] = spec.labels[key]
            plans.append(_entry(f"labels.{key}", text))
    return kept, plans


def _mount_text(mount: MountSpec, source: str) -> str:
    inside = f"{source}/{mount.subpath}" if mount.subpath else source
    return f"{inside} -> {mount.destination}" + (" (read-only)" if mount.read_only else "")


def _mounts(spec: WorkloadSpec, volumes: Mapping[str, Choice]) -> tuple[tuple[MountSpec, ...], list[FieldPlan]]:
    kept: list[MountSpec] = []
    plans: list[FieldPlan] = []
    for mount in spec.mounts:
        name = f"mounts.{mount.destination}"
        text = f"{mount.kind} " + _mount_text(mount, mount.source)
        choice = volumes.get(mount.source) if mount.kind is MountKind.VOLUME else None
        if choice is not None:
            # Its data is carried: what the image has there must not be added, not even to an empty volume.
            kept.append(replace(mount, source=choice.value, anonymous=False, no_copy=True))
            plans.append(_entry(name, text, f"{mount.kind} " + _mount_text(mount, choice.value), choice.reason))
        elif mount.kind is MountKind.BIND:
            kept.append(mount)
            plans.append(_entry(name, text))
        else:
            plans.append(_dropped(name, text, "only binds and volumes are carried yet"))
    return tuple(kept), plans


def _limits(spec: WorkloadSpec, no_limits: str) -> list[FieldPlan]:
    wanted = []
    if spec.memory_bytes:
        wanted.append(("memory", f"{spec.memory_bytes / 2**20:.1f} MiB ({spec.memory_bytes} bytes)"))
    if spec.cpus_nano:
        wanted.append(("cpus", f"{spec.cpus_nano / 1e9:g} cores"))
    if no_limits:
        return [_dropped(name, text, f"the target does not enforce limits: {no_limits}") for name, text in wanted]
    return [_entry(name, text) for name, text in wanted]


def _gpu(spec: WorkloadSpec, move: gpus.GpuMove | None) -> list[FieldPlan]:
    if spec.gpu is None:
        return []
    text = gpus.describe(spec.gpu)
    if move is None or move.request is None:
        return [_dropped("gpu", text, move.reason if move else "not decided")]
    return [_entry("gpu", text, gpus.describe(move.request), move.reason)]


def _unmapped(entries: Iterable[UnmappedField]) -> list[FieldPlan]:
    return [_dropped(entry.path, shown(entry.path.rpartition(".")[2], entry.value), entry.reason) for entry in entries]


def carry(spec: WorkloadSpec, decisions: Decisions) -> tuple[WorkloadSpec, tuple[FieldPlan, ...]]:
    """The recipe for the target and, for each configured field of the source, what becomes of it.

    Values of fields whose names look like secrets are masked in the returned FieldPlans, never in the recipe.
    """
    labels, label_plans = _labels(spec)
    mounts, mount_plans = _mounts(spec, decisions.volumes)
    gpu = decisions.gpu.request if spec.gpu is not None and decisions.gpu is not None else None
    limited = not decisions.no_limits
    target = replace(
        spec,
        name=decisions.name.value,
        image=decisions.image.value,
        labels=labels,
        mounts=mounts,
        gpu=gpu,
        memory_bytes=spec.memory_bytes if limited else 0,
        cpus_nano=spec.cpus_nano if limited else 0,
        unmapped=(),
    )
    plans = [
        _entry("name", spec.name, decisions.name.value, decisions.name.reason),
        _entry("image", spec.image, decisions.image.value, decisions.image.reason),
        *_plain(spec),
        *label_plans,
        *mount_plans,
        *_limits(spec, decisions.no_limits),
        *_gpu(spec, decisions.gpu),
        *_unmapped(spec.unmapped),
    ]
    return target, tuple(plans)
