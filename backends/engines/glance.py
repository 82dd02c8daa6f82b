"""The containers of the engines of this machine at first sight, before the engines' own modules are imported.

For the start alone: what fails here is left out, since the engine's supervisor asks the same a moment later, and tells.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from backends.engines.discover import Found
from backends.engines.row_by_row import Json, rows_of
from backends.model.container import Container
from backends.model.ids import EngineId, EngineKind
from backends.wire.endpoint import Scheme
from backends.wire.failures import NO_JSON
from backends.wire.plain import plain_get

_log = logging.getLogger(__name__)

GLANCE_TIMEOUT_S = 1.0
"""An engine that takes longer is shown when its supervisor has listed it: the others do not wait for it."""
_MOST_BYTES = 16 << 20  # some 10,000 containers
_LISTS = {
    EngineKind.DOCKER: "/containers/json?all=1",  # without a version: its newest (Docker Engine API, "Versioning")
    EngineKind.PODMAN: "/v5.0.0/libpod/containers/json?all=true",
}


async def glance(found: Iterable[Found]) -> Mapping[EngineId, tuple[Container, ...]]:
    """The containers of each engine that listens on a Unix socket here and answers in time. Never raises for them."""
    here = [one for one in found if one.endpoint is not None and one.endpoint.scheme is Scheme.UNIX]
    seen = await asyncio.gather(*(_listed(one) for one in here))
    return {one.id: containers for one, containers in zip(here, seen, strict=True) if containers is not None}


async def _listed(found: Found) -> tuple[Container, ...] | None:
    assert found.endpoint is not None, "glance takes such only"
    path = _LISTS.get(found.kind)
    if path is None:
        return None
    try:
        answer = await plain_get(found.endpoint.address, path, timeout_s=GLANCE_TIMEOUT_S, most_bytes=_MOST_BYTES)
    except (OSError, ValueError) as error:  # TimeoutError is an OSError
        _log.info("no first look at %s: %r", found.id, error)
        return None
    if answer.status != 200:
        return None
    return await asyncio.to_thread(_read, found, answer.body)


def _read(found: Found, body: bytes) -> tuple[Container, ...] | None:
    try:
        return tuple(rows_of(json.loads(body), _translator(found), "Id"))
    except (*NO_JSON, TypeError) as error:
        _log.info("no first look at %s: %r", found.id, error)
        return None


def _translator(found: Found) -> Callable[[Json], Container]:
    """From one entry of the engine's list to the model."""
    if found.kind is EngineKind.DOCKER:
        from backends.engines.docker_translate import container_from_list

        return partial(container_from_list, found.id)
    from backends.engines.podman_translate import listed_container

    return partial(listed_container, engine=found.id)


__all__ = ["GLANCE_TIMEOUT_S", "glance"]
