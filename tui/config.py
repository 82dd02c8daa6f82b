"""The settings file: TOML to a frozen `Settings`; unknown keys are refused. May know no screen and no engine."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from backends.model.ids import EngineKind

_NO_KEYS: Mapping[str, str] = MappingProxyType({})
SMALLEST_INTERVAL_S = 0.1
LARGEST_INTERVAL_S = 60.0
LONGEST_IDLE_MINUTES = 7 * 24 * 60.0


class ConfigError(Exception):
    """The settings cannot be used. title: one line with the file's name; hint: what to write instead."""

    def __init__(self, title: str, *, hint: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.hint = hint


@dataclass(frozen=True, slots=True)
class EngineSetting:
    """One more engine, besides those that are found by themselves: a table `[[engines]]`."""

    name: str
    """What it is called in the fleet, e.g. "docker-gpu01"; no two engines may share a name."""

    kind: EngineKind
    """"docker" or "podman"."""

    url: str
    """Where it is: "unix:///run/docker.sock", "tcp://gpu01:2376" or "ssh://me@gpu01"."""

    tls_dir: str = ""
    """For tcp: the directory with ca.pem, cert.pem and key.pem, as DOCKER_CERT_PATH has them; "" = without TLS."""


NOTICES = frozenset({"finished", "failed", "unhealthy", "out_of_memory", "gpu_idle"})
"""What can be told of containers; backends.services.notices decides when."""


@dataclass(frozen=True, slots=True)
class NotifySetting:
    """What is told of containers that nobody acted on, and how: a table `[notify]`."""

    kinds: frozenset[str] = NOTICES
    """Each of `finished`, `failed`, `unhealthy`, `out_of_memory`, `gpu_idle` that is not false."""

    screen: bool = True
    """By a message on the screen."""

    bell: bool = True
    """By the terminal's bell."""

    desktop: bool = True
    """By a notification of the desktop, where the terminal can post one (OSC 9)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the program was told, by its settings file and by its command line."""

    engines: tuple[EngineSetting, ...] = ()
    """Engines to add to those found on this machine."""

    kubernetes: tuple[str, ...] = ()
    """Contexts of the kubeconfig whose Pods are in the fleet: `["lab", "prod=vision", "all=*"]` (also: --kube).

    CONTEXT=NAMESPACE looks at that namespace, CONTEXT=* at all, CONTEXT at the one that the context names. No context
    is ever connected to that was not named.
    """

    readonly: bool = False
    """Refuse every action that changes an engine (also: --readonly)."""

    refresh_s: float = 1.0
    """Seconds between two readings of CPU, memory and GPUs."""

    idle_gpu_minutes: float = 10.0
    """Minutes after which a container that holds GPU memory and computes nothing is called idle."""

    theme: str = ""
    """Name of a Textual theme; "" = the program's own."""

    keys: Mapping[str, str] = field(default_factory=lambda: _NO_KEYS)
    """Keys by action id, comma-separated: `[keys]` `"container.stop" = "s,f8"`."""

    notify: NotifySetting = NotifySetting()
    """What is told, and how: `[notify]` `finished = false`."""

    demo: bool = False
    """Show the demo fleet only and touch no real engine (--demo; not read from the file)."""


def default_path() -> Path:
    """Where the settings file is looked for: platformdirs' user_config_dir("tranship")/config.toml."""
    import platformdirs

    return Path(platformdirs.user_config_dir("tranship")) / "config.toml"


def load(path: Path | None = None) -> Settings:
    """Read the settings; path None = the default file, which need not exist. Raises ConfigError."""
    asked = path is not None
    path = path or default_path()
    if not asked and not path.exists():
        return Settings()
    import tomllib  # most people have no such file, and the first frame waits for what is imported

    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file", hint="check the path given with --config") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: its brackets nest too deep") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    return parse(data, str(path))


