"""Several vendors' snapshots as one. Pure: knows neither a probe nor a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backends.gpu.unread import unread
from backends.model.gpu import GpuSnapshot

_SILENCE = "The driver has not answered for a while: what was read last is not the present"
_SILENCE_HINT = "`dmesg` may tell why; a driver that hangs for good needs a restart of the machine"
_SILENT = "the driver does not answer"


def merge(parts: Sequence[GpuSnapshot]) -> GpuSnapshot:
    """One snapshot of what all probes said last, in the order of the probes.

    Readings: by probe, then by vendor and index. absent: only where nobody has a reading; a driver that is there and
    fails goes before a vendor that is not here. Where somebody has readings, the failures of others become notes, and
    a vendor that is not here says nothing. Versions are the first ones told.
    """
    readings = tuple(
        reading
        for part in parts
        for reading in sorted(part.readings, key=lambda one: (one.device.vendor, one.device.index))
    )
    gone = [part for part in parts if part.absent]
    failing = [part for part in gone if not part.vendor_absent]
    told = next(iter([*failing, *gone]), GpuSnapshot())
    notes = [note for part in parts for note in part.notes]
    notes += [_sentence(part) for part in failing if readings or part is not told]
    return GpuSnapshot(
        readings=readings,
        absent="" if readings else told.absent,
        hint="" if readings else told.hint,
        driver_version=next((part.driver_version for part in parts if part.driver_version), ""),
        demo=any(part.demo for part in parts),
        cuda_version=next((part.cuda_version for part in parts if part.cuda_version), ""),
        notes=tuple(dict.fromkeys(notes)),
        links=tuple(link for part in parts for link in part.links),
        vendor_absent=not readings and told.vendor_absent,
    )


def silenced(snapshot: GpuSnapshot, now: float) -> GpuSnapshot:
    """The snapshot of a probe that answers no more: its devices are named still, and every value is missing.

    now: monotonic seconds.
    """
    readings = (unread(one.device, now, _SILENT, condition=_SILENCE, hint=_SILENCE_HINT) for one in snapshot.readings)
    return replace(snapshot, readings=tuple(readings))


def _sentence(part: GpuSnapshot) -> str:
    return f"{part.absent}. Next: {part.hint}" if part.hint else part.absent
