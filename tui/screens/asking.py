"""What stands between a key and its operation: whether it may be done now, and the question before. Does nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from backends.model.container import Container
from backends.model.fleet import FleetView
from tui.action import Action
from tui.actions import refusal
from tui.pods import pods_that_go
from widgets.line import BLANK, Line, Tone, line
from widgets.text import inert

if TYPE_CHECKING:
    from widgets.dialogs import ConfirmDialog

_NAMED = 11  # containers named in a question: as many as a terminal of 24 lines has room for


def why_not(action: Action, container: Container, view: FleetView, *, read_only: bool) -> str:
    """Why the action may not be done to this container now: a sentence, or "" where it may."""
    engine = view.engines.get(container.key.engine)
    if engine is None or engine.stale:
        return f"{container.key.engine} is not connected; Ctrl+R tries again."
    capabilities = engine.info.capabilities if engine.info else None
    return refusal(action, container, capabilities, read_only=read_only)


def confirmation(action: Action, containers: Sequence[Container], note: Sequence[Line] = ()) -> ConfirmDialog:
    """The question before an action, which names its containers. note: more lines below them."""
    from widgets.dialogs import ConfirmDialog

    verb = action.short.capitalize()
    if len(containers) == 1:
        question = f"{verb} {containers[0].name} on {containers[0].key.engine}?"
    else:
        question = f"{verb} {len(containers)} containers?"
    named = [
        line(inert(one.name), (f" on {one.key.engine}  {one.state.value}  {one.key.short}", Tone.DIM))
        for one in containers[:_NAMED]
    ]
    rest = Counter(one.key.engine.name for one in containers[_NAMED:])
    words = ", ".join(f"{count} on {inert(engine)}" for engine, count in sorted(rest.items()))
    more = [line((f"and {rest.total()} more: {words}", Tone.DIM))] if rest else []
    return ConfirmDialog(question, [*named, *more, *note], yes=verb, no="Keep", destructive=action.destructive)


def pod_lines(action: Action, view: FleetView, containers: Sequence[Container]) -> list[Line]:
    """What of Pods goes with containers of a cluster that are removed."""
    sentences = pods_that_go(view.containers, containers) if action.id == "container.remove" else []
    return [BLANK, *(line((inert(one), Tone.WARN)) for one in sentences[:_NAMED])] if sentences else []


def left_out_lines(reasons: Sequence[str]) -> list[Line]:
    """What of several containers an action leaves alone, and why."""
    if not reasons:
        return []
    more = [line((f"and {len(reasons) - 2} more", Tone.DIM))] if len(reasons) > 2 else []
    return [BLANK, line(("Left out:", Tone.WARN)), *(line((inert(why), Tone.DIM)) for why in reasons[:2]), *more]
