"""Pulls and pushes, their layers, and results of a search as rows of tables: pure. Knows no terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backends.model.events import Phase
from backends.model.ids import EngineId
from backends.model.transfer import FoundImage
from backends.model.transfer_state import TransferState
from widgets.charts import bar
from widgets.engine_badge import badge_tone
from widgets.format import MISSING, bytes_text, clock_text, rate_text, short_image, value_cell
from widgets.line import Line, Tone, line
from widgets.table_layout import Column
from widgets.table_rows import Row
from widgets.text import inert
from widgets.transfer_lines import sign_of

BAR = 12
_STATES = {Phase.STARTED: "asking …", Phase.DONE: "done", Phase.FAILED: "failed", Phase.CANCELLED: "cancelled"}
FOUND_COLUMNS = (
    Column("name", "IMAGE", 22, flex=3, most=70, cut="middle", fixed=True, sortable=False),
    Column("stars", "STARS", 6, align="right", sortable=False),
    Column("official", "OFFICIAL", 8, priority=2, sortable=False),
    Column("about", "DESCRIPTION", 24, flex=5, priority=1, sortable=False),
)


def transfer_columns(badge_width: int) -> tuple[Column, ...]:
    """The columns of transfers. badge_width: cells of the longest badge of an engine."""
    return (
        Column("engine", "ENG", max(4, badge_width), fixed=True, sortable=False),
        Column("name", "IMAGE", 26, flex=6, most=70, cut="middle", fixed=True, sortable=False),
        Column("bar", "PROGRESS", BAR, sortable=False),
        Column("bytes", "BYTES", 8, align="right", sortable=False),
        Column("rate", "RATE", 10, align="right", sortable=False),
        Column("left", "LEFT", 7, align="right", sortable=False),
        Column("layers", "LAYERS", 7, align="right", priority=1, sortable=False),
    )


def transfer_rows(states: Mapping[int, TransferState], badges: Mapping[EngineId, str]) -> list[Row]:
    """A row for each, by its number."""
    return [Row(number, _cells(state, badges)) for number, state in states.items()]


def _cells(state: TransferState, badges: Mapping[EngineId, str]) -> tuple[Line, ...]:
    engine = state.ask.engine
    sign, tone = sign_of(state)
    name = line((f"{sign} ", tone), f"{'↑' if state.ask.push else '↓'} {short_image(state.name)}")
    done, total, count = state.done_bytes, state.total_bytes, len(state.layers)
    if state.under_way and total:
        drawn: Line = bar(done / total, BAR, tone=Tone.INFO)
    elif state.under_way and count:
        drawn = (
            bar(state.ended_layers / count, BAR, tone=Tone.INFO) if state.complete else line(("under way", Tone.DIM))
        )
    else:
        there = state.result is not None and not state.result.changed
        word = "up to date" if there else _STATES.get(state.phase, "under way")
        drawn = line((word, tone if tone in {Tone.OK, Tone.BAD} else Tone.DIM))
    return (
        line((badges.get(engine, inert(engine.name)), badge_tone(engine))),
        name,
        drawn,
        value_cell(bytes_text(done or None)),
        value_cell(rate_text(state.bytes_per_s)),
        value_cell(clock_text(state.eta_s)),
        value_cell(f"{state.ended_layers}/{count}{'' if state.complete else '+'}" if count else MISSING),
    )


def found_columns(badge_width: int) -> tuple[Column, ...]:
    """The columns of results of a search."""
    return (Column("engine", "ENG", max(4, badge_width), fixed=True, sortable=False), *FOUND_COLUMNS)


def found_rows(found: Sequence[tuple[EngineId, FoundImage]], badges: Mapping[EngineId, str]) -> list[Row]:
    """A row for each result, by engine and name."""
    return [
        Row(
            (engine, image.name),
            (
                line((badges.get(engine, inert(engine.name)), badge_tone(engine))),
                line(short_image(image.name)),
                value_cell(MISSING if image.stars is None else f"{image.stars:,}"),
                value_cell("yes" if image.official else MISSING),
                value_cell(inert(" ".join(image.description.split())) or MISSING),
            ),
        )
        for engine, image in found
    ]


__all__ = ["found_columns", "found_rows", "transfer_columns", "transfer_rows"]
