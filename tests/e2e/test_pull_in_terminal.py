"""A pull of many layers in a terminal: seen layer by layer, ended by Ctrl+C, on the engine too."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from tests.contract.lab import eventually
from tests.e2e.terminal import Terminal
from tests.fake_registry import FakeRegistry
from tests.real import RealEngines, required

pytestmark = [pytest.mark.engines, pytest.mark.e2e]

ROOT = Path(__file__).resolve().parents[2]
TRANSHIP = str(Path(sys.executable).parent / "tranship")
LAYERS = 20


@pytest.mark.parametrize("engine", ["docker", "podman"])
async def test_it_is_seen_and_called_off(engine: str, real_engines: RealEngines, tmp_path: Path) -> None:
    if shutil.which("tmux") is None and not required():
        pytest.skip("scenes need tmux")
    environ = {
        **os.environ,
        "DOCKER_HOST": real_engines.docker,
        "CONTAINER_HOST": real_engines.podman,
        "XDG_RUNTIME_DIR": "/nonexistent",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }
    registry = FakeRegistry(layers=LAYERS, layer_bytes=300_000)
    registry.flowing.clear()  # each layer stops half-way
    async with registry.served(real_engines):
        name = f"{registry.address}/box/box:1"
        # In a session of its own on the terminal: Ctrl+C is for it alone, not for the shell that tells how it ended.
        more = ["--insecure"] if engine == "podman" else []
        argv = ["setsid", "--ctty", "--wait", TRANSHIP, "pull", name, "-e", engine, *more]
        with Terminal(argv, columns=80, rows=24, cwd=ROOT, environ=environ, socket=tmp_path / "tmux") as terminal:
            await asyncio.to_thread(terminal.wait, r"(?m)^● ↓ .*layers")
            bars = await asyncio.to_thread(terminal.wait, lambda screen: screen.count("───") > 1)
            assert "waiting" in bars or "downloading" in bars
            terminal.keys("C-c")
            assert await asyncio.to_thread(terminal.exit_status) == 128 + signal.SIGINT
            assert "cancelled" in terminal.screen()
        registry.flowing.set()

        async def quiet() -> bool:
            return registry.open_blobs == 0

        await eventually(quiet)
        assert len({path for path in registry.asked if "/blobs/" in path}) <= LAYERS, "the rest was never asked for"
    assert name.removesuffix(":1") not in real_engines.cli(engine, "images")
