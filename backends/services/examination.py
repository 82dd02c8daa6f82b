"""All that doctor looks at, in the order in which a person would look. Changes nothing and asks no engine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from backends.migration.unfinished import next_step, sentence, unconfirmed, unfinished
from backends.model.errors import BackendError
from backends.model.fleet import FleetView
from backends.services.audit_doctor import examine_audit
from backends.services.doctor import Diagnosis, Level, examine_engines, examine_host, read_host
from backends.services.gpu_doctor import examine_gpus
from backends.services.gpu_facts import cdi_folders, read_gpu_facts
from backends.services.leftovers import examine_leftovers
from backends.services.machine import examine_machine, locked_bytes, read_machine
from backends.services.training_doctor import examine_training


async def examine(view: FleetView, environ: Mapping[str, str], state_dir: Path) -> list[Diagnosis]:
    """Engines, GPUs, rootless set-up, room, moves that wait, the audit trail, left-overs. Files are read in threads;
    takes < 1 s, and longer for a trail of many megabytes.

    view: once every engine was listed or failed, and GPUs were looked for. state_dir: where migrations keep journals.
    """
    found = sorted(view.engines.values(), key=lambda engine: engine.id.name)
    host = await asyncio.to_thread(read_host, environ)
    facts = await asyncio.to_thread(read_gpu_facts, environ, cdi_folders(found))
    stores = dict.fromkeys(engine.info.graph_root for engine in found if engine.info and engine.info.local)
    machine = await asyncio.to_thread(read_machine, stores)
    return [
        *examine_engines(found),
        *examine_gpus(facts, found, view.gpus),
        *examine_training(view.gpus, found, locked_bytes()),
        *examine_host(host),
        *examine_machine(machine),
        *await _moves(state_dir),
        *await asyncio.to_thread(examine_audit, state_dir / "audit.jsonl"),
        *await asyncio.to_thread(examine_leftovers, view, environ),
    ]


async def _moves(state_dir: Path) -> list[Diagnosis]:
    """A problem for each move that was cut off, a note for each not confirmed yet, with the command that goes on."""
    try:
        left = await unfinished(state_dir)
        waiting = await unconfirmed(state_dir)
    except (BackendError, OSError) as error:
        folder = state_dir / "migrations"
        return [Diagnosis("moves", Level.PROBLEM, f"the journals in {folder} cannot be read: {error}")]
    found = [(Level.PROBLEM, record) for record in left] + [(Level.NOTE, record) for record in waiting]
    return [Diagnosis("moves", level, sentence(record), next_step(record)) for level, record in found]
