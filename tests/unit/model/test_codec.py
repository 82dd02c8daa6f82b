"""The codec: whatever the model can hold comes back equal, and nothing else is read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.model.capabilities import Capabilities, Capability, EngineInfo
from backends.model.codec import SCHEMA, from_json, to_json
from backends.model.container import Container, ContainerState, ExecResult, StatsReading
from backends.model.errors import Protocol
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.plan import Check, MigrationReport, Plan
from backends.model.settings import HealthSpec
from backends.model.values import Missing
from backends.model.workload import GpuRequest, WorkloadSpec
from tests.unit.model.instances import instances

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
SPEC = WorkloadSpec("web", "docker.io/library/web:1", health=HealthSpec(("CMD", "true"), startup=HealthSpec(("NONE",))))


@given(instances(WorkloadSpec))
@SLOW
def test_any_recipe_comes_back_equal(spec: WorkloadSpec) -> None:
    text = to_json(spec)
    assert text.isascii()
    assert from_json(WorkloadSpec, text) == spec


@given(instances(Plan))
@SLOW
def test_any_plan_comes_back_equal(plan: Plan) -> None:
    assert from_json(Plan, to_json(plan)) == plan


@given(instances(MigrationReport))
@SLOW
def test_any_report_comes_back_equal(report: MigrationReport) -> None:
    assert from_json(MigrationReport, to_json(report)) == report


def test_times_bytes_and_readings_that_are_missing_come_back() -> None:
    key = ContainerKey(EngineId(EngineKind.PODMAN, "podman"), "1" * 64)
    seen = Container(key, "web", "web:1", "2" * 64, ContainerState.EXITED, datetime(2026, 1, 2, 3, 4, 5, 678901, UTC))
    assert from_json(Container, to_json(seen)) == seen
    said = ExecResult(3, b"\x00\xff", b"")
    assert from_json(ExecResult, to_json(said)) == said
    reading = StatsReading(key, 1.5, cpu_percent=Missing("no cgroup"), memory_bytes=7)
    assert from_json(StatsReading, to_json(reading)) == reading
    info = EngineInfo("1", "2", True, False, capabilities=Capabilities(MappingProxyType({Capability.CDI: "too old"})))
    assert from_json(EngineInfo, to_json(info)).capabilities.why_not(Capability.CDI) == "too old"


def test_a_field_that_is_not_there_has_its_default() -> None:
    document = json.loads(to_json(SPEC))
    del document["value"]["tty"]
    assert from_json(WorkloadSpec, json.dumps(document)) == SPEC


def _with(path: str, value: object) -> str:
    document = json.loads(to_json(replace(SPEC, gpu=GpuRequest(), mounts=())))
    *parents, last = path.split(".")
    inside = document
    for name in parents:
        inside = inside[name]
    inside[last] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("schema", SCHEMA + 1, "a newer Tranship has written it"),
        ("schema", True, "schema True"),
        ("kind", "Plan", "it is a 'Plan'"),
        ("more", 1, "nothing else"),
        ("value.colour", "red", "unknown field $.colour"),
        ("value.gpu.colour", "red", "unknown field $.gpu.colour"),
        ("value.mounts", [{"kind": "volume", "source": "a", "destination": "/a", "x": 1}], "$.mounts[0].x"),
        ("value.mounts", [{"kind": "volume", "source": "a"}], "destination"),
        ("value.mounts", [{"kind": "floppy", "source": "a", "destination": "/a"}], "floppy"),
        ("value.tty", 1, "bool"),
        ("value.memory_bytes", "12", "memory_bytes"),
        ("value.memory_bytes", 1.5, "memory_bytes"),
        ("value.env", {"a": None}, "env"),
        ("value.name", None, "$.name"),
        ("value", [], "object"),
    ],
)
def test_what_is_not_as_written_is_refused(path: str, value: object, said: str) -> None:
    with pytest.raises(Protocol) as caught:
        from_json(WorkloadSpec, _with(path, value))
    assert "WorkloadSpec" in caught.value.title
    assert said in f"{caught.value.detail} {caught.value.hint}"


@pytest.mark.parametrize("text", ["", "[", "[]", "null", "\x00", "[" * 100_000, '{"schema": 1}'])
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(Protocol):
        from_json(Check, text)


@given(st.data())
@SLOW
def test_a_text_that_is_cut_is_refused(data: st.DataObject) -> None:
    text = to_json(SPEC)
    with pytest.raises(Protocol):
        from_json(WorkloadSpec, text[: data.draw(st.integers(0, len(text) - 1))])


def test_what_has_no_form_is_a_bug_of_ours() -> None:
    with pytest.raises(TypeError, match="object has no form"):
        to_json(object())
