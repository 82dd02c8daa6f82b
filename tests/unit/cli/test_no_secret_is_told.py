"""A secret of a container or a volume is in no answer that did not ask for it."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backends.engines import demo_fleet
from backends.engines.demo import DemoEngine
from backends.engines.demo_volumes import DemoVolume
from tests.thorough import thorough
from tests.unit.cli.demo import demo, document

CANARY = "hunter2canary"
NAME = "vllm-qwen2.5-7b"
"""Runs on the demo's Podman, with a GPU."""
SHARE = "share"
"""A volume on both, of a file server with a password."""


@pytest.fixture(autouse=True)
def holding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo fleet, a container of which holds secrets."""
    plain = demo_fleet.demo_engines

    def with_secrets(**timing: Any) -> tuple[DemoEngine, DemoEngine]:
        engines = plain(**timing)
        for engine in engines:
            for container in engine.world.containers.values():
                if container.spec.name == NAME:
                    container.spec = replace(
                        container.spec,
                        env={**container.spec.env, "HF_TOKEN": CANARY, "DATABASE_URL": f"postgres://u:{CANARY}@db/x"},
                        command=(*(container.spec.command or ()), "--api-key", CANARY, f"--password={CANARY}"),
                        labels={**container.spec.labels, "deploy.token": CANARY},
                    )
            engine.world.volumes[SHARE] = DemoVolume(
                SHARE, {"deploy.token": CANARY}, {"type": "cifs", "o": f"username=me,password={CANARY}"}
            )
        return engines

    monkeypatch.setattr(demo_fleet, "demo_engines", with_secrets)


PLAN = ("migrate", NAME, "--from", "demo-podman", "--to", "demo-docker", "--plan")
MORE = (
    ("doctor",),
    ("gpus",),
    ("images",),
    ("links", NAME),
    ("advise", NAME),
    ("security", NAME),
    ("rename", NAME, "b"),
)
INSPECTED = ("volume", "inspect", SHARE, "--engine", "demo-docker")
ASKED_NOTHING = (
    PLAN,
    INSPECTED,
    (*INSPECTED, "--json"),
    *((*words, "--json") for words in (("ps",), PLAN, ("restart", NAME))),
    *thorough(("ps",), *((*words, "--json") for words in MORE)),
)


@pytest.mark.parametrize("argv", ASKED_NOTHING, ids=" ".join)
def test_it_is_in_no_answer(
    argv: tuple[str, ...],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with caplog.at_level(logging.DEBUG):
        result = demo(*argv)
    assert result.exit_code in {0, 1, 4}, result.stderr
    assert CANARY not in result.stdout
    assert CANARY not in result.stderr
    assert CANARY not in caplog.text
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path


def test_whoever_asks_gets_it() -> None:
    rows = document("ps", "--secrets")["containers"]
    (row,) = [row for row in rows if row["name"] == NAME]
    assert row["labels"]["deploy.token"] == CANARY
    assert CANARY in demo("export", NAME).stdout
