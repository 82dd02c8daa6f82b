"""What is wrong with CDI specifications: broken, stale, twice there, too new for an engine. Pure.

Source of the rules: github.com/cncf-tags/container-device-interface (SPEC.md, pkg/cdi/cache.go).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from backends.cdi import FOLDERS, CdiFile, CdiSpec, version_key
from backends.model.capabilities import Capability
from backends.model.fleet import EngineView
from backends.model.gpu import GpuDevice, GpuSnapshot
from backends.model.ids import EngineKind
from backends.model.workload import AMD_CDI_KIND, NVIDIA_CDI_KIND
from backends.services.doctor import Diagnosis, Level
from backends.services.gpu_facts import GpuFacts, version_in

OLDER_FIELDS = "--feature-flag no-additional-gids-for-device-nodes"
"""What makes nvidia-ctk 1.19.1 and later write for engines without CDI 0.7.0. Source: the toolkit's release notes."""

_WITH_GIDS = "0.7.0"  # what brought additionalGids

# The newest CDI version that an engine before the named version can know: either its release notes say so, or the CDI
# version was published after it. Sources: CDI 0.5.0 October 2022, 0.6.0 May 2023, 0.7.0 April 2024, 0.8.0 July 2024,
# 1.0.0 March 2025, 1.1.0 December 2025 (tags of cncf-tags/container-device-interface); Podman 4.2 is built with 0.4.0
# (nvidia-container-toolkit issue 38); 0.7.0 needs Podman 5.1 and Docker 26.1 (release notes of toolkit 1.19.1, issue
# 1860); moby pull requests 46774 (0.6), 47706 (0.7), 48886 (0.8, Docker 27.4), 49738 (1.0, Docker 28.1). Measured:
# Docker 26.1.5 takes 0.7.0 and refuses 0.8.0; Podman 5.4.2 takes 0.8.0 and refuses 1.0.0.
_PODMAN = (
    ("4.3", "0.4.0"),
    ("4.6", "0.5.0"),
    ("5.1", "0.6.0"),
    ("5.2", "0.7.0"),
    ("5.5", "0.8.0"),
    ("5.8", "1.0.0"),
)
_DOCKER = (("26.1", "0.6.0"), ("27.4", "0.7.0"), ("28.1", "0.8.0"), ("29.2", "1.0.0"))
_NEWEST = {EngineKind.PODMAN: _PODMAN, EngineKind.DOCKER: _DOCKER}

# Since nvidia-container-toolkit 1.18 a service of systemd writes the file there. Source: its guide, "CDI support".
_MADE_AT_BOOT = ("/var/run/", "/run/")
_REFRESH = "sudo systemctl restart nvidia-cdi-refresh"

_VERSION = re.compile(r"\d+(?:\.\d+)*")
# nvidia-ctk's names: by index "0" and "0:1", by type and index "gpu0" and "mig0:1", by UUID.
_INSTANCE = re.compile(r"(?:mig)?\d+:\d+|MIG-.+")
_SHOWN = 3


def examine_cdi(
    facts: GpuFacts, engines: Sequence[EngineView], gpus: GpuSnapshot, *, nvidia: bool, amd: bool
) -> Iterator[Diagnosis]:
    """All findings. engines: connected ones of this machine. nvidia, amd: such a GPU is here."""
    for folder in facts.cdi.unread:
        yield Diagnosis("CDI", Level.PROBLEM, f"{folder} may not be listed", f"sudo chmod a+rx {folder}")
    for file in facts.cdi.files:
        yield from _file(facts, file, engines)
    for name, paths in facts.cdi.conflicts:
        sentence = f"{' and '.join(paths)} both name {name}: engines refuse a device that has two specifications"
        yield Diagnosis("CDI", Level.PROBLEM, sentence, "remove the older of the two files")
    yield from _told(facts, engines)
    if not facts.cdi.unread:
        yield from _lacking(facts, engines, nvidia=nvidia, amd=amd)
    yield from _layout(facts, gpus)


def newest_known(kind: EngineKind, version: str) -> str:
    """The newest CDI version that this engine can know, "" where any may be."""
    match = _VERSION.match(version)
    if match is None:
        return ""
    numbers = _numbers(match[0])
    return next((known for before, known in _NEWEST.get(kind, ()) if numbers < _numbers(before)), "")


