"""What a command in a container says, as the screen is told of it."""

from __future__ import annotations

from backends.model.container import LogLine, LogStream
from tui.talk_commands import SaidLines
from widgets.sgr import LONGEST


async def test_lines_are_put_together_of_pieces() -> None:
    told: list[LogLine] = []
    said = SaidLines(told.extend)
    for piece in (b"one\r\nt", "wö\nthr".encode()[:3], "wö\nthr".encode()[3:], b"ee"):
        said.take(LogStream.STDOUT, piece)
    said.end()
    assert [line.text for line in told] == ["one", "twö", "three"]


async def test_output_without_a_newline_is_not_kept_for_ever() -> None:
    told: list[LogLine] = []
    said = SaidLines(told.extend)
    for _ in range(100):
        said.take(LogStream.STDOUT, b"x" * LONGEST)
    said.end()
    assert max(len(line.text) for line in told) <= 2 * LONGEST
    assert sum(len(line.text) for line in told) == 100 * LONGEST
