"""The walk along a tar against Python's tarfile and GNU tar: the same members, whatever wrote them and however cut."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.model.errors import Protocol
from backends.tar import BLOCK, EXTENSION_LIMIT, Member, Walk, member_header, pax_records
from backends.tar.header import read_header

NS = 1_000_000_000


class Collected(Walk):
    """Keeps all: each member with its content."""

    def __init__(self, *, joined: bool = False) -> None:
        super().__init__(joined=joined)
        self.found: list[tuple[Member, bytes]] = []

    def begin(self, member: Member) -> None:
        self.found.append((member, b""))

    def content(self, piece: memoryview) -> None:
        member, so_far = self.found[-1]
        self.found[-1] = (member, so_far + bytes(piece))

    def end(self) -> None:
        member, content = self.found[-1]
        assert len(content) == member.size


def walked(data: bytes, sizes: Sequence[int] = (), *, joined: bool = False) -> list[tuple[Member, bytes]]:
    """Fed in chunks of those sizes, the rest at once."""
    walk = Collected(joined=joined)
    for size in sizes:
        walk.feed(data[:size])
        data = data[size:]
    walk.feed(data)
    walk.close()
    return walk.found


def archive(members: Sequence[tuple[tarfile.TarInfo, bytes]], form: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for head, content in members:
            tar.addfile(head, io.BytesIO(content))
    return out.getvalue()


def same(data: bytes, found: Sequence[tuple[Member, bytes]]) -> None:
    """As tarfile reads it."""
    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape", encoding="utf-8") as tar:
        wanted = tar.getmembers()
        assert [os.fsdecode(member.name).rstrip("/") for member, _ in found] == [head.name for head in wanted]
        for (member, content), head in zip(found, wanted, strict=True):
            assert member.kind == (tarfile.REGTYPE if head.isreg() else head.type)
            assert (member.mode, member.uid, member.gid) == (head.mode, head.uid, head.gid)
            assert member.mtime_ns == pytest.approx(head.mtime * NS, abs=1000)
            assert os.fsdecode(member.link) == head.linkname
            if head.isreg():
                file = tar.extractfile(head)
                assert file is not None
                assert content == file.read()
            if head.isdev() and not head.isfifo():
                assert member.device == (head.devmajor, head.devminor)


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=120).filter(
    lambda name: name not in {".", ".."} and bool(name.strip())
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
SHORT = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/"), min_size=1, max_size=30)
USTAR_PATHS = st.lists(SHORT, min_size=1, max_size=7).map("/".join)
KINDS = st.sampled_from([b"0", b"5", b"2", b"1", b"6", b"3", b"4"])


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    form = draw(st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT]))
    plain = form == tarfile.USTAR_FORMAT
    members = []
    for _ in range(draw(st.integers(0, 6))):
        head = tarfile.TarInfo(draw(USTAR_PATHS if plain else PATHS))
        head.type, head.mode = draw(KINDS), draw(st.integers(0, 0o7777))
        highest = 0o7777777 if plain else 2**40
        head.uid, head.gid = draw(st.integers(0, highest)), draw(st.integers(0, highest))
        head.mtime = draw(st.integers(0, 2**33 - 1) if plain else st.integers(-(2**34), 2**36))
        if form == tarfile.PAX_FORMAT:
            head.mtime = draw(st.sampled_from([head.mtime, head.mtime + 0.25]))
        if head.type in {b"1", b"2"}:
            head.linkname = draw(SHORT if plain else PATHS)
        if head.type in {b"3", b"4"}:
            head.devmajor, head.devminor = draw(st.integers(0, 4095)), draw(st.integers(0, 2**20))
        content = draw(st.binary(max_size=1500)) if head.type == b"0" else b""
        head.size = len(content)
        members.append((head, content))
    return archive(members, form)


@given(archives(), st.lists(st.integers(1, 2000), max_size=30))
def test_whatever_tarfile_writes_is_read_as_tarfile_reads_it(data: bytes, sizes: list[int]) -> None:
    same(data, walked(data, sizes))


@given(archives(), st.data())
def test_one_changed_byte_of_a_header_is_never_passed_over(data: bytes, pick: st.DataObject) -> None:
    at = pick.draw(st.integers(0, BLOCK - 1))
    changed = pick.draw(st.integers(0, 255).filter(lambda byte: byte != data[at]))
    # In the checksum itself, spaces and NULs may stand for each other.
    if data[:BLOCK].strip(b"\0") and not (148 <= at < 156):
        with pytest.raises(Protocol):
            walked(data[:at] + bytes([changed]) + data[at + 1 :])


@given(st.binary(max_size=3000))
def test_any_bytes_are_a_tar_or_a_protocol_error(data: bytes) -> None:
    try:
        found = walked(data)
    except Protocol:
        return
    assert not found or len(data) >= BLOCK


@given(archives(), archives())
def test_archives_after_each_other_are_one_where_that_is_allowed(first: bytes, second: bytes) -> None:
    def names(data: bytes, *, joined: bool) -> list[bytes]:
        return [member.name for member, _ in walked(data, joined=joined)]

    assert names(first + second, joined=True) == names(first, joined=False) + names(second, joined=False)
    assert names(first + second, joined=False) == names(first, joined=False)


TAR = shutil.which("tar")
FORMATS = ("v7", "oldgnu", "gnu", "ustar", "posix")


@pytest.mark.skipif(TAR is None, reason="no tar on this machine")
@pytest.mark.parametrize("form", FORMATS)
def test_whatever_gnu_tar_writes_is_read_as_tarfile_reads_it(form: str, tmp_path: Path) -> None:
    base = os.fsencode(tmp_path)
    long = b"x" * (60 if form in {"v7", "ustar"} else 200)
    for name, content in ((b"plain", b"1" * 700), (b"\xff\xfe", b""), (b"new\nline", b"2"), (long, b"3" * 512)):
        Path(os.fsdecode(os.path.join(base, name))).write_bytes(content)
    (tmp_path / "folder" / "below").mkdir(parents=True)
    (tmp_path / "soft").symlink_to("plain")
    os.link(tmp_path / "plain", tmp_path / "zhard")
    os.utime(tmp_path / "plain", ns=(1_000_000_000_250_000_000, 1_000_000_000_250_000_000))
    if form in {"oldgnu", "gnu", "posix"}:
        os.utime(tmp_path / "folder", (-86400, -86400))
    options = [f"--format={form}", "--sort=name", "--owner=:1000", "--group=:2000"]
    if form in {"oldgnu", "gnu", "posix"}:
        options[2:] = ["--owner=:3000000", "--group=:4000000000"]
    done = subprocess.run([str(TAR), "-C", str(tmp_path), *options, "-cf", "-", "."], capture_output=True, check=True)
    found = walked(done.stdout, [100, 1000, 3000])
    assert len(found) == 9
    same(done.stdout, found)
    assert len(walked(done.stdout * 2, joined=True)) == 18


@pytest.mark.skipif(TAR is None, reason="no tar on this machine")
@pytest.mark.parametrize("form", ["gnu", "posix", "0.0", "0.1", "1.0"])
def test_a_sparse_member_is_refused_in_every_spelling(form: str, tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 22)
        file.seek(1 << 21)
        file.write(b"data")
    options = [f"--format={form}"] if form.isalpha() else ["--format=posix", f"--sparse-version={form}"]
    argv = [str(TAR), "-C", str(tmp_path), *options, "--hole-detection=raw", "-S", "-cf", "-", "sparse"]
    done = subprocess.run(argv, capture_output=True, check=True)
    with pytest.raises(Protocol, match="sparse"):
        walked(done.stdout)


@given(
    name=st.binary(min_size=1, max_size=300).filter(lambda name: b"\0" not in name and not name.endswith(b"/")),
    link=st.binary(max_size=300).filter(lambda link: b"\0" not in link),
    mode=st.integers(0, 0o7777),
    owners=st.tuples(st.integers(0, 2**32 - 2), st.integers(0, 2**32 - 2)),
    size=st.integers(0, 2**50),
    mtime_ns=st.integers(-(2**62), 2**63),
    xattr=st.binary(max_size=50),
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_headers_that_are_written_are_read_back(
    name: bytes, link: bytes, mode: int, owners: tuple[int, int], size: int, mtime_ns: int, xattr: bytes
) -> None:
    records = [(b"SCHILY.xattr.user.x", xattr)]
    uid, gid = owners
    walk = Collected()
    data = member_header(
        name, b"0", mode=mode, uid=uid, gid=gid, size=size, mtime_ns=mtime_ns, link=link, records=records
    )
    walk.feed(data)
    [(member, _)] = walk.found[:1] or [(read_header(data[-BLOCK:]), b"")]
    assert (member.name, member.link, member.mode, member.uid, member.gid) == (name, link, mode, uid, gid)
    assert (member.size, member.mtime_ns) == (size, mtime_ns)
    assert member.records[b"SCHILY.xattr.user.x"] == xattr


def test_a_device_is_written_with_its_numbers() -> None:
    data = member_header(b"null", b"3", mode=0o666, uid=0, gid=0, size=0, mtime_ns=0, device=(1, 3))
    member = read_header(data)
    assert replace(member, block=b"") == Member(b"", b"3", b"null", 0o666, 0, 0, 0, 0, b"", (1, 3))


def test_a_checksum_of_signed_bytes_is_taken_as_the_old_programs_wrote_it() -> None:
    head = tarfile.TarInfo("ä")
    block = bytearray(head.tobuf(tarfile.GNU_FORMAT))
    signed = sum(byte - 256 * (byte > 127) for byte in block[:148] + block[156:]) + 8 * 32
    block[148:156] = b"%06o\0 " % signed
    assert read_header(bytes(block)).name == "ä".encode()


@pytest.mark.parametrize("kind", [b"V", b"D", b"M", b"9", b"\xff"])
def test_a_kind_that_is_not_known_is_refused(kind: bytes) -> None:
    head = tarfile.TarInfo("a")
    head.type = kind
    with pytest.raises(Protocol, match="unknown kind"):
        read_header(head.tobuf(tarfile.GNU_FORMAT))


@pytest.mark.parametrize(
    "size", [b"-0000000001\0", b"0x000000001\0", b"000000000_1\0", b"\x81" + bytes(11), b"\xff" * 12]
)
def test_a_size_that_is_none_is_refused(size: bytes) -> None:
    block = bytearray(tarfile.TarInfo("a").tobuf(tarfile.GNU_FORMAT))
    block[124:136] = size
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    with pytest.raises(Protocol, match="no tar"):
        read_header(bytes(block))


@pytest.mark.parametrize(
    "record", [b"size=-1", b"size=1e3", b"uid=x", b"mtime=noon", b"mtime=nan", b"mtime=1e999999999"]
)
def test_a_number_of_a_pax_header_that_is_none_is_refused(record: bytes) -> None:
    head = tarfile.TarInfo("a")
    key, _, value = record.decode().partition("=")
    head.pax_headers = {key: value}
    data = head.tobuf(tarfile.PAX_FORMAT)
    with pytest.raises(Protocol, match="pax header"):
        walked(data)


@pytest.mark.parametrize("body", [b"x", b"3 a", b"10 a=b\n", b"6 ab=\nzz", b"0 \n", b"6 abcd\n"])
def test_garbled_pax_headers_are_refused(body: bytes) -> None:
    with pytest.raises(Protocol, match="garbled"):
        pax_records(body)


def test_a_huge_extension_is_refused_before_it_is_read() -> None:
    head = tarfile.TarInfo("././@LongLink")
    head.type, head.size = tarfile.GNUTYPE_LONGNAME, EXTENSION_LIMIT + 1
    with pytest.raises(Protocol, match="too long"):
        Collected().feed(head.tobuf(tarfile.GNU_FORMAT))


def test_an_extended_header_without_a_member_is_a_cut() -> None:
    head = tarfile.TarInfo("n" * 150)
    data = head.tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(Protocol, match="cut short"):
        walked(data[:-BLOCK])
    with pytest.raises(Protocol, match="cut short"):
        walked(data[:-BLOCK] + bytes(2 * BLOCK))


def test_global_records_hold_for_all_members_that_follow() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"uid": "77"}) as tar:
        tar.addfile(tarfile.TarInfo("a"))
        tar.addfile(tarfile.TarInfo("b"))
    assert [(member.name, member.uid) for member, _ in walked(out.getvalue())] == [(b"a", 77), (b"b", 77)]
