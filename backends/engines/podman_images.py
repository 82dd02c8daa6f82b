"""Pure mapping of libpod's image JSON to the model: list, facts, history joined with diff-IDs. Makes no calls."""

from __future__ import annotations

from collections.abc import Sequence

from backends.engines.health_check import image_health
from backends.engines.podman_translate import Json, bare_id, moment, strings
from backends.model.ids import EngineId, ImageKey
from backends.model.image import Image, ImageFacts, Layer, LayerReport


def listed_image(entry: Json, engine: EngineId) -> Image:
    """One image of `GET /libpod/images/json`."""
    return Image(
        ImageKey(engine, bare_id(str(entry["Id"]))),
        strings(entry.get("RepoTags")) or strings(entry.get("Names")),
        int(entry.get("Size") or 0),
        moment(entry.get("Created")),
        strings(entry.get("RepoDigests")),
    )


def inherited(inspect: Json) -> Json:
    """The configuration that containers of the image inherit; libpod tells the health check beside it."""
    config = dict(inspect.get("Config") or {})
    config.setdefault("Healthcheck", inspect.get("Healthcheck") or inspect.get("HealthCheck"))
    return config


def image_facts(inspect: Json, engine: EngineId) -> ImageFacts:
    """Of `GET /libpod/images/{name}/json`. A libpod image's id is the digest of its config."""
    image_id = bare_id(str(inspect["Id"]))
    return ImageFacts(
        ImageKey(engine, image_id),
        strings(inspect.get("RepoTags")),
        f"sha256:{image_id}",
        strings((inspect.get("RootFS") or {}).get("Layers")),
        str(inspect.get("Architecture") or ""),
        str(inspect.get("Os") or ""),
        int(inspect.get("Size") or 0),
        image_health(inherited(inspect)),
    )


def clean_command(text: str) -> str:
    """A history step as people wrote it in the Dockerfile."""
    text = text.removesuffix("# buildkit").strip()
    if text.startswith("/bin/sh -c #(nop)"):
        return text.removeprefix("/bin/sh -c #(nop)").strip()
    for prefix in ("RUN /bin/sh -c ", "/bin/sh -c "):
        if text.startswith(prefix):
            return f"RUN {text.removeprefix(prefix).strip()}"
    return text


def layer_report(inspect: Json, history: Sequence[Json], reference: str, engine: EngineId) -> LayerReport:
    """Base first. inspect: the image's JSON; history: of `GET …/history`, newest first, for the sizes.

    Joined by the config's own `empty_layer`; a size of 0 is no safe test. Where the config tells less steps than there
    are layers (squashed, imported), the layers without a step follow, unnamed.
    """
    diff_ids = list(strings((inspect.get("RootFS") or {}).get("Layers")))
    steps: list[Json] = list(inspect.get("History") or ())
    sizes = [entry.get("Size") for entry in reversed(history)]
    sized = len(sizes) == len(steps)
    layers: list[Layer] = []
    for at, step in enumerate(steps):
        empty = bool(step.get("empty_layer")) or not diff_ids
        size = int(sizes[at] or 0) if sized else None
        layers.append(
            Layer(
                clean_command(str(step.get("created_by") or "")),
                "" if empty else diff_ids.pop(0),
                0 if empty else size,
                moment(step.get("created")),
                str(step.get("comment") or ""),
            )
        )
    layers += [Layer("", diff_id, None, None) for diff_id in diff_ids]
    key = ImageKey(engine, bare_id(str(inspect["Id"])))
    return LayerReport(key, reference, tuple(layers), str(inspect.get("Architecture") or ""))
