"""Volumes, networks and files → plain JSON values, schema 1. Pure; as schema.py has it."""

from __future__ import annotations

from typing import Any

from backends.model.files import FileEntry, Folder
from backends.model.secrets import masked_option, masked_value
from backends.model.stores import NetworkRow, VolumeRow
from tui.cli.schema import readings, time_text


def volume(row: VolumeRow) -> dict[str, Any]:
    """A volume. Its size is null where nobody counted, the reason under "missing"."""
    seen = row.volume
    return {
        "engine": row.key.engine.name,
        "name": seen.name,
        "driver": seen.driver,
        "anonymous": seen.anonymous,
        "mountpoint": seen.mountpoint or None,
        "created_at": time_text(seen.created_at),
        "labels": {name: masked_value(name, value) for name, value in seen.labels.items()},
        "options": {name: masked_option(name, value) for name, value in seen.driver_options.items()},
        "containers": list(row.users),
        "why": seen.why or None,
        "dangling": row.removable,
        **readings({"size_bytes": row.size_bytes}),
    }


def network(row: NetworkRow) -> dict[str, Any]:
    """A network. "default": the engine's own."""
    spec = row.network.spec
    return {
        "engine": row.key.engine.name,
        "id": row.network.id,
        "name": spec.name,
        "driver": spec.driver,
        "default": row.network.default,
        "internal": spec.internal,
        "ipv6": spec.ipv6,
        "dns": spec.dns,
        "subnets": [
            {"subnet": one.subnet, "gateway": one.gateway or None, "ip_range": one.ip_range or None}
            for one in spec.subnets
        ],
        "created_at": time_text(row.network.created_at),
        "labels": {name: masked_value(name, value) for name, value in spec.labels.items()},
        "options": {name: masked_option(name, value) for name, value in spec.options.items()},
        "containers": list(row.users),
        "why": row.network.why or None,
        "dangling": row.removable,
    }


def folder(seen: Folder) -> dict[str, Any]:
    """A folder's entries. Names that are no UTF-8 hold lone surrogates, escaped."""
    return {"path": seen.path, "entries": [_entry(one) for one in seen.entries]}


def _entry(one: FileEntry) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind.value,
        "size_bytes": one.size_bytes,
        "mode": f"{one.mode:04o}",
        "uid": one.uid,
        "gid": one.gid,
        "modified_at": time_text(one.modified_at),
        "target": one.target or None,
    }
