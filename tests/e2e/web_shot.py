"""`python -m tests.e2e.web_shot PNG [KEY …]`: `tranship web` in a headless Chromium, keys pressed, a picture taken.

By hand: Chromium is too large for every run (Debian: apt install chromium). Exits with 1 where nothing was drawn.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

TIMEOUT_S = 30.0
SIZE = "1400,800"


@contextlib.asynccontextmanager
async def _started(*argv: str, said_on: str) -> AsyncIterator[asyncio.StreamReader]:
    """A program whose stdout or stderr is read; interrupted at the end."""
    ways: dict[str, Any] = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
    ways[said_on] = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*argv, **ways)
    said = process.stdout if said_on == "stdout" else process.stderr
    assert said is not None
    try:
        yield said
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), TIMEOUT_S)


async def _line(said: asyncio.StreamReader, containing: str) -> str:
    while line := (await asyncio.wait_for(said.readline(), TIMEOUT_S)).decode(errors="replace"):
        if containing in line:
            return line[line.index(containing) :].strip()
    raise RuntimeError(f"it ended before it said {containing!r}")


class Page:
    """One page of Chromium, by its DevTools protocol."""

    def __init__(self, wire: ClientWebSocketResponse) -> None:
        self._wire = wire
        self._last = 0

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """One call; its result."""
        self._last += 1
        await self._wire.send_json({"id": self._last, "method": method, "params": params})
        while True:
            answer: dict[str, Any] = json.loads(await asyncio.wait_for(self._wire.receive_str(), TIMEOUT_S))
            if answer.get("id") == self._last:
                return dict(answer["result"])

    async def until(self, script: str) -> bool:
        """Whether the script becomes true in time."""
        deadline = asyncio.get_running_loop().time() + TIMEOUT_S
        while asyncio.get_running_loop().time() < deadline:
            if (await self.ask("Runtime.evaluate", expression=script))["result"].get("value") is True:
                return True
            await asyncio.sleep(0.1)
        return False


async def shot(keys: list[str]) -> bytes:
    """The picture, as PNG; empty where nothing was drawn."""
    with tempfile.TemporaryDirectory() as profile:
        served = _started(sys.executable, "-P", "-m", "tui", "web", "--demo", said_on="stdout")
        chromium = (
            *("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"),
            *(f"--window-size={SIZE}", "--remote-debugging-port=0", "about:blank"),
        )
        async with served as printed, _started(*chromium, said_on="stderr") as said, ClientSession() as http:
            address = await _line(printed, "http://")
            port = (await _line(said, "ws://")).split(":")[2].split("/")[0]
            async with http.get(f"http://127.0.0.1:{port}/json") as pages:
                (page,) = [one for one in await pages.json() if one["type"] == "page"]
            async with http.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as wire:
                chrome = Page(wire)
                await chrome.ask("Page.navigate", url=address)
                await chrome.ask("Emulation.setFocusEmulationEnabled", enabled=True)
                drawn = await chrome.until("document.body && document.body.classList.contains('-first-byte')")
                for key in keys:
                    await chrome.ask("Input.dispatchKeyEvent", type="keyDown", text=key, key=key)
                    await chrome.ask("Input.dispatchKeyEvent", type="keyUp", key=key)
                    await asyncio.sleep(1.0)  # for the eye: what the key opens is drawn
                await asyncio.sleep(2.0)
                taken = await chrome.ask("Page.captureScreenshot", format="png")
    return base64.b64decode(taken["data"]) if drawn else b""


if __name__ == "__main__":
    picture = asyncio.run(shot(sys.argv[2:]))
    Path(sys.argv[1]).write_bytes(picture)
    sys.exit(0 if picture else 1)
