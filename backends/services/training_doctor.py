"""What a training on several GPUs of this machine would meet. Pure: reads and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from backends.draft.training import ENOUGH_PIDS, PODMAN_PIDS, pairs_text
from backends.model.events import Link
from backends.model.fleet import EngineView
from backends.model.gpu import GpuLink, GpuSnapshot
from backends.model.ids import EngineKind
from backends.model.settings import UNLIMITED
from backends.services.doctor import Diagnosis, Level

_TOPIC = "GPU training"


def examine_training(gpus: GpuSnapshot, engines: Iterable[EngineView], memlock_bytes: int) -> list[Diagnosis]:
    """Nothing where there are not several real GPUs. memlock_bytes: what this user's processes may lock, -1 = all."""
    if len(gpus.readings) < 2 or gpus.demo:
        return []
    local = [one for one in engines if one.info and one.info.local and one.connection.link is Link.CONNECTED]
    return [*_peers(gpus.links), *_limits(local, memlock_bytes)]


def _peers(links: Sequence[GpuLink]) -> Iterator[Diagnosis]:
    """How the devices reach each other, ways with many pairs in one line."""
    if not links:
        sentence = "the driver does not tell how the GPUs reach each other"
        yield Diagnosis(_TOPIC, Level.NOTE, sentence, "nvidia-smi topo -m may")
    for way, those in groupby(sorted(links, key=_way), key=_way):
        pairs = [*those]
        if way[0]:
            sentence = f"no peer access between {pairs_text(pairs)}: {way[0]}; NCCL goes through /dev/shm there"
            yield Diagnosis(_TOPIC, Level.NOTE, sentence, "nvidia-smi topo -p2p r; ACS in the BIOS is a usual cause")
        else:
            yield Diagnosis(_TOPIC, Level.OK, f"peer access between {pairs_text(pairs)}, over {way[1]}")


def _way(link: GpuLink) -> tuple[str, str]:
    return link.refused, "NVLink" if link.nvlink else link.over or "PCIe"


def _limits(engines: Sequence[EngineView], memlock_bytes: int) -> Iterator[Diagnosis]:
    for engine in engines:
        rootless = engine.info is not None and engine.info.rootless
        hint = "tranship run --preset pytorch sets what training needs; --shm-size 8g, --ulimit memlock=-1"
        sentence = f"{engine.id} gives containers 64 MiB of /dev/shm unless asked; NCCL and data loaders need more"
        yield Diagnosis(_TOPIC, Level.NOTE, sentence, hint)
        if engine.id.kind is EngineKind.PODMAN:
            sentence = f"{engine.id} allows a container {PODMAN_PIDS} processes unless asked"
            yield Diagnosis(_TOPIC, Level.NOTE, sentence, f"--pids-limit {ENOUGH_PIDS}, or -1")
        if rootless and memlock_bytes != UNLIMITED:
            sentence = f"{engine.id} may lock {memlock_bytes >> 20} MiB of memory at most, as this user may"
            hint = "as root: echo '* - memlock unlimited' > /etc/security/limits.d/memlock.conf, and log in again"
            yield Diagnosis(_TOPIC, Level.NOTE, sentence, hint)


__all__ = ["examine_training"]
