"""Names, labels, logs, errors and image histories that would obey a terminal: no command lets them through."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from backends.engines import demo_fleet
from backends.engines.demo import DemoEngine
from backends.engines.demo_images import BuildStep, build
from backends.engines.demo_program import Said, Script
from backends.model.container import LogStream
from backends.model.errors import Conflict, Unreachable
from tests.unit.cli.objects import EVIL
from tui.cli.root import tranship

VICTIM = "rag-redis"
CLEAN = demo_fleet.demo_engines


def _poisoned() -> tuple[DemoEngine, DemoEngine]:
    docker, podman = CLEAN()
    world = podman.world
    container = world.container(VICTIM)
    evil = build([f"quay.io/{EVIL}:1"], [BuildStep(EVIL, 100)], {"Env": []}, container.created_at)
    podman.actions.add_image(evil)
    container.image_id = evil.id
    container.spec = replace(
        container.spec, image=f"quay.io/{EVIL}:1", labels={EVIL: EVIL}, env={EVIL: EVIL}, user=EVIL, command=(EVIL,)
    )
    container.argv = (EVIL,)
    container.program = Script((Said(0.0001, LogStream.STDOUT, EVIL), Said(0.0002, LogStream.STDERR, EVIL)), None)
    for other in world.containers.values():
        if other is not container:
            other.spec = replace(other.spec, name=EVIL, image=EVIL)
    podman.faults.fail("pause", Conflict(EVIL, detail=EVIL, hint=EVIL, engine=podman.id))
    docker.faults.fail("connect", Unreachable(EVIL, detail=EVIL, hint=EVIL, engine=docker.id))
    return docker, podman


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["ps"],
        ["ps", "--stats"],
        ["engines"],
        ["gpus"],
        ["gpus", "--metrics"],
        ["doctor"],
        ["logs", VICTIM],
        ["layers", f"quay.io/{EVIL}:1", "--engine", "demo-podman"],
        ["pause", VICTIM],
        ["stop", VICTIM],
        ["stop", EVIL],
        ["rename", VICTIM, EVIL],
        ["ps", "--engine", EVIL],
        [EVIL],
        ["ps", f"--{EVIL}"],
    ],
    ids=" ".join,
)
def test_nothing_that_a_terminal_obeys_comes_out(argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_fleet, "demo_engines", _poisoned)
    for form in ([], ["--json"]):
        result = CliRunner().invoke(tranship, ["--demo", *form, *argv])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert all(letter.isprintable() or letter == "\n" for letter in result.stdout + result.stderr)


def test_the_texts_themselves_come_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its controls in words, and whole in JSON: else the test above would pass for an empty answer."""
    monkeypatch.setattr(demo_fleet, "demo_engines", _poisoned)
    assert "red second" in CliRunner().invoke(tranship, ["--demo", "logs", VICTIM]).stdout
    line = CliRunner().invoke(tranship, ["--demo", "logs", VICTIM, "--json"]).stdout.splitlines()[0]
    assert json.loads(line)["text"] == EVIL
