"""A tar stream moved under another folder keeps everything but the names."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import Protocol
from backends.tar import reroot


async def flow(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def moved(data: bytes, size: int = 700) -> bytes:
    return b"".join([piece async for piece in reroot(flow(data, size), "top")])


def archive(members: Sequence[tuple[tarfile.TarInfo, bytes]], style: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=style) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", content: bytes = b"") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content)
    info.mode, info.uid, info.gid, info.mtime = 0o4751, 1234, 4321, 1577934245
    return info


PART = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="/"), min_size=1, max_size=90)
NAME = st.lists(PART.filter(lambda part: part not in {".", ".."}), min_size=1, max_size=3).map("/".join)
FILES = st.dictionaries(NAME, st.binary(max_size=1500), max_size=4)


@given(FILES, st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]), st.integers(1, 3000))
async def test_names_move_and_all_else_stays(files: dict[str, bytes], style: int, size: int) -> None:
    members = [(entry("./", tarfile.DIRTYPE), b"")]
    for name, content in files.items():
        members.append((entry(f"./{name}", content=content), content))
        members.append((entry(f"./{name}.hard", tarfile.LNKTYPE, f"./{name}"), b""))
        members.append((entry(f"./{name}.soft", tarfile.SYMTYPE, name), b""))
    result = await moved(archive(members, style), size)
    with tarfile.open(fileobj=io.BytesIO(result)) as tar:
        found = tar.getmembers()
        assert [info.name for info in found] == ["top", *(f"top/{info.name[2:]}" for info, _ in members[1:])]
        for info, (before, content) in zip(found, members, strict=True):
            assert (info.mode, info.uid, info.gid, info.mtime) == (before.mode, before.uid, before.gid, before.mtime)
            if info.isreg():
                file = tar.extractfile(info)
                assert file is not None
                assert file.read() == content
            if info.issym():
                assert info.linkname == before.linkname
            if info.islnk():
                assert info.linkname == f"top/{before.linkname[2:]}"


async def test_pax_records_stay() -> None:
    info = entry("./a", content=b"x")
    info.pax_headers = {"SCHILY.xattr.security.capability": "cap", "mtime": "1577934245.25"}
    result = await moved(archive([(info, b"x")], tarfile.PAX_FORMAT))
    with tarfile.open(fileobj=io.BytesIO(result)) as tar:
        found = tar.getmembers()[0]
        assert found.name == "top/a"
        assert found.pax_headers["SCHILY.xattr.security.capability"] == "cap"
        assert found.mtime == 1577934245.25


async def test_an_empty_archive_stays_one() -> None:
    with tarfile.open(fileobj=io.BytesIO(await moved(archive([], tarfile.PAX_FORMAT)))) as tar:
        assert tar.getmembers() == []


@pytest.mark.parametrize("name", ["../x", "./a/../../x"])
async def test_nothing_leaves_the_root(name: str) -> None:
    with pytest.raises(Protocol, match="outside"):
        await moved(archive([(entry(name), b"")], tarfile.PAX_FORMAT))


async def test_what_is_no_tar_raises() -> None:
    with pytest.raises(Protocol):
        await moved(b"hello, world" * 100)


@given(st.integers(1, 2047))
async def test_a_cut_archive_raises(kept: int) -> None:
    data = archive([(entry("./a", content=b"y" * 1024), b"y" * 1024)], tarfile.USTAR_FORMAT)
    if kept % 512 == 0 and kept >= 1536:
        return  # a tar may end without its two zero blocks
    with pytest.raises(Protocol):
        await moved(data[:kept])


@given(st.binary(max_size=2048))
async def test_any_bytes_are_a_tar_or_a_protocol_error(data: bytes) -> None:
    try:
        await moved(data)
    except Protocol:
        return
    assert not data.strip(b"\0") or len(data) >= 512
