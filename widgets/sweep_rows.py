"""A sweep on its screen: the head, a row for each run, the run under the cursor in full. Pure."""

from __future__ import annotations

import shlex

from backends.model.sweep import SweepRow, SweepState
from backends.model.sweep_board import SweepBoard
from widgets.charts import bar
from widgets.format import MISSING, clock_text, value_cell
from widgets.line import Line, Tone, line
from widgets.sweep_lines import MARKS, counts_text, taken_s, what_text
from widgets.table_layout import Column
from widgets.table_rows import Row
from widgets.text import inert, paragraph

BAR = 24
_TITLE = 12
COLUMNS = (
    Column("state", "STATE", 9, fixed=True, sortable=False),
    Column("number", "RUN", 6, align="right", fixed=True, sortable=False),
    Column("time", "TIME", 8, align="right", sortable=False),
    Column("code", "EXIT", 4, align="right", sortable=False),
    Column("attempt", "TRY", 3, align="right", priority=3, sortable=False),
    Column("gpus", "GPU", 5, priority=2, sortable=False),
    Column("what", "WHAT", 14, flex=3, most=60, cut="middle", sortable=False),
    Column("said", "LAST LINE", 12, flex=5, sortable=False),
)
TONES = {
    SweepState.WAITING: Tone.DIM,
    SweepState.RUNNING: Tone.INFO,
    SweepState.DONE: Tone.OK,
    SweepState.FAILED: Tone.BAD,
    SweepState.KILLED: Tone.WARN,
    SweepState.SKIPPED: Tone.DIM,
}


def sweep_rows(board: SweepBoard, now_s: float, *, bad_only: bool) -> list[Row]:
    """Those that run, then those that ended, the newest first. bad_only: those that failed or were killed alone."""
    shown = board.bad[::-1] if bad_only else [*board.running, *board.ended[::-1]]
    return [Row(row.run.number, _cells(row, now_s)) for row in shown]


def _cells(row: SweepRow, now_s: float) -> tuple[Line, ...]:
    said = row.error or row.last_line
    code = MISSING if row.exit_code is None else str(row.exit_code)
    return (
        line((f"{MARKS[row.state]} {row.state.value}", TONES[row.state])),
        value_cell(str(row.run.number)),
        value_cell(time_text(taken_s(row, now_s))),
        value_cell(code, tone=Tone.BAD if row.exit_code else Tone.PLAIN),
        value_cell(str(row.attempt)),
        value_cell(inert(",".join(row.gpus)) or MISSING),
        line(inert(what_text(row))),
        line((inert(said), Tone.BAD if row.error else Tone.PLAIN)),
    )


def time_text(seconds: float) -> str:
    """ "0.4 s", "59.9 s", then "1:00" and "1:02:03"."""
    return f"{seconds:.1f} s" if seconds < 59.95 else clock_text(seconds)


def head_lines(board: SweepBoard, numbers: str, results: str, left_s: float | None) -> list[Line]:
    """How far it is, and how it is done. left_s: what it will still take, None = not known or over."""
    left = f"  about {clock_text(left_s)} left" if left_s is not None else ""
    share = board.over / board.total if board.total else 1.0
    said = counts_text(board)
    return [
        (*bar(share, BAR, tone=Tone.INFO), *line(f"  {board.over} of {board.total} over", (left, Tone.DIM))),
        line((said or "nothing has begun yet", Tone.STRONG)),
        line((inert(f"{numbers} · results in {results}"), Tone.DIM)),
    ]


def run_lines(row: SweepRow, now_s: float, width: int) -> list[Line]:
    """One run in full."""
    run = row.run
    parameters = "  ".join(f"{name}={value}" for name, value in run.parameters.items())
    numbers = [
        f"attempt {row.attempt}",
        time_text(taken_s(row, now_s)),
        *([f"exit code {row.exit_code}"] if row.exit_code is not None else []),
        *([f"GPU {', '.join(row.gpus)}"] if row.gpus else []),
    ]
    facts = (("command", shlex.join(run.command)), ("parameters", parameters), ("so far", " · ".join(numbers)))
    lines: list[Line] = []
    for title, value in facts:
        lines += hanging(title, value, Tone.PLAIN, width)
    if row.error:
        lines += hanging("went wrong", row.error, Tone.BAD, width)
    return lines + hanging("last line", row.last_line, Tone.STRONG, width)


def hanging(title: str, text: str, tone: Tone, width: int) -> list[Line]:
    """A title, and its text folded beside it; nothing where there is no text."""
    folded = paragraph(text, tone, max(20, width - _TITLE)) if text else []
    return [(*line((title.ljust(_TITLE) if not at else " " * _TITLE, Tone.DIM)), *one) for at, one in enumerate(folded)]


def numbers_text(jobs: int, gpus_each: int, retries: int) -> str:
    """ "4 at a time · 1 GPU each · 2 retries"."""
    gpus = [f"{gpus_each} GPU{'s' * (gpus_each > 1)} each"] if gpus_each else []
    again = [f"{retries} {'retry' if retries == 1 else 'retries'}"] if retries else []
    return " · ".join([f"{jobs} at a time", *gpus, *again])


__all__ = ["COLUMNS", "head_lines", "numbers_text", "run_lines", "sweep_rows", "time_text"]
