"""The screen in a browser of this machine: textual-serve's page and protocol behind our door, a process for each tab.

May bind to 127.0.0.1 only, and start programs by their arguments only.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from pathlib import Path

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.server import Server, to_int

from tui.web.door import Door

HOST = "127.0.0.1"
MOST_SESSIONS = 8
"""Tabs at once: each is a Tranship of its own, and as many would ask the engines."""

_PAGE = Path(__file__).with_name("page.html")
_DRIVER = "tui.web.driver:TabDriver"
_LARGEST_SIDE = 1000
_HEARTBEAT_S = 15.0
_FONT_SIZES = range(8, 49)


class Pages(Server):
    """The pages, without a socket. argv: what each tab runs; door: who may come in."""

    def __init__(self, argv: Sequence[str], door: Door) -> None:
        super().__init__("tranship", host=HOST)
        self._argv = tuple(argv)
        self._door = door
        self._sessions: set[web.WebSocketResponse] = set()

    def application(self) -> web.Application:
        """What aiohttp serves."""
        pages = web.Application(middlewares=[self._door.middleware()])
        pages.add_routes(
            [
                web.get("/", self._page),
                web.get("/ws", self.handle_websocket),
                web.get("/download/{key}", self.handle_download),
                web.static("/static", self.statics_path),
            ]
        )
        pages.on_shutdown.append(self._close_all)
        return pages

    async def _page(self, request: web.Request) -> web.Response:
        size = to_int(request.query.get("fontsize", ""), 14)
        text = _PAGE.read_text(encoding="utf-8").replace("{websocket}", f"ws://{request.host}/ws")
        text = text.replace("{font_size}", str(min(max(size, _FONT_SIZES[0]), _FONT_SIZES[-1])))
        return web.Response(text=text, content_type="text/html")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One tab: its Tranship runs as long as the tab is there. 503 where too many are open."""
        if len(self._sessions) >= MOST_SESSIONS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_SESSIONS} tabs are open already: close one\n")
        width, height = (
            min(max(to_int(request.query.get(side, ""), default), 1), _LARGEST_SIDE)
            for side, default in (("width", 80), ("height", 24))
        )
        tab = web.WebSocketResponse(heartbeat=_HEARTBEAT_S)
        self._sessions.add(tab)
        try:
            await tab.prepare(request)
            session = _Session(
                self._argv,
                write_bytes=tab.send_bytes,
                write_str=tab.send_str,
                close=tab.close,
                download_manager=self.download_manager,
            )
            await session.start(width, height)
            try:
                await self._process_messages(tab, session)
            finally:
                await session.stop()
        finally:
            self._sessions.discard(tab)
        return tab

    async def _close_all(self, _pages: web.Application) -> None:
        """Each tab's Tranship ends as by `q`: what it moves is undone first."""
        for tab in tuple(self._sessions):
            await tab.close(message=b"the server ends")


class _Session(AppService):
    """textual-serve's way to one process, started by its arguments: the library would ask a shell."""

    def __init__(self, argv: Sequence[str], **ways: object) -> None:
        super().__init__(argv[0], **ways)  # type: ignore[arg-type] # passed on as they came
        self._argv = tuple(argv)

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        process = await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={**self._build_environment(width, height), "TEXTUAL_DRIVER": _DRIVER},
        )
        self._process, self._stdin = process, process.stdin
        return process


async def serve(argv: Sequence[str], port: int, ended: asyncio.Event, tell: Callable[[str], None]) -> None:
    """Answer until it is ended. argv: what each tab runs. port: 0 = any that is free.

    tell: gets the address with its token, once it listens. Raises OSError where the port is taken.
    """
    door = Door()
    runner = web.AppRunner(Pages(argv, door).application(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        tell(f"http://{HOST}:{runner.addresses[0][1]}/?token={door.token}")
        await ended.wait()
    finally:
        await runner.cleanup()
