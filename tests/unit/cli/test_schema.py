"""JSON of schema 1: every key stands here, so that none changes unseen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from backends.model.capabilities import Capabilities, Capability, EngineInfo
from backends.model.container import LogLine, LogStream, Port, StatsReading
from backends.model.errors import Conflict
from backends.model.events import ConnectionState, Link
from backends.model.fleet import EngineView
from backends.model.ids import ImageKey
from backends.model.image import Layer, LayerReport
from backends.model.values import Missing
from tests.unit.cli.objects import DOCKER, EVIL, container, plan, report
from tui.cli import schema


def test_document_has_the_schemas_number() -> None:
    assert schema.document(a=1) == {"schema": 1, "a": 1}


def test_container() -> None:
    row = container("web", ports=(Port(80, "tcp", "", 8080), Port(53, "udp", "127.0.0.1", None)))
    assert schema.container(row) == {
        "engine": "docker",
        "id": "a" * 64,
        "name": "web",
        "image": "docker.io/test/web:1",
        "image_id": "f" * 64,
        "state": "running",
        "health": "none",
        "exit_code": None,
        "created_at": "2026-01-02T03:04:05Z",
        "started_at": None,
        "finished_at": None,
        "command": [],
        "ports": [
            {"container_port": 80, "protocol": "tcp", "host_ip": None, "host_port": 8080},
            {"container_port": 53, "protocol": "udp", "host_ip": "127.0.0.1", "host_port": None},
        ],
        "mounts": [],
        "labels": {},
        "networks": [],
        "gpus": [],
        "restarts": None,
        "why": None,
        "pod": None,
        "project": None,
    }


def test_what_looks_like_a_secret_is_told_to_whoever_asks_for_it() -> None:
    labels = {"deploy.token": "hunter2", "tier": "a"}
    row = replace(container("web"), command=("serve", "--token", "hunter2"), labels=labels)
    plain, asked = schema.container(row), schema.container(row, secrets=True)
    assert (plain["command"], plain["labels"]) == (["serve", "--token", "••••"], {"deploy.token": "••••", "tier": "a"})
    assert (asked["command"], asked["labels"]) == (["serve", "--token", "hunter2"], labels)


def test_a_missing_reading_is_null_with_its_reason() -> None:
    row = container("web")
    stats = StatsReading(row.key, 1.0, cpu_percent=12.5, memory_bytes=Missing("no cgroup"))
    plain = schema.container(row, stats)["stats"]
    assert plain["cpu_percent"] == 12.5
    assert plain["memory_bytes"] is None
    assert plain["missing"]["memory_bytes"] == "no cgroup"
    assert "cpu_percent" not in plain["missing"]


def test_engine_with_and_without_an_answer() -> None:
    info = EngineInfo("26.1.5", "1.45", False, True, capabilities=Capabilities({Capability.PAUSE: "cgroup v1"}))
    connected = EngineView(DOCKER, ConnectionState(Link.CONNECTED), info, "unix:///d.sock")
    plain = schema.engine(connected)
    assert (plain["name"], plain["link"], plain["error"]) == ("docker", "connected", None)
    assert plain["info"]["version"] == "26.1.5"
    assert plain["info"]["lacking"] == {"pause": "cgroup v1"}
    lost = schema.engine(EngineView(DOCKER, ConnectionState(Link.LOST, Conflict("busy", hint="wait", engine=DOCKER))))
    assert lost["info"] is None
    assert lost["error"] == {"kind": "Conflict", "title": "busy", "detail": "", "hint": "wait", "engine": "docker"}


def test_layers() -> None:
    made = datetime(2026, 1, 1, tzinfo=UTC)
    layers = (Layer("ADD /", "sha256:1", 10, made), Layer("ENV A=1", "", None, None))
    plain = schema.layers(LayerReport(ImageKey(DOCKER, "f" * 64), "web:1", layers, "amd64"))
    assert plain["total_bytes"] == 10
    assert [layer["diff_id"] for layer in plain["layers"]] == ["sha256:1", None]


def test_log_line_is_escaped_by_json() -> None:
    line = LogLine(LogStream.STDERR, EVIL, datetime(2026, 1, 1, tzinfo=UTC))
    of = container("web")
    assert json.loads(json.dumps(schema.log_line(line, of)))["text"] == EVIL
    assert "\x1b" not in json.dumps(schema.log_line(line, of))


def test_plan_and_report_hold_no_values_of_the_environment() -> None:
    plain: dict[str, Any] = {"plan": schema.plan(plan(blocked=True)), "report": schema.report(report())}
    assert plain["plan"]["blocked"] is True
    assert {field["verdict"] for field in plain["plan"]["fields"]} == {"same", "converted", "dropped"}
    assert plain["plan"]["steps"][1]["skip"] == "nothing to compare"
    assert plain["report"]["equal"] is False
    assert "secret-value" not in json.dumps(plain)
