"""CDI specification files: which devices they name, and what of the host they count on. Reads files, asks no engine.

Reads files: call it in a thread. A broken or foreign file is stated with its reason and hides no other.
Source: github.com/cncf-tags/container-device-interface, SPEC.md; which names are read: pkg/cdi/spec-dirs.go.
YAML is read by PyYAML (libyaml's parser, safe types only): a specification of eight GPUs is 100 KB, for which a parser
in Python alone takes most of a second; ruamel.yaml's gift, keeping comments for writing, is not needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

FOLDERS = ("/etc/cdi", "/var/run/cdi", "/run/cdi")
"""Where engines look, later ones win; the last two are one folder nearly everywhere. Sources: SPEC.md;
containers.conf(5), cdi_spec_dirs; docs.docker.com, dockerd, "cdi-spec-dirs"."""

LIMIT_BYTES = 4 << 20
_SUFFIXES = (".yaml", ".json")
_NEARLY = (".yml",)
_MOST_DEPTH = 32
_MOST_ALIASES = 64  # an alias is free to write and as large as what it stands for

# SPEC.md, "Released versions": the version that brought each of these.
_SINCE_NET_DEVICES = "1.1.0"
_SINCE_GIDS = "0.7.0"
_SINCE_ANNOTATIONS = "0.6.0"
_SINCE_HOST_PATH = "0.5.0"
_SINCE_MOUNT_TYPE = "0.4.0"
_FIRST = "0.3.0"


class _Node(msgspec.Struct, rename="camel"):
    path: str
    host_path: str = ""


class _Mount(msgspec.Struct, rename="camel"):
    host_path: str
    type: str = ""


class _Hook(msgspec.Struct, rename="camel"):
    path: str


class _Edits(msgspec.Struct, rename="camel"):
    device_nodes: list[_Node] | None = None
    mounts: list[_Mount] | None = None
    hooks: list[_Hook] | None = None
    intel_rdt: Any = None
    additional_gids: Any = None
    net_devices: Any = None


class _Device(msgspec.Struct, rename="camel"):
    name: str
    annotations: Any = None
    container_edits: _Edits = msgspec.field(default_factory=_Edits)


class _Spec(msgspec.Struct, rename="camel"):
    cdi_version: str
    kind: str
    devices: list[_Device] = msgspec.field(default_factory=list)
    annotations: Any = None
    container_edits: _Edits = msgspec.field(default_factory=_Edits)


@dataclass(frozen=True, slots=True)
class CdiDevice:
    """name: in full, "nvidia.com/gpu=0". nodes: device nodes on the host that it alone brings."""

    name: str
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CdiSpec:
    """kind: "nvidia.com/gpu". version: the one it declares. needs: the oldest that has all the fields it uses.

    nodes: device nodes for each of its devices. files: paths on the host that it mounts. programs: its hooks' paths.
    """

    kind: str
    version: str
    needs: str = _FIRST
    devices: tuple[CdiDevice, ...] = ()
    nodes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CdiFile:
    """One file. problem: why no engine can use it, "" where spec is there."""

    path: str
    spec: CdiSpec | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class CdiFiles:
    """All files, in the order of the folders. unread: folders that this user may not list.

    conflicts: names that several files of one folder give, with their paths: engines then refuse the device.
    """

    files: tuple[CdiFile, ...] = ()
    unread: tuple[str, ...] = ()
    conflicts: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def devices(self) -> tuple[tuple[CdiSpec, CdiDevice], ...]:
        """Each name once, of the last folder that has it, as engines choose; in the order of the files."""
        chosen = {device.name: (file.spec, device) for file in self.files if file.spec for device in file.spec.devices}
        return tuple(chosen.values())

    def names(self) -> tuple[str, ...]:
        """The names of its devices, in full."""
        return tuple(device.name for _, device in self.devices())


def read_files(folders: Iterable[str] = FOLDERS, root: Path = Path("/")) -> CdiFiles:
    """All specifications. Blocks on small files. root: for tests, another tree with the same layout."""
    files: list[CdiFile] = []
    unread: list[str] = []
    conflicts: list[tuple[str, tuple[str, ...]]] = []
    seen: set[str] = set()
    for folder in folders:
        place = os.path.realpath(root / folder.lstrip("/"))
        if place in seen:
            continue  # /var/run is a link to /run
        seen.add(place)
        try:
            names = sorted(os.listdir(place))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            unread.append(folder)
            continue
        here = [
            _read(Path(place) / name, f"{folder}/{name}") for name in names if name.endswith((*_SUFFIXES, *_NEARLY))
        ]
        files += here
        conflicts += _conflicts(here)
    return CdiFiles(tuple(files), tuple(unread), tuple(conflicts))


def parse(text: bytes, *, is_json: bool) -> CdiSpec:
    """One specification. Raises ValueError with a reason for people where the text is none."""
    try:
        raw = msgspec.json.decode(text, type=_Spec) if is_json else msgspec.convert(_yaml(text), _Spec)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    vendor, slash, name = raw.kind.partition("/")
    if not (vendor and slash and name) or any(sign.isspace() for sign in raw.kind):
        raise ValueError(f"kind is “{raw.kind}”, not VENDOR/CLASS")
    version_key(raw.cdi_version)
    devices = tuple(
        CdiDevice(f"{raw.kind}={device.name}", _nodes(device.container_edits)) for device in raw.devices if device.name
    )
    edits = [raw.container_edits, *(device.container_edits for device in raw.devices)]
    return CdiSpec(
        kind=raw.kind,
        version=raw.cdi_version,
        needs=_needs(raw, edits),
        devices=devices,
        nodes=_nodes(raw.container_edits),
        files=tuple(dict.fromkeys(mount.host_path for one in edits for mount in one.mounts or ())),
        programs=tuple(dict.fromkeys(hook.path for one in edits for hook in one.hooks or ())),
    )


def version_key(version: str) -> tuple[int, ...]:
    """For comparing: "0.7.0" → (0, 7, 0). ValueError where it is no version."""
    parts = version.removeprefix("v").split(".")
    if not 1 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"cdiVersion is “{version}”, not like 0.6.0")
    return tuple(int(part[:9]) for part in parts)


def _read(path: Path, shown: str) -> CdiFile:
    if path.suffix in _NEARLY:
        return CdiFile(shown, problem="engines read names in .yaml and .json only: rename it")
    try:
        with path.open("rb") as file:
            text = file.read(LIMIT_BYTES + 1)
    except OSError as error:
        return CdiFile(shown, problem=os.strerror(error.errno or 0))
    if len(text) > LIMIT_BYTES:
        return CdiFile(shown, problem=f"larger than {LIMIT_BYTES >> 20} MiB")
    try:
        return CdiFile(shown, parse(text, is_json=path.suffix == ".json"))
    except ValueError as error:
        return CdiFile(shown, problem=f"not a CDI specification: {' '.join(str(error).split())}")


def _yaml(text: bytes) -> object:
    """Raises ValueError. The depth is looked at first: libyaml's tree is built on the C stack, which has no guard."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        depth = aliases = 0
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            aliases += isinstance(event, yaml.AliasEvent)
            if depth > _MOST_DEPTH or aliases > _MOST_ALIASES:
                raise ValueError("nested too deeply" if depth > _MOST_DEPTH else "too many YAML aliases")
        return yaml.load(text, Loader=loader)  # a safe loader, chosen above
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML: {error}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _nodes(edits: _Edits) -> tuple[str, ...]:
    return tuple(dict.fromkeys(node.host_path or node.path for node in edits.device_nodes or ()))


