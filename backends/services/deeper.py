"""The security view's slow looks, asked for by name: signatures of images, what a scanner finds. Changes nothing.

Each look adds findings to reports that were made before; an image that several containers run is looked at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote

from backends.migration.trust import see_trust
from backends.model.errors import BackendError
from backends.model.ids import EngineKind
from backends.security.facts import TrustSeen
from backends.security.finding import ContainerReport, SecurityFinding, Severity, worst_first
from backends.security.trust import TrustOutcome, judge
from backends.services.fleet import Fleet
from backends.services.scans import none_there, scan, scanner
from backends.services.signatures import (
    VERIFIERS,
    SignatureCheck,
    SignatureOutcome,
    Verifier,
    check_signatures,
    verifier,
)
from backends.services.signatures_cosign import ask_cosign

Findings = tuple[SecurityFinding, ...]
_PULL = "A pull by that engine looks at them."
_INSTALL = "Install skopeo (apt install skopeo, dnf install skopeo)."


async def with_signatures(fleet: Fleet, reports: Sequence[ContainerReport]) -> list[ContainerReport]:
    """The reports, each with what became of its image's signatures by the policy of its Podman."""
    trusts = {
        engine.id: await asyncio.to_thread(see_trust, engine.id, engine.endpoint)
        for engine in fleet.engines
        if any(report.key.engine == engine.id for report in reports)
    }

    async def look(report: ContainerReport) -> Findings:
        return (await _signatures(report, trusts[report.key.engine]),)

    return await _each(reports, look)


async def with_scans(fleet: Fleet, reports: Sequence[ContainerReport]) -> list[ContainerReport]:
    """The reports, each with what Trivy or Grype found in the layers of its image; how to get one where there is none.

    One image after the other: a scan takes memory and a copy of the image on the disk.
    """
    by = scanner()

    async def look(report: ContainerReport) -> Findings:
        if by is None:
            return (none_there(),)
        engine = fleet.engine(report.key.engine)
        try:
            return await scan(engine, report.image_id or report.image, by)
        except BackendError as error:
            return (_not_looked("scan-failed", f"its image was not scanned: {error.title}", by.name, error),)

    return await _each(reports, look)


async def _each(
    reports: Sequence[ContainerReport], look: Callable[[ContainerReport], Awaitable[Findings]]
) -> list[ContainerReport]:
    known: dict[tuple[object, str, str], Findings] = {}
    made = []
    for report in reports:
        image = (report.key.engine, report.image_id, report.image)
        if image not in known:
            known[image] = await look(report)
        made.append(replace(report, findings=worst_first((*report.findings, *known[image]))))
    return made


async def _signatures(report: ContainerReport, trust: TrustSeen | None) -> SecurityFinding:
    if report.key.engine.kind is not EngineKind.PODMAN:
        return _note(
            "signature-not-asked", "its engine has no signature policy", "engine", report.key.engine.kind.value
        )
    if trust is None or trust.policy is None:
        said = trust.problem if trust is not None else "not seen from here"
        return _note("signature-no-policy", "the signature policy of its engine is not to be read", "policy.json", said)
    if not report.pinned:
        said = report.image or "no name"
        return _note(
            "signature-local", "its image has no digest of a registry: no signature can be", "RepoDigests", said
        )
    verdict = judge(trust.policy, report.pinned)
    field = f"{trust.path}: {verdict.scope}"
    if verdict.outcome is TrustOutcome.ACCEPTS:
        return _note("signature-not-needed", "its engine's policy asks for no signature of it", field, verdict.words)
    if not trust.here:
        said = "the engine's files are in another file system: its keys cannot be read from here"
        return _note("signature-elsewhere", "its signatures were not verified", field, said, _PULL)
    by = verifier()
    if by is None:
        title = f"its signatures were not verified: none of {', '.join(VERIFIERS)} is here"
        return _note("signature-no-tool", title, field, "PATH", _INSTALL)
    if by.name == "cosign":
        place = trust.places.of(report.pinned)
        return _finding(report.pinned, field, by, await ask_cosign(report.pinned, verdict.requirements, place, by=by))
    folder = Path(trust.folder) if trust.folder else None
    return await signature_finding(report.pinned, Path(trust.path), folder, field, by)


async def signature_finding(
    pinned: str, policy: Path, registries: Path | None, field: str, by: Verifier
) -> SecurityFinding:
    """What skopeo or podman says of one image, as a finding."""
    return _finding(pinned, field, by, await check_signatures(pinned, policy, registries, by=by))


def _finding(pinned: str, field: str, by: Verifier, made: SignatureCheck) -> SecurityFinding:
    if made.outcome is SignatureOutcome.HOLDS:
        what = (
            "made with the keys that its policy names" if by.name == "cosign" else "the policy of its engine takes it"
        )
        return _note("signature-holds", f"its signatures hold: {what} ({by.name})", field, pinned)
    if made.outcome is SignatureOutcome.UNKNOWN:
        remedy = f"{_PULL} {_INSTALL}" if by.name == "cosign" else _PULL
        return _note("signature-unknown", "its signatures were not verified", field, made.said, remedy)
    return SecurityFinding(
        "signature-rejected", Severity.HIGH, "its signatures do not satisfy the policy of its engine", field,
        f"{pinned}: {made.said}", "It was not made, or not released, by those whose signature is asked for.",
        "Find out where it is from; run one that is signed.", f"podman pull {quote(pinned)}",
    )  # fmt: skip


def _note(id: str, title: str, field: str, fact: str, remedy: str = "Nothing needs to be done.") -> SecurityFinding:
    return SecurityFinding(id, Severity.INFO, title, field, fact, "Asked for by name.", remedy)


def _not_looked(id: str, title: str, field: str, error: BackendError) -> SecurityFinding:
    return SecurityFinding(
        id, Severity.INFO, title, field, error.detail or error.title, "What its layers hold is not known.", error.hint
    )


__all__ = ["signature_finding", "with_scans", "with_signatures"]
