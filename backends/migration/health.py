"""The health check that a copy has, be it its image's, and the wait for health. Starts and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from backends.engine import Engine
from backends.migration.facts import SourceFacts, TargetFacts, same_image
from backends.model.container import Health
from backends.model.errors import Conflict, TimedOut
from backends.model.ids import EngineKind
from backends.model.plan import ImageAction, ImageMove
from backends.model.settings import HealthSpec
from backends.model.workload import WorkloadSpec

_NS = 1e9
_INTERVAL_S, _TIMEOUT_S, _RETRIES = 30.0, 30.0, 3
"""The engines' own. Source: moby daemon/health.go, podman libpod/define (DefaultHealthCheckInterval, …Timeout, …)."""

UNKNOWN_S = 300.0
"""For a check of the image, whose times the recipe does not say."""

LONGEST_S = 3600.0
SHORTEST_POLL_S, LONGEST_POLL_S = 0.1, 5.0
"""Short at first, so that the time until healthy is measured well; then longer: where an engine has no timer each look
runs the check, and as many failures as `retries` make it unhealthy before its time."""


def of_image(source: SourceFacts, target: TargetFacts, move: ImageMove) -> tuple[WorkloadSpec, str]:
    """The source's recipe, with its image's check where the copy would not inherit it; and why, "" where it does.

    Docker writes images in OCI form (since 25.0), whose specification has no check, and Podman keeps to it: what
    arrives there is without. An image that is made of the container is without where Podman makes it.
    """
    check, spec = source.image.health, source.spec
    if check is None or spec.health is not None:
        return spec, ""
    if move.commit:
        why = "an image that is made of a container may come without the check"
    elif target.engine.kind is not EngineKind.PODMAN:
        return spec, ""
    else:
        held = target.by_tag if target.by_tag is not None and same_image(source.image, target.by_tag) else target.by_id
        if move.action is not ImageAction.SHIP and held is not None and held.health == check:
            return spec, ""
        why = "Podman takes no health check from an image in OCI form: the copy gets its image's as its own"
    return replace(spec, health=check), why


def with_check(spec: WorkloadSpec, *checks: HealthSpec | None) -> WorkloadSpec:
    """The recipe with the check that it has in effect: its own, else the first of these, which are its images'."""
    check = next((one for one in checks if one is not None), None)
    return spec if spec.health is not None else replace(spec, health=check)


def limits_s(check: HealthSpec | None) -> tuple[float, float]:
    """After how long "unhealthy" counts, and for how long a copy may take to become healthy; an hour at most.

    Before its start period and all its retries are over, "unhealthy" may come of our looking alone.
    """
    if check is None:
        return _RETRIES * _INTERVAL_S, UNKNOWN_S
    interval_s = check.interval_ns / _NS or _INTERVAL_S
    timeout_s = check.timeout_ns / _NS or _TIMEOUT_S
    retries = check.retries or _RETRIES
    before_s = check.start_period_ns / _NS + (limits_s(check.startup)[1] if check.startup else 0.0)
    counts_s = before_s + retries * interval_s
    return min(counts_s, LONGEST_S), min(counts_s + retries * timeout_s, LONGEST_S)


async def until_healthy(target: Engine, container: str, check: HealthSpec | None, say: Callable[[str], None]) -> Health:
    """Look until it is healthy; returns HEALTHY, or NONE where it has no check after all.

    Raises Conflict where it stopped, or is unhealthy after its start period and all retries; TimedOut where the check
    has come to no result by then. say: told what it is, for people.
    """
    clock = asyncio.get_running_loop().time
    counts_s, limit_s = limits_s(check)
    begun = clock()
    poll_s = SHORTEST_POLL_S
    said: Health | None = None
    while True:
        health = await target.check_health(container)
        if health in {Health.HEALTHY, Health.NONE}:
            return health
        if health is not said:
            said = health
            say(str(health))
        seen = await target.inspect_container(container)
        if not seen.state.alive:
            title = f"the copy stopped with exit code {seen.exit_code} before it was healthy"
            raise Conflict(title, hint="look at its log", engine=target.id)
        spent_s = clock() - begun
        if spent_s >= limit_s or (health is Health.UNHEALTHY and spent_s >= counts_s):
            break
        await asyncio.sleep(min(poll_s, limit_s - spent_s))
        poll_s = min(poll_s * 2, LONGEST_POLL_S)
    hint = "look at what its health check says"
    if health is Health.UNHEALTHY:
        raise Conflict("the copy is unhealthy", hint=hint, engine=target.id)
    raise TimedOut(f"the copy is not healthy after {limit_s:.0f} s", hint=hint, engine=target.id)
