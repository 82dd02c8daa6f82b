"""A sweep as text: how many are over, and the runs that run or have just ended. Pure."""

from __future__ import annotations

import shlex

from backends.model.sweep import SweepRow, SweepState
from backends.model.sweep_board import SweepBoard
from widgets.text import cut_end, inert

MARKS = {
    SweepState.WAITING: " ",
    SweepState.RUNNING: "▶",
    SweepState.DONE: "✓",
    SweepState.FAILED: "✕",
    SweepState.KILLED: "✕",
    SweepState.SKIPPED: "·",
}


def counts_text(board: SweepBoard) -> str:
    """ "11 done, 1 failed; 4 running"; "" where none has begun."""
    counts = board.counts
    parts = [f"{counts[state]} {state.value}" for state in SweepState if state.over and counts[state]]
    running = [f"{counts[SweepState.RUNNING]} running"] if counts[SweepState.RUNNING] else []
    return "; ".join([*([", ".join(parts)] if parts else []), *running])


def summary(board: SweepBoard) -> str:
    """ "12 of 200 over: 11 done, 1 failed; 4 running"."""
    said = counts_text(board)
    return f"{board.over} of {board.total} over" + (f": {said}" if said else "")


def taken_s(row: SweepRow, now_s: float) -> float:
    """How long its last attempt took, or has taken so far."""
    return row.duration_s if row.duration_s is not None else max(0.0, now_s - row.began_s)


def what_text(run_row: SweepRow) -> str:
    """Its parameters, or its command where it has none. Not inert yet."""
    run = run_row.run
    return " ".join(f"{name}={value}" for name, value in run.parameters.items()) or shlex.join(run.command)


def run_text(row: SweepRow, now_s: float) -> str:
    """One run in a line: state, number, time, exit code, GPUs, what it is, what it said last."""
    code = "" if row.exit_code is None else f" exit {row.exit_code}"
    again = f" attempt {row.attempt}" if row.attempt > 1 else ""
    gpus = f" GPU {','.join(row.gpus)}" if row.gpus else ""
    said = row.error or row.last_line
    head = f"{MARKS[row.state]} {row.run.number:>4} {taken_s(row, now_s):7.1f} s{code}{again}{gpus}"
    return inert(f"{head}  {what_text(row)}" + (f"  │ {said}" if said else ""))


def table(board: SweepBoard, now_s: float, width: int, height: int) -> list[str]:
    """The summary, those that run, and as many of the last ended as there is room for."""
    room = max(0, height - 1)
    shown = board.running[:room]
    ended = board.ended[-(room - len(shown)) :] if room > len(shown) else []
    lines = [summary(board), *(run_text(row, now_s) for row in (*ended, *shown))]
    return [cut_end(text, width) for text in lines]


__all__ = ["MARKS", "counts_text", "run_text", "summary", "table", "taken_s", "what_text"]
