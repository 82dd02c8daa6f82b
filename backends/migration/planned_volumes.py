"""The volumes of the copy: their names, how they are made, what is copied, shared or left empty. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from backends.migration.facts import SourceFacts, TargetFacts, same_host
from backends.migration.journal import MARK
from backends.migration.rows_process import OURS
from backends.migration.show import shown
from backends.migration.table import Choice
from backends.model.container import MountKind
from backends.model.plan import Choices, FieldPlan, Finding, Severity, Verdict, VolumeChoice, VolumeMove
from backends.model.secrets import masked_option
from backends.model.workload import Volume, VolumeSpec

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_.-]+")
_ANONYMOUS_MARK = "com.docker.volume.anonymous"
"""Docker's label on volumes that it named itself. Source: moby daemon/create_unix.go."""


def _free(base: str, taken: set[str]) -> str:
    """The first of base, base-2, base-3, … that is not taken."""
    candidate, number = base, 1
    while candidate in taken:
        number += 1
        candidate = f"{base}-{number}"
    return candidate


def mounted(source: SourceFacts) -> list[str]:
    """The volumes that the source mounts, each once."""
    return list(dict.fromkeys(mount.source for mount in source.spec.mounts if mount.kind is MountKind.VOLUME))


def shared(source: SourceFacts, target: TargetFacts, choices: Choices) -> tuple[dict[str, str], list[Finding]]:
    """Per volume that is to be shared, the folder that the copy binds; what stands in the way of others."""
    folders: dict[str, str] = {}
    findings: list[Finding] = []
    for name in mounted(source):
        if choices.for_volume(name) is not VolumeChoice.SHARE:
            continue
        folder = source.volumes.get(name, Volume(name)).mountpoint
        why = ""
        if not same_host(source.info, target.info):
            why = "the engines are not known to be on one host"
        elif not folder:
            why = f"{source.engine} does not tell where its files are"
        elif target.info.rootless and not source.info.rootless:
            why = f"{target.engine} runs without the rights to read {folder}"
        folders[name] = folder or "/"
        if why:
            title = f"volume {name} cannot be shared"
            findings.append(Finding(Severity.BLOCK, title, why, "copy it, or leave it out (skip)"))
        else:
            title = f"volume {name} is shared with the source"
            detail = f"Both write to {folder}; removing the source's volume takes the copy's data away."
            findings.append(Finding(Severity.WARN, title, detail, "do not start both at once"))
    return folders, findings


def names(
    source: SourceFacts,
    target: TargetFacts,
    name: str,
    renamed: bool,
    shared_ones: Mapping[str, str],
    brought: Mapping[str, str],
) -> dict[str, Choice]:
    """The name of each volume's copy, besides those that are shared.

    A name stays where it is free; a taken one stays in the plan (and blocks it) unless the copy was given a name
    of its own. Anonymous volumes get a name that can be read. brought: volumes that another container of the same move
    brings, each with its copy's name.
    """
    choices: dict[str, Choice] = {}
    taken = set(target.volumes)
    for mount in source.spec.mounts:
        if mount.kind is not MountKind.VOLUME or mount.source in choices or mount.source in shared_ones:
            continue
        if mount.source in brought:
            there = brought[mount.source]
            choice = Choice(there, "" if there == mount.source else "another container of this move brings it")
        elif mount.anonymous:
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


def move(volume: Volume, name: str, choice: VolumeChoice) -> tuple[VolumeMove, list[FieldPlan]]:
    """How a volume is made on the target, and what of its settings does not come along."""
    fields: list[FieldPlan] = []
    if choice is VolumeChoice.SKIP:
        reason = "the copy begins with an empty volume, as was asked for"
        fields.append(FieldPlan(f"volumes.{volume.name}.data", Verdict.DROPPED, "its files", "", reason))
    if volume.driver != "local":
        reason = "the data is copied into a plain volume of the target"
        fields.append(FieldPlan(f"volumes.{volume.name}.driver", Verdict.DROPPED, volume.driver, "", reason))
    for key in sorted(volume.driver_options):
        value = shown(key, masked_option(key, volume.driver_options[key]))
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
    return VolumeMove(volume.name, VolumeSpec(name, labels), choice), fields


def unknown_choices(source: SourceFacts, choices: Choices) -> Iterator[Finding]:
    """Choices about volumes that the source does not mount."""
    for name in sorted(set(choices.volumes) - set(mounted(source))):
        has = ", ".join(mounted(source)) or "none"
        yield Finding(Severity.BLOCK, f"the source mounts no volume {name}", f"It mounts: {has}.", "correct the name")
