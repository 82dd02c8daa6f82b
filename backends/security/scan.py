"""What Trivy or Grype found in an image, layer by layer. Pure: reads their JSON, runs neither.

Sources: trivy.dev, "Reporting" (schema 2: Results[].Vulnerabilities[] and Secrets[], each with Layer.DiffID);
github.com/anchore/grype, grype/presenter/models (matches[].artifact.locations[].layerID is the layer's diff-ID).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backends.model.image import Layer
from backends.security.finding import SecurityFinding, Severity

_SEVERITIES = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "negligible": Severity.INFO,
    "unknown": Severity.INFO,
}
_NAMED = 3
"""Of what was found in a layer, so many are named."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """One vulnerability of a package, or one secret. layer: diff-ID, "" where not told. fixed: versions without it."""

    id: str
    severity: Severity
    package: str
    layer: str = ""
    fixed: str = ""
    secret: bool = False


def read_trivy(text: str) -> tuple[Weakness, ...]:
    """From `trivy image --format json`. Raises ValueError where it is nothing of the kind."""
    results = _document(text, "Results", "trivy")
    found: dict[Weakness, None] = {}
    for result in results:
        if not isinstance(result, dict):
            continue
        target = str(result.get("Target") or "")
        for one in _rows(result, "Vulnerabilities"):
            package = f"{one.get('PkgName')} {one.get('InstalledVersion') or ''}".strip()
            fixed = str(one.get("FixedVersion") or "")
            said = Weakness(
                str(one.get("VulnerabilityID")), _severity(one.get("Severity")), package, _diff_id(one), fixed
            )
            found[said] = None
        for one in _rows(result, "Secrets"):
            title = str(one.get("Title") or one.get("RuleID"))
            where = f"{target}:{one.get('StartLine')}" if one.get("StartLine") else target
            found[Weakness(title, _severity(one.get("Severity")), where, _diff_id(one), secret=True)] = None
    return tuple(found)


def read_grype(text: str) -> tuple[Weakness, ...]:
    """From `grype -o json`. Raises ValueError where it is nothing of the kind."""
    found: dict[Weakness, None] = {}
    for one in _document(text, "matches", "grype"):
        if not isinstance(one, dict):
            continue
        flaw, artifact = _mapping(one.get("vulnerability")), _mapping(one.get("artifact"))
        fixes = _mapping(flaw.get("fix")).get("versions")
        layers = [str(place.get("layerID") or "") for place in _rows(artifact, "locations")]
        said = Weakness(
            str(flaw.get("id")),
            _severity(flaw.get("severity")),
            f"{artifact.get('name')} {artifact.get('version') or ''}".strip(),
            layers[0] if layers else "",
            ", ".join(map(str, fixes)) if isinstance(fixes, list) else "",
        )
        found[said] = None
    return tuple(found)


def _document(text: str, key: str, program: str) -> Sequence[Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{program} wrote no JSON: {error}") from error
    rows = told.get(key, []) if isinstance(told, dict) else None
    if rows is not None and not isinstance(rows, list):
        raise ValueError(f"{program} wrote no report: its {key} is no list")
    if not isinstance(told, dict):
        raise ValueError(f"{program} wrote no report")
    return rows or []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _rows(holder: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    rows = holder.get(key)
    return (one for one in rows if isinstance(one, dict)) if isinstance(rows, list) else iter(())


def _severity(word: Any) -> Severity:
    return _SEVERITIES.get(str(word).lower(), Severity.INFO)


def _diff_id(one: Mapping[str, Any]) -> str:
    return str(_mapping(one.get("Layer")).get("DiffID") or "")


def by_layer(weaknesses: Sequence[Weakness], layers: Sequence[Layer], program: str) -> Iterator[SecurityFinding]:
    """A finding for each layer that has some, the base first, as bad as the worst of them; one where nothing is."""
    found: dict[str, list[Weakness]] = {}
    for one in weaknesses:
        found.setdefault(one.layer, []).append(one)
    real = [layer for layer in layers if not layer.empty]
    places = {layer.diff_id: (number, layer.command) for number, layer in enumerate(real, 1)}
    for layer in sorted(found, key=lambda id: places.get(id, (len(real) + 1, ""))[0]):
        number, command = places.get(layer, (0, ""))
        where = f"layer {number} of {len(real)}" if number else "its image"
        yield _finding(found[layer], where, command, program)
    if not found:
        yield SecurityFinding(
            "scan-clean", Severity.INFO, f"{program} found nothing in its image", program, "nothing found",
            "Only what its database knows today is found.", "Scan again from time to time.",
        )  # fmt: skip


def _finding(found: Sequence[Weakness], where: str, command: str, program: str) -> SecurityFinding:
    worst = sorted(found, key=lambda one: (one.severity.rank, one.id, one.package))
    counts = Counter(one.severity for one in found if not one.secret)
    said = ", ".join(f"{counts[one]} {one.value}" for one in Severity if counts[one])
    secrets = sum(one.secret for one in found)
    kept = f"{secrets} secret{'s' * (secrets > 1)}" if secrets else ""
    fixable = sum(bool(one.fixed) for one in found)
    named = "; ".join(_words(one) for one in worst[:_NAMED])
    more = f"; and {len(worst) - _NAMED} more" if len(worst) > _NAMED else ""
    vulnerable = f"vulnerabilities {said}" if said else ""
    if secrets:
        remedy = "Take the secret out of the layer that brings it, and replace it where it is valid."
    elif fixable:
        remedy = f"Build the image again with newer packages: {fixable} of {len(found)} have a fix."
    else:
        remedy = "No fix is known yet: look again, or use another base image."
    return SecurityFinding(
        "scan-layer",
        worst[0].severity,
        f"{where}: {' and '.join(part for part in (vulnerable, kept) if part)}",
        f"{program}: {where}" + (f" ({' '.join(command.split())[:80]})" if command else ""),
        named + more,
        "What the layer brought in is known to be weak." if said else "Whoever has the image has the secret.",
        remedy,
    )


def _words(one: Weakness) -> str:
    fixed = f", fixed in {one.fixed}" if one.fixed else ""
    return f"{one.id} ({one.severity.value}) in {one.package}{fixed}"


__all__ = ["Weakness", "by_layer", "read_grype", "read_trivy"]
