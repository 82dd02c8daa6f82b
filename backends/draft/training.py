"""What a training on several GPUs needs, looked at before the start. Pure.

Sources: docs.nvidia.com, NCCL User Guide, "Environment Variables" and "Troubleshooting" (shared memory, memlock, peer
access); pytorch.org, "Multiprocessing best practices"; podman, containers.conf (pids_limit 2048, shm_size 64m).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backends.draft.check import Remark
from backends.model.gpu import GpuLink, GpuSnapshot
from backends.model.ids import EngineKind
from backends.model.plan import Finding, Severity
from backends.model.run_words import size_text
from backends.model.settings import UNLIMITED
from backends.model.workload import GpuRequest, WorkloadSpec

ENOUGH_SHM_BYTES = 1 << 30
"""NCCL takes about 10 MiB for each channel and pair, loaders what their batches are: 64 MiB are too few."""
ENOUGH_PIDS = 4096
"""Eight GPUs with eight loaders each, and the threads that each of them has by itself."""
PODMAN_PIDS = 2048
_ENGINES_SHM = 64 << 20
_MOST_PAIRS = 4  # named in a sentence
_INTERFACES = ("eth", "lo", "tap", "=eth", "=lo", "=tap", "^")


def training_remarks(spec: WorkloadSpec, kind: EngineKind, gpus: GpuSnapshot, *, training: bool) -> list[Remark]:
    """What is to be said of a container that is given several GPUs, or whose programs train (training)."""
    chosen = given_indexes(spec.gpu, gpus)
    many = len(chosen) > 1 if gpus.readings else spec.gpu is not None and _several(spec.gpu)
    if not (many or (training and spec.gpu is not None)):
        return []
    return [*_shm(spec), *_memlock(spec), *_pids(spec, kind), *_nccl(spec), *peer_remarks(chosen, gpus.links)]


def _several(request: GpuRequest) -> bool:
    """Whether it may be several, on a machine whose devices are not known here."""
    return (
        request.count < 0 or len(request.cdi_names()) > 1 or any(name.endswith("=all") for name in request.cdi_names())
    )


def given_indexes(request: GpuRequest | None, gpus: GpuSnapshot) -> tuple[int, ...]:
    """Which of the machine's NVIDIA devices a request means, as far as they are known."""
    if request is None:
        return ()
    names = {name.rpartition("=")[2] for name in request.cdi_names()}
    devices = [reading.device for reading in gpus.readings if reading.device.vendor == "NVIDIA"]
    return tuple(
        one.index for one in devices if "all" in names or str(one.index) in names or (one.uuid and one.uuid in names)
    )


def _warn(field: str, title: str, remedy: str, *, kind: Severity = Severity.WARN) -> Remark:
    return Remark(Finding(kind, f"training: {title}", remedy=remedy), field)


def _shm(spec: WorkloadSpec) -> Iterator[Remark]:
    if spec.namespaces.ipc.partition(":")[0] in {"host", "container"}:
        return
    size = spec.namespaces.shm_bytes
    if (_ENGINES_SHM if size is None else size) < ENOUGH_SHM_BYTES:
        has = "the engine's own 64m" if size is None else size_text(size)
        title = f"shared memory is {has}; NCCL and data loaders end in a bus error when it is full"
        yield _warn("shm_size", title, "say 8g or more, or share the host's by ipc host")


def _memlock(spec: WorkloadSpec) -> Iterator[Remark]:
    limit = next((one for one in spec.resources.ulimits if one.name == "memlock"), None)
    if limit is None or limit.hard != UNLIMITED:
        title = "locked memory is limited; NCCL over InfiniBand pins its buffers"
        yield _warn("ulimits", title, "say memlock=-1 where the engine may raise it", kind=Severity.NOTE)


def _pids(spec: WorkloadSpec, kind: EngineKind) -> Iterator[Remark]:
    limit = spec.resources.pids_limit
    own = PODMAN_PIDS if kind is EngineKind.PODMAN else UNLIMITED
    held = own if limit is None else limit
    if held not in {0, UNLIMITED} and held < ENOUGH_PIDS:
        whose = "Podman's own " if limit is None else ""
        title = f"{whose}{held} processes are few for loaders and their threads on several GPUs"
        kind_ = Severity.NOTE if limit is None else Severity.WARN
        yield _warn("pids", title, f"say {ENOUGH_PIDS} or more, or -1", kind=kind_)


def _nccl(spec: WorkloadSpec) -> Iterator[Remark]:
    env, own_network = spec.env, spec.network.mode not in {"host"}
    interface = env.get("NCCL_SOCKET_IFNAME", "")
    if interface and own_network and not interface.startswith(_INTERFACES):
        title = f"NCCL_SOCKET_IFNAME={interface} names an interface that a container's own network has not"
        yield _warn("env", title, "leave it out for one machine, or use --network host for several")
    for name, loss in (
        ("NCCL_P2P_DISABLE", "GPUs do not reach each other's memory"),
        ("NCCL_SHM_DISABLE", "processes of one machine talk by the network"),
    ):
        if env.get(name, "0") not in {"", "0"}:
            yield _warn("env", f"{name}={env[name]}: {loss}, which is slow", f"leave {name} out", kind=Severity.NOTE)
    if env.get("NCCL_IB_DISABLE") == "0" and not any("infiniband" in one.host_path for one in spec.security.devices):
        title = "InfiniBand is asked for, and the container has no /dev/infiniband"
        yield _warn("env", title, "give it the device nodes, or leave NCCL_IB_DISABLE out")


def peer_remarks(chosen: Sequence[int], links: Sequence[GpuLink]) -> Iterator[Remark]:
    """Pairs among these devices that cannot reach each other's memory, or only across CPUs."""
    own = [link for link in links if link.first in chosen and link.second in chosen]
    apart = [link for link in own if link.refused]
    if apart:
        title = f"no peer access between GPUs {pairs_text(apart)}: {apart[0].refused}; NCCL goes through /dev/shm"
        yield _warn("gpus", title, "choose GPUs that have it, or give more shared memory", kind=Severity.NOTE)
    far = [link for link in own if not link.refused and not link.nvlink and link.over == "the link between CPUs"]
    if far:
        title = f"GPUs {pairs_text(far)} reach each other across the link between CPUs, which is slow"
        yield _warn("gpus", title, "choose GPUs on one CPU: nvidia-smi topo -m shows which", kind=Severity.NOTE)


def pairs_text(links: Sequence[GpuLink]) -> str:
    """Pairs for a sentence: "0–1, 0–2 and 4 more"."""
    named = ", ".join(f"{link.first}–{link.second}" for link in links[:_MOST_PAIRS])
    return named + (f" and {len(links) - _MOST_PAIRS} more" if len(links) > _MOST_PAIRS else "")


__all__ = ["given_indexes", "pairs_text", "peer_remarks", "training_remarks"]
