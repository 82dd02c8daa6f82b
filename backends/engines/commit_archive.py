"""Images as archives to load that hold a configuration only: of layers that the engine's store has. Pure.

So a committed container's layers get its base image's configuration, where both engines' commits write the container's.
Docker's load asks its layer store first, and reads a layer's file only where the store lacks it (moby,
image/tarexport/load.go). Podman wants to find the files, and opens none whose digest its store has (containers/image,
docker/internal/tarfile/src.go and storage/storage_dest.go, TryReusingBlob); one that it had not would not match its
digest and be refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

_CONFIG_KEYS = (
    *("User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal"),
    *("Healthcheck", "OnBuild", "Shell", "ArgsEscaped"),
)
"""What of an image's configuration says something. Source: OCI image-spec, config.md; Docker image spec 1.3."""

_COMMIT = "tranship: the files of a container"
"""For the step of the commit; the engines write the container's command line there."""

Json = Mapping[str, Any]


def own_config(config: Json) -> dict[str, Any]:
    """The part of an image's configuration that containers inherit, without what says nothing."""
    return {key: config[key] for key in _CONFIG_KEYS if config.get(key)}


def committed(
    made: Json, base: Json, config: Json, steps: Sequence[Json], reference: str, *, empty_layers: bool = False
) -> bytes:
    """A docker-archive. made: the committed image; base: the image that the container ran; both as inspect tells them.

    config: what containers of the base inherit. steps: of the committed image's history, base first, the commit's last
    (Docker's has no layer where the container changed nothing). empty_layers: put files in the layers' places.
    """
    layers = [str(layer) for layer in made["RootFS"]["Layers"]]
    said = [*steps[:-1], *({**step, "created_by": _COMMIT} for step in steps[-1:])]
    told: dict[str, Any] = {
        "architecture": base.get("Architecture") or "",
        "os": base.get("Os") or "linux",
        "created": made.get("Created"),
        "config": own_config(config),
        "rootfs": {"type": "layers", "diff_ids": layers},
        "history": said,
    }
    if base.get("Variant"):
        told["variant"] = base["Variant"]
    return archive(told, reference, empty_layers=empty_layers)


def archive(config: Json, reference: str, *, empty_layers: bool = False) -> bytes:
    """A docker-archive of the image with this configuration, under that name. empty_layers: as above."""
    data = json.dumps(config, sort_keys=True).encode()
    name = f"{hashlib.sha256(data).hexdigest()}.json"
    layers = [f"{at:03d}/layer.tar" for at in range(len(config["rootfs"]["diff_ids"]))]
    index = json.dumps([{"Config": name, "RepoTags": [reference], "Layers": layers}]).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for file, content in (
            (name, data),
            ("manifest.json", index),
            *((path, b"") for path in layers if empty_layers),
        ):
            member = tarfile.TarInfo(file)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


__all__ = ["archive", "committed", "own_config"]
