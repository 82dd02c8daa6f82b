"""Docker's lists as rows, each read by itself. Pure; makes no calls."""

from __future__ import annotations

from functools import partial

from backends.engines import docker_translate, docker_translate_stores
from backends.engines.row_by_row import rows_of
from backends.model.container import Container
from backends.model.ids import EngineId
from backends.model.image import Image
from backends.model.network import Network
from backends.model.workload import Volume


def listed_containers(engine: EngineId, answer: object) -> list[Container]:
    """Of GET /containers/json. Raises TypeError where that is no list."""
    return rows_of(answer, partial(docker_translate.container_from_list, engine), "Id")


def listed_images(engine: EngineId, answer: object) -> list[Image]:
    """Of GET /images/json."""
    return rows_of(answer, partial(docker_translate_stores.image_from_list, engine), "Id")


def listed_volumes(answer: object) -> list[Volume]:
    """Of the Volumes of GET /volumes."""
    return rows_of(answer, docker_translate_stores.volume, "Name")


def listed_networks(answer: object) -> list[Network]:
    """Of GET /networks."""
    return rows_of(answer, docker_translate_stores.network, "Id", "Name")


__all__ = ["listed_containers", "listed_images", "listed_networks", "listed_volumes"]
