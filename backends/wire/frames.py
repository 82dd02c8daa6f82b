"""Cuts byte streams of engines into JSON values, log frames and lines. Pure: it opens, closes and times nothing.

Every generator holds at most `limit` bytes of an unfinished line, whatever the peer sends.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Any

from backends.model.container import LogLine, LogStream
from backends.model.errors import Protocol
from backends.model.ids import EngineId
from backends.wire.failures import NO_JSON
from backends.wire.times import parse_time

LINE_LIMIT_BYTES = 1 << 20
LOG_CHUNK_BYTES = 64 << 10
"""Of a log: Docker sends each line as an HTTP chunk of its own, and to join those that have come takes 1 µs a line."""
CUT_MARK = " … [line cut at 1 MiB]"
# Docker API, "ContainerAttach": header = {STREAM_TYPE, 0, 0, 0, SIZE1..SIZE4 big endian}; 0 is stdin echoed on stdout.
_HEADER_BYTES = 8
_STREAMS = {0: LogStream.STDOUT, 1: LogStream.STDOUT, 2: LogStream.STDERR}
_FIRST_BYTES = 64  # a frame's first piece is at least so long (or the whole frame): a timestamp is never cut
_SYSTEM_ERROR = 3  # moby pkg/stdcopy: Systemerr, an error of the engine itself inside the stream


class LineSplitter:
    """Collects bytes, gives whole lines without "\\n". A line over `limit` is cut there and reported as cut."""

    def __init__(self, limit: int = LINE_LIMIT_BYTES) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._held = 0
        self._cut = False

    @property
    def open(self) -> bool:
        """An unfinished line is held."""
        return bool(self._parts) or self._cut

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bool]]:
        """Yield (line, was it cut) for each line that `data` finishes."""
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._hold(data[start:end])
            start = end + 1
            yield self._take()
        if start < len(data):
            self._hold(data[start:])

    def finish(self) -> Iterator[tuple[bytes, bool]]:
        """Yield what is left without a newline, if anything."""
        if self.open:
            yield self._take()

    def _hold(self, piece: bytes) -> None:
        room = self._limit - self._held
        if len(piece) > room:
            piece, self._cut = piece[:room], True
        if piece:
            self._parts.append(piece)
            self._held += len(piece)

    def _take(self) -> tuple[bytes, bool]:
        line, cut = b"".join(self._parts), self._cut
        self._parts, self._held, self._cut = [], 0, False
        return line, cut


def _text(line: bytes, cut: bool) -> str:
    return line.removesuffix(b"\r").decode("utf-8", "replace") + (CUT_MARK if cut else "")


async def text_lines(chunks: AsyncIterable[bytes], *, limit: int = LINE_LIMIT_BYTES) -> AsyncIterator[str]:
    """Lines of text without their newline (and without a CR before it); what is no UTF-8 becomes U+FFFD."""
    splitter = LineSplitter(limit)
    async for chunk in chunks:
        for line, cut in splitter.feed(chunk):
            yield _text(line, cut)
    for line, cut in splitter.finish():
        yield _text(line, cut)


async def json_lines(
    chunks: AsyncIterable[bytes], *, engine: EngineId | None = None, limit: int = LINE_LIMIT_BYTES
) -> AsyncIterator[Any]:
    """JSON values, one a line; empty lines are skipped. Raises Protocol for a line that is no JSON or over `limit`."""

    def value(line: bytes, cut: bool) -> Any:
        if cut:
            raise Protocol(
                "The engine sent a message over the size limit", detail=f"limit {limit} bytes", engine=engine
            )
        try:
            return json.loads(line.decode("utf-8", "replace"))
        except NO_JSON as error:
            shown = line[:200].decode("utf-8", "replace")
            raise Protocol("The engine sent a message that is no JSON", detail=shown, engine=engine) from error

    splitter = LineSplitter(limit)
    async for chunk in chunks:
        for line, cut in splitter.feed(chunk):
            if cut or line.strip():
                yield value(line, cut)
    for line, cut in splitter.finish():
        if cut or line.strip():
            yield value(line, cut)


async def json_objects(
    chunks: AsyncIterable[bytes], *, engine: EngineId | None = None
) -> AsyncIterator[dict[str, Any]]:
    """As json_lines, of an API whose every message is an object: Protocol for any other value."""
    async for value in json_lines(chunks, engine=engine):
        if not isinstance(value, dict):
            raise Protocol("The engine sent a message of an unknown shape", detail=repr(value)[:200], engine=engine)
        yield value


class FrameCutter:
    """Cuts chunks of the 8-byte framed stream into pieces: (stream, bytes, first piece of its frame).

    A frame that comes in many chunks is passed on piece by piece, never gathered.
    """

    def __init__(self, engine: EngineId | None = None) -> None:
        self._engine = engine
        self._header = b""
        self._stream, self._left, self._first, self._start = LogStream.STDOUT, 0, True, b""
        self._failure: bytearray | None = None

    def feed(self, chunk: bytes) -> Iterator[tuple[LogStream, bytes, bool]]:
        """The pieces of a chunk, cut as they are taken: in a flood it holds thousands. Take them all.

        Raises Protocol for a broken header, and for an error that the engine wrote.
        """
        if self._header:
            chunk, self._header = self._header + chunk, b""
        at, size = 0, len(chunk)
        while at < size:
            if not self._left:
                if size - at < _HEADER_BYTES:
                    self._header = chunk[at:]
                    break
                self._begin(chunk[at : at + _HEADER_BYTES])
                at += _HEADER_BYTES
                continue
            piece = chunk[at : at + self._left]
            at += len(piece)
            self._left -= len(piece)
            if self._failure is not None:
                self._fail(piece)
                continue
            if self._first:
                piece, self._start = self._start + piece, b""
                if self._left and len(piece) < _FIRST_BYTES:
                    self._start = piece
                    continue
            first, self._first = self._first, False
            yield self._stream, piece, first

    def _begin(self, header: bytes) -> None:
        kind = header[0]
        if (kind not in _STREAMS and kind != _SYSTEM_ERROR) or header[1:4] != b"\0\0\0":
            raise Protocol("The log stream is garbled", detail=f"frame header {header.hex()}", engine=self._engine)
        self._left = int.from_bytes(header[4:], "big")
        self._failure = bytearray() if kind == _SYSTEM_ERROR else None
        self._stream, self._first = _STREAMS.get(kind, LogStream.STDERR), True

    def _fail(self, piece: bytes) -> None:
        assert self._failure is not None
        self._failure += piece[: max(0, 4096 - len(self._failure))]
        if not self._left:
            _raise_system_error(bytes(self._failure), self._engine)

    def finish(self) -> None:
        """The stream ended. Raises Protocol where it did so inside a frame."""
        if self._left or self._header:
            raise Protocol("The log stream ended inside a message", engine=self._engine)


async def log_frames(
    chunks: AsyncIterable[bytes], *, engine: EngineId | None = None
) -> AsyncIterator[tuple[LogStream, bytes, bool]]:
    """The pieces of a whole stream; see FrameCutter."""
    cutter = FrameCutter(engine)
    async for chunk in chunks:
        for piece in cutter.feed(chunk):
            yield piece
    cutter.finish()


def _raise_system_error(text: bytes, engine: EngineId | None) -> None:
    detail = text.decode("utf-8", "replace").strip()
    raise Protocol("The engine could not read the log to its end", detail=detail, engine=engine)


async def log_lines(
    chunks: AsyncIterable[bytes],
    *,
    tty: bool,
    timestamps: bool = False,
    engine: EngineId | None = None,
    limit: int = LINE_LIMIT_BYTES,
) -> AsyncIterator[LogLine]:
    """Log lines of a container. tty: the stream is raw text; else it is framed. timestamps: each message begins
    with its time, which becomes LogLine.at (a long line comes in several messages: only the first time is kept).
    """
    if tty:
        async for text in text_lines(chunks, limit=limit):
            yield _line(LogStream.TTY, text, timestamps)
        return
    splitters = {stream: LineSplitter(limit) for stream in (LogStream.STDOUT, LogStream.STDERR)}
    cutter = FrameCutter(engine)
    async for chunk in chunks:
        for stream, piece, first in cutter.feed(chunk):
            splitter = splitters[stream]
            if not splitter.open and 0 < len(piece) <= limit and piece.find(b"\n") == len(piece) - 1:
                yield _line(stream, _text(piece[:-1], False), timestamps)  # nearly all: a message is a line
                continue
            if timestamps and first and splitter.open:
                piece = _without_time(piece)
            for line, cut in splitter.feed(piece):
                yield _line(stream, _text(line, cut), timestamps)
    cutter.finish()
    for stream, splitter in splitters.items():
        for line, cut in splitter.finish():
            yield _line(stream, _text(line, cut), timestamps)


def _without_time(piece: bytes) -> bytes:
    head, space, rest = piece.partition(b" ")
    return rest if space and len(head) < 40 and parse_time(head.decode("ascii", "replace")) else piece


def _line(stream: LogStream, text: str, timestamps: bool) -> LogLine:
    if timestamps:
        head, _, rest = text.partition(" ")
        at = parse_time(head)
        if at is not None:
            return LogLine(stream, rest, at)
    return LogLine(stream, text)


__all__ = [
    "CUT_MARK",
    "LINE_LIMIT_BYTES",
    "LOG_CHUNK_BYTES",
    "FrameCutter",
    "LineSplitter",
    "json_lines",
    "json_objects",
    "log_frames",
    "log_lines",
    "text_lines",
]
