"""The thread of a worker: in order, heard or not, and never waited for at the end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from backends.engines.daemon_threads import Worker


async def test_acts_are_done_in_order_off_the_loop_and_raise_where_they_are_waited_for() -> None:
    worker, done = Worker("test"), list[object]()
    assert await worker.run(threading.get_ident) != threading.get_ident()

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await worker.run(fail)
    worker.end(lambda: done.append("last"))
    async with asyncio.timeout(10):
        while not done:  # noqa: ASYNC110 - the thread has no event of the loop's
            await asyncio.sleep(0.005)


async def test_who_is_cancelled_does_not_hear_and_what_follows_is_done() -> None:
    worker, begun, go_on = Worker("test"), threading.Event(), threading.Event()

    def block() -> None:
        begun.set()
        go_on.wait(10)

    waiting = asyncio.create_task(worker.run(block))
    await asyncio.to_thread(begun.wait, 10)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go_on.set()
    assert await worker.run(lambda: 7) == 7
    worker.end()


def test_a_program_ends_while_an_act_hangs() -> None:
    code = (
        "import asyncio, threading\n"
        "from backends.engines.daemon_threads import Worker\n"
        "async def main():\n"
        "    task = asyncio.create_task(Worker('hangs').run(threading.Event().wait))\n"
        "    await asyncio.sleep(0)\n"
        "    task.cancel()\n"
        "asyncio.run(main())\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


async def test_a_program_ends_while_docker_hangs(tmp_path: Path) -> None:
    hangs, gone = asyncio.Event(), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.read(1 << 16)).decode().partition(" HTTP/")[0]
        if target.startswith("POST"):
            hangs.set()
            await reader.read()  # until the program leaves
            writer.close()
            gone.set()
            return
        body = b'{"ApiVersion": "1.45"}' if target.endswith("/version") else b"{}"
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    code = (
        "import asyncio, sys\n"
        "from backends.engines.docker import DockerEngine\n"
        "from backends.model.ids import EngineId, EngineKind\n"
        "from backends.wire.endpoint import Endpoint\n"
        "async def main():\n"
        "    engine = DockerEngine(EngineId(EngineKind.DOCKER, 'hung'), Endpoint.parse(sys.argv[1]))\n"
        "    task = asyncio.create_task(engine.start('box'))\n"
        "    await asyncio.to_thread(sys.stdin.readline)\n"
        "    task.cancel()\n"
        "    await asyncio.wait([task])\n"
        "    await engine.close()\n"
        "asyncio.run(main())\n"
    )
    server = await asyncio.start_unix_server(handle, tmp_path / "s")
    argv = [sys.executable, "-c", code, str(tmp_path / "s")]
    child = await asyncio.create_subprocess_exec(*argv, stdin=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(50):  # a socket of docker-py waits longer
            await hangs.wait()
            await child.communicate(b"leave\n")
            await gone.wait()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
        server.close()
    assert child.returncode == 0