def _file(facts: GpuFacts, file: CdiFile, engines: Sequence[EngineView]) -> Iterator[Diagnosis]:
    if file.spec is None:
        denied = file.problem == os.strerror(13)
        hint = f"sudo chmod a+r {file.path}" if denied else f"mend it, or make it anew: {_generate('', file.path)}"
        yield Diagnosis("CDI", Level.PROBLEM, f"{file.path}: {file.problem}", hint)
        return
    names = ", ".join(device.name.partition("=")[2] for device in file.spec.devices)
    wrong = [*_stale(facts, file, file.spec), *_contradicting(file, file.spec), *_too_new(file, file.spec, engines)]
    if wrong:
        yield from wrong
    else:
        sentence = f"{file.path}: {file.spec.kind}={names or 'nothing'} (version {file.spec.version})"
        yield Diagnosis("CDI", Level.OK if names else Level.NOTE, sentence)


def _stale(facts: GpuFacts, file: CdiFile, spec: CdiSpec) -> Iterator[Diagnosis]:
    gone, loaded = facts.missing.get(file.path, ()), facts.nvidia.module
    versions = sorted({version for path in spec.files if (version := version_in(path))})
    other = spec.kind.endswith(NVIDIA_CDI_KIND) and loaded and versions and loaded not in versions
    if not gone and not other:
        return
    parts = [f"is written for driver {', '.join(versions)}, and {loaded} is loaded"] if other else []
    if gone:
        shown = ", ".join(gone[:_SHOWN]) + (f" and {len(gone) - _SHOWN} more" if len(gone) > _SHOWN else "")
        parts.append(f"counts on what is not there: {shown}")
    overridden = _overridden(facts, file)
    level = Level.NOTE if overridden else Level.PROBLEM
    again = f"; a later folder's file is used in its place: {overridden}" if overridden else ""
    hint = f"sudo rm {file.path}" if overridden else _generate(spec.kind, file.path)
    yield Diagnosis("CDI", level, f"{file.path} {'; it '.join(parts)}{again}", hint)


def _overridden(facts: GpuFacts, file: CdiFile) -> str:
    """The path of a file in a later folder that has all of this one's names, "" for none."""
    names = {device.name for device in file.spec.devices} if file.spec else set()
    behind = facts.cdi.files[facts.cdi.files.index(file) + 1 :]
    for other in behind:
        theirs = {device.name for device in other.spec.devices} if other.spec else set()
        if names and names <= theirs and os.path.dirname(other.path) != os.path.dirname(file.path):
            return other.path
    return ""


def _contradicting(file: CdiFile, spec: CdiSpec) -> Iterator[Diagnosis]:
    """Measured with Docker 26.1.5 and Podman 5.4.2: additionalGids in a file of 0.5.0 makes all its names unknown."""
    if version_key(spec.needs) > version_key(spec.version):
        sentence = (
            f"{file.path} says cdiVersion {spec.version} and uses fields of {spec.needs}: engines refuse it whole"
        )
        hint = f"set its cdiVersion to {spec.needs}, or make it anew: {_generate(spec.kind, file.path)}"
        yield Diagnosis("CDI", Level.PROBLEM, sentence, hint)


def _too_new(file: CdiFile, spec: CdiSpec, engines: Sequence[EngineView]) -> Iterator[Diagnosis]:
    needs = max(spec.version, spec.needs, key=version_key)
    for engine in engines:
        if engine.info is None or Capability.CDI in engine.info.capabilities.lacking:
            continue
        known = newest_known(engine.id.kind, engine.info.version)
        if known and version_key(needs) > version_key(known):
            sentence = f"{file.path} needs CDI {needs}; {engine.id.name} {engine.info.version} knows {known} at most"
            by_field = spec.kind == NVIDIA_CDI_KIND and needs == spec.needs == _WITH_GIDS
            older = f", or write without them: {_generate(spec.kind, file.path)} {OLDER_FIELDS}" if by_field else ""
            hint = f"update {engine.id.name}{older}"
            yield Diagnosis("CDI", Level.PROBLEM, f"{sentence}, and refuses the whole file", hint)


