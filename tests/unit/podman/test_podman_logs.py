"""A terminal's log, framed or not, in any cuts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from backends.engines.podman_logs import looks_framed, podman_log_lines
from backends.model.container import LogLine, LogStream
from tests.unit.podman.recorded import ENGINE

_FRAMED = b"\x01\0\0\0\0\0\0\x04one\n\x02\0\0\0\0\0\0\x04two\n"


async def _lines(data: bytes, cut: int, *, tty: bool) -> list[LogLine]:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(data), cut):
            yield data[start : start + cut]

    return [line async for line in podman_log_lines(chunks(), tty=tty, timestamps=False, engine=ENGINE)]


@pytest.mark.parametrize("cut", [1, 3, 8, 100])
async def test_framed_with_a_terminal_is_all_of_the_terminal(cut: int) -> None:
    assert await _lines(_FRAMED, cut, tty=True) == [LogLine(LogStream.TTY, "one"), LogLine(LogStream.TTY, "two")]


@pytest.mark.parametrize("cut", [1, 100])
async def test_raw_with_a_terminal(cut: int) -> None:
    assert await _lines(b"one\r\ntwo", cut, tty=True) == [LogLine(LogStream.TTY, "one"), LogLine(LogStream.TTY, "two")]


async def test_without_a_terminal_streams_are_told_apart() -> None:
    lines = await _lines(_FRAMED, 5, tty=False)
    assert [line.stream for line in lines] == [LogStream.STDOUT, LogStream.STDERR]


async def test_an_empty_log_has_no_lines() -> None:
    assert await _lines(b"", 1, tty=True) == []


def test_text_is_no_frame() -> None:
    assert not looks_framed(b"\x01")
    assert not looks_framed(b"\x1b[0m")
