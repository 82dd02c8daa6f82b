"""What both engines' inspect JSON tells alike: environment, user, health checks, addresses. Pure; asks no engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class HealthRun:
    """One run of a health check, times as the engine writes them."""

    start: str
    end: str
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A container's place on one network; "" where it has none."""

    network: str
    address: str
    address_v6: str
    gateway: str
    mac: str
    aliases: tuple[str, ...]


def environment(raw: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """(name, value), sorted by name."""
    entries = _map(raw.get("Config")).get("Env")
    pairs = (str(entry).partition("=") for entry in (entries if isinstance(entries, list) else ()))
    return tuple(sorted((name, value) for name, _, value in pairs))


def user_of(raw: Mapping[str, object]) -> str:
    """As whom it runs, the image's word included; "" where neither says it."""
    return str(_map(raw.get("Config")).get("User") or "")


def health_runs(raw: Mapping[str, object]) -> tuple[HealthRun, ...]:
    """The last runs of the health check, newest first. Podman 4 writes "Healthcheck" for "Health"."""
    state = _map(raw.get("State"))
    log = _map(state.get("Health") or state.get("Healthcheck")).get("Log")
    runs = [
        HealthRun(
            str(one.get("Start") or ""),
            str(one.get("End") or ""),
            int(one.get("ExitCode") or 0),
            str(one.get("Output") or "").strip(),
        )
        for one in map(_map, log if isinstance(log, list) else ())
    ]
    return tuple(reversed(runs))


def health_command(raw: Mapping[str, object]) -> str:
    """What is run as the health check, "" where nothing is."""
    check = _map(_map(raw.get("Config")).get("Healthcheck"))
    test = check.get("Test")
    words = [str(word) for word in test] if isinstance(test, list) else []
    return "" if words[:1] == ["NONE"] else " ".join(words[1:] if words[:1] in (["CMD"], ["CMD-SHELL"]) else words)


def attachments(raw: Mapping[str, object]) -> tuple[Attachment, ...]:
    """Its networks, sorted by name."""
    networks = _map(_map(raw.get("NetworkSettings")).get("Networks"))
    return tuple(
        Attachment(
            name,
            _with_prefix(one, "IPAddress", "IPPrefixLen"),
            _with_prefix(one, "GlobalIPv6Address", "GlobalIPv6PrefixLen"),
            str(one.get("Gateway") or ""),
            str(one.get("MacAddress") or ""),
            tuple(map(str, one["Aliases"])) if isinstance(one.get("Aliases"), list) else (),
        )
        for name, one in sorted((name, _map(value)) for name, value in networks.items())
    )


def _with_prefix(one: Mapping[str, Any], address: str, prefix: str) -> str:
    return f"{one[address]}/{one.get(prefix)}" if one.get(address) else ""


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
