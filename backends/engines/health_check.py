"""A health check in JSON, which both engines and the demo write alike, to the model and back. Pure.

Source: Docker Engine API, HealthConfig; podman, libpod/define (the same type); moby image-spec v1.2, "Healthcheck".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from backends.model.settings import HealthSpec

_DEFAULTS = MappingProxyType({"interval_ns": 30_000_000_000, "timeout_ns": 30_000_000_000, "retries": 3})
"""What both engines take where a check says nothing. Source: podman-create(1), Docker Engine API, HealthConfig."""


def health_spec(value: Mapping[str, Any] | None, told: Collection[str] = ()) -> HealthSpec | None:
    """None where there is no test. Numbers that are the engines' own are 0, unless they are in `told`."""
    if not value or not value.get("Test"):
        return None

    def number(name: str, key: str) -> int:
        found = int(value.get(key) or 0)
        return 0 if found == _DEFAULTS.get(name) and name not in told else found

    return HealthSpec(
        tuple(map(str, value["Test"])),
        interval_ns=number("interval_ns", "Interval"),
        timeout_ns=number("timeout_ns", "Timeout"),
        start_period_ns=number("start_period_ns", "StartPeriod"),
        start_interval_ns=number("start_interval_ns", "StartInterval"),
        retries=number("retries", "Retries"),
    )


def image_health(config: Mapping[str, Any] | None) -> HealthSpec | None:
    """The check that containers of an image inherit; None where it has none, or says that there is none.

    config: the part of the image's configuration that containers inherit.
    """
    check = health_spec((config or {}).get("Healthcheck"))
    return None if check is None or check.test == ("NONE",) else check


def health_body(check: HealthSpec) -> dict[str, Any]:
    """The check in full: Docker would take 0 for the image's own times, and libpod's API fills nothing in."""
    if check.test[:1] == ("NONE",):
        return {"Test": ["NONE"]}
    body: dict[str, Any] = {
        "Test": list(check.test),
        "Interval": check.interval_ns or _DEFAULTS["interval_ns"],
        "Timeout": check.timeout_ns or _DEFAULTS["timeout_ns"],
        "Retries": check.retries or _DEFAULTS["retries"],
        "StartPeriod": check.start_period_ns,
    }
    return body | ({"StartInterval": check.start_interval_ns} if check.start_interval_ns else {})


__all__ = ["health_body", "health_spec", "image_health"]
