"""The tar reader against Python's own tarfile: any archive, cut into any chunks, gives the same members."""

from __future__ import annotations

import hashlib
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.migration.tarstream import TarEntry, TarReader, clean_path
from backends.model.errors import Protocol

NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=120).filter(
    lambda name: name not in {".", ".."} and bool(name.strip())
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
KINDS = st.sampled_from(
    [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
FORMATS = st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])


@st.composite
def members(draw: st.DrawFn) -> tuple[tarfile.TarInfo, bytes]:
    head = tarfile.TarInfo(draw(PATHS))
    head.type = draw(KINDS)
    head.mode = draw(st.integers(0, 0o7777))
    head.uid, head.gid = draw(st.integers(0, 2**31)), draw(st.integers(0, 2**31))
    head.mtime = draw(st.integers(0, 2**34))
    if head.type in {tarfile.SYMTYPE, tarfile.LNKTYPE}:
        head.linkname = draw(PATHS)
    if head.type == tarfile.CHRTYPE:
        head.devmajor, head.devminor = draw(st.integers(0, 255)), draw(st.integers(0, 255))
    content = draw(st.binary(max_size=3000)) if head.type == tarfile.REGTYPE else b""
    head.size = len(content)
    return head, content


def archive(entries: list[tuple[tarfile.TarInfo, bytes]], form: int) -> bytes:
    """A tar of them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for head, content in entries:
            tar.addfile(head, io.BytesIO(content))
    return out.getvalue()


def read(content: bytes, sizes: list[int]) -> list[TarEntry]:
    """Feed it in chunks of those sizes, the rest at once."""
    reader, found = TarReader(), []
    for size in sizes:
        chunk, content = content[:size], content[size:]
        found += list(reader.read(chunk))
    found += list(reader.read(content))
    reader.close()
    return found


@given(st.lists(members(), max_size=8), FORMATS, st.lists(st.integers(1, 2000), max_size=40))
def test_any_archive_in_any_chunks_is_read_as_tarfile_reads_it(
    entries: list[tuple[tarfile.TarInfo, bytes]], form: int, sizes: list[int]
) -> None:
    content = archive(entries, form)
    found = read(content, sizes)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        wanted = list(tar)
    assert len(found) == len(wanted) == len(entries)
    for entry, head, (_, data) in zip(found, wanted, entries, strict=True):
        assert entry.path == clean_path(head.name)
        assert entry.kind == head.type.decode()
        assert (entry.mode, entry.uid, entry.gid, entry.mtime_s) == (head.mode, head.uid, head.gid, head.mtime)
        assert entry.link == head.linkname
        if head.isreg():
            assert (entry.size, entry.sha256) == (len(data), hashlib.sha256(data).digest())
        if head.ischr():
            assert entry.device == (head.devmajor, head.devminor)


@given(st.lists(members(), min_size=1, max_size=4), FORMATS, st.data())
def test_an_archive_that_is_cut_is_never_taken_for_whole(
    entries: list[tuple[tarfile.TarInfo, bytes]], form: int, data: st.DataObject
) -> None:
    content = archive(entries, form)
    end = len(content.rstrip(b"\0"))  # the end marker and the padding of the last member are zeros
    cut = data.draw(st.integers(1, max(1, end // 512 * 512 - 1)))
    reader = TarReader()
    with pytest.raises(Protocol):  # noqa: PT012 - feed is lazy, so it belongs to what raises
        list(reader.read(content[:cut]))
        reader.close()


@given(st.binary(min_size=512, max_size=4096).filter(lambda raw: any(raw[:512])))
def test_what_is_no_tar_is_refused(raw: bytes) -> None:
    reader = TarReader()
    with pytest.raises(Protocol):  # noqa: PT012 - feed is lazy, so it belongs to what raises
        list(reader.read(raw))
        reader.close()


def test_an_empty_stream_is_no_tar() -> None:
    reader = TarReader()
    assert list(reader.read(b"")) == []
    with pytest.raises(Protocol, match="cut short"):
        reader.close()


def test_extended_attributes_belong_to_their_member_only() -> None:
    first, second = tarfile.TarInfo("a"), tarfile.TarInfo("b")
    first.pax_headers = {"SCHILY.xattr.security.capability": "cap"}
    found = read(archive([(first, b""), (second, b"")], tarfile.PAX_FORMAT), [])
    assert [dict(entry.xattrs) for entry in found] == [{"SCHILY.xattr.security.capability": "cap"}, {}]


def test_a_sparse_member_is_refused() -> None:
    head = tarfile.TarInfo("sparse")
    head.type = tarfile.GNUTYPE_SPARSE
    with pytest.raises(Protocol, match="sparse"):
        list(TarReader().read(head.tobuf(tarfile.GNU_FORMAT)))
    plain = tarfile.TarInfo("sparse")
    plain.pax_headers = {"GNU.sparse.major": "1"}
    with pytest.raises(Protocol, match="sparse"):
        list(TarReader().read(archive([(plain, b"")], tarfile.PAX_FORMAT)))
