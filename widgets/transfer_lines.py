"""Pulls and pushes as lines: a head for each, a bar for each layer, the failure with its remedy. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.events import Phase
from backends.model.transfer import LayerPhase
from backends.model.transfer_state import LayerState, TransferState
from widgets.charts import bar
from widgets.engine_badge import badge_tone
from widgets.format import bytes_text, clock_text, rate_text, short_image
from widgets.line import BLANK, Line, Span, Tone, line
from widgets.text import cut_middle, inert, paragraph

LAYER_BAR = 24  # cells at most
_SIGNS = {
    Phase.STARTED: ("◌", Tone.DIM),
    Phase.PROGRESS: ("●", Tone.INFO),
    Phase.DONE: ("✓", Tone.OK),
    Phase.FAILED: ("✕", Tone.BAD),
    Phase.CANCELLED: ("○", Tone.DIM),
}
_LAYER_TONES = {
    LayerPhase.DONE: Tone.OK,
    LayerPhase.PRESENT: Tone.DIM,
    LayerPhase.WAITING: Tone.DIM,
    LayerPhase.RETRYING: Tone.WARN,
}
_RANK = {LayerPhase.WAITING: 1, LayerPhase.PRESENT: 2, LayerPhase.DONE: 3}
"""Which layers are folded first where there is no room: those that are done, those that were there, those that wait."""


def sign_of(state: TransferState) -> tuple[str, Tone]:
    """The shape that tells how it stands, and its tone."""
    return _SIGNS[state.phase]


def head_line(state: TransferState, width: int) -> Line:
    """One line: what, where, how far, how fast, how long yet."""
    sign, tone = sign_of(state)
    arrow = "↑" if state.ask.push else "↓"
    facts = _facts(state)
    where = inert(state.ask.engine.name)
    room = max(12, width - len(facts) - len(where) - 12)
    name = cut_middle(short_image(state.name), room)
    parts: list[Span] = [Span(f"{sign} ", tone), Span(f"{arrow} ", Tone.DIM), Span(name, Tone.STRONG)]
    parts += [Span(f"  {where}", badge_tone(state.ask.engine)), Span(f"  {facts}", _fact_tone(state))]
    return tuple(parts)


def _fact_tone(state: TransferState) -> Tone:
    return {Phase.FAILED: Tone.BAD, Phase.DONE: Tone.PLAIN}.get(state.phase, Tone.DIM)


def _facts(state: TransferState) -> str:
    if state.phase is Phase.STARTED:
        return "asking …"
    if state.phase is Phase.CANCELLED:
        return "cancelled"
    if state.phase is Phase.FAILED:
        return "failed"
    done, total, count = state.done_bytes, state.total_bytes, len(state.layers)
    if state.phase is Phase.DONE:
        moved = f"{bytes_text(done)} moved" if done else f"{count} layers"
        there = state.result is not None and not state.result.changed
        return "was up to date" if there else f"done, {moved}"
    parts = []
    if total:
        share = f"{done * 100 // total}% of {bytes_text(total)}" if done < total else f"all {bytes_text(total)}"
        parts.append(share)
    elif done:
        known = state.known_bytes
        parts.append(f"{bytes_text(done)} of {bytes_text(known)} or more" if known > done else bytes_text(done))
    if count:
        parts.append(f"{state.ended_layers}/{count}{'' if state.complete else '+'} layers")
    if state.bytes_per_s:
        parts.append(rate_text(state.bytes_per_s))
    if state.eta_s is not None:
        parts.append(f"{clock_text(state.eta_s)} left")
    return " · ".join(parts) or "under way"


def layer_line(layer: LayerState, width: int, *, moving: bool = True) -> Line:
    """One line: id, bar, bytes, where it is. moving: False = the transfer has ended, whatever the layer's phase is."""
    cells = max(6, min(LAYER_BAR, width - 56))
    cut = not moving and not layer.phase.ended
    tone = Tone.DIM if cut else _LAYER_TONES.get(layer.phase, Tone.INFO)
    share = _share(layer)
    drawn = bar(share, cells, tone=tone) if share is not None else (Span(" " * cells),)
    return (Span(f"    {inert(layer.id)[:12]:<12}  ", Tone.DIM), *drawn, Span(f"  {_bytes(layer):<20}"),
            Span(f"  {'not finished' if cut else layer.phase.value}", tone))  # fmt: skip


