"""A trial's report → plain JSON values, schema 1. Pure; a missing reading is null, its reason under "missing"."""

from __future__ import annotations

from typing import Any

from backends.model.trial import BY_METRIC, TrialReport
from backends.model.values import Missing
from tui.cli.schema import time_text


def trial(report: TrialReport) -> dict[str, Any]:
    """The whole report. Metrics by id, with their unit; ratios are against the first engine."""
    asked = report.request
    return {
        "subject": report.subject,
        "image": report.image,
        "began_at": time_text(report.began_at),
        "duration_s": report.duration_s,
        "host": report.host,
        "engines": [{"name": id.name, "version": report.versions[id]} for id in asked.engines],
        "rounds_each": asked.rounds,
        "ready_by": report.ready_by.value,
        "ready_pattern": asked.ready_pattern or None,
        "command": list(asked.command) or None,
        "runs_each": asked.runs if asked.command else None,
        "units": {metric: BY_METRIC[metric].unit.value for metric in BY_METRIC},
        "verdict": list(report.verdict),
        "spreads": {
            id.name: {
                metric: {
                    "count": one.count,
                    "median": one.median,
                    "q1": one.q1,
                    "q3": one.q3,
                    "min": one.least,
                    "max": one.most,
                }
                for metric, one in report.spreads[id].items()
            }
            for id in asked.engines
        },
        "comparisons": [
            {
                "metric": one.metric,
                "engine": one.engine.name,
                "against": asked.engines[0].name,
                "judgement": one.judgement.value,
                "ratio": one.ratio,
                "ratio_low": one.low,
                "ratio_high": one.high,
                "p": one.p,
            }
            for one in report.comparisons
        ],
        "density": [
            {
                "engine": one.engine.name,
                "copies": one.copies,
                "reason": one.reason,
                "first_start_s": one.first_start_s,
                "last_start_s": one.last_start_s,
                "bytes_each": None if isinstance(one.bytes_each, Missing) else one.bytes_each,
            }
            for one in report.densities
        ],
        "rounds": [
            {
                "engine": one.engine.name,
                "round": one.number,
                "load": one.load,
                "values": {key: None if isinstance(value, Missing) else value for key, value in one.values.items()},
            }
            for one in report.rounds
        ],
        "missing": {id.name: dict(report.missing[id]) for id in asked.engines},
        "notes": list(report.notes),
    }
