"""The line that says how each engine is. Shows a FleetView; connects to nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from backends.model.container import ContainerState
from backends.model.events import Link
from backends.model.fleet import EngineView, FleetView
from widgets.engine_badge import badge_tone
from widgets.line import Line, Span, Tone, line
from widgets.lines_pane import LinesPane
from widgets.text import cut_end, inert, line_width

_LINKS = {
    Link.CONNECTED: ("●", Tone.OK),
    Link.CONNECTING: ("◌", Tone.WARN),
    Link.LOST: ("✕", Tone.BAD),
    Link.ABSENT: ("○", Tone.DIM),
}
_BETWEEN = (Span("   "),)
_REASON_CELLS = 36  # most cells of a reason why an engine is not there


def engine_line(view: EngineView, monotonic_now: float, *, brief: int = 0) -> Line:
    """One engine in few words. brief: 0 = all, 1 = no version and no reason, 2 = sign and name only."""
    connection, info = view.connection, view.info
    sign, tone = _LINKS[connection.link]
    there = connection.link is Link.CONNECTED
    name_tone = badge_tone(view.id) if there else Tone.DIM if connection.link is Link.ABSENT else Tone.PLAIN
    parts = [Span(f"{sign} ", tone), Span(inert(view.id.name), name_tone)]
    if there and info is not None and brief < 2:
        version = f" {inert(info.version)}" if brief < 1 else ""
        rootless = " rootless" if info.rootless and "rootless" not in view.id.name else ""
        parts.append(Span(version + rootless, Tone.DIM))
    elif connection.link is Link.CONNECTING and brief < 2:
        parts.append(Span(" connecting …", Tone.DIM))
    elif connection.link is Link.LOST:
        parts.append(
            Span(f" lost{_countdown(connection.retry_at, monotonic_now)}", Tone.BAD if brief < 2 else Tone.WARN)
        )
    elif connection.link is Link.ABSENT and brief < 2:
        reason = connection.error.title if connection.error is not None and brief < 1 else "absent"
        parts.append(Span(f" {cut_end(inert(reason), _REASON_CELLS)}", Tone.DIM))
    return tuple(parts)


def _countdown(retry_at: float | None, monotonic_now: float) -> str:
    if retry_at is None:
        return ""
    left = math.ceil(retry_at - monotonic_now)
    return f", again in {left}s" if left > 0 else ", trying …"


def status_lines(view: FleetView, width: int, *, monotonic_now: float, read_only: bool, note: str) -> list[Line]:
    """Engines at the left, counts and modes at the right; shorter words, then a second line, where room is short."""
    right = _right(view, read_only=read_only, note=note)
    engines = sorted(view.engines.values(), key=lambda engine: (engine.connection.link is Link.ABSENT, engine.id))
    for brief in (0, 1, 2):
        left = _joined([engine_line(engine, monotonic_now, brief=brief) for engine in engines])
        room = width - line_width(left) - line_width(right) - 2
        if room >= 1:
            return [(Span(" "), *left, Span(" " * room), *right, Span(" "))]
    for words in (
        _joined([engine_line(engine, monotonic_now, brief=1) for engine in engines]),
        _counted(engines, named=Link.CONNECTED),
        _counted(engines),
    ):
        if line_width(words) <= width - 2:
            break
    return [(Span(" "), *words), (Span(" " * max(1, width - line_width(right) - 1)), *right)]


def _counted(engines: Sequence[EngineView], *, named: Link | None = None) -> Line:
    """Many engines: those of one kind of link by name, of the others how many there are."""
    parts = [engine_line(engine, 0.0, brief=2) for engine in engines if engine.connection.link is named]
    for link, (sign, tone) in _LINKS.items():
        count = sum(engine.connection.link is link for engine in engines)
        if count and link is not named:
            parts.append(line((f"{sign} ", tone), f"{count} {link.value}"))
    return _joined(parts)


def _joined(parts: Sequence[Line]) -> Line:
    spans: list[Span] = []
    for part in parts:
        spans.extend([*(_BETWEEN if spans else ()), *part])
    return tuple(spans)


def _right(view: FleetView, *, read_only: bool, note: str) -> Line:
    running = sum(container.state is ContainerState.RUNNING for container in view.containers.values())
    counts = f"{running} of {len(view.containers)} running" if view.containers else ""
    parts: list[Line] = [line((inert(note), Tone.WARN))] if note else []
    if read_only:
        parts.append(line(("READ-ONLY", Tone.WARN)))
    if counts:
        parts.append(line((counts, Tone.DIM)))
    return _joined(parts)


class StatusBar(LinesPane, can_focus=False):
    """One line, two where one is too narrow."""

    DEFAULT_CSS = """
    StatusBar {
        height: 1;
        overflow-y: hidden;
        background: $panel;
    }
    """

    def show(self, view: FleetView, *, monotonic_now: float, read_only: bool = False, note: str = "") -> None:
        """Show how the engines are. monotonic_now: time.monotonic(), for the countdown of the next try."""
        self.show_built(
            lambda width: status_lines(view, width, monotonic_now=monotonic_now, read_only=read_only, note=note)
        )

    def lines_changed(self, count: int) -> None:
        """As high as its lines."""
        self.styles.height = max(1, count)
