"""What only the running copy can show: device nodes inside, networks that it joined. Changes nothing in it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from backends.engine import Engine
from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.plan import Check
from backends.model.wish import KEEP, GpuWish, WishKind
from backends.model.workload import AMD_CDI_KIND, NVIDIA_CDI_KIND, WorkloadSpec

LIST_DEVICES = ("ls", "-1", "/dev")
"""Every AMD device brings /dev/kfd. Source: amd-container-toolkit, `amd-ctk cdi generate`."""
_GPU = re.compile(r"nvidia\d+")


def _missing(names: Iterable[str], nodes: frozenset[str]) -> tuple[list[str], list[str]]:
    """(nodes that ought to be there and are not, CDI names that do not tell their nodes)."""
    missing, untold = [], []
    for name in names:
        kind, _, device = name.partition("=")
        if kind == NVIDIA_CDI_KIND and device.isdigit():
            missing += [] if f"nvidia{device}" in nodes else [f"/dev/nvidia{device}"]
        elif kind == NVIDIA_CDI_KIND:
            missing += [] if any(_GPU.fullmatch(node) for node in nodes) else [f"the node of {name}"]
        elif kind == AMD_CDI_KIND:
            missing += [] if "kfd" in nodes else [f"/dev/kfd of {name}"]
        else:
            untold.append(name)
    return missing, untold


async def gpu_nodes(
    target: Engine, container: str, spec: WorkloadSpec, running: bool, wish: GpuWish = KEEP
) -> list[Check]:
    """Whether the device nodes of GPUs that were asked for by name are inside, and none where none was wished for.

    A check that could not be made says so (Check.skipped): the container does not run, its image has no `ls`, the name
    does not tell its nodes, a privileged container has all nodes.
    """
    none = wish.kind is WishKind.NONE
    if spec.gpu is None and not none:
        return []
    names = spec.gpu.cdi_names() if spec.gpu is not None else ()
    wanted = ", ".join(names) or "none"
    if none and spec.security.privileged:
        return [Check("GPU nodes inside", True, wanted, "-", skipped="a privileged container has all nodes")]
    if not running:
        return [Check("GPU nodes inside", True, wanted, "-", skipped="the copy does not run")]
    try:
        result = await target.execute(container, LIST_DEVICES)
    except BackendError as error:
        return [Check("GPU nodes inside", True, wanted, "-", skipped=f"they could not be looked at: {error.title}")]
    if result.exit_code:
        said = result.stderr.decode(errors="replace").strip()[:200]
        why = f"they could not be looked at: ls ended with code {result.exit_code} {said}".rstrip()
        return [Check("GPU nodes inside", True, wanted, "-", skipped=why)]
    nodes = frozenset(result.stdout.decode(errors="replace").split())
    if none:
        found = sorted(node for node in nodes if _GPU.fullmatch(node))
        return [Check("GPU nodes inside", not found, wanted, ", ".join(found) or "none")]
    missing, untold = _missing(names, nodes)
    checks = []
    if len(untold) < len(names):
        seen = f"without {', '.join(missing)}" if missing else "present"
        checks.append(Check("GPU nodes inside", not missing, wanted, seen))
    if untold:
        why = "which nodes a name of this vendor stands for is not known here"
        checks.append(Check("GPU nodes inside", True, ", ".join(untold), "-", skipped=why))
    return checks


def joined_networks(spec: WorkloadSpec, seen: Container) -> list[Check]:
    """Whether the copy is on each network that was planned. An engine tells them for containers that run."""
    wanted = sorted(one.network for one in spec.network.networks)
    if not wanted:
        return []
    there = set(seen.networks)
    if not there and not seen.state.alive:
        why = f"{seen.key.engine} tells networks of running containers only"
        return [Check("networks joined", True, ", ".join(wanted), "-", skipped=why)]
    missing = [name for name in wanted if name not in there]
    return [Check("networks joined", not missing, ", ".join(wanted), ", ".join(sorted(there)) or "none")]
