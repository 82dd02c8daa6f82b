"""What a trial's numbers say, in plain sentences, and numbers as people read them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.ids import EngineId
from backends.model.trial import BY_METRIC, Comparison, Density, Judgement, TrialReport, Unit
from backends.model.values import Missing

_SCALES = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def quantity(value: float, unit: Unit) -> str:
    """A number with its unit, three digits: "12.3 ms", "1.20 s", "45.1 MiB"."""
    if unit is Unit.SECONDS:
        return f"{_three(value)} s" if value >= 1 else f"{_three(value * 1000)} ms"
    if unit is Unit.BYTES:
        for size, name in _SCALES:
            if value >= size:
                return f"{_three(value / size)} {name}"
        return f"{value:.0f} B"
    return f"{_three(value)}{'/s' if unit is Unit.PER_SECOND else '%'}"


def _three(value: float) -> str:
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def density_words(one: Density) -> str:
    """How many idle copies, what each takes and how long the first and the last start took, why no more."""
    if isinstance(one.bytes_each, Missing):
        each = f"memory of each not known: {one.bytes_each.reason}"
    else:
        each = f"{quantity(one.bytes_each, Unit.BYTES)} each"
    starts = f"first start {one.first_start_s:.2f} s, last {one.last_start_s:.2f} s"
    return f"{one.copies} idle copies; {each}; {starts}; {one.reason}"


def verdict(comparisons: Sequence[Comparison], first: EngineId) -> tuple[str, ...]:
    """One sentence for each engine beside the first: what differs, and what does not."""
    sentences: list[str] = []
    for engine in dict.fromkeys(one.engine for one in comparisons):
        own = [one for one in comparisons if one.engine == engine]
        if all(one.judgement is Judgement.TOO_FEW for one in own):
            sentences.append(f"{engine} against {first}: too few rounds to tell a difference from noise.")
            continue
        told = [_told(one) for one in own if one.judgement in {Judgement.LESS, Judgement.MORE}]
        noise = [BY_METRIC[one.metric].title for one in own if one.judgement is Judgement.NOISE]
        if told:
            sentences.append(f"{engine} against {first}: {'; '.join(told)}.")
        else:
            sentences.append(f"{engine} against {first}: no difference that is more than noise.")
        if told and noise:
            sentences.append(f"Between {engine} and {first} the difference is noise in: {', '.join(noise)}.")
    return tuple(sentences)


def _told(one: Comparison) -> str:
    title = BY_METRIC[one.metric].title
    if one.ratio is None:
        return f"{title} {one.judgement.value}"
    return f"{title} ×{one.ratio:.2f}{interval(one)}"


def interval(one: Comparison) -> str:
    """Of the ratio, " (1.20 to 1.45)"; "" where there is none."""
    return "" if one.low is None or one.high is None else f" ({one.low:.2f} to {one.high:.2f})"


def unmeasured(report: TrialReport) -> list[str]:
    """What has no reading on an engine, and why, a line for each reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for id, reasons in report.missing.items():
        for metric, reason in reasons.items():
            found.setdefault((id.name, reason), []).append(BY_METRIC[metric].title)
    return [f"{name}: {reason} ({', '.join(titles)})" for (name, reason), titles in found.items()]


def judged(one: Comparison | None) -> str:
    """A comparison in one cell."""
    if one is None:
        return ""
    ratio = "" if one.ratio is None else f"×{one.ratio:.2f}"
    if one.judgement is Judgement.NOISE:
        return f"{ratio} noise".strip()
    if one.judgement is Judgement.TOO_FEW:
        return f"{ratio} too few".strip()
    return f"{ratio} {one.judgement.value}".strip()


def comparison_of(report: TrialReport, engine: EngineId, metric: str) -> Comparison | None:
    """That engine's against the first, None where there is none."""
    return next((one for one in report.comparisons if (one.engine, one.metric) == (engine, metric)), None)