def _told(facts: GpuFacts, engines: Sequence[EngineView]) -> Iterator[Diagnosis]:
    """Names that an engine tells and no file here has: its own folders are elsewhere, as in a virtual machine."""
    here = {device.name for _, device in facts.cdi.devices()}
    for engine in engines:
        names = [name for name in engine.info.cdi_devices if name not in here] if engine.info else []
        if names:
            sentence = f"{engine.id.name} knows {', '.join(names)}, which no file here names"
            yield Diagnosis("CDI", Level.OK, sentence)


def _lacking(facts: GpuFacts, engines: Sequence[EngineView], *, nvidia: bool, amd: bool) -> Iterator[Diagnosis]:
    """GPUs of a vendor without a single CDI name. Podman gives GPUs in no other way, Docker may."""
    kinds = {spec.kind for spec, _ in facts.cdi.devices()}
    told = {name.partition("=")[0] for engine in engines if engine.info for name in engine.info.cdi_devices}
    only_cdi = any(engine.id.kind is EngineKind.PODMAN for engine in engines)
    for here, kind in ((nvidia, NVIDIA_CDI_KIND), (amd, AMD_CDI_KIND)):
        if here and kind not in kinds and kind not in told:
            sentence = f"no specification in {' and '.join(FOLDERS[:2])} names {kind}: such names cannot be given"
            level = Level.PROBLEM if only_cdi and kind == NVIDIA_CDI_KIND else Level.NOTE
            yield Diagnosis("CDI", level, sentence, _generate(kind, ""))


def _layout(facts: GpuFacts, gpus: GpuSnapshot) -> Iterator[Diagnosis]:
    """Devices and MIG instances that are here and have no name, and names of instances that are no more."""
    names = {device.name.partition("=")[2] for spec, device in facts.cdi.devices() if spec.kind == NVIDIA_CDI_KIND}
    devices = [one.device for one in gpus.readings if one.device.vendor == "NVIDIA" and not one.condition]
    if not names or not devices or gpus.demo:
        return
    paths = [file.path for file in facts.cdi.files if file.spec and file.spec.kind == NVIDIA_CDI_KIND]
    instances = {label: spellings for device in devices for label, spellings in _instances(device).items()}
    unnamed = [label for label, spellings in instances.items() if not spellings & names]
    unnamed += [f"GPU {one.index}" for one in devices if not one.mig and not _spellings(one) & names]
    gone = sorted(name for name in names if _INSTANCE.fullmatch(name) and not _known(name, instances))
    if unnamed:
        sentence = f"{', '.join(paths)} does not name {', '.join(unnamed)}, which the driver shows"
        yield Diagnosis("CDI", Level.PROBLEM, sentence, _generate(NVIDIA_CDI_KIND, paths[-1]))
    if gone:
        sentence = f"{', '.join(paths)} names MIG instances that the driver does not show any more: {', '.join(gone)}"
        yield Diagnosis("CDI", Level.PROBLEM, sentence, _generate(NVIDIA_CDI_KIND, paths[-1]))


def _spellings(device: GpuDevice) -> set[str]:
    return {str(device.index), f"gpu{device.index}", device.uuid}


def _instances(device: GpuDevice) -> dict[str, set[str]]:
    short = {f"{device.index}:{one.index}": one.uuid for one in device.mig}
    return {f"MIG instance {place}": {place, f"mig{place}", uuid} for place, uuid in short.items()}


def _known(name: str, instances: dict[str, set[str]]) -> bool:
    return any(name in spellings for spellings in instances.values())


def _generate(kind: str, path: str) -> str:
    """The command that writes the specification anew. kind: "" of a file that is broken: then its name must do."""
    named = kind or os.path.basename(path)
    if NVIDIA_CDI_KIND in named or (not kind and "nvidia" in named):
        write = f"sudo nvidia-ctk cdi generate --output={path or '/etc/cdi/nvidia.yaml'}"
        return f"{_REFRESH}, or: {write}" if path.startswith(_MADE_AT_BOOT) else write
    if AMD_CDI_KIND in named or (not kind and "amd" in named):
        return f"sudo amd-ctk cdi generate --output={path or '/etc/cdi/amd.json'}"
    return f"with the tool of its vendor ({kind.partition('/')[0]})" if kind else "with the tool of its vendor"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


__all__ = ["OLDER_FIELDS", "examine_cdi", "newest_known"]
