"""However the bytes are cut on the way, the same values, frames and lines come out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.container import LogLine, LogStream
from backends.model.errors import Protocol
from backends.wire.frames import CUT_MARK, json_lines, json_objects, log_frames, log_lines, text_lines


async def flow(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Data cut at these places (taken modulo its length), empty chunks included."""
    marks = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(marks)] or [data]


def frame(stream: int, payload: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


PLACES = st.lists(st.integers(0, 10_000), max_size=30)


@given(st.lists(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner)), max_size=8), PLACES)
async def test_json_lines(values: list[object], places: list[int]) -> None:
    data = b"".join(json.dumps(value).encode() + b"\r\n" for value in values)
    assert [value async for value in json_lines(flow(cut(data, places)))] == values
    whole = data.removesuffix(b"\r\n")  # the last newline may be missing
    assert [value async for value in json_lines(flow(cut(whole, places)))] == values


@pytest.mark.parametrize("data", [b"{nope}\n", b'{"a":', b"\xff\n", b"[" * 100_000 + b"\n"])
async def test_json_lines_refuses_garbage(data: bytes) -> None:
    with pytest.raises(Protocol):
        [value async for value in json_lines(flow([data]))]


@pytest.mark.parametrize("data", [b"[1]", b'"words"', b"7", b"null"])
async def test_what_is_no_object_is_refused_where_every_message_is_one(data: bytes) -> None:
    with pytest.raises(Protocol):
        [value async for value in json_objects(flow([b'{"a": 1}\n' + data]))]


async def test_json_lines_is_bounded() -> None:
    with pytest.raises(Protocol, match="size limit"):
        [value async for value in json_lines(flow([b"1" * 50] * 10), limit=100)]


@given(st.binary(max_size=300), PLACES)
async def test_text_lines(data: bytes, places: list[int]) -> None:
    pieces = data.split(b"\n")
    if not pieces[-1]:
        pieces.pop()
    expected = [piece.removesuffix(b"\r").decode("utf-8", "replace") for piece in pieces]
    assert [line async for line in text_lines(flow(cut(data, places)))] == expected


@given(PLACES)
async def test_a_long_line_is_cut_and_the_next_one_is_whole(places: list[int]) -> None:
    data = b"x" * 500 + b"\nnext\n" + b"y" * 100 + b"\n" + b"z" * 101
    lines = [line async for line in text_lines(flow(cut(data, places)), limit=100)]
    assert lines == ["x" * 100 + CUT_MARK, "next", "y" * 100, "z" * 100 + CUT_MARK]


FRAMES = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=10)


@given(FRAMES, PLACES)
async def test_log_frames(frames: list[tuple[int, bytes]], places: list[int]) -> None:
    data = b"".join(frame(stream, payload) for stream, payload in frames)
    seen = {LogStream.STDOUT: b"", LogStream.STDERR: b""}
    firsts = 0
    async for stream, piece, first in log_frames(flow(cut(data, places))):
        seen[stream] += piece
        firsts += first
    assert seen[LogStream.STDOUT] == b"".join(payload for stream, payload in frames if stream == 1)
    assert seen[LogStream.STDERR] == b"".join(payload for stream, payload in frames if stream == 2)
    assert firsts == sum(1 for _, payload in frames if payload)


@given(FRAMES.filter(bool), st.integers(1, 7))
async def test_a_log_that_ends_inside_a_frame_raises(frames: list[tuple[int, bytes]], missing: int) -> None:
    data = b"".join(frame(stream, payload) for stream, payload in frames)
    with pytest.raises(Protocol):
        [piece async for piece in log_frames(flow([data[:-missing]]))]


@pytest.mark.parametrize("header", [b"\x07\0\0\0\0\0\0\x01a", b"\x01\x01\0\0\0\0\0\x01a", b"HTTP/1.1 200 OK\r\n"])
async def test_a_garbled_header_raises(header: bytes) -> None:
    with pytest.raises(Protocol, match="garbled"):
        [piece async for piece in log_frames(flow([header]))]


async def test_the_engines_own_error_in_the_stream_raises() -> None:
    data = frame(1, b"ok\n") + frame(3, b"error from daemon in stream: boom")
    pieces = log_frames(flow(cut(data, [3, 9, 20])))
    assert await anext(pieces) == (LogStream.STDOUT, b"ok\n", True)
    with pytest.raises(Protocol) as caught:
        await anext(pieces)
    assert "boom" in caught.value.detail


@given(PLACES)
async def test_log_lines_of_two_streams(places: list[int]) -> None:
    data = frame(1, b"on") + frame(2, b"err\n") + frame(1, b"e\ntwo\n") + frame(1, b"last")
    lines = [line async for line in log_lines(flow(cut(data, places)), tty=False)]
    assert [line.text for line in lines if line.stream is LogStream.STDOUT] == ["one", "two", "last"]
    assert [line.text for line in lines if line.stream is LogStream.STDERR] == ["err"]


@given(PLACES)
async def test_timestamps_are_taken_off_once(places: list[int]) -> None:
    at = b"2026-11-23T14:00:00.123456789Z "
    data = frame(1, at + b"begin ") + frame(1, at + b"end\n") + frame(1, at + b"\n") + frame(1, b"no time\n")
    lines = [line async for line in log_lines(flow(cut(data, places)), tty=False, timestamps=True)]
    assert [line.text for line in lines] == ["begin end", "", "no time"]
    assert [line.at is not None for line in lines] == [True, True, False]


async def test_tty_lines() -> None:
    lines = [line async for line in log_lines(flow([b"a\r\nb"]), tty=True)]
    assert lines == [LogLine(LogStream.TTY, "a"), LogLine(LogStream.TTY, "b")]
