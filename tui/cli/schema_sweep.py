"""A run of a sweep → plain JSON values, schema 1: a line of its results. Pure but for the time of day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from backends.model.ids import EngineId
from backends.model.sweep import SweepRow
from tui.cli.schema import document, time_text


def result_row(row: SweepRow, image: str, engine: EngineId) -> dict[str, Any]:
    """A run as its line of the results."""
    return document(
        id=row.run.id,
        run=row.run.number,
        parameters=dict(row.run.parameters),
        command=list(row.run.command),
        image=image,
        engine=engine.name,
        state=row.state.value,
        exit_code=row.exit_code,
        attempts=row.attempt,
        duration_s=row.duration_s,
        gpus=list(row.gpus),
        last_line=row.last_line or None,
        error=row.error or None,
        ended_at=time_text(datetime.now(UTC)),
    )
