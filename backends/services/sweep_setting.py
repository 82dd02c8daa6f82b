"""What a sweep needs before it begins: the recipe of its runs, the GPUs to give out. May not run anything."""

from __future__ import annotations

from backends.giving import Refusal, give, own_gpus
from backends.model.errors import Refused
from backends.model.gpu import GpuSnapshot
from backends.model.ids import EngineId
from backends.model.plan import Severity
from backends.model.wish import GpuWish, WishKind
from backends.model.workload import WorkloadSpec
from backends.services.fleet import Fleet
from backends.services.launch import Judged
from backends.services.sweeps import WithGpus


def recipe_of(judged: Judged) -> WorkloadSpec:
    """What each run is made of. Raises Refused where the engine would not take it."""
    blocking = [one.finding for one in judged.remarks if one.finding.severity is Severity.BLOCK]
    if blocking:
        title = "; ".join(one.title for one in blocking)
        hint = "; ".join(one.remedy for one in blocking if one.remedy) or "tranship run --help says more"
        raise Refused(title, hint=hint, engine=judged.engine)
    return judged.spec


def gpu_pool(fleet: Fleet, engine: EngineId, gpus: GpuSnapshot) -> tuple[tuple[str, ...], WithGpus]:
    """The devices to give out, and how a recipe gets them. gpus: those of this machine as they were seen last.

    Raises Refused where the engine was never reached, or cannot give them.
    """
    known = fleet.store.view.engines.get(engine)
    info = known.info if known is not None else None
    seen = own_gpus(engine.kind, info, gpus)

    def with_gpus(spec: WorkloadSpec, devices: tuple[str, ...]) -> WorkloadSpec:
        if info is None:
            raise Refused("was never reached", hint="tranship engines says why", engine=engine)
        given = give(GpuWish(WishKind.DEVICES, devices=devices), engine.kind, info, seen)
        if isinstance(given, Refusal):
            raise Refused(given.reason, hint=given.remedy, engine=engine)
        return given.onto(spec)

    return tuple(str(one.device.index) for one in seen.readings), with_gpus


__all__ = ["gpu_pool", "recipe_of"]
