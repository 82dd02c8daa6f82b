"""`tranship advise` on the demo fleet."""

from __future__ import annotations

import pytest

from backends.engines.demo import DemoEngine
from backends.model.advice import RULE
from backends.model.errors import Unreachable
from tests.unit.cli.demo import demo, document


def test_advice_as_json() -> None:
    given = document("advise", "vllm-qwen2.5-7b")["advice"]
    assert (given["engine"], given["best"], given["rule"]) == ("demo-podman", "demo-podman", RULE)
    assert {one["engine"] for one in given["candidates"]} == {"demo-docker", "demo-podman"}
    assert {"GPU", "limits", "image", "settings", "rootless"} <= {one["topic"] for one in given["statements"]}
    assert all(one["source"] and one["value"] for one in given["statements"])


def test_the_verdict_comes_first_then_its_rule() -> None:
    verdict, rule, _, header, *rows = demo("advise", "tensorboard").stdout.splitlines()
    assert verdict.startswith("demo-docker serves tensorboard best")
    assert rule == f"rule: {RULE}"
    assert header.split() == ["ENGINE", "TOPIC", "STATEMENT", "READ"]
    assert any("has its image" in row for row in rows)


def test_an_engine_that_cannot_be_asked_is_no_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = DemoEngine.list_images

    async def silent(self: DemoEngine, *, nameless: bool = False) -> object:
        if self.id.name == "demo-podman":
            raise Unreachable("connection lost", engine=self.id)
        return await listed(self, nameless=nameless)

    monkeypatch.setattr(DemoEngine, "list_images", silent)
    given = document("advise", "tensorboard")["advice"]
    assert [one["engine"] for one in given["candidates"]] == ["demo-docker"]
    [said] = [one for one in given["statements"] if one["engine"] == "demo-podman"]
    assert "connection lost" in said["sentence"]
    assert demo("advise", "rag-redis").exit_code == 3
    assert demo("advise", "nobody").exit_code == 1
