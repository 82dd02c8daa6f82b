"""What the audit trail says besides of an operation: the object with its digests, the plan, what was deployed.

Turns model objects into plain values; of the environment only names. Asks no engine but in `deployed`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.engine import Engine
from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.image import Image, ImageFacts
from backends.model.plan import MigrationReport, Plan
from backends.model.secrets import masked_command
from backends.model.trial import TrialRequest
from backends.model.workload import WorkloadSpec

if TYPE_CHECKING:
    from backends.migration.backup_contents import Contents

_log = logging.getLogger(__name__)


def of_container(row: Container) -> dict[str, Any]:
    """A container as the object of an action."""
    return {
        "name": row.name,
        "id": row.key.id,
        "state": row.state.value,
        "image": row.image,
        "image_id": row.image_id or None,
    }


def of_image(image: Image) -> dict[str, Any]:
    """An image as the object of an action."""
    return {"image_id": image.key.id, "names": list(image.tags), "digests": list(image.digests)}


def of_facts(facts: ImageFacts) -> dict[str, Any]:
    """The same of what identifies an image's content."""
    names = list(facts.tags)
    return {"image_id": facts.key.id, "names": names, "config_digest": facts.config_digest or None}


def of_trial(request: TrialRequest) -> dict[str, Any]:
    """What a trial is to measure."""
    return {
        "engines": [engine.name for engine in request.engines],
        "rounds": request.rounds,
        "command": masked_command(request.command) or None,
        "density": request.density,
    }


def of_spec(spec: WorkloadSpec) -> dict[str, Any]:
    """A recipe as the plan of a run: its command masked, of the environment the names."""
    return {
        "name": spec.name,
        "image": spec.image,
        "image_id": spec.image_id or None,
        "command": masked_command([*(spec.entrypoint or ()), *(spec.command or ())]),
        "env": sorted(spec.env),
        "ports": [f"{port.host_ip}:{port.host_port}:{port.container_port}/{port.protocol}" for port in spec.ports],
        "mounts": [f"{mount.kind.value}:{mount.source}:{mount.destination}" for mount in spec.mounts],
        "networks": [attached.network for attached in spec.network.networks],
        "privileged": spec.security.privileged,
    }


def of_plan(plan: Plan) -> dict[str, Any]:
    """A migration's plan in short: what goes where, by which steps, and what was known to be lost."""
    image = plan.image
    verdicts = Counter(field.verdict.value for field in plan.fields)
    return {
        "from": plan.source.engine.name,
        "to": plan.target.name,
        "name": plan.spec.name,
        "image": None
        if image is None
        else {
            "action": image.action.value,
            "way": image.way.value,
            "name": image.tag or image.commit or None,
            "image_id": image.facts.key.id,
            "config_digest": image.facts.config_digest or None,
        },
        "volumes": [f"{move.source_name} as {move.create.name}: {move.choice.value}" for move in plan.volumes],
        "networks": [move.name for move in plan.networks],
        "steps": [step.title for step in plan.steps if not step.skip],
        "fields": dict(sorted(verdicts.items())),
        "dropped": [field.field for field in plan.fields if field.verdict.value == "dropped"],
        "findings": [f"{finding.severity.value}: {finding.title}" for finding in plan.findings],
    }


def of_report(report: MigrationReport) -> dict[str, Any]:
    """How a migration came out."""
    return {
        "target_id": report.target_id,
        "equal": report.equal,
        "checks": len(report.checks),
        "moved_bytes": report.moved_bytes,
        "downtime_s": None if report.downtime_s is None else round(report.downtime_s, 3),
        "journal": report.journal or None,
    }


def of_contents(contents: Contents, path: Path, size_bytes: int | None = None) -> dict[str, Any]:
    """What a backup holds, and where it lies."""
    return {
        "file": str(path),
        "size_bytes": size_bytes,
        "image": contents.reference or None,
        "image_id": contents.image.key.id,
        "digests": list(contents.digests),
        "volumes": {stored.volume.name: stored.digest for stored in contents.volumes},
    }


async def deployed(engine: Engine, container: str) -> dict[str, Any]:
    """What runs now, and from which digest; where the engine does not say, the reason instead."""
    try:
        seen, images = await asyncio.gather(engine.inspect_container(container), engine.list_images(nameless=True))
    except BackendError as error:  # the operation itself is done: a look that fails does not undo it
        _log.info("what was deployed as %s is not known: %s", container[:12], error)
        return {"engine": engine.id.name, "id": container, "unknown": error.title}
    digests = next((image.digests for image in images if image.key.id == seen.image_id), ())
    return {
        "engine": engine.id.name,
        "id": container,
        "name": seen.name,
        "image": seen.image,
        "image_id": seen.image_id,
        "digests": list(digests),
        "state": seen.state.value,
    }


__all__ = ["deployed", "of_container", "of_contents", "of_image", "of_plan", "of_report", "of_spec"]
