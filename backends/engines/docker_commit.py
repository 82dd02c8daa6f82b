"""An image that has a committed one's layers and its base image's configuration, as an archive to load. Pure.

The archive holds the configuration only: Docker's load asks its layer store first, and reads a layer's file only where
the store lacks it (moby image/tarexport/load.go).
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

from backends.engines.docker_history import layer_report
from backends.model.ids import EngineId, EngineKind, ImageKey

_CONFIG_KEYS = (
    *("User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal"),
    *("Healthcheck", "OnBuild", "Shell", "ArgsEscaped"),
)
"""What of an image's configuration says something. Source: OCI image-spec, config.md; Docker image spec 1.3."""
_NOWHERE = ImageKey(EngineId(EngineKind.DOCKER, "commit"), "")


def own_config(image: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of an image, of GET /images/{name}/json, without what says nothing."""
    config = image.get("Config") or {}
    return {key: config[key] for key in _CONFIG_KEYS if config.get(key)}


def archive_of(
    made: Mapping[str, Any], base: Mapping[str, Any], history: Sequence[Mapping[str, Any]], reference: str
) -> bytes:
    """A docker-archive. made: the committed image; base: the image that the container ran; history: of `made`."""
    layers = [str(layer) for layer in made["RootFS"]["Layers"]]
    report = layer_report(_NOWHERE, reference, made, history)
    steps: list[dict[str, Any]] = []
    for layer in report.layers:
        step: dict[str, Any] = {"created_by": layer.command}
        if layer.created_at is not None:
            step["created"] = layer.created_at.isoformat().replace("+00:00", "Z")
        steps.append(
            step
            | ({"comment": layer.comment} if layer.comment else {})
            | ({"empty_layer": True} if layer.empty else {})
        )
    if steps:
        steps[-1]["created_by"] = "tranship: the files of a container"  # Docker writes its command line here
    config: dict[str, Any] = {
        "architecture": base.get("Architecture") or "",
        "os": base.get("Os") or "linux",
        "created": made.get("Created"),
        "config": own_config(base),
        "rootfs": {"type": "layers", "diff_ids": layers},
        "history": steps,
    }
    if base.get("Variant"):
        config["variant"] = base["Variant"]
    data = json.dumps(config, sort_keys=True).encode()
    name = f"{hashlib.sha256(data).hexdigest()}.json"
    paths = [f"{layer.removeprefix('sha256:')}/layer.tar" for layer in layers]
    index = json.dumps([{"Config": name, "RepoTags": [reference], "Layers": paths}]).encode()
    made_of = io.BytesIO()
    with tarfile.open(fileobj=made_of, mode="w") as archive:
        for file, content in ((name, data), ("manifest.json", index)):
            member = tarfile.TarInfo(file)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made_of.getvalue()


__all__ = ["archive_of", "own_config"]
