"""Images to a registry and back, without a name left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress

import pytest

from backends.engines.podman import PodmanEngine
from backends.model.errors import NotFound, Protocol
from tests import real

pytestmark = pytest.mark.engines
Fresh = Callable[[str], str]


async def test_an_image_goes_to_a_registry_and_back_and_leaves_no_name(
    engine: PodmanEngine, fresh: Fresh, real_engines: real.RealEngines
) -> None:
    there = f"{real_engines.registry}/{fresh('image')}"
    facts = await engine.image_facts("docker.io/test/web:1")
    await engine.push_image(facts.key.id, f"{there}:1")
    command = "podman" if engine.id.name == "podman" else "podman-rootless"
    name = f"localhost/{fresh('pulled')}:1"
    await engine.tag_image(facts.key.id, name)
    try:
        assert await engine.pull_image(f"{there}:1") == facts.key.id
        shown = real_engines.cli(command, "image", "inspect", facts.key.id, "--format", "{{json .RepoDigests}}")
        pulled = set()
        for digest in {digest.partition("@")[2] for digest in json.loads(shown)}:
            with suppress(Protocol):  # this registry does not know the digests of other places
                pulled.add(await engine.pull_image(f"{there}@{digest}"))
        assert pulled == {facts.key.id}
        assert not [image for image in await engine.list_images() if any(tag.startswith(there) for tag in image.tags)]
        names = real_engines.cli(command, "image", "ls", "--digests", "--format", "{{.Repository}}@{{.Digest}}")
        assert there not in names
        with pytest.raises(Protocol, match="could not pull"):
            await engine.pull_image(f"{there}:none")
        with pytest.raises(NotFound):
            await engine.push_image("localhost/test-nowhere:1", f"{there}:2")
    finally:
        await engine.remove_image(name)