def _needs(raw: _Spec, edits: Sequence[_Edits]) -> str:
    """By the fields that are there: an engine refuses a whole file for one field that it does not know."""
    if any(one.net_devices for one in edits):
        return _SINCE_NET_DEVICES
    if any(one.additional_gids or one.intel_rdt for one in edits):
        return _SINCE_GIDS
    if raw.annotations or any(device.annotations for device in raw.devices) or "." in raw.kind.partition("/")[2]:
        return _SINCE_ANNOTATIONS
    nodes = (node for one in edits for node in one.device_nodes or ())
    if any(node.host_path for node in nodes) or any(device.name[:1].isdigit() for device in raw.devices):
        return _SINCE_HOST_PATH
    return _SINCE_MOUNT_TYPE if any(mount.type for one in edits for mount in one.mounts or ()) else _FIRST


def _conflicts(files: Sequence[CdiFile]) -> list[tuple[str, tuple[str, ...]]]:
    givers: dict[str, list[str]] = {}
    for file in files:
        for device in file.spec.devices if file.spec else ():
            paths = givers.setdefault(device.name, [])
            if file.path not in paths:
                paths.append(file.path)
    return [(name, tuple(paths)) for name, paths in givers.items() if len(paths) > 1]


__all__ = [
    "FOLDERS",
    "LIMIT_BYTES",
    "CdiDevice",
    "CdiFile",
    "CdiFiles",
    "CdiSpec",
    "parse",
    "read_files",
    "version_key",
]