def parse(data: Mapping[str, Any], where: str) -> Settings:
    """Settings from what TOML gave; where: the file's name for messages. Raises ConfigError."""
    _known(data, _FIELDS, where)
    return Settings(**{key: _FIELDS[key](value, f"{where}: {key}") for key, value in data.items()})


def nearest(name: str, known: Collection[str]) -> str:
    """The known name that a wrong one most likely meant, "" where none is near."""
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.6)), "")


def _known(data: Mapping[str, Any], known: Collection[str], where: str) -> None:
    for key in data:
        if key not in known:
            meant = nearest(key, known)
            hint = f"did you mean “{meant}”?" if meant else f"known here: {', '.join(sorted(known))}"
            raise ConfigError(f"{where}: unknown key “{key}”", hint=hint)


def _bool(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{where} must be true or false")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{where} must be text in quotes")
    return value


def _interval(value: object, where: str) -> float:
    return _number(value, where, SMALLEST_INTERVAL_S, LARGEST_INTERVAL_S, "seconds")


def _idle_minutes(value: object, where: str) -> float:
    return _number(value, where, 0.0, LONGEST_IDLE_MINUTES, "minutes")


def _number(value: object, where: str, smallest: float, largest: float, unit: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(f"{where} must be a number of {unit}")
    if not smallest <= value <= largest:
        raise ConfigError(f"{where} must be from {smallest:g} to {largest:g} {unit}")
    return float(value)


def _keys(value: object, where: str) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be a table", hint='e.g. [keys] "container.stop" = "s"')
    return MappingProxyType({action: _text(keys, f"{where}.{action}") for action, keys in value.items()})


def _notify(value: object, where: str) -> NotifySetting:
    ways = ("screen", "bell", "desktop")
    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be a table", hint="write [notify] above it")
    _known(value, (*NOTICES, *ways), where)
    told = {key: _bool(one, f"{where}.{key}") for key, one in value.items()}
    kinds = frozenset(kind for kind in NOTICES if told.get(kind, True))
    return NotifySetting(kinds, **{way: told.get(way, True) for way in ways})


def _contexts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{where} must be a list of contexts", hint='e.g. kubernetes = ["lab", "prod=vision"]')
    contexts = tuple(dict.fromkeys(_text(one, where) for one in value))
    if not all(one.partition("=")[0] for one in contexts):
        raise ConfigError(f"{where}: a context has no name")
    return contexts


def _engines(value: object, where: str) -> tuple[EngineSetting, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{where} must be tables", hint="write [[engines]] above each")
    engines = tuple(_engine(entry, f"{where}[{index}]") for index, entry in enumerate(value))
    names = [engine.name for engine in engines]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{where}: two engines are called “{name}”")
    return engines


def _engine(value: object, where: str) -> EngineSetting:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be a table", hint="write [[engines]] above it")
    _known(value, ("name", "kind", "url", "tls_dir"), where)
    for key in ("name", "kind", "url"):
        if not _text(value.get(key, ""), f"{where}.{key}"):
            raise ConfigError(f"{where}: “{key}” is missing")
    kinds = (EngineKind.DOCKER.value, EngineKind.PODMAN.value)
    if value["kind"] not in kinds:
        raise ConfigError(f"{where}.kind must be one of: {', '.join(kinds)}")
    tls_dir = _text(value.get("tls_dir", ""), f"{where}.tls_dir")
    return EngineSetting(name=value["name"], kind=EngineKind(value["kind"]), url=value["url"], tls_dir=tls_dir)


_FIELDS: Mapping[str, Callable[[object, str], Any]] = MappingProxyType(
    {
        "engines": _engines,
        "kubernetes": _contexts,
        "readonly": _bool,
        "refresh_s": _interval,
        "idle_gpu_minutes": _idle_minutes,
        "theme": _text,
        "keys": _keys,
        "notify": _notify,
    }
)
"""The keys of the file, each with what reads it."""
