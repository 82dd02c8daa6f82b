"""Manifests: equal for equal content whatever the order, different for any difference."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.migration.manifest import BATCH_BYTES, Manifest, ManifestTap, differences, read_manifest
from backends.model.errors import Protocol


def member(name: str, content: bytes = b"", **changes: object) -> tuple[tarfile.TarInfo, bytes]:
    """A file, unless changes say otherwise."""
    head = tarfile.TarInfo(name)
    head.size, head.mode, head.mtime = len(content), 0o644, 1000
    for key, value in changes.items():
        setattr(head, key, value)
    return head, content


def root(mode: int = 0o755, mtime: int = 1000) -> tuple[tarfile.TarInfo, bytes]:
    return member("./", type=tarfile.DIRTYPE, mode=mode, mtime=mtime)


def hard(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.LNKTYPE, linkname=target)


async def chunks(content: bytes, size: int = 4096) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def manifest(*members: tuple[tarfile.TarInfo, bytes]) -> Manifest:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for head, content in members:
            tar.addfile(head, io.BytesIO(content))
    return await read_manifest(chunks(out.getvalue()))


async def test_the_order_of_members_and_their_spelling_do_not_matter() -> None:
    one = await manifest(root(), member("./a", b"1"), member("./d/b", b"2"))
    other = await manifest(root(mtime=5), member("d/b", b"2"), member("a", b"1"))
    assert one == other
    assert one.digest() == other.digest()
    assert differences(one, other) == []
    assert str(one) == str(other)


async def test_hard_links_are_equal_whichever_of_them_carries_the_content() -> None:
    one = await manifest(root(), member("./a", b"xx"), hard("./b", "./a"), hard("./c", "./b"))
    other = await manifest(root(), member("./c", b"xx"), hard("./a", "./c"), hard("./b", "./c"))
    copied = await manifest(root(), member("./a", b"xx"), member("./b", b"xx"), member("./c", b"xx"))
    assert one == other
    assert one != copied
    assert one.content_bytes == 2
    assert copied.content_bytes == 6
    assert all("hard links" in line for line in differences(one, copied))


async def test_hard_links_in_a_circle_or_to_nothing_end() -> None:
    assert len((await manifest(hard("a", "b"), hard("b", "a"), hard("c", "nowhere"))).files) >= 3


Member = tuple[tarfile.TarInfo, bytes]
CHANGED: dict[str, Callable[[], list[Member]]] = {
    "mode": lambda: [root(), member("f", b"x", mode=0o600), member("l", type=tarfile.SYMTYPE, linkname="f")],
    "owner": lambda: [root(), member("f", b"x", uid=3), member("l", type=tarfile.SYMTYPE, linkname="f")],
    "group": lambda: [root(), member("f", b"x", gid=3), member("l", type=tarfile.SYMTYPE, linkname="f")],
    "time": lambda: [root(), member("f", b"x", mtime=1001), member("l", type=tarfile.SYMTYPE, linkname="f")],
    "content": lambda: [root(), member("f", b"y"), member("l", type=tarfile.SYMTYPE, linkname="f")],
    "size": lambda: [root(), member("f", b"xx"), member("l", type=tarfile.SYMTYPE, linkname="f")],
    "kind": lambda: [root(), member("f", type=tarfile.DIRTYPE), member("l", type=tarfile.SYMTYPE, linkname="f")],
    "link": lambda: [root(), member("f", b"x"), member("l", type=tarfile.SYMTYPE, linkname="g")],
    "attributes": lambda: [
        root(),
        member("f", b"x", pax_headers={"SCHILY.xattr.security.capability": "y"}),
        member("l", type=tarfile.SYMTYPE, linkname="f"),
    ],
    "missing": lambda: [root(), member("f", b"x")],
    "not on the source": lambda: [
        root(),
        member("f", b"x"),
        member("l", type=tarfile.SYMTYPE, linkname="f"),
        member("more"),
    ],
    "'./': mode": lambda: [
        root(mode=0o700),
        member("f", b"x"),
        member("l", type=tarfile.SYMTYPE, linkname="f"),
    ],
}


@pytest.mark.parametrize("what", CHANGED)
async def test_any_difference_is_seen_and_named(what: str) -> None:
    one = await manifest(root(), member("f", b"x"), member("l", type=tarfile.SYMTYPE, linkname="f"))
    other = await manifest(*CHANGED[what]())
    assert one != other
    assert one.digest() != other.digest()
    assert any(what in line for line in differences(one, other))


async def test_selinux_labels_are_the_engines_own() -> None:
    label = {"SCHILY.xattr.security.selinux": "a"}
    assert await manifest(member("f", pax_headers=label)) == await manifest(member("f"))


async def test_a_tar_that_is_cut_raises() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        head, content = member("f", b"x" * 5000)
        tar.addfile(head, io.BytesIO(content))
    with pytest.raises(Protocol, match="cut short"):
        await read_manifest(chunks(out.getvalue()[:3000]))


@given(st.binary(max_size=200), st.integers(1, 400))
async def test_the_size_of_chunks_does_not_matter(content: bytes, size: int) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        head, body = member("f", content)
        tar.addfile(head, io.BytesIO(body))
    assert await read_manifest(chunks(out.getvalue(), size)) == await read_manifest(chunks(out.getvalue()))


async def test_a_large_file_passes_in_batches_without_being_kept() -> None:
    head, _ = member("big")
    head.size = 5 * BATCH_BYTES
    async with ManifestTap() as tap:
        await tap.feed(head.tobuf(tarfile.PAX_FORMAT))
        for _ in range(10):
            await tap.feed(b"z" * (BATCH_BYTES // 2))
            assert len(tap._pending) < BATCH_BYTES
            assert len(tap._reader._extension) == len(tap._reader._header) == 0, "content is digested, not kept"
        await tap.feed(b"\0" * 1024)
        made = await tap.finish()
    assert made.content_bytes == 5 * BATCH_BYTES


async def test_leaving_in_the_middle_ends_the_batch_under_way() -> None:
    async with ManifestTap() as tap:
        head, _ = member("big")
        head.size = 4 * BATCH_BYTES
        await tap.feed(head.tobuf(tarfile.PAX_FORMAT) + b"z" * BATCH_BYTES)
    assert tap._job is None
