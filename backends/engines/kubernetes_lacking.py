"""What this adapter does not do on a cluster, and what to do instead: one table. Asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from backends.model.capabilities import Capability
from backends.model.errors import Unsupported
from backends.model.ids import EngineId


class _Lack(NamedTuple):
    """why: ends "NAME cannot do that: …". hint: the next step."""

    why: str
    hint: str


_WHY: Mapping[Capability, _Lack] = MappingProxyType(
    {
        Capability.START: _Lack(
            "Kubernetes itself starts and stops the containers of Pods",
            "Remove the Pod, and what made it makes it anew; or scale that: kubectl scale.",
        ),
        Capability.PAUSE: _Lack(
            "Kubernetes does not freeze containers", "Scale what made the Pod to 0: kubectl scale."
        ),
        Capability.RENAME: _Lack(
            "a Pod keeps its name and its restart policy for life", "Apply a manifest with another one."
        ),
        Capability.CDI: _Lack(
            "a cluster's nodes give GPUs by device plugins, by number", "Ask for them under limits: nvidia.com/gpu: 1."
        ),
        Capability.EXEC: _Lack(
            "Tranship runs nothing inside the Pods of a cluster", "kubectl exec -it -n NAMESPACE POD -c CONTAINER -- sh"
        ),
        Capability.FILES: _Lack(
            "Kubernetes' API gives no files of containers", "kubectl cp NAMESPACE/POD:PATH TARGET -c CONTAINER"
        ),
        Capability.RECIPES: _Lack(
            "a Pod is made by its manifest, which its JSON shows",
            "`tranship export NAME --as kubernetes --apply --context CONTEXT` makes one of a container elsewhere.",
        ),
        Capability.STORES: _Lack(
            "images lie on a cluster's nodes, and its volumes and networks are its own objects",
            "Images go there by a registry: `tranship push`; kubectl get pvc,svc lists the rest.",
        ),
    }
)

LACKING: Mapping[Capability, str] = MappingProxyType({key: lack.why for key, lack in _WHY.items()})
"""For Capabilities."""

_STREAMS = frozenset(
    {"open_exec", "open_attach", "read_files", "export_image", "pull", "push", "build_image", "export_volume",
     "run_in_volume"}
)  # fmt: skip
"""Methods that are not awaited."""

METHODS: Mapping[str, Capability] = MappingProxyType(
    {
        method: capability
        for capability, methods in (
            (Capability.START, "start stop restart kill"),
            (Capability.PAUSE, "pause unpause"),
            (Capability.RENAME, "rename set_restart"),
            (Capability.EXEC, "execute open_exec open_attach processes"),
            (Capability.FILES, "changed_paths read_files write_files commit_container"),
            (Capability.RECIPES, "create_container workload_spec"),
            (
                Capability.STORES,
                "list_images image_facts image_config image_layers export_image import_image tag_image remove_image "
                "push_image pull_image pull push search_images image_platforms login logout logins build_image room "
                "list_networks inspect_network create_network remove_network list_volumes inspect_volume volume_users "
                "volume_sizes create_volume remove_volume export_volume import_volume run_in_volume",
            ),
        )
        for method in methods.split()
    }
)
"""The members of Engine that are refused, each for want of what."""


def refusal(engine: EngineId, method: str) -> Unsupported:
    """The error of a method of METHODS."""
    lack = _WHY[METHODS[method]]
    return Unsupported(lack.why[:1].upper() + lack.why[1:], hint=lack.hint, engine=engine)


def refusing(engine: EngineId, method: str) -> Callable[..., Coroutine[Any, Any, None]]:
    """What stands in a refused method's place."""

    def at_once(*_args: object, **_named: object) -> Any:
        raise refusal(engine, method)

    async def when_awaited(*_args: object, **_named: object) -> None:
        raise refusal(engine, method)

    return at_once if method in _STREAMS else when_awaited


__all__ = ["LACKING", "METHODS", "refusing"]
