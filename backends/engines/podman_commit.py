"""An image that has a committed one's layers and its base image's configuration, as an archive to load. Pure.

The archive holds the configuration only: its layers are empty files, of which Podman opens none whose digest its store
has (containers/image, docker/internal/tarfile/src.go and storage/storage_dest.go, TryReusingBlob); one that it had not
would not match its digest and be refused. What Podman does not tell of an image is lost: ONBUILD and SHELL, which only
builds read.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from backends.model.reference import full_reference

_CONFIG_KEYS = (
    *("User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal"),
    *("Healthcheck", "OnBuild", "Shell", "ArgsEscaped"),
)
"""What of an image's configuration says something. Source: OCI image-spec, config.md; Docker image spec 1.3."""


def own_config(image: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of an image, of GET /libpod/images/{name}/json, which tells the health check beside it."""
    config = dict(image.get("Config") or {})
    config.setdefault("Healthcheck", image.get("Healthcheck"))
    return {key: config[key] for key in _CONFIG_KEYS if config.get(key)}


def archive_of(made: Mapping[str, Any], base: Mapping[str, Any], reference: str) -> bytes:
    """A docker-archive. made: the committed image; base: the image that the container ran."""
    layers = [str(layer) for layer in made["RootFS"]["Layers"]]
    step = {"created": made["Created"], "created_by": "tranship: the files of a container"}
    config: dict[str, Any] = {
        "architecture": base.get("Architecture") or "",
        "os": base.get("Os") or "linux",
        "created": made["Created"],
        "config": own_config(base),
        "rootfs": {"type": "layers", "diff_ids": layers},
        "history": [*(base.get("History") or ()), step],
    }
    data = json.dumps(config, sort_keys=True).encode()
    name = f"{hashlib.sha256(data).hexdigest()}.json"
    paths = [f"{at:03d}/layer.tar" for at in range(len(layers))]
    index = json.dumps([{"Config": name, "RepoTags": [full_reference(reference)], "Layers": paths}]).encode()
    made_of = io.BytesIO()
    with tarfile.open(fileobj=made_of, mode="w") as archive:
        for file, content in ((name, data), ("manifest.json", index), *((path, b"") for path in paths)):
            member = tarfile.TarInfo(file)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made_of.getvalue()


__all__ = ["archive_of", "own_config"]
