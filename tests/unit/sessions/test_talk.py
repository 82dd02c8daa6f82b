"""Sessions over a connection: the detach keys reach the engine one by one. And which shell a container has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, cast

import pytest

from backends.engine import Engine
from backends.engines.talk import TalkSession
from backends.model.container import ContainerState, ExecResult
from backends.model.errors import Conflict, Unsupported
from backends.model.session import TerminalSize
from backends.services.shells import Shells
from backends.wire.hijack import RawStream
from tests.unit.services.fleet_facts import ONE, row


class Connection:
    """Notes what is sent, and when."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, float]] = []

    async def send(self, data: bytes) -> None:
        self.sent.append((data, asyncio.get_running_loop().time()))

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b"out"
        yield b"exec attach failed: error on attach stdin: read escape sequence\r\n"


def _session(raw: Connection, *, tty: bool) -> TalkSession:
    async def resize(_size: TerminalSize) -> None:
        raise AssertionError("nobody asked for that")

    async def ended() -> int | None:
        return 126

    return TalkSession(cast(RawStream, raw), ONE, tty=tty, resize=resize, ended=ended)


async def test_detach_keys_are_told_apart_from_what_is_around_them() -> None:
    raw = Connection()
    session = _session(raw, tty=True)
    await session.send(b"ls\r\x10")
    await session.send(b"\x11more")
    assert [piece for piece, _ in raw.sent] == [b"ls\r", b"\x10", b"\x11", b"more"]
    times = [at for _, at in raw.sent]
    assert all(later - earlier >= 0.04 for earlier, later in pairwise(times))
    assert [piece async for _, piece in session.output()] == [b"out"], "an engine's words about it are no output"
    assert await session.exit_code() is None


async def test_without_a_terminal_all_bytes_are_alike() -> None:
    raw = Connection()
    session = _session(raw, tty=False)
    await session.send(b"a\x10\x11b")
    assert [piece for piece, _ in raw.sent] == [b"a\x10\x11b"]
    assert await session.exit_code() == 126


class Image:
    """An engine whose containers have these programs. asked: how often one was tried."""

    id = ONE

    def __init__(self, *programs: str) -> None:
        self.programs, self.asked = programs, 0

    async def execute(self, _container: str, argv: Sequence[str]) -> ExecResult:
        self.asked += 1
        if argv[0] not in self.programs:
            raise Unsupported("there is no such program", engine=ONE)
        found = [name for name in ("bash", "zsh", "fish", "ash", "sh") if name in self.programs]
        return ExecResult(0, f"{found[0]}\n".encode() if "for shell" in argv[-1] else b"", b"")


@pytest.mark.parametrize(
    ("programs", "shell"), [(("sh", "bash"), "bash"), (("sh", "ash"), "ash"), (("/busybox/sh",), "/busybox/sh")]
)
async def test_the_shell_is_found_and_remembered(programs: tuple[str, ...], shell: str) -> None:
    image, shells = Image(*programs), Shells()
    engine = cast(Engine, cast(Any, image))
    assert await shells.shell_of(engine, row(1)) == shell
    asked = image.asked
    assert await shells.shell_of(engine, row(2)) == shell
    assert image.asked == asked


async def test_a_container_that_does_not_say_its_image_lends_its_shell_to_none() -> None:
    shells, bash, ash = Shells(), cast(Any, Image("sh", "bash")), cast(Any, Image("sh", "ash"))
    assert await shells.shell_of(bash, replace(row(1), image_id="")) == "bash"
    assert await shells.shell_of(ash, replace(row(2), image_id="")) == "ash"


async def test_an_image_without_a_shell_is_told_with_the_next_step() -> None:
    engine = cast(Engine, cast(Any, Image("nginx")))
    with pytest.raises(Unsupported, match="no shell in c1") as caught:
        await Shells().shell_of(engine, row(1))
    assert "tranship exec" in caught.value.hint
    with pytest.raises(Conflict, match="paused"):
        await Shells().shell_of(engine, replace(row(1), state=ContainerState.PAUSED))
