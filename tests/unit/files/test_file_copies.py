"""Archives that mean harm, and what goes wrong on this machine, while files are copied out and in."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from backends.engine import ByteStream, Engine
from backends.engines.demo import DemoEngine
from backends.engines.demo_images import BuildStep, build
from backends.model.container import Container
from backends.model.errors import BackendError, Conflict, Denied, NotFound, Protocol, Refused, Unreachable
from backends.model.workload import WorkloadSpec
from backends.services.creating import Stays
from backends.services.file_copies import copy_in, copy_out
from backends.services.fleet import Fleet
from tests.unit.services.fleet_facts import LONG_AGO, ONE, row, until


class Sender(DemoEngine):
    """Sends this archive, whatever is asked for; waits before its end where it is told to."""

    def __init__(self, archive: bytes, failure: BackendError | None = None) -> None:
        super().__init__(ONE)
        self.archive, self.failure = archive, failure
        self.sent, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()

    def read_files(self, container: str, path: str) -> ByteStream:
        del container, path
        return self._sent()

    @asynccontextmanager
    async def _sent(self) -> AsyncIterator[AsyncIterator[bytes]]:
        async def pieces() -> AsyncIterator[bytes]:
            for at in range(0, len(self.archive), 1 << 20):
                yield self.archive[at : at + (1 << 20)]
            self.sent.set()
            await self.go_on.wait()
            if self.failure is not None:
                raise self.failure

        yield pieces()

    async def inspect_container(self, container: str) -> Container:
        del container
        return row(1)


def _names(path: Path) -> list[str]:
    return sorted(one.name for one in path.iterdir())


def _there(path: str) -> bool:
    return os.path.lexists(path)


def _tar(*members: tuple[str, bytes, str]) -> bytes:
    """Members: name, tar's type, content or target."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, text in members:
            head = tarfile.TarInfo(name)
            head.type, head.mode = kind, 0o6777
            if kind == tarfile.REGTYPE:
                head.size = len(text)
                tar.addfile(head, io.BytesIO(text.encode()))
            else:
                head.linkname = text
                tar.addfile(head)
    return out.getvalue()


async def _copied(archive: bytes, target: Path, **named: Any) -> Any:
    fleet = Fleet([cast(Engine, Sender(archive))])
    try:
        return await copy_out(fleet, row(1), "/top", target, lambda _flow: None, **named)
    finally:
        await fleet.close()


async def test_nothing_leaves_the_destination(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    secret = tmp_path / "secret"
    secret.write_text("untouched")
    archive = _tar(
        ("top", tarfile.DIRTYPE, ""),
        ("top/good", tarfile.REGTYPE, "fine"),
        ("top/../../secret", tarfile.REGTYPE, "stolen"),
        ("/etc/tranship-test", tarfile.REGTYPE, "stolen"),
        (str(secret), tarfile.REGTYPE, "stolen"),
        ("top/abs", tarfile.SYMTYPE, str(secret)),
        ("top/up", tarfile.SYMTYPE, "../../secret"),
        ("top/up", tarfile.REGTYPE, "stolen"),
        ("top/way", tarfile.SYMTYPE, "../.."),
        ("top/way/secret", tarfile.REGTYPE, "stolen"),
        ("top/hard", tarfile.LNKTYPE, "../../secret"),
        ("top/dev", tarfile.CHRTYPE, ""),
        ("top/inside", tarfile.SYMTYPE, "good"),
    )
    done = await _copied(archive, home)
    assert secret.read_text() == "untouched"
    assert not _there("/etc/tranship-test")
    assert (home / "top" / "inside").read_text() == "fine"
    assert not (home / "top" / "abs").is_symlink()
    assert (home / "top" / "good").stat().st_mode & 0o7022 == 0, "neither setuid nor for others to write"
    assert (home / "top" / "good").stat().st_uid == os.getuid()
    assert any("abs" in note for note in done.notes)
    assert _names(home) == ["top"]
    assert _names(tmp_path) == ["home", "secret"]


async def test_what_cannot_be_copied_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="nothing of it can be copied safely"):
        await _copied(_tar(("top", tarfile.SYMTYPE, "/etc")), tmp_path)
    with pytest.raises(Protocol, match="cannot be read"):
        await _copied(_tar(("top", tarfile.REGTYPE, "x" * 5000))[:2000], tmp_path)
    with pytest.raises(NotFound, match="no folder"):
        await _copied(_tar(("top", tarfile.REGTYPE, "x")), tmp_path / "no" / "where")
    assert _names(tmp_path) == []


