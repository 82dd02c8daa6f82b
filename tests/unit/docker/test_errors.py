"""Messages of real engines become plain titles with a next step."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines.docker_errors import explain
from backends.model.errors import BackendError
from backends.model.ids import EngineId, EngineKind
from tests.unit.docker.recorded import recorded

ENGINE = EngineId(EngineKind.DOCKER, "docker")


@pytest.mark.parametrize("case", recorded("errors"), ids=lambda case: case["title"])
def test_recorded_messages(case: dict[str, Any]) -> None:
    error = explain(case["message"], ENGINE, lambda container: container[:12] if len(container) == 64 else container)
    assert error is not None
    assert (type(error).__name__, error.title) == (case["kind"], case["title"])
    assert error.detail == case["message"]
    assert error.engine == ENGINE


def test_the_name_that_people_know_stands_in_the_title() -> None:
    error = explain(f"Container {'ab' * 32} is not running", ENGINE, lambda _: "web")
    assert error is not None
    assert error.title == "Container web is not running"


def test_gpus_have_a_next_step() -> None:
    error = explain('could not select device driver "" with capabilities: [[gpu]]', ENGINE)
    assert error is not None
    assert "nvidia-container-toolkit" in error.hint
    assert "CDI" in error.hint


@given(st.text())
def test_any_message_is_known_or_not(message: str) -> None:
    error = explain(message, ENGINE)
    assert error is None or isinstance(error, BackendError)


@given(st.sampled_from(recorded("errors")), st.text("{}%$[]\\", max_size=6))
def test_braces_in_a_message_do_no_harm(case: dict[str, Any], odd: str) -> None:
    assert explain(f"{case['message']}{odd}", ENGINE, lambda container: f"{odd}{container}") is not None
