"""`tranship gpus --listen`: metrics over HTTP, to this machine only. Changes nothing and reads no request's body."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from aiohttp import web

from tui.cli.exits import Exit
from tui.cli.gpus_metrics import CONTENT_TYPE, metrics_text
from tui.cli.output import say
from tui.cli.pick import view_where

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from backends.model.fleet import FleetView
    from backends.services.store import Store

FRESH_TIMEOUT_S = 3.0
"""How long a request waits for a sample that is newer than itself; then it gets the last one."""

_LARGEST_PORT = 65_535
_REMOTE = (
    "{host} can be reached from other machines, and these pages ask for no password. Listen on 127.0.0.1, and let a "
    "server that knows who may look (nginx, Caddy, an SSH tunnel) pass them on"
)


def parse_listen(text: str) -> tuple[str, int]:
    """Host and port of "9400", "127.0.0.1:9400", "[::1]:9400" or "localhost:9400"; port 0: any that is free.

    Raises click.BadParameter, also for an address that other machines reach.
    """
    host, port = "127.0.0.1", text
    if not text.isdecimal():
        try:
            parts = urlsplit(f"//{text}")
            host, port = parts.hostname or "", str(parts.port)
        except ValueError:
            host = ""
        if not host or parts.netloc != text or not port.isdecimal():
            raise click.BadParameter(f"“{text}” is no port and no address: write 9400 or 127.0.0.1:9400")
    if int(port) > _LARGEST_PORT:
        raise click.BadParameter(f"there is no port {port}: the largest is {_LARGEST_PORT}")
    if not is_loopback(host):
        raise click.BadParameter(_REMOTE.format(host=host))
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it. host: an address or a name, without a port."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


async def serve(store: Store, where: tuple[str, int], clock: Callable[[], float], ended: asyncio.Event) -> Exit:
    """Answer until it is ended. FAILED where the port is taken. clock: monotonic seconds."""
    runner = web.AppRunner(application(store, clock), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, *where)
        try:
            await site.start()
        except OSError as error:
            say(f"tranship: cannot listen on {where[0]}:{where[1]}: {error.strerror or error}. Next: another port")
            return Exit.FAILED
        for host, port, *_ in runner.addresses:
            say(f"tranship: http://{f'[{host}]' if ':' in host else host}:{port}/metrics; Ctrl+C ends it")
        await ended.wait()
    finally:
        await runner.cleanup()
    return Exit.DONE


def application(store: Store, clock: Callable[[], float]) -> web.Application:
    """The pages: /metrics, and / which names it."""

    async def metrics(_: web.Request) -> web.Response:
        view = await fresh_view(store, clock())
        return web.Response(text=metrics_text(view, clock()), headers={"Content-Type": CONTENT_TYPE})

    async def root(_: web.Request) -> web.Response:
        return web.Response(text="Tranship's GPU metrics are at /metrics\n")

    pages = web.Application(middlewares=[_only_this_machine])
    pages.add_routes([web.get("/metrics", metrics), web.get("/", root)])
    return pages


async def fresh_view(store: Store, asked_at: float) -> FleetView:
    """The first view with GPUs read after that moment (monotonic seconds), or with the reason why there are none."""

    def is_fresh(view: FleetView) -> bool:
        newest = max((reading.sampled_at for reading in view.gpus.readings), default=None)
        return bool(view.gpus.absent) if newest is None else newest >= asked_at

    return await view_where(store, is_fresh, FRESH_TIMEOUT_S)


@web.middleware
async def _only_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A web page of a stranger may point its own name at 127.0.0.1 (DNS rebinding): its browser's requests name it."""
    try:
        host = urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        host = ""
    if not is_loopback(host):
        return web.Response(status=403, text="this page answers to names of this machine only\n")
    return await handler(request)
