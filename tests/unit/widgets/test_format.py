"""Model values as short text: units, thresholds, missing values, states."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.container import Container, ContainerState, Health, Port
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.values import Missing
from tui.cli.table import state_text
from widgets.charts import bar, bar_text, share_tone, sparkline
from widgets.format import (
    MISSING,
    age_text,
    bytes_text,
    clock_text,
    duration_text,
    missing_reason,
    number_text,
    percent_text,
    ports_text,
    rate_text,
    short_image,
    state_cell,
    state_parts,
)
from widgets.line import Tone, plain
from widgets.text import width_of

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def container(state: ContainerState, health: Health = Health.NONE, exit_code: int | None = None) -> Container:
    """A container of which only the state matters."""
    key = ContainerKey(EngineId(EngineKind.DOCKER, "docker"), "1" * 64)
    return Container(key, "name", "image", "2" * 64, state, NOW, health=health, exit_code=exit_code)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (10 * 2**20, "10 MiB"),
        (2**30 - 1, "1.0 GiB"),
        (141 * 2**30, "141 GiB"),
        (-5, "0 B"),
        (Missing("no cgroup"), MISSING),
        (None, MISSING),
    ],
)
def test_bytes(value: int | Missing | None, expected: str) -> None:
    assert bytes_text(value) == expected


@given(st.integers(min_value=0, max_value=2**62))
def test_bytes_never_take_more_than_eight_cells(value: int) -> None:
    assert width_of(bytes_text(value)) <= 8


@given(st.floats(min_value=0, max_value=25_600))
def test_percent_never_takes_more_than_six_cells(value: float) -> None:
    assert width_of(percent_text(value)) <= 6


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, "0.0%"), (0.44, "0.4%"), (9.96, "10%"), (213.4, "213%"), (Missing("x"), MISSING)]
)
def test_percent(value: float | Missing, expected: str) -> None:
    assert percent_text(value) == expected


def test_missing_values_say_why_and_are_never_zero() -> None:
    refused = Missing("driver refuses")
    assert {bytes_text(refused), percent_text(refused), rate_text(refused), number_text(refused, "W")} == {MISSING}
    assert missing_reason(refused) == "driver refuses"
    assert missing_reason(0) == ""


def test_rate_number_clock() -> None:
    assert rate_text(1.5 * 2**20) == "1.5 MiB/s"
    assert number_text(62.6, "°C") == "63 °C"
    assert [clock_text(7), clock_text(750), clock_text(3723), clock_text(None)] == ["0:07", "12:30", "1:02:03", MISSING]


@given(st.floats(min_value=0, max_value=3e9))
def test_durations_take_at_most_four_cells(seconds: float) -> None:
    assert width_of(duration_text(seconds)) <= 4


def test_ages_and_a_clock_that_runs_ahead() -> None:
    assert age_text(NOW - timedelta(hours=26), NOW) == "1d"
    assert age_text(NOW + timedelta(seconds=30), NOW) == "0s"
    assert age_text(None, NOW) == MISSING


def test_every_state_has_a_shape_of_its_own_kind() -> None:
    shapes = {state: state_parts(container(state))[0] for state in ContainerState}
    assert shapes[ContainerState.RUNNING] == "●"
    assert shapes[ContainerState.EXITED] == "○"
    assert shapes[ContainerState.PAUSED] == "◐"
    assert shapes[ContainerState.DEAD] == "✕"
    assert shapes[ContainerState.RESTARTING] == "↻"
    assert shapes[ContainerState.CREATED] == "◌"
    assert all(width_of(shape) == 1 for shape in shapes.values())


def test_health_and_exit_codes_change_the_word() -> None:
    assert state_parts(container(ContainerState.RUNNING, Health.HEALTHY)) == ("●", "healthy", Tone.OK)
    assert state_parts(container(ContainerState.RUNNING, Health.UNHEALTHY)) == ("◍", "unhealthy", Tone.BAD)
    assert state_parts(container(ContainerState.EXITED, exit_code=0)) == ("○", "exited", Tone.DIM)
    assert state_parts(container(ContainerState.EXITED, exit_code=137)) == ("○", "exited 137", Tone.DIM)
    assert state_parts(container(ContainerState.EXITED, exit_code=1)) == ("✕", "exit 1", Tone.BAD)
    doubtful = replace(container(ContainerState.RUNNING), why="not all read: Ports (TypeError)")
    assert state_parts(doubtful) == ("●", "running ?", Tone.WARN)
    assert state_text(doubtful) == "running (not all read)"
    assert plain(state_cell(container(ContainerState.RUNNING), "stopping…")) == "◒ stopping…"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("docker.io/library/python:3.13", "python:3.13"),
        ("docker.io/acme/train:1", "acme/train:1"),
        ("localhost/mine:1", "mine:1"),
        ("ghcr.io/a/b@sha256:" + "0" * 64, "ghcr.io/a/b"),
        ("sha256:" + "ab" * 32, "abababababab"),
        ("ab" * 32, "abababababab"),
        ("evil\x1b[2J:1", "evil:1"),
    ],
)
def test_short_image(reference: str, expected: str) -> None:
    assert short_image(reference) == expected


def test_ports_are_said_once_and_only_where_published() -> None:
    ports = (
        Port(80, "tcp", "0.0.0.0", 8080),
        Port(80, "tcp", "::", 8080),
        Port(53, "udp", "127.0.0.1", 5353),
        Port(443),
        Port(22, "tcp", "fe80::1", 0),
    )
    assert ports_text(ports) == "[fe80::1]:?→22 127.0.0.1:5353→53/udp 8080→80"


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(min_value=0, max_value=50), st.booleans())
def test_a_bar_has_exactly_its_cells(share: float, cells: int, ascii_only: bool) -> None:
    drawn = plain(bar(share, cells, ascii_only=ascii_only))
    assert width_of(drawn) == cells
    assert not ascii_only or drawn.isascii()


def test_a_bar_never_rounds_to_nothing_or_to_all() -> None:
    assert bar_text(0.001, 8) == ("╸", "─" * 7)
    assert bar_text(0.999, 8)[0] == "━" * 7 + "╸"
    assert bar_text(0.0, 8) == ("", "─" * 8)
    assert bar_text(1.0, 8) == ("━" * 8, "")
    assert [share_tone(share) for share in (0.1, 0.85, 0.99)] == [Tone.OK, Tone.WARN, Tone.BAD]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=False), max_size=30), st.integers(min_value=0, max_value=20))
def test_a_sparkline_has_exactly_its_cells(values: list[float], cells: int) -> None:
    assert width_of(sparkline(values, cells)) == cells


def test_a_sparkline_shows_the_newest_at_the_right() -> None:
    assert sparkline([0, 50, 100], 4, top=100) == " ▁▅█"
    assert sparkline([0, 100], 2, top=100, ascii_only=True) == "_#"
