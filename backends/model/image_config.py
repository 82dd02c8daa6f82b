"""What an image says of containers made of it, and how two images differ in that. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from backends.model.image_files import Mark


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """Of the image's configuration what its author chose. Source: OCI image-spec, config.md.

    env: values are data that may be secret. health: the check's command, "" where there is none.
    """

    platform: str = ""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    workdir: str = ""
    user: str = ""
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = ""
    health: str = ""


@dataclass(frozen=True, slots=True)
class ConfigDifference:
    """One setting that two images have differently. first, second: "" where it has none; never a variable's value."""

    setting: str
    mark: Mark
    first: str
    second: str


_SETTINGS: tuple[tuple[str, Callable[[ImageConfig], str]], ...] = (
    ("platform", lambda one: one.platform),
    ("entrypoint", lambda one: shlex.join(one.entrypoint)),
    ("command", lambda one: shlex.join(one.command)),
    ("workdir", lambda one: one.workdir),
    ("user", lambda one: one.user),
    ("ports", lambda one: " ".join(sorted(one.ports))),
    ("volumes", lambda one: " ".join(sorted(one.volumes))),
    ("stop signal", lambda one: one.stop_signal),
    ("health check", lambda one: one.health),
)
_HIDDEN = "…"


def config_differences(first: ImageConfig, second: ImageConfig) -> tuple[ConfigDifference, ...]:
    """What the second has differently, setting by setting; variables and labels one by one, no variable's value."""
    found = []
    for name, value in _SETTINGS:
        before, after = value(first), value(second)
        if before != after:
            found.append(ConfigDifference(name, _mark(before or None, after or None), before, after))
    for name in sorted(first.env.keys() | second.env.keys()):
        here, there = first.env.get(name), second.env.get(name)
        if here != there:
            shown = ["" if one is None else _HIDDEN for one in (here, there)]
            found.append(ConfigDifference(f"env {name}", _mark(here, there), *shown))
    for name in sorted(first.labels.keys() | second.labels.keys()):
        here, there = first.labels.get(name), second.labels.get(name)
        if here != there:
            found.append(ConfigDifference(f"label {name}", _mark(here, there), here or "", there or ""))
    return tuple(found)


def _mark(before: str | None, after: str | None) -> Mark:
    return Mark.ADDED if before is None else Mark.REMOVED if after is None else Mark.CHANGED


__all__ = ["ConfigDifference", "ImageConfig", "config_differences"]
