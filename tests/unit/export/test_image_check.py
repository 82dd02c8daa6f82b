"""What makes containers without the image's own health check is told the check: Quadlet's Podman, and Kubernetes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backends.export.exported import Member
from backends.export.run_lines import run_lines
from backends.model.ids import EngineId, EngineKind, ImageKey
from backends.model.image import ImageFacts
from backends.model.settings import HealthSpec
from backends.model.workload import WorkloadSpec
from backends.services.exports import Target, export

IMAGE = ImageFacts(
    ImageKey(EngineId(EngineKind.DOCKER, "docker"), "ab" * 32), (), "", (), "amd64", "linux", 1,
    HealthSpec(("CMD", "look", "well")),
)  # fmt: skip
MEMBER = Member(WorkloadSpec("web", "docker.io/test/web:1"), EngineKind.DOCKER, image=IMAGE)


@pytest.mark.parametrize(("target", "word"), [(Target.QUADLET, "HealthCmd="), (Target.KUBERNETES, "readinessProbe:")])
def test_the_images_check_is_said_where_it_would_be_lost(target: Target, word: str) -> None:
    text = export(target, [MEMBER]).files[0].text
    assert word in text
    assert "well" in text
    assert word not in export(target, [replace(MEMBER, image=None)]).files[0].text
    own = replace(MEMBER, spec=replace(MEMBER.spec, health=HealthSpec(("NONE",))))
    assert "well" not in export(target, [own]).files[0].text


def test_a_line_for_its_own_engine_leaves_it_to_the_image() -> None:
    assert "--health" not in run_lines([MEMBER]).files[0].text
