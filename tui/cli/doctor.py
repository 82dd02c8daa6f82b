"""`tranship doctor`: what was found on this machine, what was not, why, and the next step. Changes nothing."""

from __future__ import annotations

import asyncio
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

_MARKS = {"ok": "✓", "note": "·", "problem": "✗"}


@click.command()
@common
@pass_invocation
def doctor(invocation: Invocation) -> None:
    """Say what was found, what was not, why, and what to do next.

    Exits with 3 where no engine answers, or one that should be there does not.
    """

    async def body(fleet: Fleet) -> Exit:
        from backends.services.audit import default_path as audit_path
        from backends.services.doctor import examine_engines, examine_host, read_host
        from backends.services.gpu_doctor import examine_gpus
        from backends.services.gpu_facts import cdi_folders, read_gpu_facts
        from backends.services.gpu_usage_recorder import default_path as usage_path
        from backends.services.machine import examine_machine, locked_bytes, read_machine
        from backends.services.training_doctor import examine_training

        await first_view(fleet)
        view = await gpus.sampled_gpus(fleet)
        found = sorted(view.engines.values(), key=lambda engine: engine.id.name)
        host = await asyncio.to_thread(read_host, os.environ)
        facts = await asyncio.to_thread(read_gpu_facts, os.environ, cdi_folders(found))
        stores = dict.fromkeys(engine.info.graph_root for engine in found if engine.info and engine.info.local)
        machine = await asyncio.to_thread(read_machine, stores)
        diagnoses = [
            *examine_engines(found),
            *examine_gpus(facts, found, view.gpus),
            *examine_training(view.gpus, found, locked_bytes()),
            *examine_host(host),
            *examine_machine(machine),
            *await _moves(),
        ]
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
                    {"topic": d.topic, "level": d.level.value, "sentence": d.sentence, "hint": d.hint or None}
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


async def _moves() -> list[Diagnosis]:
    """A problem for each move that was cut off, a note for each not confirmed yet, with the command that goes on."""
    from backends.migration.unfinished import next_step, sentence, unconfirmed, unfinished
    from backends.model.errors import BackendError
    from backends.services.doctor import Diagnosis, Level

    try:
        left = await unfinished(state_dir())
        waiting = await unconfirmed(state_dir())
    except (BackendError, OSError) as error:
        folder = state_dir() / "migrations"
        return [Diagnosis("moves", Level.PROBLEM, f"the journals in {folder} cannot be read: {error}")]
    found = [(Level.PROBLEM, record) for record in left] + [(Level.NOTE, record) for record in waiting]
    return [Diagnosis("moves", level, sentence(record), next_step(record)) for level, record in found]


def _show(diagnoses: list[Diagnosis]) -> None:
    width = max(len(diagnosis.topic) for diagnosis in diagnoses)
    for diagnosis in diagnoses:
        data(inert(f"{_MARKS[diagnosis.level.value]} {diagnosis.topic:{width}}  {diagnosis.sentence}"))
        if diagnosis.hint:
            data(inert(f"  {'':{width}}  → {diagnosis.hint}"))
