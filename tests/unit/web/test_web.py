"""`tranship web`: who comes in, what a tab shows, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from aiohttp import ClientSession, CookieJar, WSMsgType, WSServerHandshakeError

from tui.cli.exits import Exit
from tui.cli.session import Invocation
from tui.cli.web import tab_argv

TIMEOUT_S = 30.0
PROGRAM = (sys.executable, "-P", "-m", "tui", "web", "--demo", "--json")


@asynccontextmanager
async def served() -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The server, and the address that it told."""
    process = await asyncio.create_subprocess_exec(*PROGRAM, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        document = json.loads(await asyncio.wait_for(process.stdout.readline(), TIMEOUT_S))
        assert document["schema"] == 1
        yield process, document["web"]["address"]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def runs(child: psutil.Process) -> bool:
    """Whether it does; one that nobody has waited for yet does not."""
    try:
        return child.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def until_gone(child: psutil.Process) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while runs(child):  # noqa: ASYNC110 - another process's state, which the system tells nobody but its parent
            await asyncio.sleep(0.05)


async def test_only_who_has_the_token_comes_in_and_a_tab_is_a_tranship() -> None:
    async with served() as (process, address), ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
        page = address.partition("?")[0]
        assert urlsplit(page).hostname == "127.0.0.1"
        listening = [
            one.laddr.ip for one in psutil.Process(process.pid).net_connections("inet") if one.status == "LISTEN"
        ]
        assert listening == ["127.0.0.1"]
        at = page.rstrip("/")
        strangers = {
            "no token": (page, {}),
            "a wrong token": (f"{page}?token=x", {}),
            "a token that is no ASCII": (f"{page}?token=%C3%A4", {}),
            "the websocket alone": (f"{at}/ws", {}),
            "the page's parts": (f"{at}/static/js/textual.js", {}),
            "another name (DNS rebinding)": (address, {"Host": "evil.example"}),
            "another page's request": (address, {"Origin": "http://evil.example"}),
            "another port's page": (address, {"Origin": "http://127.0.0.1:1"}),
        }
        for what, (url, headers) in strangers.items():
            async with browser.get(url, headers=headers, allow_redirects=False) as answer:
                assert answer.status == 403, what
                assert "token=" not in await answer.text()
        async with browser.get(address) as answer:  # follows to the page without the token
            assert (answer.status, str(answer.url)) == (200, page)
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            text = await answer.text()
        assert "googleapis" not in text
        for part in ("js/textual.js", "css/xterm.css", "fonts/RobotoMono-VariableFont_wght.ttf"):
            assert f"/static/{part}" in text
            async with browser.get(f"{at}/static/{part}") as answer:
                assert answer.status == 200
        async with browser.get(f"{at}/download/x") as answer:
            assert (answer.status, answer.headers["X-Frame-Options"]) == (404, "DENY")
        with pytest.raises(WSServerHandshakeError, match="403"):
            await browser.ws_connect(f"{at}/ws", origin="http://evil.example")
        async with browser.ws_connect(f"{at}/ws?width=100&height=30") as tab:
            seen = b""
            while b"vllm" not in seen:
                message = await tab.receive(TIMEOUT_S)
                assert message.type is WSMsgType.BINARY, message
                seen += message.data
            (child,) = psutil.Process(process.pid).children()
            await tab.send_json(["stdin", "jl"])  # the table has the keys without a click
            while b"Log of eval-nightly" not in seen:
                seen += (await tab.receive(TIMEOUT_S)).data
            await tab.send_json(["stdin", "qq"])
            while (await tab.receive(TIMEOUT_S)).type not in {WSMsgType.CLOSE, WSMsgType.CLOSED}:
                pass
        await until_gone(child)
        async with browser.ws_connect(f"{at}/ws") as tab:  # open while the server is interrupted
            await tab.receive(TIMEOUT_S)
            (child,) = psutil.Process(process.pid).children()
            process.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(process.wait(), TIMEOUT_S) == Exit.DONE
        await until_gone(child)


async def test_a_tab_does_not_outlive_a_server_that_was_killed() -> None:
    async with served() as (process, address), ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
        async with browser.get(address) as answer:
            page = str(answer.url).rstrip("/")
        async with browser.ws_connect(f"{page}/ws") as tab:
            await tab.receive(TIMEOUT_S)
            (child,) = psutil.Process(process.pid).children()
            os.kill(process.pid, signal.SIGKILL)
            await until_gone(child)


def test_a_tab_gets_the_options_of_the_server() -> None:
    argv = tab_argv(Invocation(config=Path("/c.toml"), readonly=True, kube=("lab", "prod=vision")))
    assert argv[4:] == ["--config", "/c.toml", "--kube", "lab", "--kube", "prod=vision", "--readonly"]


async def test_a_port_that_is_taken_is_told() -> None:
    async with served() as (_, address):
        port = str(urlsplit(address).port)
        second = await asyncio.create_subprocess_exec(
            *PROGRAM, "--port", port, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, said = await asyncio.wait_for(second.communicate(), TIMEOUT_S)
        assert (second.returncode, out) == (Exit.FAILED, b"")
        assert f"cannot listen on 127.0.0.1:{port}".encode() in said
        assert b"Next: another --port" in said
