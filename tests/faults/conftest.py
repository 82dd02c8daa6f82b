"""Grounds on the real engines, one for all tests of a module: each leaves the source as it found it, or fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from backends.model.ids import EngineKind
from tests.faults.ground import Ground, shared
from tests.real import RealEngines

Grounds = Callable[..., Ground]


@pytest.fixture(scope="module")
def grounds(real_engines: RealEngines, run_label: dict[str, str]) -> Iterator[Grounds]:
    """Makes the ground of a direction, furnished, the first time that it is asked for; all are cleared at the end.

    source: the kind of the shared engine that has the container; the other one is the target.
    """
    made: dict[tuple[EngineKind, int], Ground] = {}
    with ExitStack() as ends:

        def ground(source: EngineKind, *, volume_mb: int = 1, image_mb: int = 0) -> Ground:
            target = EngineKind.PODMAN if source is EngineKind.DOCKER else EngineKind.DOCKER
            known = made.get((source, volume_mb))
            if known is not None:
                return known
            new = Ground(shared(real_engines, source), shared(real_engines, target), run_label)
            ends.callback(new.clear)
            new.build(image_mb=image_mb)
            new.furnish(volume_mb=volume_mb)
            made[source, volume_mb] = new
            return new

        yield ground
