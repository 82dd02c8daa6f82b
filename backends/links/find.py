"""From a container, its environment and its log to links. Pure; nothing that a log says is trusted as an address.

A log is written by whoever runs in the container. Of an address in it only the port and the token are taken, both
checked; the host is the engine's own. Of links to the web only Weights & Biases' are taken, and only on the host that
the container itself was told to use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from backends.links.rules import NO_BROWSER, RULES, TLS_PORTS, TOKEN, WANDB_HOST, WANDB_RUN, Rule
from backends.model.container import Container, Port
from backends.model.service_link import ServiceLink

_LONGEST = 2_048  # characters of a line that are looked at
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_MOST_RUNS = 3


@dataclass(frozen=True, slots=True)
class Said:
    """What a log tells of one rule: the port, whether by TLS, the token; as last printed."""

    port: int | None = None
    tls: bool = False
    token: str = ""


def links_of(
    container: Container, env: Mapping[str, str], lines: Iterable[str], *, host: str = "localhost"
) -> tuple[ServiceLink, ...]:
    """Links of a running container, the most telling first. host: how the engine's host is called from here."""
    said, runs = _heard(env, lines)
    places = _places(container)
    found: list[ServiceLink] = []
    taken: set[int] = set()
    for rule in RULES:
        heard = said.get(rule.title)
        why = _why(rule, container, heard)
        if not why:
            continue
        port = heard.port if heard is not None and heard.port is not None else rule.port
        if port in taken:
            continue
        if port not in places:
            if not rule.http or heard is None:
                continue  # it may well not be listening at all
            found.append(_unpublished(rule, port, why))
        else:
            found.append(_link(rule, places[port], why, heard, env, host))
        taken.add(port)
    for port, place in sorted(places.items()):
        if port not in taken:
            found.append(_any_port(place, host))
    return (*found, *runs)


def _heard(env: Mapping[str, str], lines: Iterable[str]) -> tuple[dict[str, Said], list[ServiceLink]]:
    """What the log says of each rule, and the runs on the web that it names, newest first."""
    said: dict[str, Said] = {}
    runs: dict[str, ServiceLink] = {}
    rules = [rule for rule in RULES if rule.says]
    hosts = _wandb_hosts(env)
    for line in lines:
        text = line[:_LONGEST]
        if "://" not in text and "Started " not in text and "dashboard at" not in text:
            continue  # nearly all lines
        for rule in rules:
            if (match := _compiled(rule.says).search(text)) is not None:
                said[rule.title] = _said(rule, match, text, said.get(rule.title))
        for match in WANDB_RUN.finditer(text):
            if match["host"].lower() in hosts and match["scheme"] == hosts[match["host"].lower()]:
                url = f"{match['scheme']}://{match['host'].lower()}{match['path']}"
                runs.pop(url, None)
                runs[url] = ServiceLink("W&B run", url, why="printed in its log")
    return said, list(reversed(runs.values()))[:_MOST_RUNS]


def _said(rule: Rule, match: re.Match[str], text: str, before: Said | None) -> Said:
    groups = match.groupdict()
    number = int(groups["port"]) if groups.get("port") else 0
    token = TOKEN.search(text) if rule.token else None
    return Said(
        number if 0 < number < 65536 else None,
        bool(groups.get("https")),
        token["value"] if token is not None else before.token if before is not None else "",
    )


def _wandb_hosts(env: Mapping[str, str]) -> dict[str, str]:
    """Hosts whose runs are taken, each with its scheme: W&B's own, and that of WANDB_BASE_URL."""
    hosts = {WANDB_HOST: "https"}
    try:
        told = urlsplit(env.get("WANDB_BASE_URL", ""))
        if told.scheme in {"http", "https"} and told.hostname:
            hosts[told.netloc.rpartition("@")[2].lower()] = told.scheme
    except ValueError:
        return hosts  # no address at all
    return hosts


def _why(rule: Rule, container: Container, heard: Said | None) -> str:
    """How a rule was recognised, "" where it was not."""
    if heard is not None:
        return "printed in its log"
    if rule.image and _compiled(rule.image).search(container.image):
        return "its image"
    if rule.command and _compiled(rule.command).search(" ".join(container.command)[:_LONGEST]):
        return "its command"
    if rule.alone and any(port.container_port == rule.port for port in container.ports):
        return f"port {rule.port}"
    return ""


@lru_cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _places(container: Container) -> Mapping[int, Port]:
    """Published TCP ports by container port; with the host's own network each known port is where it is."""
    if "host" in container.networks:
        numbers = {port.container_port for port in container.ports if port.protocol == "tcp"}
        numbers |= {rule.port for rule in RULES if _why(rule, container, None)}
        return {number: Port(number, "tcp", "", number) for number in numbers}
    published = [port for port in container.ports if port.host_port and port.protocol == "tcp"]
    # Where one is published several times, the one that everybody reaches.
    return {port.container_port: port for port in sorted(published, key=lambda one: one.host_ip == "")}


def _address(place: Port, host: str) -> str:
    """HOST:PORT as a browser here would use it."""
    where = host if place.host_ip in {"", *_LOOPBACK} else place.host_ip
    return f"[{where}]:{place.host_port}" if ":" in where else f"{where}:{place.host_port}"


def _link(rule: Rule, place: Port, why: str, heard: Said | None, env: Mapping[str, str], host: str) -> ServiceLink:
    address = _address(place, host)
    scheme = "https" if (heard is not None and heard.tls) or place.container_port in TLS_PORTS else "http"
    token = heard.token if heard is not None else ""
    if rule.token and not token:
        known = TOKEN.search(f"?token={env.get('JUPYTER_TOKEN', '')}")
        token = known["value"] if known is not None else ""
    return ServiceLink(
        rule.title,
        f"{scheme}://{address}{rule.path}" if rule.http else "",
        address,
        secret=f"{rule.token}={token}" if token else "",
        why=why,
        port=place.host_port,
        only_there=place.host_ip in _LOOPBACK,
    )


def _unpublished(rule: Rule, port: int, why: str) -> ServiceLink:
    note = f"port {port} is not published: make the container again with -p 127.0.0.1:{port}:{port}"
    return ServiceLink(rule.title, "", f"port {port}", why=why, note=note)


def _any_port(place: Port, host: str) -> ServiceLink:
    address = _address(place, host)
    number = place.container_port
    scheme = "" if number in NO_BROWSER else "https" if number in TLS_PORTS else "http"
    return ServiceLink(
        f"port {number}",
        f"{scheme}://{address}/" if scheme else "",
        address,
        why="published",
        port=place.host_port,
        only_there=place.host_ip in _LOOPBACK,
    )
