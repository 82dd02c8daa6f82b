"""Makes the plan of a move out of facts. Pure: the same facts give the same plan; may not ask an engine."""

from __future__ import annotations

import re
from collections.abc import Mapping

from backends.migration import checks, gpus, references
from backends.migration.facts import SourceFacts, TargetFacts, same_image
from backends.migration.fields import OURS, Choice, Decisions, carry, shown
from backends.migration.journal import MARK
from backends.model.capabilities import Capability
from backends.model.container import ContainerState, MountKind
from backends.model.plan import FieldPlan, ImageAction, ImageMove, Plan, Severity, Step, StepKind, Verdict, VolumeMove
from backends.model.workload import Volume, VolumeSpec

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_.-]+")
_ANONYMOUS_MARK = "com.docker.volume.anonymous"
"""Docker's label on volumes that it named itself. Source: moby daemon/create_unix.go."""


def _image(source: SourceFacts, target: TargetFacts) -> tuple[ImageMove, Choice]:
    """How the image gets there and what the copy is created from.

    An image of the target that has the same name and other content is never renamed or replaced: then ours
    goes without a name.
    """
    facts = source.image
    by_id = f"sha256:{facts.key.id}"
    tag, reason = references.tag_of(source.spec.image, facts.key.id)
    if target.by_tag is not None and tag:
        if same_image(facts, target.by_tag):
            return ImageMove(ImageAction.KEEP, facts, tag), Choice(tag, reason)
        tag, reason = "", "the target has another image of this name, which stays as it is"
    if target.by_id is not None and same_image(facts, target.by_id):
        action = ImageAction.TAG if tag else ImageAction.KEEP
        return ImageMove(action, facts, tag), Choice(tag or by_id, reason)
    return ImageMove(ImageAction.SHIP, facts, tag), Choice(tag or by_id, reason)


def _free(base: str, taken: set[str]) -> str:
    """The first of base, base-2, base-3, … that is not taken."""
    candidate, number = base, 1
    while candidate in taken:
        number += 1
        candidate = f"{base}-{number}"
    return candidate


def _volume_names(source: SourceFacts, target: TargetFacts, name: str, renamed: bool) -> dict[str, Choice]:
    """The name of each volume's copy.

    A name stays where it is free; a taken one stays in the plan (and blocks it) unless the copy was given a name
    of its own. Anonymous volumes get a name that can be read.
    """
    choices: dict[str, Choice] = {}
    taken = set(target.volumes)
    for mount in source.spec.mounts:
        if mount.kind is not MountKind.VOLUME or mount.source in choices:
            continue
        if mount.anonymous:
            slug = _NOT_IN_NAMES.sub("-", mount.destination).strip("-.") or "data"
            choice = Choice(
                _free(f"{name}-{slug}", taken), "an anonymous volume gets a name, so that nothing prunes its data"
            )
        elif mount.source in target.volumes and renamed:
            choice = Choice(
                _free(f"{mount.source}-{name}", taken), "the target has a volume of this name, which stays as it is"
            )
        else:
            choice = Choice(mount.source)
        taken.add(choice.value)
        choices[mount.source] = choice
    return choices


def _volume(volume: Volume, name: str) -> tuple[VolumeMove, list[FieldPlan]]:
    """How a volume is made on the target, and what of its settings does not come along."""
    fields: list[FieldPlan] = []
    if volume.driver != "local":
        reason = "the data is copied into a plain volume of the target"
        fields.append(FieldPlan(f"volumes.{volume.name}.driver", Verdict.DROPPED, volume.driver, "", reason))
    for key in sorted(volume.driver_options):
        value = shown(key, volume.driver_options[key])
        reason = "the data is copied into a plain volume; the storage behind it stays with the source"
        fields.append(FieldPlan(f"volumes.{volume.name}.options.{key}", Verdict.DROPPED, value, "", reason))
    labels = {}
    for key in sorted(volume.labels):
        value = shown(key, volume.labels[key])
        path = f"volumes.{volume.name}.labels.{key}"
        if key == _ANONYMOUS_MARK:
            fields.append(FieldPlan(path, Verdict.CONVERTED, value or "anonymous", name, "the copy has a name"))
        elif key == MARK:
            reason = "marks what a move has made: the copy bears the mark of this one"
            fields.append(FieldPlan(path, Verdict.CONVERTED, value, "this move", reason))
        elif key.startswith(OURS):
            fields.append(FieldPlan(path, Verdict.DROPPED, value, "", "Tranship's own mark of an earlier move"))
        else:
            labels[key] = volume.labels[key]
            fields.append(FieldPlan(path, Verdict.SAME, value, value))
    return VolumeMove(volume.name, VolumeSpec(name, labels)), fields


