"""From rounds to medians, spreads and what may be said of a difference. Pure; its random draws are seeded."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from math import comb
from statistics import median, quantiles

from backends.model.ids import EngineId
from backends.model.trial import METRICS, Comparison, Judgement, Spread, TrialRound
from backends.model.values import Missing

DOUBT = 0.05
"""The usual threshold; what is less likely than that by chance alone is called a difference."""
RESAMPLES = 2000
MOST_EXACT = 5000
"""Ways to deal the readings to two engines that are all tried; where there are more, so many are drawn."""
_SEED = 20260101
"""The same rounds give the same report."""


def spread(values: Sequence[float]) -> Spread:
    """Of at least one reading."""
    q1, _, q3 = quantiles(values, n=4, method="inclusive") if len(values) > 1 else (values[0],) * 3
    return Spread(len(values), median(values), q1, q3, min(values), max(values))


def ratio_interval(values: Sequence[float], base: Sequence[float], resamples: int = RESAMPLES) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of median(values) / median(base); base: none of them 0 or less."""
    draw = random.Random(_SEED)
    ratios = sorted(
        median(draw.choices(values, k=len(values))) / median(draw.choices(base, k=len(base))) for _ in range(resamples)
    )
    return ratios[int(0.025 * resamples)], ratios[min(resamples - 1, int(0.975 * resamples))]


def permutation_p(values: Sequence[float], base: Sequence[float]) -> float:
    """How likely chance alone sets the readings as far apart, by the sum of their ranks (Mann and Whitney 1947):
    two-sided, exact where that is quick. One reading that is far out counts no more than the highest rank."""
    ranks = _ranks([*values, *base])
    size = len(values)
    middle = size * (len(ranks) + 1) / 2
    seen = abs(sum(ranks[:size]) - middle)
    if comb(len(ranks), size) <= MOST_EXACT:
        ways = [abs(sum(chosen) - middle) >= seen for chosen in combinations(ranks, size)]
        return sum(ways) / len(ways)
    draw = random.Random(_SEED)
    drawn = sum(abs(sum(draw.sample(ranks, size)) - middle) >= seen for _ in range(MOST_EXACT))
    return (1 + drawn) / (1 + MOST_EXACT)  # the order that was seen counts as one of them, so that p is never 0


def _ranks(pool: Sequence[float]) -> list[float]:
    """1 for the least; equal ones share the middle of theirs. Halves and whole numbers: sums of them are exact."""
    ordered = sorted(pool)
    return [(bisect_left(ordered, value) + bisect_right(ordered, value) + 1) / 2 for value in pool]


def rarest(ours: int, theirs: int) -> float:
    """The least that `permutation_p` may give for so many readings: of those that do not overlap at all."""
    return max(2 / comb(ours + theirs, ours), 1 / (1 + MOST_EXACT))


def holm(chances: Sequence[float]) -> list[float]:
    """The same, corrected for being several (Holm 1979): of twenty comparisons one is below 0.05 by chance."""
    order = sorted(range(len(chances)), key=lambda at: chances[at])
    corrected, highest = [0.0] * len(chances), 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, chances[at] * (len(chances) - rank)))
        corrected[at] = highest
    return corrected


def readings(rounds: Sequence[TrialRound], engine: EngineId, metric: str) -> list[float]:
    """Those of a metric on an engine, by round."""
    found = (one.values.get(metric, Missing("")) for one in rounds if one.engine == engine)
    return [value for value in found if not isinstance(value, Missing)]


def summarise(rounds: Sequence[TrialRound], engines: Sequence[EngineId]) -> dict[EngineId, dict[str, Spread]]:
    """The spread of each metric that has a reading."""
    told = {engine: {one.id: readings(rounds, engine, one.id) for one in METRICS} for engine in engines}
    return {
        engine: {metric: spread(values) for metric, values in found.items() if values} for engine, found in told.items()
    }


def unread(rounds: Sequence[TrialRound], engines: Sequence[EngineId]) -> dict[EngineId, dict[str, str]]:
    """Why metrics that were asked for have no reading at all, by engine and metric."""
    reasons: dict[EngineId, dict[str, str]] = {engine: {} for engine in engines}
    for one in rounds:
        for metric, value in one.values.items():
            if isinstance(value, Missing) and not readings(rounds, one.engine, metric):
                reasons[one.engine][metric] = value.reason
    return reasons


def compare(rounds: Sequence[TrialRound], engines: Sequence[EngineId]) -> tuple[Comparison, ...]:
    """Each engine against the first of them, metric by metric; takes some 10 ms for each."""
    first, *others = engines
    made: list[Comparison] = []
    for metric in METRICS:
        base = readings(rounds, first, metric.id)
        for engine in others:
            values = readings(rounds, engine, metric.id)
            if base and values:
                made.append(_compared(metric.id, engine, values, base))
    for at, p in enumerate(holm([one.p or 0.0 for one in made])):
        made[at] = replace(made[at], p=p, judgement=_judged(made[at], p, len(made), rounds, first))
    return tuple(made)


def _judged(one: Comparison, p: float, comparisons: int, rounds: Sequence[TrialRound], first: EngineId) -> Judgement:
    """Noise is said only where that many rounds could have told a difference at all."""
    if p < DOUBT:
        return one.judgement
    counts = (len(readings(rounds, engine, one.metric)) for engine in (one.engine, first))
    return Judgement.TOO_FEW if rarest(*counts) * comparisons >= DOUBT else Judgement.NOISE


def _compared(metric: str, engine: EngineId, values: Sequence[float], base: Sequence[float]) -> Comparison:
    """Not yet corrected for being several."""
    ours, theirs = median(values), median(base)
    ratio = ours / theirs if theirs > 0 else None
    low, high = ratio_interval(values, base) if min(base) > 0 and len(base) > 1 else (None, None)
    judgement = Judgement.LESS if ours < theirs else Judgement.MORE if ours > theirs else Judgement.NOISE
    return Comparison(metric, engine, judgement, ratio, low, high, permutation_p(values, base))


def order(engines: Sequence[EngineId], rounds: int) -> list[tuple[int, EngineId]]:
    """Who is measured when: A B, B A, A B …, so that what gets slower or faster in time burdens all alike."""
    return [
        (number, engine)
        for number in range(1, rounds + 1)
        for engine in (engines if number % 2 else tuple(reversed(engines)))
    ]
