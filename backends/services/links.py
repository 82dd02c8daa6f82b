"""Asks an engine for what links are found by: environment and both ends of a log. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from backends.engine import Engine
from backends.inspected import environment
from backends.inspected_pod import is_pod, pod_environment
from backends.links.find import links_of
from backends.links.reach import Ground, attach_address, forward_line, tunnel_line
from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.service_link import LinkReport

_FIRST_LINES = 2_000  # of this run: where a service says where it listens
_LAST_LINES = 2_000
_LOG_S = 5.0  # a log of many GB is not read to this run's beginning at any price


async def find_links(engine: Engine, container: Container, ground: Ground) -> LinkReport:
    """All links of a container. Raises the engine's errors, but not for a log that cannot be read: that is a remark."""
    raw = await engine.inspect_raw(container.key.id)
    config = raw.get("Config")
    config = config if isinstance(config, Mapping) else {}
    remarks: list[str] = []
    lines: list[str] = []
    if container.state.alive:
        lines = await _lines(engine, container, remarks)
    else:
        return LinkReport(remarks=("it does not run",))
    if is_pod(raw):
        return await asyncio.to_thread(_of_pod, engine, container, raw, lines, remarks)
    host = ground.engine_host or "localhost"
    links = await asyncio.to_thread(links_of, container, dict(environment(raw)), lines, host=host)
    tunnels = {link.port: line for link in links if link.port and (line := tunnel_line(link, ground))}
    return LinkReport(
        links,
        tuple(sorted(tunnels.items())),
        attach_address(container.name, str(config.get("WorkingDir") or "/"), engine.endpoint),
        tuple(remarks),
    )


def _of_pod(
    engine: Engine, container: Container, raw: Mapping[str, object], lines: list[str], remarks: list[str]
) -> LinkReport:
    """A Pod's ports are here once kubectl has brought them here, each under its own number."""
    env = dict(pod_environment(raw, container.key.id.rpartition("/")[2]))
    links = links_of(replace(container, networks=("host",)), env, lines)
    ports = {link.port for link in links if link.port}
    tunnels = tuple((port, forward_line(port, container.key.id, engine.endpoint)) for port in sorted(ports))
    said = (*remarks, *(("a Pod's port answers here while its kubectl line runs (t copies it)",) if tunnels else ()))
    return LinkReport(links, tunnels, remarks=said)


async def _lines(engine: Engine, container: Container, remarks: list[str]) -> list[str]:
    """The first and the last lines of this run; what could not be read becomes a remark."""
    try:
        first = await _some(engine, container.key.id, since=container.started_at)
        last: list[str] = []
        async with asyncio.timeout(_LOG_S), engine.logs(container.key.id, tail=_LAST_LINES) as stream:
            async for line in stream:
                last.append(line.text)
    except BackendError as error:
        remarks.append(f"its log cannot be read: {error.title}")
        return []
    except TimeoutError:
        remarks.append(f"its log did not come within {_LOG_S:g} s")
        return []
    return first + last


async def _some(engine: Engine, container: str, since: datetime | None) -> list[str]:
    lines: list[str] = []
    try:
        async with asyncio.timeout(_LOG_S), engine.logs(container, since=since) as stream:
            async for line in stream:
                lines.append(line.text)
                if len(lines) >= _FIRST_LINES:
                    break
    except TimeoutError:
        return lines  # what came by then; its end is read anyhow
    return lines