def _image_step(move: ImageMove, target: TargetFacts) -> Step:
    subject = move.tag or f"sha256:{move.facts.key.short}"
    if move.action is ImageAction.SHIP:
        return Step(StepKind.IMAGE, f"ship image {subject}", subject, move.facts.size_bytes)
    by = "same configuration and layers" if move.facts.config_digest else "same layers"
    if move.action is ImageAction.TAG:
        return Step(StepKind.IMAGE, f"name the image {subject}, which {target.engine} has ({by})", subject)
    return Step(StepKind.IMAGE, f"ship image {subject}", subject, None, f"{target.engine} has it already: {by}")


def _steps(
    move: ImageMove, volumes: Mapping[str, Choice], source: SourceFacts, target: TargetFacts, name: str
) -> tuple[Step, ...]:
    running = source.container.state.alive
    old = source.container.name
    not_running = "" if running else f"the source is {source.container.state}"
    copies = (
        Step(
            StepKind.VOLUME, f"copy volume {volume}" + (f" to {choice.value}" if choice.value != volume else ""), volume
        )
        for volume, choice in volumes.items()
    )
    return (
        _image_step(move, target),
        Step(StepKind.STOP_SOURCE, f"stop {old} on {source.engine}", old, None, not_running),
        *copies,
        Step(StepKind.CREATE, f"create {name} on {target.engine}", name),
        Step(StepKind.START, f"start {name} on {target.engine}", name, None, not_running),
        Step(StepKind.VERIFY, f"compare {name} with {old}", name),
    )


def make_plan(source: SourceFacts, target: TargetFacts, name: str | None = None) -> Plan:
    """Everything that a move will do.

    name: of the copy, None = the source's; where it is given, volumes whose names are taken on the target get new ones.
    Each configured field of the source is in Plan.fields, each entry of its `unmapped` as dropped.
    """
    renamed = name is not None
    copy_name = name if name is not None else source.spec.name
    move, image_choice = _image(source, target)
    volumes = _volume_names(source, target, copy_name, renamed)
    gpu = gpus.move(source.spec.gpu, source.engine, target.engine, target.info) if source.spec.gpu else None
    no_limits = target.info.capabilities.why_not(Capability.RESOURCE_LIMITS)
    name_choice = Choice(copy_name, "" if copy_name == source.spec.name else "the name that was asked for")
    spec, fields = carry(source.spec, Decisions(name_choice, image_choice, volumes, gpu, no_limits))
    moves = [_volume(source.volumes.get(volume, Volume(volume)), choice.value) for volume, choice in volumes.items()]
    all_fields = (*fields, *(entry for _, entries in moves for entry in entries))
    findings = [
        *checks.source_state(source, target),
        *checks.names(copy_name, target),
        *checks.image(source, target, move),
        *checks.ports(source, target),
        *checks.mounts(source, target, renamed, volumes),
        *checks.gpu(gpu, target),
        *checks.settings(source.spec, all_fields, target, no_limits),
    ]
    order = list(Severity)
    return Plan(
        source=source.container.key,
        source_name=source.container.name,
        source_running=source.container.state.alive,
        target=target.engine,
        spec=spec,
        volumes=tuple(volume for volume, _ in moves),
        fields=all_fields,
        findings=tuple(sorted(findings, key=lambda finding: order.index(finding.severity))),
        steps=_steps(move, volumes, source, target, copy_name),
        image=move,
        source_paused=source.container.state is ContainerState.PAUSED,
    )