async def test_a_lost_engine_and_a_cancellation_leave_nothing(tmp_path: Path) -> None:
    for failure in (Unreachable("gone", engine=ONE), None):
        sender = Sender(_tar(("top", tarfile.REGTYPE, "x" * 3_000_000)), failure)
        fleet = Fleet([cast(Engine, sender)])
        sender.go_on.clear()
        copy = asyncio.create_task(copy_out(fleet, row(1), "/top", tmp_path, lambda _flow: None))
        await sender.sent.wait()
        await until(lambda: _names(tmp_path))
        if failure is None:
            copy.cancel()
        sender.go_on.set()
        with pytest.raises(Unreachable if failure else asyncio.CancelledError):
            await copy
        assert _names(tmp_path) == []
        await fleet.close()


async def test_a_file_is_overwritten_only_when_asked_and_a_folder_never(tmp_path: Path) -> None:
    archive = _tar(("top", tarfile.REGTYPE, "new"))
    (tmp_path / "top").write_text("old")
    with pytest.raises(Conflict, match="exists already"):
        await _copied(archive, tmp_path)
    await _copied(archive, tmp_path, overwrite=True)
    assert (tmp_path / "top").read_text() == "new"
    (tmp_path / "other" / "top").mkdir(parents=True)
    with pytest.raises(Conflict, match="is a folder"):
        await _copied(archive, tmp_path / "other", overwrite=True)


async def test_what_cannot_be_read_here_is_told(tmp_path: Path) -> None:
    fleet = Fleet([DemoEngine(ONE)])
    with pytest.raises(NotFound, match="on this machine"):
        await copy_in(fleet, row(1), tmp_path / "nothing", "/", lambda _flow: None)
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(Denied):
        await copy_in(fleet, row(1), tmp_path / "circle", "/", lambda _flow: None)
    await fleet.close()
    closed = Fleet([DemoEngine(ONE)], read_only=True)
    with pytest.raises(Refused):
        await copy_in(closed, row(1), tmp_path, "/", lambda _flow: None)
    await closed.close()


class Taking(DemoEngine):
    """Takes the first piece of what is written into a container, and no more."""

    def __init__(self) -> None:
        super().__init__(ONE)
        self.took = asyncio.Event()

    async def write_files(self, container: str, path: str, archive: AsyncIterator[bytes]) -> None:
        del container, path
        await anext(archive)
        self.took.set()
        await asyncio.Event().wait()


async def test_a_copy_into_a_container_that_is_called_off_names_what_may_be_there_in_part(tmp_path: Path) -> None:
    engine = Taking()
    fleet = Fleet([engine])
    (tmp_path / "data").write_bytes(bytes(1 << 20))
    engine.actions.add_image(build(["docker.io/library/box:1"], [BuildStep("ADD", 10)], {"Cmd": ["a"]}, LONG_AGO))
    made = await engine.inspect_container(await engine.create_container(WorkloadSpec("web", "box:1")))
    copy = asyncio.create_task(copy_in(fleet, made, tmp_path / "data", "/tmp/new", lambda _flow: None))
    async with asyncio.timeout(10):
        await until(lambda: engine.took.is_set() or copy.done())
        copy.cancel()
        with pytest.raises(Stays, match="/tmp/new in web may be there in part"):
            await copy
    await fleet.close()
