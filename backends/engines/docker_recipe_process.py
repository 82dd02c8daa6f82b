"""How a container's first process is run, watched and written down. Pure; used by docker_recipe alone."""

from __future__ import annotations

import signal
from collections.abc import Mapping

from backends.engines.docker_defaults import DEFAULT_STOP_S, HostDefaults
from backends.engines.docker_recipe_parts import Json, Left
from backends.engines.health_check import health_spec
from backends.model.settings import HealthSpec, LogSpec, ProcessSpec

_TERM = "SIGTERM"  # moby container: defaultStopSignal
_SAID = frozenset({"Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"})


def process(config: Json, base: Json, host: Json, unset: tuple[str, ...]) -> ProcessSpec:
    """unset: variables of the image that it does not have."""
    shares_host = str(host.get("NetworkMode") or "").startswith("container:")
    return ProcessSpec(
        groups=tuple(map(str, host.get("GroupAdd") or ())),
        init=bool(host.get("Init")),
        stop_signal=_signal(config, base),
        stop_timeout_s=_stop_timeout(config, base),
        domainname="" if shares_host else str(config.get("Domainname") or ""),
        stdin_once=bool(config.get("StdinOnce")),
        unset_env=unset,
        auto_remove=bool(host.get("AutoRemove")),
        annotations={str(key): str(value) for key, value in (host.get("Annotations") or {}).items()},
    )


def signal_name(text: str) -> str:
    """ "15", "term" and "SIGTERM" → "SIGTERM"; what is no signal stays."""
    if text.isdecimal():
        try:
            return signal.Signals(int(text)).name
        except ValueError:
            return text
    upper = text.upper()
    return upper if not upper or upper.startswith("SIG") else f"SIG{upper}"


def _signal(config: Json, base: Json) -> str | None:
    mine, its = (signal_name(str(one.get("StopSignal") or "")) for one in (config, base))
    return None if mine in {"", its} or (mine == _TERM and not its) else mine


def _stop_timeout(config: Json, base: Json) -> int | None:
    mine, its = config.get("StopTimeout"), base.get("StopTimeout")
    return None if mine is None or mine == its or (mine == DEFAULT_STOP_S and its is None) else int(mine)


def health(config: Json, base: Json, left: Left) -> HealthSpec | None:
    """None where it is the image's. Docker's own times are 0, as where nobody set them."""
    mine, its = config.get("Healthcheck") or {}, base.get("Healthcheck") or {}
    if not mine or mine == its:
        return None
    if not mine.get("Test"):
        left.add("Config.Healthcheck", dict(mine), "there is no check to which it belongs")
        return None
    for key in mine.keys() - _SAID:
        left.add(f"Config.Healthcheck.{key}", mine[key], "Tranship does not know this setting of Docker")
    return health_spec(mine)


def log(host: Json, defaults: HostDefaults) -> LogSpec | None:
    """None where it is the daemon's own driver and nothing is said of it."""
    config: Mapping[str, object] = host.get("LogConfig") or {}
    driver, options = str(config.get("Type") or ""), config.get("Config")
    if driver in {"", defaults.log_driver or "json-file"} and not options:
        return None
    pairs = options.items() if isinstance(options, Mapping) else ()
    return LogSpec(driver, {str(key): str(value) for key, value in pairs})


__all__ = ["health", "log", "process", "signal_name"]
