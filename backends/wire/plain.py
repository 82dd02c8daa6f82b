"""One HTTP/1.0 GET over a Unix socket, for what is asked before aiohttp is there: it costs 189 ms at the start.

No streams, no bodies, no kept connections, no errors of the model: all other calls are WireClient's.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

_STATUS = re.compile(r"HTTP/\d\.\d ([0-9]{3})(?!\d)")
_PIECE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class PlainAnswer:
    """status: of HTTP, 0 where what came is none of it. head: status line and headers, as they came."""

    status: int
    head: str
    body: bytes


async def plain_get(socket: str, path: str, *, timeout_s: float, most_bytes: int) -> PlainAnswer:
    """The answer, whole. Raises OSError, TimeoutError after timeout_s, ValueError for more than most_bytes.

    By HTTP/1.0 the server sends the body as it is and then closes (RFC 1945, 7.2.2).
    """
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_unix_connection(socket)
        try:
            writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            await writer.drain()
            came = bytearray()
            while piece := await reader.read(_PIECE_BYTES):
                came += piece
                if len(came) > most_bytes:
                    raise ValueError(f"more than {most_bytes} bytes")
        finally:
            writer.close()
    return read_answer(bytes(came))


def read_answer(came: bytes) -> PlainAnswer:
    """All that a server said until it closed, whatever it is."""
    head, _, body = came.partition(b"\r\n\r\n")
    told = head.decode("utf-8", "replace")
    status = _STATUS.match(told)
    return PlainAnswer(int(status[1]) if status else 0, told, body)


__all__ = ["PlainAnswer", "plain_get", "read_answer"]
