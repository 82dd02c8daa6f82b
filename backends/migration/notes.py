"""What a user should know after a move, in sentences. Pure."""

from __future__ import annotations

from backends.migration.journal import Effect, Record
from backends.model.plan import LayerChoice, Plan, VolumeChoice


def after(plan: Plan, record: Record) -> list[str]:
    """Of a move that has been done."""
    where = f"{plan.source_name} is still on {plan.source.engine}"
    held = record.find(Effect.HOLD)
    if not plan.choices.stop_source and plan.source_running:
        notes = [f"{where} and was left running, so now both run"]
    elif plan.source_running:
        notes = [f"{where}, stopped; it is never removed unless you say so"]
    else:
        notes = [f"{where}, as it was"]
    if held is not None:
        notes.append(
            f"its restart policy ({held.was}) is switched off, so that a reboot does not start both: --undo gives it"
            " back"
        )
    if plan.volumes and plan.source_running and not plan.choices.stop_source:
        notes.append(
            "its volumes were copied while it ran: the copy has them as of that moment, and a file that was being"
            " written may be cut"
        )
    empty = [move.create.name for move in plan.volumes if move.choice is VolumeChoice.SKIP]
    if empty:
        notes.append(f"left empty, as you chose: {', '.join(empty)}")
    if plan.choices.layer is LayerChoice.COMMIT and plan.source_running:
        notes.append(
            "the image was made of it while it still ran: what it wrote outside its volumes after that is not in the"
            " copy"
        )
    if plan.source_paused:
        notes.append("it was paused; the copy runs")
    return notes
