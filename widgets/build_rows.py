"""A build's steps as rows of a table, and where it is in a few words. Pure."""

from __future__ import annotations

from backends.model.build import BuildView, StepSeen, StepState
from widgets.format import bytes_text, clock_text
from widgets.line import Line, Tone, line
from widgets.table_layout import Column
from widgets.table_rows import Row
from widgets.text import inert

STEP_COLUMNS = (
    Column("state", " ", 1, fixed=True, sortable=False),
    Column("number", "STEP", 7, align="right", fixed=True, sortable=False),
    Column("time", "TIME", 7, align="right", priority=1, sortable=False),
    Column("how", "", 6, priority=2, sortable=False),
    Column("instruction", "INSTRUCTION", 20, flex=1, sortable=False),
)
_STATES = {
    StepState.RUNNING: ("▸", Tone.INFO, "runs"),
    StepState.DONE: ("✓", Tone.OK, ""),
    StepState.CACHED: ("=", Tone.DIM, "cached"),
    StepState.FAILED: ("✕", Tone.BAD, "failed"),
}


def step_rows(view: BuildView, now_s: float) -> list[Row]:
    """A row for each step that was begun, keyed by its place from 0. now_s: seconds since the build began."""
    return [Row(at, _cells(seen, now_s)) for at, seen in enumerate(view.steps)]


def _cells(seen: StepSeen, now_s: float) -> tuple[Line, ...]:
    sign, tone, word = _STATES[seen.state]
    step = seen.step
    stage = f"{step.stage}·" if step.stages > 1 else ""
    took_s = (now_s if seen.ended_s is None else seen.ended_s) - seen.began_s
    words = Tone.DIM if seen.state is StepState.CACHED else tone if seen.state is StepState.FAILED else Tone.PLAIN
    return (
        line((sign, tone)),
        line((f"{stage}{step.number}/{step.count}", Tone.DIM)),
        line((clock_text(took_s) if took_s >= 0.5 else "", Tone.DIM)),
        line((word, tone)),
        line((inert(step.instruction), words)),
    )


def build_words(view: BuildView, now_s: float, *, ended: str = "") -> str:
    """Where it is. ended: how it ended, "" while it runs."""
    if ended:
        return f"{ended} · {clock_text(now_s)}"
    if view.sending or view.now is None:
        return f"sends the folder, {bytes_text(view.context_bytes)} · {clock_text(now_s)}"
    return f"{view.now} · {clock_text(now_s)}"


__all__ = ["STEP_COLUMNS", "build_words", "step_rows"]
