"""Images → plain JSON values, schema 1. Pure; as schema.py has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backends.model.build import BuildView, StepState
from backends.model.ids import EngineId, ImageKey
from backends.model.image_sharing import ImageShare, SharedLayer
from backends.model.values import Count
from tui.cli.schema import readings, time_text


def image(share: ImageShare) -> dict[str, Any]:
    """An image with what it shares. Sizes that are not known are null, the reason under "missing"."""
    seen = share.image
    return {
        "engine": seen.key.engine.name,
        "id": seen.key.id,
        "tags": list(seen.tags),
        "digests": list(seen.digests),
        "created_at": time_text(seen.created_at),
        "size_bytes": seen.size_bytes,
        "why": seen.why or None,
        "dangling": share.dangling,
        "containers": list(share.containers),
        "base": None if share.base is None else {"engine": share.base.engine.name, "name": share.base_name},
        **readings(
            {
                "layers_bytes": share.total_bytes,
                "unique_bytes": share.unique_bytes,
                "shared_bytes": share.shared_bytes,
            }
        ),
        "travels": {
            engine.name: readings({"bytes": size})
            for engine, size in sorted(share.travels.items(), key=lambda item: item[0].name)
        },
        "layers": [_layer(share, layer) for layer in share.layers],
    }


def _layer(share: ImageShare, layer: SharedLayer) -> dict[str, Any]:
    return {
        "diff_id": layer.diff_id,
        "command": layer.command,
        "own": layer.own,
        "shared_with": [{"engine": key.engine.name, "id": key.id} for key in layer.holders if key != share.image.key],
        **readings({"size_bytes": layer.size_bytes}),
    }


def stored(sizes: Mapping[EngineId, Count]) -> list[dict[str, Any]]:
    """What the images of each engine take together."""
    return [
        {"engine": engine.name, **readings({"stored_bytes": size})}
        for engine, size in sorted(sizes.items(), key=lambda item: item[0].name)
    ]


def built(key: ImageKey, names: Sequence[str], view: BuildView) -> dict[str, Any]:
    """An image that was built, with the steps that made it. took_s: seconds of each, with what belongs to it."""
    return {
        "action": "image.build",
        "engine": key.engine.name,
        "id": key.id,
        "names": list(names),
        "context_bytes": view.context_bytes,
        "steps": [
            {
                "stage": seen.step.stage,
                "number": seen.step.number,
                "instruction": seen.step.instruction,
                "cached": seen.state is StepState.CACHED,
                "took_s": None if seen.ended_s is None else round(seen.ended_s - seen.began_s, 3),
            }
            for seen in view.steps
        ],
        "error": None,
    }
