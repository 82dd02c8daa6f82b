"""What is said of a new container before it is made, as lines and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from backends.draft.fields import BY_ID, FIELDS
from backends.model.plan import Severity
from backends.presets.preset import Preset

if TYPE_CHECKING:
    from backends.services.launch import Judged

_MARKS = {Severity.BLOCK: "✕", Severity.WARN: "!", Severity.NOTE: "·"}


def setting_lines(preset: Preset, judged: Judged) -> Iterator[str]:
    """What the preset sets, as far as it stands, each with its reason."""
    yield f"{preset.title}: {preset.what}"
    for field in FIELDS:
        for text in judged.draft.all(field.id):
            why = preset.why(field.id, text)
            if why:
                yield f"  {field.title.lower()} {text}: {why}"


def remark_lines(judged: Judged) -> Iterator[str]:
    """What was found, the next step below."""
    for one in judged.remarks:
        finding = one.finding
        where = f"{BY_ID[one.field].title.lower()}: " if one.field else ""
        detail = f" ({finding.detail})" if finding.detail else ""
        yield f"{_MARKS[finding.severity]} {where}{finding.title}{detail}"
        if finding.remedy:
            yield f"  → {finding.remedy}"


def schema_judged(judged: Judged, preset: Preset | None) -> dict[str, Any]:
    """For scripts. Values of secrets stand nowhere: the command leaves them to the environment."""
    hidden = set(judged.command.hidden)
    return {
        "engine": judged.engine.name,
        "name": judged.spec.name,
        "image": judged.spec.image,
        "preset": preset.name if preset else None,
        "command": list(judged.command.argv),
        "unsaid": list(judged.command.unsaid),
        "settings": [
            {
                "field": field.id,
                "value": text.partition("=")[0] if field.id == "env" and text.partition("=")[0] in hidden else text,
                "why": (preset.why(field.id, text) if preset else "") or None,
            }
            for field in FIELDS
            for text in judged.draft.all(field.id)
        ],
        "findings": [
            {
                "severity": one.finding.severity.value,
                "field": one.field or None,
                "title": one.finding.title,
                "detail": one.finding.detail,
                "remedy": one.finding.remedy,
            }
            for one in judged.remarks
        ],
    }


__all__ = ["remark_lines", "schema_judged", "setting_lines"]
