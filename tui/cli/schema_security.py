"""Security findings and advice → plain JSON values, schema 1. Pure; as schema.py has it."""

from __future__ import annotations

from typing import Any

from backends.model.advice import RULE, Advice
from backends.security.finding import ContainerReport, EngineReport, RootlessReport, SecurityFinding


def container(report: ContainerReport) -> dict[str, Any]:
    """A container's findings, worst first. Capabilities: ["ALL"] = every one."""
    return {
        "engine": report.key.engine.name,
        "id": report.key.id,
        "name": report.name,
        "image": report.image,
        "capabilities": list(report.capabilities),
        "engine_capabilities": list(report.own_capabilities),
        "engine_capabilities_source": report.capabilities_source,
        "unread": list(report.unread),
        "findings": [finding(one) for one in report.findings],
    }


def engine(report: EngineReport) -> dict[str, Any]:
    """An engine's findings, worst first."""
    return {
        "engine": report.engine.name,
        "endpoint": report.endpoint,
        "findings": [finding(one) for one in report.findings],
    }


def rootless(report: RootlessReport) -> dict[str, Any]:
    """What rootless Podman would do otherwise. "imagined": the fleet has none; "basis": what it was judged by."""
    return {
        "engine": report.key.engine.name,
        "name": report.name,
        "target": report.target,
        "imagined": report.imagined,
        "basis": report.basis or None,
        "already": report.already,
        "changes": [
            {"verdict": one.verdict, "what": one.what, "detail": one.detail or None, "remedy": one.remedy or None}
            for one in report.changes
        ],
    }


def advice(given: Advice) -> dict[str, Any]:
    """Statements, counts and verdict about one container. best: null where every engine is blocked."""
    return {
        "engine": given.engine,
        "name": given.name,
        "best": given.best or None,
        "verdict": given.verdict,
        "rule": RULE,
        "candidates": [
            {
                "engine": one.engine,
                "blocks": one.blocks,
                "lacks": one.lacks,
                "rootless": one.rootless,
                "here": one.here,
            }
            for one in given.candidates
        ],
        "statements": [
            {
                "engine": one.engine or None,
                "topic": one.topic,
                "effect": one.effect.value,
                "sentence": one.sentence,
                "source": one.source,
                "value": one.value,
                "remedy": one.remedy or None,
            }
            for one in given.statements
        ],
    }


def finding(one: SecurityFinding) -> dict[str, Any]:
    """One finding. flags: null where no option or setting mends it."""
    return {
        "id": one.id,
        "severity": one.severity.value,
        "title": one.title,
        "field": one.field,
        "fact": one.fact,
        "why": one.why,
        "remedy": one.remedy,
        "flags": one.flags or None,
    }
