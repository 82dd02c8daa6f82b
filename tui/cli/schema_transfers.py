"""Transfers, search results, platforms and logins → plain JSON values, schema 1. Pure; as schema.py has it."""

from __future__ import annotations

from typing import Any

from backends.model.ids import EngineId
from backends.model.transfer import FoundImage, Login, PlatformReport
from backends.model.transfer_state import TransferState
from tui.cli.schema import error


def transfer(state: TransferState) -> dict[str, Any]:
    """A pull or push that ended. changed: false where a pull found all there; null where it failed."""
    result, meaning = state.result, state.meaning
    return {
        "action": f"image.{state.ask.verb}",
        "engine": state.ask.engine.name,
        "asked": state.ask.reference,
        "reference": meaning.reference if meaning else None,
        "candidates": list(meaning.candidates) if meaning else [],
        "platform": state.ask.platform or None,
        "image_id": result.image_id if result else None,
        "digest": (result.digest or None) if result else None,
        "changed": result.changed if result else None,
        "moved_bytes": state.done_bytes,
        "layers": [
            {"id": layer.id, "phase": layer.phase.value, "size_bytes": layer.size_bytes} for layer in state.layers
        ],
        "error": error(state.error),
    }


def found(engine: EngineId, image: FoundImage) -> dict[str, Any]:
    """A result of a search."""
    return {
        "engine": engine.name,
        "name": image.name,
        "description": image.description or None,
        "stars": image.stars,
        "official": image.official,
    }


def platforms(engine: EngineId, report: PlatformReport) -> dict[str, Any]:
    """The platforms of an image in its registry; "platforms" is empty where a single one is not told."""
    return {
        "engine": engine.name,
        "reference": report.reference,
        "digest": report.digest or None,
        "single": report.single,
        "platforms": [
            {"os": one.os, "architecture": one.architecture, "variant": one.variant or None} for one in report.platforms
        ],
    }


def login(engine: EngineId, entry: Login) -> dict[str, Any]:
    """An entry of a credential store. There is no key for the secret."""
    return {"engine": engine.name, "registry": entry.registry, "username": entry.username, "store": entry.store}