def _share(layer: LayerState) -> float | None:
    if layer.phase is LayerPhase.EXTRACTING and layer.step_total_bytes:
        return (layer.step_bytes or 0) / layer.step_total_bytes
    if layer.phase.ended or layer.phase in {LayerPhase.DOWNLOADED, LayerPhase.VERIFYING}:
        return 1.0
    if layer.size_bytes:
        return layer.sent_bytes / layer.size_bytes
    return 0.0 if layer.phase is LayerPhase.WAITING else None


def _bytes(layer: LayerState) -> str:
    if layer.phase is LayerPhase.EXTRACTING and layer.step_total_bytes:
        return f"{bytes_text(layer.step_bytes or 0)} of {bytes_text(layer.step_total_bytes)}"
    if layer.size_bytes is None:
        return bytes_text(layer.sent_bytes) if layer.sent_bytes else ""
    if layer.sent_bytes < layer.size_bytes:
        return f"{bytes_text(layer.sent_bytes)} of {bytes_text(layer.size_bytes)}"
    return bytes_text(layer.size_bytes)


def transfer_lines(state: TransferState, width: int, room: int | None = None, *, failure: bool = True) -> list[Line]:
    """A transfer in full. room: lines that it may take at most (at least 1), None = as many as it needs.

    failure: say too why it failed.
    """
    head = [head_line(state, width)]
    notes = note_lines(state, width, failure=failure)
    space = None if room is None else max(0, room - len(head) - len(notes))
    layers = state.layers if state.under_way or space is None else ()
    shown = layers if space is None or len(layers) <= space else _most_telling(layers, max(0, space - 1))
    lines = [layer_line(layer, width) for layer in shown]
    hidden = len(layers) - len(shown)
    if hidden and space:
        lines.append(line((f"    and {hidden} more layers", Tone.DIM)))
    return [*head, *notes, *lines][: room or None]


def detail_lines(state: TransferState, width: int) -> list[Line]:
    """All of one transfer, without a head: what there is to say, then each layer."""
    meaning = [] if state.meaning is None else [line((f"    {inert(state.meaning.reference)}", Tone.STRONG))]
    layers = [layer_line(layer, width, moving=state.under_way) for layer in state.layers]
    notes = note_lines(state, width)
    error = paragraph(state.error.detail, Tone.DIM, width, indent="    ") if state.error and state.error.detail else []
    if state.under_way and state.layers:
        meaning.append(line((f"    {_facts(state)}", Tone.DIM)))
    if not state.layers and state.under_way:
        layers = [line((f"    {inert(state.said) or 'Asking the registry …'}", Tone.DIM))]
    return [*meaning, *notes, *error, BLANK, *layers]


def _most_telling(layers: Sequence[LayerState], count: int) -> list[LayerState]:
    """So many of them, those that move first; in their own order."""
    kept = sorted(range(len(layers)), key=lambda at: (_RANK.get(layers[at].phase, 0), at))[:count]
    return [layers[at] for at in sorted(kept)]


def note_lines(state: TransferState, width: int, *, failure: bool = True) -> list[Line]:
    """What there is to say of it besides: what its name was taken for, why it failed, what stays, its digest."""
    notes: list[Line] = []
    meaning = state.meaning
    if meaning is not None and meaning.why:
        tried = f"; tried {', '.join(meaning.candidates)}" if len(meaning.candidates) > 1 else ""
        notes += paragraph(f"{state.ask.reference} → {meaning.reference} ({meaning.why}{tried})", Tone.DIM, width,
                           indent="    ")  # fmt: skip
    if state.error is not None and not failure:
        return notes
    if state.error is not None:
        notes += paragraph(state.error.title, Tone.BAD, width, indent="    ")
        if state.error.hint:
            notes += paragraph(f"→ {state.error.hint}", Tone.PLAIN, width, indent="    ")
    elif state.phase is Phase.CANCELLED:
        words = "The engine has ended it. Layers that were whole may stay there for the next try."
        notes += paragraph(words, Tone.DIM, width, indent="    ")
    elif state.phase is Phase.DONE and state.result is not None and state.result.digest:
        notes.append(line((f"    {inert(state.result.digest)}", Tone.DIM)))
    return notes


__all__ = ["detail_lines", "head_line", "layer_line", "note_lines", "sign_of", "transfer_lines"]
