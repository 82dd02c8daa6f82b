"""A committed image under the configuration of the image that the container ran."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import Any

from backends.engines.commit_archive import committed, own_config
from backends.engines.podman_images import inherited
from tests.unit.podman.recorded import recorded


def _files(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {head.name: tar.extractfile(head).read() for head in tar}  # type: ignore[union-attr]  # plain files


def test_the_archive_has_the_base_images_configuration_and_the_committed_layers() -> None:
    base: dict[str, Any] = recorded("rootful", "image-web")
    base["Healthcheck"] = {"Test": ["CMD", "true"]}
    layers = [*base["RootFS"]["Layers"], "sha256:" + "ab" * 32]
    made = {
        "RootFS": {"Layers": layers},
        "Created": "2026-11-27T18:45:52.5Z",
        "Config": {"Env": ["SECRET=1"], "Labels": {"of": "the container"}},
    }
    steps = [*base["History"], {"created": made["Created"]}]
    files = _files(committed(made, base, inherited(base), steps, "docker.io/x/y:1", empty_layers=True))
    index = json.loads(files["manifest.json"])[0]
    assert index["RepoTags"] == ["docker.io/x/y:1"]
    assert [files[path] for path in index["Layers"]] == [b""] * len(layers)
    config = files[index["Config"]]
    assert index["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
    said = json.loads(config)
    assert said["rootfs"]["diff_ids"] == layers
    assert said["config"] == own_config(inherited(base))
    assert said["config"]["Healthcheck"] == {"Test": ["CMD", "true"]}
    assert "SECRET" not in config.decode()
    filled = [step for step in said["history"] if not step.get("empty_layer")]
    assert len(filled) == len(layers)
