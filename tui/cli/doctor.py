"""`tranship doctor`: what was found on this machine, what was not, why, and the next step. Changes nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from tui.cli import engines, gpus, schema
from tui.cli.exits import Exit
from tui.cli.options import common
from tui.cli.output import answer, data
from tui.cli.pick import first_view
from tui.cli.session import Invocation, pass_invocation, run
from tui.config import default_path
from tui.crash import state_dir
from tui.log import log_path
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.doctor import Diagnosis
    from backends.services.fleet import Fleet

_MARKS = {"ok": "✓", "note": "·", "problem": "✕"}


@click.command()
@common
@pass_invocation
def doctor(invocation: Invocation) -> None:
    """Say what was found, what was not, why, and what to do next.

    Exits with 3 where no engine answers, or one that should be there does not.
    """

    async def body(fleet: Fleet) -> Exit:
        from backends.services.audit import default_path as audit_path
        from backends.services.examination import examine
        from backends.services.gpu_usage_recorder import default_path as usage_path
        from tui.surroundings import examine_terminal

        await first_view(fleet)
        view = await gpus.sampled_gpus(fleet)
        found = sorted(view.engines.values(), key=lambda engine: engine.id.name)
        diagnoses = [*await examine(view, os.environ, state_dir()), *examine_terminal(os.environ)]
        settings = invocation.config or default_path()
        files = {
            "settings": str(settings),
            "audit": str(audit_path()),
            "gpu_usage": str(usage_path()),
            "log": str(log_path(state_dir())),
        }
        if invocation.json:
            answer(
                diagnoses=[
                    {
                        "topic": d.topic,
                        "level": d.level.value,
                        "sentence": d.sentence,
                        "hint": d.hint or None,
                        "command": d.command or None,
                    }
                    for d in diagnoses
                ],
                engines=[schema.engine(engine) for engine in found],
                files=files,
            )
        else:
            _show(diagnoses)
            data("")
            for what, path in files.items():
                data(inert(f"  {what}: {path}"))
        return engines.code_of(found)

    run(invocation, body, sampling=True)


def _show(diagnoses: list[Diagnosis]) -> None:
    width = max(len(diagnosis.topic) for diagnosis in diagnoses)
    for diagnosis in diagnoses:
        data(inert(f"{_MARKS[diagnosis.level.value]} {diagnosis.topic:{width}}  {diagnosis.sentence}"))
        if diagnosis.hint:
            data(inert(f"  {'':{width}}  → {diagnosis.hint}"))
