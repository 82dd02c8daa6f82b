"""A trial's report as Markdown: how it was done, what was found, what was not measured and why. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from backends.model.trial import BY_METRIC, METRICS, Comparison, ReadyBy, Spread, TrialReport
from backends.model.trial_words import comparison_of, density_words, interval, judged, quantity, unmeasured

_SIGNS = {
    ReadyBy.RUNNING: "the engine says that it was started",
    ReadyBy.PORT: "a program in it listens to a TCP port",
    ReadyBy.HEALTH: "its health check passes (looked at every 0.1 s)",
    ReadyBy.LOG: "a line of its log matches",
}
METHOD = (
    "Rounds alternate (A B, B A, A B …); each creates, starts, waits, stops and removes one copy. Times are those of "
    "the engine's API as Tranship waits for it, on a monotonic clock. Spread is the middle half of the rounds "
    "(quartiles). A ratio is of medians, with a 95 % bootstrap interval; a difference counts where a permutation test "
    "of the ranks (Mann and Whitney), corrected for the number of comparisons (Holm), gives less than 5 %. All else is "
    "noise, or there were too few rounds to tell."
)
SEEN = (
    "Monitors are the processes of one container (conmon, containerd-shim, docker-proxy, rootlessport, pasta, "
    "slirp4netns; those of the network by when they began), shared is the engine's daemon, with containerd for "
    "Docker. Their memory is what is anonymous or shared in them, without the program's own file. The shared CPU time "
    "is all that the daemon took meanwhile, for others too, and with children that it waited for; what a monitor "
    "hands over to the system's first process is not in it."
)


def markdown(report: TrialReport) -> str:
    """The report. Text from outside stands in code spans."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: TrialReport) -> Iterator[str]:
    others = report.request.engines[1:]
    yield f"# Trial of {_code(report.subject)}"
    yield ""
    yield from (f"- {sentence}" for sentence in report.verdict)
    yield ""
    names = [_code(id.name) for id in report.request.engines]
    yield f"| | {' | '.join((*names, *(f'{_code(id.name)} against {names[0]}' for id in others)))} |"
    yield "|---" * (1 + len(report.request.engines) + len(others)) + "|"
    for metric in METRICS:
        spreads = [report.spreads[id].get(metric.id) for id in report.request.engines]
        if any(spreads):
            cells = [_cell(one, metric.id) for one in spreads]
            against = [_against(comparison_of(report, id, metric.id)) for id in others]
            yield f"| {metric.title} | {' | '.join((*cells, *against))} |"
    yield ""
    if report.densities:
        yield "## Density"
        yield ""
        for one in report.densities:
            yield f"- {_code(one.engine.name)}: {density_words(one)}"
        yield ""
    yield "## How"
    yield ""
    yield f"- image {_code(report.image)}, {report.request.rounds} rounds on each engine"
    pattern = f" {_code(report.request.ready_pattern)}" if report.ready_by is ReadyBy.LOG else ""
    yield f"- ready when {_SIGNS[report.ready_by]}{pattern}"
    if report.request.command:
        yield f"- command {_code(' '.join(report.request.command))}, {report.request.runs} times in each round"
    yield f"- {report.host}"
    yield from (f"- {_code(id.name)}: {version}" for id, version in report.versions.items())
    yield f"- {report.began_at:%Y-%m-%d %H:%M} UTC, {report.duration_s:.0f} s"
    yield from (f"- {note}" for note in report.notes)
    yield ""
    yield METHOD
    yield ""
    yield SEEN
    yield ""
    yield "## Not measured"
    yield ""
    yield from (f"- {text}" for text in not_measured(report))


def not_measured(report: TrialReport) -> list[str]:
    """What is missing, and why."""
    found = unmeasured(report)
    if not report.request.command:
        found.append("throughput: no command was given (--exec)")
    if not any("gpu_percent" in one.values for one in report.rounds):
        found.append("GPUs: none is asked for by the workload")
    if not report.request.density:
        found.append("density: not asked for (--density)")
    return found


def _cell(one: Spread | None, metric: str) -> str:
    if one is None:
        return "–"
    unit = BY_METRIC[metric].unit
    return f"{quantity(one.median, unit)} ({quantity(one.q1, unit)} to {quantity(one.q3, unit)})"


def _against(one: Comparison | None) -> str:
    if one is None:
        return "–"
    chance = "" if one.p is None else f", p = {one.p:.3f}"
    return f"{judged(one)}{interval(one)}{chance}"


def _code(text: str) -> str:
    return "`" + text.replace("`", "'").replace("|", "¦").replace("\n", " ") + "`"


__all__ = ["markdown", "not_measured"]
