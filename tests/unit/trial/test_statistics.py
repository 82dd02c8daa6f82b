"""What may be said of rounds: medians, spreads, intervals, and when a difference is noise."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from backends.model.ids import EngineId, EngineKind
from backends.model.trial import Density, Judgement, TrialRound, Unit
from backends.model.trial_words import density_words, quantity, verdict
from backends.model.values import Missing, Quantity
from backends.trial.statistics import (
    compare,
    holm,
    order,
    permutation_p,
    rarest,
    ratio_interval,
    spread,
    summarise,
    unread,
)

A, B, C = (EngineId(EngineKind.DEMO, name) for name in "abc")
TIMES = st.lists(st.floats(0.001, 1000), min_size=1, max_size=12)
CHANCES = st.lists(st.floats(0, 1), max_size=12)


def rounds(**values: list[Quantity]) -> tuple[TrialRound, ...]:
    """Rounds of engines a, b, c with these readings of "ready_s"."""
    return tuple(
        TrialRound(EngineId(EngineKind.DEMO, name), number, {"ready_s": value})
        for name, told in values.items()
        for number, value in enumerate(told, 1)
    )


@given(TIMES)
def test_a_spread_holds_its_median(values: list[float]) -> None:
    made = spread(values)
    assert made.least <= made.q1 <= made.median <= made.q3 <= made.most
    assert made.median == median(values)
    assert made.count == len(values)


@given(TIMES, st.floats(0.01, 100))
def test_the_interval_of_equal_readings_scales_with_them(values: list[float], factor: float) -> None:
    low, high = ratio_interval([value * factor for value in values], values, resamples=40)
    assert low <= high
    assert min(values) / max(values) * factor * 0.999 <= low
    assert high <= max(values) / min(values) * factor * 1.001


@given(TIMES, TIMES)
def test_chance_is_a_probability_and_knows_no_side(ours: list[float], theirs: list[float]) -> None:
    p = permutation_p(ours[:5], theirs[:5])
    assert 0 < p <= 1
    assert abs(p - permutation_p(theirs[:5], ours[:5])) < 1e-9


def test_wholly_apart_readings_are_as_rare_as_their_order() -> None:
    """Of the 70 ways to deal 8 readings to two engines two are as far apart: all small ones here, or all there."""
    assert permutation_p([1, 2, 3, 4], [11, 12, 13, 14]) == 2 / 70


def test_chance_is_drawn_where_there_are_too_many_ways_to_try_all() -> None:
    ours, theirs = [float(at) for at in range(0, 24, 2)], [float(at) for at in range(1, 25, 2)]
    assert permutation_p(ours, theirs) > 0.5
    assert permutation_p(ours, [value + 24 for value in theirs]) == rarest(12, 12)


@given(CHANCES)
def test_correction_never_makes_a_chance_smaller_and_keeps_the_order(chances: list[float]) -> None:
    corrected = holm(chances)
    assert all(after >= before for before, after in zip(chances, corrected, strict=True))
    ranked = sorted(range(len(chances)), key=lambda at: chances[at])
    assert sorted(corrected) == [corrected[at] for at in ranked]


def test_several_comparisons_have_to_be_clearer_than_one() -> None:
    assert holm([0.04]) == [0.04]
    assert holm([0.04, 0.5]) == [0.08, 0.5]


def test_a_clear_difference_is_told_with_its_ratio() -> None:
    found = compare(rounds(a=[1.0, 1.1, 1.2, 1.0, 1.1], b=[2.0, 2.2, 2.4, 2.1, 2.2]), (A, B))
    (one,) = found
    assert one.judgement is Judgement.MORE
    assert one.ratio is not None
    assert abs(one.ratio - 2) < 1e-9
    assert one.low is not None
    assert one.high is not None
    assert 1 < one.low <= one.ratio <= one.high
    assert verdict(found, A)[0].startswith("b against a: start to ready ×2.00 (")


def test_readings_of_one_kind_are_noise() -> None:
    found = compare(rounds(a=[1.0, 1.3, 1.1, 1.2], b=[1.1, 1.2, 1.0, 1.4]), (A, B))
    assert found[0].judgement is Judgement.NOISE
    assert verdict(found, A) == ("b against a: no difference that is more than noise.",)


def test_three_rounds_are_too_few_however_far_apart() -> None:
    assert rarest(3, 3) == 2 / 20
    found = compare(rounds(a=[1.0, 1.0, 1.0], b=[9.0, 9.0, 9.0]), (A, B))
    assert found[0].judgement is Judgement.TOO_FEW
    assert "too few rounds" in verdict(found, A)[0]


def test_nothing_is_divided_by_nothing() -> None:
    (one,) = compare(rounds(a=[0.0] * 5, b=[3.0] * 5), (A, B))
    assert (one.ratio, one.judgement) == (None, Judgement.MORE)


def test_what_could_not_be_read_has_its_reason_and_no_number() -> None:
    gone = Missing("no cgroup")
    told = rounds(a=[1.0, 2.0], b=[gone, gone], c=[gone, 3.0])
    assert set(summarise(told, (A, B, C))[B]) == set()
    assert unread(told, (A, B, C)) == {A: {}, B: {"ready_s": "no cgroup"}, C: {}}
    assert [one.engine for one in compare(told, (A, B, C))] == [C]


def test_engines_take_turns_in_going_first() -> None:
    assert order((A, B), 3) == [(1, A), (1, B), (2, B), (2, A), (3, A), (3, B)]


def test_numbers_as_people_read_them() -> None:
    told = [quantity(value, Unit.SECONDS) for value in (0.0123, 0.999, 1.5, 120.0)]
    assert told == ["12.3 ms", "999 ms", "1.50 s", "120 s"]
    assert [quantity(value, Unit.BYTES) for value in (12, 3 << 20)] == ["12 B", "3.00 MiB"]


def test_density_says_what_each_copy_takes_or_why_that_is_not_known() -> None:
    held = Density(A, 5, "5 were asked for", 0.5, 2.25, 1.5 * (1 << 20))
    assert density_words(held) == "5 idle copies; 1.50 MiB each; first start 0.50 s, last 2.25 s; 5 were asked for"
    unknown = density_words(replace(held, bytes_each=Missing("it is elsewhere")))
    assert "memory of each not known: it is elsewhere; first start" in unknown
