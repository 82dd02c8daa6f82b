"""The tar of a build's context: what is in it, what an ignore file keeps out, what cannot be read."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends import build_context
from backends.build_context import PIECE_BYTES, context, source
from backends.containerfile import base_images, instructions, line_of, stages
from backends.model.errors import Conflict, NotFound


async def packed(folder: Path, file: Path | None = None) -> dict[str, tarfile.TarInfo]:
    """Members by name."""
    content = b"".join([piece async for piece in context(source(folder, file))])
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
        return {member.name: member for member in tar}


async def test_files_folders_links_and_modes_are_there_owners_are_not(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\n")
    (tmp_path / "run.sh").write_text("true\n")
    (tmp_path / "run.sh").chmod(0o755)
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / os.fsdecode(b"caf\xe9")).write_text("x")
    os.chown(tmp_path / "run.sh", os.getuid(), os.getgid())
    long = "d" * 120
    (tmp_path / long).mkdir()
    (tmp_path / long / "in it").write_text("y")
    members = await packed(tmp_path)
    assert members["run.sh"].mode == 0o755
    assert members["empty"].isdir()
    assert (members["link"].issym(), members["link"].linkname) == (True, "/etc/passwd")
    assert {os.fsdecode(b"caf\xe9"), f"{long}/in it"} <= set(members)
    assert {(member.uid, member.gid) for member in members.values()} == {(0, 0)}


@pytest.mark.parametrize("name", [".dockerignore", ".containerignore", "Containerfile.dockerignore"])
async def test_what_an_ignore_file_names_stays_here(tmp_path: Path, name: str) -> None:
    (tmp_path / "Containerfile").write_text("FROM x\n")
    (tmp_path / name).write_text("# words\n*\n!kept\n!deep/er/in\n")
    (tmp_path / "kept").write_text("k")
    (tmp_path / "left").write_text("l")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "in").write_text("i")
    (tmp_path / "deep" / "er" / "out").write_text("o")
    members = set(await packed(tmp_path))
    assert {"kept", "deep/er/in", "Containerfile"} <= members, "the builder needs the Containerfile itself"
    assert not members & {"left", "deep/er/out"}


async def test_a_containerfile_from_elsewhere_comes_along_and_cannot_be_copied(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_text("a")
    (tmp_path / "Other").write_text("FROM other\n")
    found = source(folder, tmp_path / "Other")
    assert found.name not in {"Other", "Containerfile"}
    members = await packed(folder, tmp_path / "Other")
    assert "a" in members
    assert found.extra[".dockerignore"].decode().endswith(found.name)


def test_the_containerfile_is_found_or_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no folder"):
        source(tmp_path / "absent")
    with pytest.raises(NotFound, match="no Containerfile and no Dockerfile"):
        source(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM d\n")
    assert source(tmp_path).name == "Dockerfile"
    (tmp_path / "Containerfile").write_text("FROM c\n")
    assert source(tmp_path).name == "Containerfile"
    assert source(tmp_path, Path("Dockerfile")).text == "FROM d\n"
    with pytest.raises(NotFound, match="absent"):
        source(tmp_path, Path("absent"))


async def test_a_file_that_shrinks_is_told_and_a_large_one_is_not_held(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\n")
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(64 * PIECE_BYTES)
    tracemalloc.start()
    total = 0
    async for piece in context(source(tmp_path)):
        total += len(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total > 64 * PIECE_BYTES
    assert peak < 12 * PIECE_BYTES
    pieces = context(source(tmp_path))
    await anext(pieces)
    os.truncate(large, 0)
    with pytest.raises(Conflict, match="became shorter"):
        async for _ in pieces:
            pass


async def test_a_build_called_off_amid_a_file_ends_as_called_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\n")
    reading, go_on = threading.Event(), threading.Event()

    def slow(*_: object) -> Iterator[bytes]:
        reading.set()
        go_on.wait(10)
        yield bytes(512)

    monkeypatch.setattr(build_context, "_content", slow)
    task = asyncio.create_task(packed(tmp_path))
    assert await asyncio.to_thread(reading.wait, 10)
    task.cancel()
    for _ in range(3):  # what the task now asks of other threads is done while this read goes on
        await asyncio.sleep(0)
        await asyncio.to_thread(int)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_line_that_is_no_instruction_names_no_image() -> None:
    """As where the backslash before it was forgotten."""
    texts = [one.text for one in instructions("FROM\n  --platform=linux/arm64\nFROM python:3 AS a\nFROM a\n")]
    assert base_images(texts) == ("python:3",)


def test_only_a_line_feed_ends_a_line() -> None:
    text = "FROM x\r\nRUN printf '\x0c\u2028'\r\nRUN <<E\r\necho\r\nE\r\nRUN true\n"
    assert [(one.line, one.text) for one in instructions(text)] == [
        (1, "FROM x"), (2, "RUN printf ' '"), (3, "RUN <<E"), (6, "RUN true")
    ]  # fmt: skip


def test_instructions_with_their_lines_here_documents_and_stages() -> None:
    text = (
        "# syntax\nFROM a AS first\n\nRUN one \\\n  # between\n  && two\nRUN <<END\nRUN not one\nEND\n"
        'COPY <<"A" <<-B /x/\nFROM not one\nA\nfrom not one\n\tB\nRUN echo $((1<<2))\nfrom a as second\n'
        "RUN twice\nRUN twice\n"
    )
    found = instructions(text)
    assert [(one.line, one.text.split()[0]) for one in found] == [
        (2, "FROM"), (4, "RUN"), (7, "RUN"), (10, "COPY"), (15, "RUN"), (16, "from"), (17, "RUN"), (18, "RUN"),
    ]  # fmt: skip
    assert found[1].text == "RUN one && two"
    assert [one.here for one in found][2:5] == [("END",), ("A", "B"), ()]
    assert line_of(text, "RUN one   && two") == 4
    assert line_of(text, "RUN twice") is None, "two fit"
    assert stages(text) == ("first", "second")
    assert instructions("# escape=`\nRUN a `\nb\n")[0].text == "RUN a b"
