"""CDI device names from the specification files that Docker reads, for daemons too old to tell them (API < 1.50).

Reads files: call it in a thread. It needs names only, so YAML is read line by line, never as a whole language.
Source: github.com/cncf-tags/container-device-interface, SPEC.md ("kind", "devices[].name"; .json and .yaml files).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from backends.model.capabilities import EngineInfo

_FILE_LIMIT_BYTES = 4 << 20
_KIND = re.compile(r"^kind:\s*[\"']?([\w./-]+)[\"']?\s*(?:#.*)?$")
_TOP = re.compile(r"^[A-Za-z]\w*:")
_NAME = re.compile(r"^(\s*)(-\s+)?name:\s*[\"']?([\w.:-]+)[\"']?\s*(?:#.*)?$")
_ITEM = re.compile(r"^(\s*)-\s")


def cdi_devices(info: EngineInfo, folders: Sequence[str]) -> EngineInfo:
    """`info` with the device names found in these folders; what cannot be read here gives no names."""
    names: list[str] = []
    for folder in folders:
        for path in _files(Path(folder)):
            names += [name for name in _names(path) if name not in names]
    return replace(info, cdi_devices=tuple(names))


def _files(folder: Path) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix in {".json", ".yaml", ".yml"})
    except OSError:
        return []  # not there, or not ours to read: the engine still knows its devices, only we do not
    return found


def _names(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_FILE_LIMIT_BYTES)
    except OSError:
        return []  # as above
    return list(names_in_json(text) if path.suffix == ".json" else names_in_yaml(text))


def names_in_json(text: str) -> Iterator[str]:
    """Names in a JSON specification; nothing from what is none."""
    try:
        spec = json.loads(text)
    except ValueError:
        return
    if not isinstance(spec, dict) or not isinstance(spec.get("kind"), str):
        return
    devices = spec.get("devices")
    for device in devices if isinstance(devices, list) else ():
        if isinstance(device, dict) and device.get("name"):
            yield f"{spec['kind']}={device['name']}"


def names_in_yaml(text: str) -> Iterator[str]:
    """Names in a YAML specification in block style, as nvidia-ctk and amd-ctk write it."""
    kind, inside, indent = "", False, -1
    names: list[str] = []
    for line in text.splitlines():
        if _TOP.match(line):
            match = _KIND.match(line)
            kind = match[1] if match else kind
            inside, indent = line.startswith("devices:"), -1
            continue
        if not inside:
            continue
        item = _ITEM.match(line)
        if item and indent < 0:
            indent = len(item[1])
        name = _NAME.match(line)
        if name and len(name[1]) + (0 if name[2] is None else len(name[2])) == indent + 2:
            names.append(name[3])
    if kind:
        yield from (f"{kind}={name}" for name in names)


__all__ = ["cdi_devices", "names_in_json", "names_in_yaml"]
