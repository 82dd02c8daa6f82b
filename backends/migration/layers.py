"""The writable layer of the source: which of its changes would be lost, and what is carried instead. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from backends.migration.facts import SourceFacts
from backends.migration.files import below
from backends.model.container import ChangedPath, ChangeKind
from backends.model.plan import Choices, Finding, LayerChoice, Severity
from backends.model.workload import WorkloadSpec

_NOISE = ("/dev", "/proc", "/run", "/sys")
"""Folders that are made anew with every start."""

_ENGINES_OWN = frozenset({"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/mtab", "/.dockerenv"})
"""Files that an engine puts into every container."""

_SHOWN = 5
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


def carried(changed: Iterable[ChangedPath]) -> tuple[ChangedPath, ...]:
    """What is carried with CHANGES: all but the engine's own files; folders that hold a change for their modes."""
    return tuple(
        path
        for path in sorted(changed)
        if path.path not in _ENGINES_OWN and not any(below(path.path, folder) for folder in _NOISE)
    )


def own_changes(changed: Iterable[ChangedPath], spec: WorkloadSpec) -> tuple[ChangedPath, ...]:
    """What programs changed: without the engine's own files, mount points, and folders that only hold a change."""
    mounts = [mount.destination for mount in spec.mounts]
    seen = sorted(changed)
    parents = {path.path.rpartition("/")[0] for path in seen}
    while more := {path.rpartition("/")[0] for path in parents} - parents:
        parents |= more
    kept = []
    for path in seen:
        noise = any(below(path.path, folder) for folder in _NOISE) or path.path in _ENGINES_OWN
        only_holds = path.kind is ChangeKind.CHANGED and path.path in parents
        mount_point = any(below(path.path, mount) or below(mount, path.path) for mount in mounts)
        if not (noise or only_holds or (mount_point and path.kind is not ChangeKind.DELETED)):
            kept.append(path)
    return tuple(kept)


def commit_name(source: SourceFacts, name: str) -> str:
    """The reference of the image that is made of the container."""
    slug = _NOT_IN_NAMES.sub("-", name.lower()).strip("-") or "container"
    return f"localhost/tranship/{slug}:{source.container.key.short}"


def findings(source: SourceFacts, choices: Choices) -> Iterator[Finding]:
    """What becomes of the changes."""
    if source.changed is None:
        if choices.layer is LayerChoice.CHANGES:
            title = f"{source.engine} does not tell which files were changed"
            yield Finding(Severity.BLOCK, title, "", "discard them, or make an image of the container (commit)")
        return
    changed = own_changes(source.changed, source.spec)
    if not changed:
        return
    said = "1 file" if len(changed) == 1 else f"{len(changed)} files"
    some = ", ".join(path.path for path in changed[:_SHOWN]) + (", …" if len(changed) > _SHOWN else "")
    if choices.layer is LayerChoice.DISCARD:
        yield Finding(
            Severity.WARN,
            f"{said} changed outside volumes would be lost",
            some,
            "carry them (changes), or make an image of the container (commit)",
        )
    if choices.layer is LayerChoice.COMMIT:
        yield Finding(
            Severity.NOTE,
            f"an image is made of the container, with {said} changed",
            "Secrets that programs have written are in it too.",
        )
