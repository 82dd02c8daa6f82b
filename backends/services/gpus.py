"""GPU readings into the store, joined to the containers that it knows. Names no vendor's probe."""

from __future__ import annotations

from collections.abc import Set

from backends.gpu.probe import GpuProbe, use_by_container, with_cdi_names
from backends.gpu.sampler import GpuSampler, GpuTiming
from backends.model.gpu import GpuSnapshot
from backends.services.changes import GpusSampled
from backends.services.store import Store


async def sample_gpus(store: Store, probe: GpuProbe, *, timing: GpuTiming | None = None) -> None:
    """Sample until cancelled, applying GpusSampled; an absent driver is a snapshot that says why."""

    def known() -> Set[str]:  # called in the sampler's thread: a view never changes
        return {key.id for key in store.view.containers}

    def deliver(snapshot: GpuSnapshot) -> None:
        view = store.view
        infos = (engine.info for engine in view.engines.values())
        listed = {name for info in infos if info is not None and info.local for name in info.cdi_devices}
        named = with_cdi_names(snapshot, listed)
        store.apply(GpusSampled(named, use_by_container(named, view.containers)))

    await GpuSampler(probe, deliver, known=known, timing=timing).run()
