"""Makes a port of ours on 127.0.0.1 reachable where the test engines are: in a network namespace of their own.

As a program (`nsenter -n … python loopback.py PORT SOCKET`) it listens there and forwards to a unix socket.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backends.migration.images import Serve
    from backends.registry import Registry

PIECE_BYTES = 1 << 18


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except ConnectionError:  # cut off, not ended: the other side must see so too, as it would with nothing between
        writer.close()


async def _forward(port: int, path: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(path, limit=PIECE_BYTES)
        try:
            await asyncio.gather(_pipe(reader, back), _pipe(there, writer))
        finally:
            back.close()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, limit=PIECE_BYTES)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


@asynccontextmanager
async def reachable(pid: int, port: int, path: Path) -> AsyncIterator[None]:
    """While the context stands, 127.0.0.1:port in the network namespace of that process leads to the unix socket.

    Raises RuntimeError where the port is taken there.
    """
    argv = ["nsenter", "-t", str(pid), "-n", sys.executable, __file__, str(port), str(path)]
    child = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    try:
        if await child.stdout.readline() != b"ready\n":
            _, words = await child.communicate()
            raise RuntimeError(f"no forward of port {port}: {words.decode(errors='replace')[-400:]}")
        yield
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


def engines_pid(folder: Path) -> int:
    """The first process of the test engines' namespaces. folder: of the engines."""
    return int((folder / "pid").read_text().split()[0])


def served_in(pid: int) -> Serve:
    """What `ship` takes as `serve`: a registry of ours that is reachable in that process's network namespace too."""
    from backends.registry import open_registry  # not needed, nor importable, as a program

    @asynccontextmanager
    async def serve(folder: Path) -> AsyncIterator[Registry]:
        with tempfile.TemporaryDirectory(prefix="tr-", dir="/tmp") as short:  # a socket's path ends at 107 bytes
            door = Path(short) / "door"
            async with open_registry(folder, unix_socket=door) as registry:
                port = int(registry.address.rpartition(":")[2])
                async with reachable(pid, port, door):
                    yield registry

    return serve


if __name__ == "__main__":
    asyncio.run(_forward(int(sys.argv[1]), sys.argv[2]))
