"""An export for Kubernetes given to a cluster: checked by it first, then applied, written in the audit trail.

Draws and asks nothing; makes no manifest itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from backends.export.exported import Exported
from backends.export.kubernetes import FILE, SECRETS, only_here
from backends.model.errors import Refused
from backends.model.ids import ContainerKey, EngineId
from backends.model.manifest import AppliedObject, Manifest
from backends.services.fleet import Fleet


def manifests_of(made: Exported) -> list[Manifest]:
    """The objects of an export's files, Secrets first."""
    import yaml

    texts = {file.name: file.text for file in made.files}
    loaded = [one for name in (SECRETS, FILE) for one in yaml.safe_load_all(texts.get(name, ""))]
    return [one for one in loaded if isinstance(one, dict)]


def refuse_images_of_here(images: Iterable[str]) -> None:
    """Raises Refused where a cluster could not get one of these: no registry has it under that name."""
    held = sorted({image for image in images if only_here(image)})
    if held:
        raise Refused(
            f"{', '.join(held)} is on its engine alone, where no cluster gets it",
            hint="push it on the way: --push REGISTRY/PREFIX, or U on the export's screen",
        )


async def check(
    fleet: Fleet, cluster: EngineId, made: Exported, *, namespace: str = "", force: bool = False
) -> tuple[AppliedObject, ...]:
    """What an apply would make and change, as the cluster itself says; nothing is. Raises as apply_manifests."""
    engine = fleet.engine(cluster)
    return await engine.apply_manifests(manifests_of(made), namespace=namespace, dry_run=True, force=force)


async def apply(
    fleet: Fleet, cluster: EngineId, made: Exported, *, namespace: str = "", force: bool = False
) -> tuple[AppliedObject, ...]:
    """Do it, as an operation of the fleet. Where one object is refused, those before it stand."""
    manifests = manifests_of(made)
    names = [f"{one.get('kind')}/{_name(one)}" for one in manifests]
    key = ContainerKey(cluster, f"apply:{','.join(names)}")
    with fleet.operations.track("cluster.apply", key, ", ".join(names)) as tracked:
        tracked.note(plan={"objects": names, "namespace": namespace or None, "force": force})
        applied = await fleet.engine(cluster).apply_manifests(manifests, namespace=namespace, force=force)
        tracked.done(f"{len(applied)} objects are applied to {cluster}")
    return applied


def _name(manifest: Manifest) -> object:
    meta = manifest.get("metadata")
    return meta.get("name") if isinstance(meta, dict) else None


__all__ = ["apply", "check", "manifests_of", "refuse_images_of_here"]
