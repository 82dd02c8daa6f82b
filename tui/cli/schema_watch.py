"""What --json answers about watching: links, events, the page. As schema.py: every key is written out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.cli.schema import time_text

if TYPE_CHECKING:
    from backends.model.container import Container
    from backends.model.events import EngineEvent
    from backends.model.service_link import LinkReport


def links(of: Container, report: LinkReport, *, tokens: bool) -> dict[str, Any]:
    """A container's links; tokens: whether the addresses have theirs, else they are masked."""
    return {
        "engine": of.key.engine.name,
        "container": of.name,
        "links": [
            {
                "title": link.title,
                "url": (link.whole if tokens else link.masked) if link.url else None,
                "address": link.address or None,
                "port": link.port,
                "has_token": bool(link.secret),
                "why": link.why,
                "note": link.note or None,
                "tunnel": report.tunnel(link) or None,
            }
            for link in report.links
        ],
        "attach": report.attach or None,
        "remarks": list(report.remarks),
    }


def event(heard: EngineEvent) -> dict[str, Any]:
    """One event of an engine."""
    return {
        "engine": heard.engine.name,
        "at": time_text(heard.at),
        "kind": heard.kind.value,
        "action": heard.action,
        "id": heard.id,
        "name": heard.name or None,
        "exit_code": heard.exit_code,
        "why": heard.why or None,
    }


def web(address: str) -> dict[str, Any]:
    """Where the screen is in a browser; the address has its token."""
    return {"address": address}
