"""What it means to remove a container of a cluster: its Pod goes, and comes again. Pure; asks and removes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backends.model.container import Container
from backends.model.ids import ContainerKey, EngineKind


def pods_that_go(every: Mapping[ContainerKey, Container], chosen: Iterable[Container]) -> list[str]:
    """A sentence for each Pod that is removed with these; none for containers of Docker and Podman."""
    sentences: dict[str, None] = {}
    for one in chosen:
        if one.key.engine.kind is not EngineKind.KUBERNETES:
            continue
        count = sum(other.key.engine == one.key.engine and other.pod == one.pod for other in every.values())
        beside = f" with all its {count} containers" if count > 1 else ""
        sentences[f"The Pod {one.pod} goes{beside}; a Deployment or Job that made it makes another."] = None
    return list(sentences)


__all__ = ["pods_that_go"]
