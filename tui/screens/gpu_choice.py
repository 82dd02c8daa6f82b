"""The dialog that asks which GPUs a container is to have, for one engine of the fleet. Builds it; gives nothing."""

from __future__ import annotations

from backends.giving import Refusal, give, listed_gpus, own_gpus
from backends.model.fleet import FleetView
from backends.model.ids import EngineId
from backends.model.wish import GpuWish
from widgets.gpu_offer import GpuOffer
from widgets.gpu_picker import GpuPicker, Judge, Judged


def gpu_offer(view: FleetView, engine: EngineId, kept: str | None) -> GpuOffer:
    """What can be chosen from on that engine: its machine's devices where that is ours, else names that it tells.

    kept: what stands now, None where there is nothing to keep.
    """
    known = view.engines.get(engine)
    info = known.info if known is not None else None
    gpus = own_gpus(engine.kind, info, view.gpus)
    names = listed_gpus(info)
    holders = {key.id: one.name for key, one in view.containers.items()}
    if gpus.readings or names:
        return GpuOffer(kept, gpus, names, holders)
    if info is not None and not info.local:
        absent = f"{engine} is on another machine, and tells no CDI names"
        return GpuOffer(kept, absent=absent, hint="a device can still be named: tranship migrate … --gpus device=0")
    absent = gpus.absent or "the GPUs of this machine are not read yet"
    return GpuOffer(kept, absent=absent, hint=gpus.hint or "tranship doctor says what is missing")


def judge_on(view: FleetView, engine: EngineId) -> Judge:
    """How that engine would be asked for a wish, by what it said of itself."""
    known = view.engines.get(engine)
    info = known.info if known is not None else None

    def judge(wish: GpuWish) -> Judged:
        if wish.keeps:
            return Judged(True, "the source's are carried over")
        if info is None:
            return Judged(False, f"{engine} was never reached", "connect it first: Ctrl+R in the fleet tries again")
        given = give(wish, engine.kind, info, own_gpus(engine.kind, info, view.gpus))
        if isinstance(given, Refusal):
            return Judged(False, given.reason, given.remedy)
        return Judged(True, given.words)

    return judge


def gpu_picker(view: FleetView, engine: EngineId, name: str, now: GpuWish, kept: str | None) -> GpuPicker:
    """The dialog. name: of the container, inert. now: what is chosen so far. kept: as for `gpu_offer`."""
    return GpuPicker(f"GPUs for {name} on {engine}", gpu_offer(view, engine, kept), now, judge_on(view, engine))
