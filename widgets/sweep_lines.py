"""A sweep as text: how many are over, and the runs that run or have just ended. Pure."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

from backends.model.sweep import SweepRow, SweepState
from widgets.text import cut_end, inert

_MARKS = {
    SweepState.WAITING: " ",
    SweepState.RUNNING: "▶",
    SweepState.DONE: "✓",
    SweepState.FAILED: "✗",
    SweepState.KILLED: "✗",
    SweepState.SKIPPED: "·",
}


def summary(rows: Mapping[int, SweepRow], total: int) -> str:
    """ "12 of 200 over: 11 done, 1 failed; 4 running"."""
    counts = Counter(row.state for row in rows.values())
    over = sum(count for state, count in counts.items() if state.over)
    parts = [f"{counts[state]} {state.value}" for state in SweepState if state.over and counts[state]]
    running = f"; {counts[SweepState.RUNNING]} running" if counts[SweepState.RUNNING] else ""
    return f"{over} of {total} over" + (f": {', '.join(parts)}" if parts else "") + running


def run_text(row: SweepRow, now_s: float) -> str:
    """One run in a line: state, number, time, exit code, GPUs, what it is, what it said last."""
    taken_s = row.duration_s if row.duration_s is not None else max(0.0, now_s - row.began_s)
    code = "" if row.exit_code is None else f" exit {row.exit_code}"
    again = f" attempt {row.attempt}" if row.attempt > 1 else ""
    gpus = f" GPU {','.join(row.gpus)}" if row.gpus else ""
    what = " ".join(f"{name}={value}" for name, value in row.run.parameters.items()) or shlex.join(row.run.command)
    said = row.error or row.last_line
    head = f"{_MARKS[row.state]} {row.run.number:>4} {taken_s:7.1f} s{code}{again}{gpus}"
    return inert(f"{head}  {what}" + (f"  │ {said}" if said else ""))


def table(rows: Mapping[int, SweepRow], total: int, now_s: float, width: int, height: int) -> list[str]:
    """The summary, those that run, and as many of the last ended as there is room for."""
    running = [row for row in rows.values() if row.state is SweepState.RUNNING]
    over = [row for row in rows.values() if row.state.over and row.state is not SweepState.SKIPPED]
    room = max(0, height - 1)
    shown: Sequence[SweepRow] = running[:room]
    ended = over[-(room - len(shown)) :] if room > len(shown) else []
    lines = [summary(rows, total), *(run_text(row, now_s) for row in (*ended, *shown))]
    return [cut_end(text, width) for text in lines]


__all__ = ["run_text", "summary", "table"]
