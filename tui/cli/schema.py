"""Model → plain JSON values, schema 1. Pure; every key is written out, so that a renamed field changes no output.

A reading that is missing is null, and its reason stands under "missing" by the same key. Times are ISO 8601 in UTC,
sizes bytes, and an absent value is null, never "".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from backends.model.secrets import masked_value, masked_words
from backends.model.values import Missing

if TYPE_CHECKING:
    from backends.model.container import Container, LogLine, StatsReading
    from backends.model.errors import BackendError
    from backends.model.fleet import EngineView
    from backends.model.image import LayerReport
    from backends.model.plan import Check, Finding, MigrationReport, Plan

SCHEMA = 1
"""Grows when a key changes its meaning or goes away; new keys do not change it."""


def document(**content: Any) -> dict[str, Any]:
    """One answer of the program."""
    return {"schema": SCHEMA, **content}


def error(failure: BackendError | None) -> dict[str, Any] | None:
    """A failure, null where there is none. kind: the class of the error tree."""
    if failure is None:
        return None
    return {
        "kind": type(failure).__name__,
        "title": failure.title,
        "detail": failure.detail,
        "hint": failure.hint,
        "engine": failure.engine.name if failure.engine else None,
    }


def finding(one: Finding) -> dict[str, Any]:
    """What was found before something is done."""
    return {"severity": one.severity.value, "title": one.title, "detail": one.detail, "remedy": one.remedy}


def container(seen: Container, stats: StatsReading | None = None, *, secrets: bool = False) -> dict[str, Any]:
    """A container; "stats" only where a reading is given. secrets: with what looks like one, in command and labels."""
    plain: dict[str, Any] = {
        "engine": seen.key.engine.name,
        "id": seen.key.id,
        "name": seen.name,
        "image": seen.image,
        "image_id": seen.image_id,
        "state": seen.state.value,
        "health": seen.health.value,
        "exit_code": seen.exit_code,
        "created_at": time_text(seen.created_at),
        "started_at": time_text(seen.started_at),
        "finished_at": time_text(seen.finished_at),
        "command": list(seen.command) if secrets else masked_words(seen.command),
        "ports": [
            {
                "container_port": port.container_port,
                "protocol": port.protocol,
                "host_ip": port.host_ip or None,
                "host_port": port.host_port,
            }
            for port in seen.ports
        ],
        "mounts": [
            {
                "kind": mount.kind.value,
                "source": mount.source,
                "destination": mount.destination,
                "read_only": mount.read_only,
            }
            for mount in seen.mounts
        ],
        "labels": {name: value if secrets else masked_value(name, value) for name, value in seen.labels.items()},
        "networks": list(seen.networks),
        "gpus": list(seen.gpus_given),
        "restarts": seen.restarts,
        "why": seen.why or None,
        "pod": seen.pod or None,
        "project": seen.project or None,
    }
    if stats is not None:
        plain["stats"] = readings(
            {
                "cpu_percent": stats.cpu_percent,
                "memory_bytes": stats.memory_bytes,
                "memory_limit_bytes": stats.memory_limit_bytes,
                "net_rx_bytes_per_s": stats.net_rx_bytes_per_s,
                "net_tx_bytes_per_s": stats.net_tx_bytes_per_s,
                "block_read_bytes_per_s": stats.block_read_bytes_per_s,
                "block_write_bytes_per_s": stats.block_write_bytes_per_s,
                "processes": stats.processes,
            }
        )
    return plain


def engine(view: EngineView) -> dict[str, Any]:
    """An engine; "info" is null where it did not answer."""
    info = view.info
    return {
        "name": view.id.name,
        "kind": view.id.kind.value,
        "endpoint": view.endpoint or None,
        "link": view.connection.link.value,
        "error": error(view.connection.error),
        "info": None
        if info is None
        else {
            "version": info.version,
            "api_version": info.api_version,
            "rootless": info.rootless,
            "local": info.local,
            "os": info.os,
            "arch": info.arch,
            "kernel": info.kernel,
            "cgroup_version": info.cgroup_version,
            "cpus": info.cpus,
            "memory_bytes": info.memory_bytes,
            "graph_root": info.graph_root,
            "cdi_devices": list(info.cdi_devices),
            "lacking": {capability.value: why for capability, why in info.capabilities.lacking.items()},
        },
    }


def layers(report: LayerReport) -> dict[str, Any]:
    """An image's layers, base first."""
    return {
        "engine": report.key.engine.name,
        "image_id": report.key.id,
        "reference": report.reference,
        "architecture": report.architecture or None,
        "total_bytes": report.total_bytes,
        "layers": [
            {
                "diff_id": layer.diff_id or None,
                "size_bytes": layer.size_bytes,
                "created_at": time_text(layer.created_at),
                "command": layer.command,
                "comment": layer.comment,
            }
            for layer in report.layers
        ],
    }


