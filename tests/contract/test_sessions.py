"""Programs that somebody talks to: exec and attach, on every engine."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from backends.engine import Session
from backends.model.container import ContainerState, LogStream
from backends.model.errors import Conflict, NotFound
from backends.model.ids import EngineKind
from backends.model.session import DETACH_BYTES, ExecSpec, TerminalSize
from tests.contract.lab import Lab

pytestmark = pytest.mark.one_podman


class Talk:
    """What a session says, gathered while it goes on."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.said: dict[LogStream, bytes] = {}
        self._more = asyncio.Event()
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for stream, piece in self.session.output():
            self.said[stream] = self.said.get(stream, b"") + piece
            self._more.set()

    async def until(self, text: bytes, stream: LogStream = LogStream.TTY) -> None:
        """Wait until it has said this."""
        async with asyncio.timeout(20):
            while text not in self.said.get(stream, b""):
                self._more.clear()
                await self._more.wait()

    async def over(self) -> int | None:
        """Wait for the end of what it says; its exit code."""
        async with asyncio.timeout(20):
            await self._task
            return await self.session.exit_code()


async def test_a_shell_on_a_terminal_is_talked_to_resized_and_left(lab: Lab) -> None:
    made = await lab.run()
    spec = ExecSpec(("sh",), tty=True, size=TerminalSize(31, 97))
    async with lab.engine.open_exec(made, spec) as session:
        assert session.tty
        talk = Talk(session)
        await session.send(b"stty size\r")
        await talk.until(b"31 97")
        await session.resize(TerminalSize(41, 121))
        await session.send(b"stty size\r")
        await talk.until(b"41 121")
        await session.send(b"exit 7\r")
        assert await talk.over() == 7
        await session.send(b"nobody is there")
    async with lab.engine.open_exec(made, ExecSpec(("sh",), tty=True)) as session:
        talk = Talk(session)
        await session.send(b"echo here-$((1 + 1))\r" if lab.engine.id.kind is not EngineKind.DEMO else b"echo here-2\r")
        await talk.until(b"here-2")
        await session.send(DETACH_BYTES[:1])
        await session.send(DETACH_BYTES[1:])
        assert await talk.over() is None
    assert await lab.state(made) is ContainerState.RUNNING


async def test_streams_are_told_apart_without_a_terminal_and_the_input_ends(lab: Lab) -> None:
    made = await lab.run()
    async with lab.engine.open_exec(made, ExecSpec(("cat",))) as session:
        assert not session.tty
        talk = Talk(session)
        content = bytes(range(256)) * 2000
        await session.send(content)
        await session.close_input()
        assert await talk.over() == 0
        assert talk.said == {LogStream.STDOUT: content}
    spec = ExecSpec(("sh", "-c", "echo out; pwd; cat /no-such-file; exit 3"), stdin=False, workdir="/tmp")
    async with lab.engine.open_exec(made, spec) as session:
        talk = Talk(session)
        assert await talk.over() == 3
        assert talk.said[LogStream.STDOUT] == b"out\n/tmp\n"
        assert b"No such file" in talk.said[LogStream.STDERR]
    async with lab.engine.open_exec(made, ExecSpec(("env",), stdin=False, env=("COLOUR=blue moon",))) as session:
        talk = Talk(session)
        assert await talk.over() == 0
        assert b"COLOUR=blue moon\n" in talk.said[LogStream.STDOUT]
    async with lab.engine.open_exec(made, ExecSpec(("no-such-program",), stdin=False)) as session:
        talk = Talk(session)
        assert await talk.over() in {126, 127}
        assert b"no-such-program" in b"".join(talk.said.values())


async def test_what_does_not_run_is_not_talked_to(lab: Lab) -> None:
    made = await lab.make()
    for context in (lab.engine.open_exec(made, ExecSpec(("sh",))), lab.engine.open_attach(made)):
        async with AsyncExitStack() as stack:
            with pytest.raises(Conflict) as caught:
                await stack.enter_async_context(context)
            assert caught.value.engine == lab.engine.id
    for context in (lab.engine.open_exec("no-such-one", ExecSpec(("sh",))), lab.engine.open_attach("no-such-one")):
        async with AsyncExitStack() as stack:
            with pytest.raises(NotFound):
                await stack.enter_async_context(context)


async def test_attaching_hears_the_first_process_and_detaching_leaves_it(lab: Lab) -> None:
    script = ("sh", "-c", "echo begin; sleep 0.5; echo tick; sleep 0.5; echo tick; sleep 0.5; echo tick; sleep 600")
    made = await lab.run(spec=replace(lab.spec(script), tty=True, stdin_open=True))
    async with lab.engine.open_attach(made, size=TerminalSize(30, 90)) as session:
        assert session.tty
        talk = Talk(session)
        await talk.until(b"tick")
        await session.send(DETACH_BYTES)
        assert await talk.over() is None
    assert await lab.state(made) is ContainerState.RUNNING


async def test_attaching_ends_with_the_first_process_and_tells_its_code(lab: Lab) -> None:
    made = await lab.run(("sh", "-c", "sleep 1; echo done; exit 5"))
    async with lab.engine.open_attach(made, stdin=False) as session:
        assert not session.tty
        talk = Talk(session)
        assert await talk.over() == 5
        assert talk.said == {LogStream.STDOUT: b"done\n"}
