"""Pure: a recipe's health check and log out of inspect JSON. Used by podman_recipe alone; makes no calls.

What is the image's, or Podman's own, is subtracted where it is not known that it was asked for.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from backends.engines.health_check import health_spec
from backends.engines.podman_asked import Asked
from backends.engines.podman_defaults import HostDefaults
from backends.engines.podman_images import inherited
from backends.engines.podman_translate import Json
from backends.model.settings import HealthSpec, LogSpec


def health(inspect: Json, image: Json, asked: Asked) -> HealthSpec | None:
    """The check where it is not the image's, or where Podman does something of its own with it."""
    config = inspect["Config"]
    check = _check(config.get("Healthcheck"), asked, "health.set")
    action = str(config.get("HealthcheckOnFailureAction") or "")
    action = "" if action in {"none", "invalid"} else action
    startup = _check(config.get("StartupHealthCheck"), asked, "health.startup.set")
    if check is None:
        return None
    of_image = _check(inherited(image).get("Healthcheck"), Asked(), "")
    if check == of_image and not action and startup is None:
        return None
    times = int((config.get("StartupHealthCheck") or {}).get("Successes") or 0) if startup is not None else 0
    return replace(check, on_failure=action, startup=startup, startup_successes=times)


def _check(value: Any, asked: Asked, path: str) -> HealthSpec | None:
    """path: of the numbers that were asked for."""
    check = health_spec(value, asked.words(path))
    if check is None or check.test[0] in {"CMD", "CMD-SHELL", "NONE"}:
        return check
    return replace(check, test=("CMD", *check.test))  # so Podman runs it (libpod/healthcheck.go)


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


__all__ = ["health", "log"]