def log_line(line: LogLine, of: Container) -> dict[str, Any]:
    """One line of a log; "at" is null unless times were asked for."""
    return {
        "engine": of.key.engine.name,
        "container": of.name,
        "stream": line.stream.value,
        "at": time_text(line.at),
        "text": line.text,
    }


def plan(drawn: Plan) -> dict[str, Any]:
    """A migration's plan. Values of the environment are not in it, only what the fields say of them."""
    return {
        "source": {"engine": drawn.source.engine.name, "id": drawn.source.id, "name": drawn.source_name},
        "target": {"engine": drawn.target.name, "name": drawn.spec.name},
        "source_running": drawn.source_running,
        "image": drawn.spec.image,
        "image_way": _way(drawn),
        "networks": [{"name": move.name, "created": move.create is not None} for move in drawn.networks],
        "blocked": drawn.blocked,
        "volumes": [{"source": move.source_name, "target": move.create.name} for move in drawn.volumes],
        "shared_volumes": list(drawn.shared),
        "fields": [
            {
                "field": field.field,
                "verdict": field.verdict.value,
                "source": field.source,
                "target": field.target,
                "reason": field.reason,
            }
            for field in drawn.fields
        ],
        "findings": [finding(one) for one in drawn.findings],
        "steps": [
            {
                "kind": step.kind.value,
                "title": step.title,
                "subject": step.subject,
                "total_bytes": step.total_bytes,
                "skip": step.skip or None,
                "how": step.how or None,
            }
            for step in drawn.steps
        ],
    }


def report(done: MigrationReport) -> dict[str, Any]:
    """What a migration did and proved."""
    return {
        "target_id": done.target_id,
        "equal": done.equal,
        "moved_bytes": done.moved_bytes,
        "duration_s": round(done.duration_s, 3),
        "downtime_s": None if done.downtime_s is None else round(done.downtime_s, 3),
        "healthy_s": None if done.healthy_s is None else round(done.healthy_s, 3),
        "journal": done.journal,
        "notes": list(done.notes),
        "checks": [check(one) for one in done.checks],
    }


def check(made: Check) -> dict[str, Any]:
    """One comparison; "skipped" says why it could not be made, null where it was."""
    return {
        "subject": made.subject,
        "equal": made.equal,
        "source": made.source,
        "target": made.target,
        "skipped": made.skipped or None,
    }


def _way(drawn: Plan) -> dict[str, Any] | None:
    """How the image travels; null where it does not."""
    from backends.model.plan import ImageAction  # of commands that have a plan, and so have loaded it

    image = drawn.image
    if image is None or image.action is not ImageAction.SHIP:
        return None
    return {"way": image.way.value, "why": image.why, "missing_bytes": image.missing_bytes}


def readings(values: Mapping[str, float | str | Missing]) -> dict[str, Any]:
    """Values by key, null where missing, and the reasons under "missing"."""
    numbers = {name: None if isinstance(value, Missing) else value for name, value in values.items()}
    return {
        **numbers,
        "missing": {name: value.reason for name, value in values.items() if isinstance(value, Missing)},
    }


def time_text(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, with "Z"."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
