"""Curves of the last minutes as text: averages over equal times, gaps that stay gaps, plots of exactly their size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from widgets.charts import area_plot, resampled, sparkline

percentages = st.lists(st.one_of(st.none(), st.floats(min_value=0, max_value=100)), max_size=80)


@given(percentages, st.integers(1, 100), st.integers(1, 60))
def test_averages_lie_within_what_was_read_and_gaps_stay_gaps(
    values: list[float | None], count: int, whole: int
) -> None:
    shown = [value for value in values[-whole:] if value is not None]
    averages = resampled(values, count, whole=whole)
    assert len(averages) == count
    known = [one for one in averages if one is not None]
    assert bool(known) == bool(shown)
    assert all(min(shown) - 1e-6 <= one <= max(shown) + 1e-6 for one in known)


def test_a_short_history_stands_at_the_right() -> None:
    assert resampled([10.0, 20.0, 30.0, 50.0], 4, whole=8) == [None, None, 15.0, 40.0]
    assert resampled([10.0, None, None, 50.0], 2, whole=4) == [10.0, 50.0]
    assert resampled([1.0, 2.0], 4, whole=2) == [1.0, 1.0, 2.0, 2.0]
    assert resampled([], 3, whole=9) == [None, None, None]


def test_a_gap_in_a_sparkline_is_blank_and_nothing_used_is_not() -> None:
    assert sparkline([100.0, None, 0.0], 5, top=100.0) == "  █ ▁"


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=True)), max_size=50), st.integers(1, 20), st.integers(1, 8))
def test_a_plot_has_exactly_its_size(shares: list[float | None], cells: int, rows: int) -> None:
    lines = area_plot(shares, cells, rows)
    assert [len(one) for one in lines] == [cells] * rows
    assert set("".join(lines)) <= set(" ▁▂▃▄▅▆▇█")


def test_a_plot_is_filled_from_below_and_tells_nothing_used_from_nothing_known() -> None:
    assert area_plot([None, 0.0, 1.0, 0.5, 0.75], 6, 2) == ["   █ ▄", "  ▁███"]
