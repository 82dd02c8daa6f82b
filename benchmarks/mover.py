"""One move by Tranship's own code, as a process of its own, so that its memory is only that of the move.

`python -m benchmarks.mover image|volume …` writes one line of JSON. It runs in the engines' network namespace, where
they reach a port of ours on 127.0.0.1, as on a user's machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from backends.engine import Engine
from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.migration.images import ship
from backends.migration.planning import plan_migration
from backends.migration.volumes import VolumeCopy
from backends.model.ids import EngineId, EngineKind
from backends.model.plan import Choices, ImageAction, ImageWay
from backends.wire.endpoint import Endpoint
from benchmarks.footprint import high_water_bytes


def _engine(name: str, url: str) -> Engine:
    if name == "docker":
        return DockerEngine(EngineId(EngineKind.DOCKER, name), Endpoint.parse(url))
    return PodmanEngine(EngineId(EngineKind.PODMAN, name), Endpoint.parse(url))


async def move_image(source: Engine, target: Engine, container: str, way: ImageWay, folder: Path) -> dict[str, Any]:
    """Plan the move of a container, ship its image by the way that the plan says, and tell what it took."""
    begun = time.perf_counter()
    plan = await plan_migration(source, container, target, choices=Choices(image_way=way))
    planned = time.perf_counter()
    if plan.image is None or plan.image.action is not ImageAction.SHIP:
        raise RuntimeError(f"the image of {container} is on {target.id} already")
    if folder == Path():  # only the plan is asked for
        return {"way": plan.image.way, "why": plan.image.why, "plan_s": planned - begun}
    landed, moved_bytes = await ship(source, target, plan.image, lambda _flow: None, folder=folder)
    return {
        "s": time.perf_counter() - planned,
        "plan_s": planned - begun,
        "way": plan.image.way,
        "why": plan.image.why,
        "moved_bytes": moved_bytes,
        "image": landed.key.id,
    }


async def move_volume(
    source: Engine, target: Engine, names: tuple[str, str], images: tuple[str, str]
) -> dict[str, Any]:
    """Copy a volume as a move does: while its container runs, then what has changed (nothing has), with its proof."""
    copy = VolumeCopy(source, target, names, images, lambda _done, _flow: None)
    begun = time.perf_counter()
    await copy.precopy()
    stopped = time.perf_counter()
    check = await copy.finish()
    ended = time.perf_counter()
    if not check.equal or check.skipped:
        raise RuntimeError(f"the copy of {names[0]} differs: {check}")
    return {"s": ended - begun, "stopped_s": ended - stopped, "moved_bytes": copy.moved_bytes, "notes": copy.notes}


async def _run(chosen: argparse.Namespace) -> dict[str, Any]:
    source, target = (_engine(*side.split("=", 1)) for side in (chosen.source, chosen.target))
    try:
        await source.connect()
        await target.connect()
        if chosen.what == "image":
            return await move_image(source, target, chosen.subject, ImageWay(chosen.way), chosen.folder)
        return await move_volume(source, target, (chosen.subject, chosen.subject), tuple(chosen.images))
    finally:
        await source.close()
        await target.close()


def main() -> int:
    """Move, and write what it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mover", description=__doc__)
    parser.add_argument("what", choices=("image", "volume"))
    parser.add_argument("source", help="NAME=URL")
    parser.add_argument("target", help="NAME=URL")
    parser.add_argument("subject", help="a container of the source, or a volume of both")
    parser.add_argument("--way", default="auto")
    parser.add_argument("--folder", type=Path, default=Path(), help="for the registry's files; none = only plan")
    parser.add_argument("--images", nargs=2, help="for helper containers, on the source and on the target")
    found = asyncio.run(_run(parser.parse_args()))
    sys.stdout.write(json.dumps({**found, "memory_bytes": high_water_bytes("self")}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
