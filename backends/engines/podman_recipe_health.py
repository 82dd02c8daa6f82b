"""Pure: a recipe's health check and log out of inspect JSON. Used by podman_recipe alone; makes no calls.

What is the image's, or Podman's own, is subtracted where it is not known that it was asked for.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from backends.engines.podman_asked import Asked
from backends.engines.podman_defaults import HostDefaults
from backends.engines.podman_translate import Json, strings
from backends.model.settings import HealthSpec, LogSpec

HEALTH_DEFAULTS = MappingProxyType({"interval_ns": 30_000_000_000, "timeout_ns": 30_000_000_000, "retries": 3})
"""What both engines take where a check says nothing. Source: podman-create(1), Docker Engine API, HealthConfig."""


def health(inspect: Json, image: Json, asked: Asked) -> HealthSpec | None:
    """The check where it is not the image's, or where Podman does something of its own with it."""
    config = inspect["Config"]
    check = _check(config.get("Healthcheck"), asked, "health.set")
    action = str(config.get("HealthcheckOnFailureAction") or "")
    action = "" if action in {"none", "invalid"} else action
    startup = _check(config.get("StartupHealthCheck"), asked, "health.startup.set")
    if check is None:
        return None
    of_image = _check(image.get("Healthcheck") or (image.get("Config") or {}).get("Healthcheck"), Asked(), "")
    if check == of_image and not action and startup is None:
        return None
    times = int((config.get("StartupHealthCheck") or {}).get("Successes") or 0) if startup is not None else 0
    return replace(check, on_failure=action, startup=startup, startup_successes=times)


def _check(value: Any, asked: Asked, path: str) -> HealthSpec | None:
    """Numbers that are the engines' own are 0, unless they were asked for."""
    if not value or not value.get("Test"):
        return None
    told = asked.words(path)

    def number(name: str, key: str) -> int:
        found = int(value.get(key) or 0)
        return 0 if found == HEALTH_DEFAULTS.get(name) and name not in told else found

    test = strings(value["Test"])
    if test[0] not in {"CMD", "CMD-SHELL", "NONE"}:
        test = ("CMD", *test)  # so Podman runs it (libpod/healthcheck.go)
    return HealthSpec(
        test,
        interval_ns=number("interval_ns", "Interval"),
        timeout_ns=number("timeout_ns", "Timeout"),
        start_period_ns=number("start_period_ns", "StartPeriod"),
        start_interval_ns=number("start_interval_ns", "StartInterval"),
        retries=number("retries", "Retries"),
    )


def log(inspect: Json, host: HostDefaults, asked: Asked) -> LogSpec | None:
    """The driver and the options that were asked for."""
    shown = inspect["HostConfig"].get("LogConfig") or {}
    driver = asked.unless("log.driver", str(shown.get("Type") or ""), host.log_driver, "", nothing="")
    told = asked.values.get("log.options")
    options = {str(key): str(value) for key, value in told.items()} if isinstance(told, dict) else {}
    path = str(shown.get("Path") or "")
    if shown.get("Tag"):
        options.setdefault("tag", str(shown["Tag"]))
    if shown.get("Size") not in (None, "", "0B", "-1B") and not {"max-size", "max_size"} & set(options):
        options["max-size"] = str(shown["Size"])
    if path and not path.endswith(f"/{inspect['Id']}/userdata/ctr.log"):
        options.setdefault("path", path)
    return LogSpec(driver, MappingProxyType(dict(sorted(options.items())))) if driver or options else None


__all__ = ["HEALTH_DEFAULTS", "health", "log"]
