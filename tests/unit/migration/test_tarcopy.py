"""What passes on of a volume's tar, what is digested of it, and how two sides are compared, against plain words."""

from __future__ import annotations

import asyncio
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engine import Engine
from backends.migration.listing import Listing, head_of, kind_of, row_of
from backends.migration.passing import BATCH_BYTES, PIECE_BYTES, passed_on
from backends.migration.tarcopy import BARE_DIRECTORY, TarCopy, content_facts
from backends.migration.volume_proof import Ledger, Side, facts_of
from backends.migration.volume_reading import reading_of
from backends.model.errors import Protocol
from backends.model.ids import EngineId, EngineKind

Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, content: bytes = b"", kind: bytes = b"0", link: str = "") -> Member:
    head = tarfile.TarInfo(name)
    head.type, head.size, head.linkname, head.mode = kind, len(content), link, 0o600
    return head, content


def archive(members: Sequence[Member], form: int = tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for head, content in members:
            tar.addfile(head, io.BytesIO(content))
    return out.getvalue()


def row(
    mode: int = 0o100640, uid: int = 7, gid: int = 8, size: int = 0, mtime: str = "1000", inode: int = 1, links: int = 1
) -> bytes:
    """As busybox's and GNU's stat write it for the listing's script; the time with half a second."""
    words = "2001-09-09 01:46:40.500000000 +0000"
    return f"{mode:x}|{uid}|{gid}|{size}|0|0|{links}|{inode}|{mtime}|1|{words}|-".encode()


def members_of(data: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return tar.getmembers()


ROWS = {"": row(0o040755), "a": row(size=3), "d": row(0o042750), "d/b": row(0o104755, uid=2**31, size=700)}
TAR = archive([member("./", kind=b"5"), member("./a", b"abc"), member("./d/", kind=b"5"), member("./d/b", b"b" * 700)])


def test_owners_modes_and_times_are_those_of_the_listing() -> None:
    copy = TarCopy(ROWS, ROWS)
    passed = members_of(copy.passed(TAR) + b"".join(copy.finish()) + bytes(1024))
    assert [(head.name, head.mode, head.uid, head.gid, head.mtime) for head in passed] == [
        (".", 0o755, 7, 8, 1000.5),
        ("./a", 0o640, 7, 8, 1000.5),
        ("./d", 0o2750, 7, 8, 1000.5),
        ("./d/b", 0o4755, 2**31, 8, 1000.5),
    ]
    assert copy.contents["d/b"] == content_facts("0", hashlib.sha256(b"b" * 700).digest(), {}, "")
    assert copy.contents["d"] == BARE_DIRECTORY


@given(st.lists(st.integers(1, 900), max_size=20), st.sets(st.sampled_from(sorted(ROWS))))
def test_only_what_is_wanted_passes_however_it_is_cut(sizes: list[int], wanted: set[str]) -> None:
    passing, reading = TarCopy(ROWS, wanted), TarCopy(ROWS, wanted, only_read=True)
    passed, data = b"", TAR
    for size in [*sizes, len(TAR)]:
        passed += passing.passed(data[:size])
        assert reading.passed(data[:size]) == b""
        data = data[size:]
    assert {head.name.removeprefix("./").strip(".") for head in members_of(passed + bytes(1024))} == wanted
    assert passing.contents == reading.contents
    assert passing.contents.keys() == wanted


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("kept", [700, 3000])
def test_a_cut_is_filled_up_where_files_change_meanwhile_and_raises_elsewhere(live: bool, kept: int) -> None:
    copy = TarCopy(ROWS, ROWS, live=live)
    passed = copy.passed(TAR[:kept])
    if not live:
        with pytest.raises(Protocol, match="cut short"):
            list(copy.finish())
        return
    passed += b"".join(copy.finish())
    assert len(passed) % 512 == 0
    names = [head.name for head in members_of(passed + bytes(1024))]
    assert names == [".", "./a", "./d", "./d/b"][: 1 if kept == 700 else 4]
    assert "d/b" not in copy.contents, "what was cut is not counted as read"


def test_a_hard_link_passes_only_beside_its_file() -> None:
    data = archive([member("./d/c", kind=b"1", link="./d/b"), member("./e", kind=b"1", link="./nothing")])
    rows = {**ROWS, "d/c": row(), "e": row()}
    facts = content_facts("0", b"x" * 32, {}, "")
    copy = TarCopy(rows, rows, known={"d/b": facts})
    assert [(head.name, head.linkname) for head in members_of(copy.passed(data) + bytes(1024))] == [("./d/c", "./d/b")]
    assert copy.contents == {"d/c": facts}


async def flow(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
        await asyncio.sleep(0)


async def test_a_large_file_passes_in_small_pieces_while_little_is_held() -> None:
    size = 8 * BATCH_BYTES + 5
    data = archive([member("./big", b"z" * size)])
    rows = {"big": row(size=size)}
    copy, taken, passed = TarCopy(rows, rows), 0, 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal taken
        async for chunk in flow(data, 100_000):
            taken += len(chunk)
            yield chunk

    async with aclosing(passed_on(counted(), copy)) as pieces:
        async for piece in pieces:
            assert len(piece) <= PIECE_BYTES
            passed += len(piece)
            assert taken - passed <= 3 * (BATCH_BYTES + 100_000), "three batches at most are on their way"
    assert copy.contents["big"][1:33] == hashlib.sha256(b"z" * size).digest()


async def test_what_is_no_tar_is_told_at_the_end_of_its_batch() -> None:
    copy = TarCopy({}, ())
    with pytest.raises(Protocol, match="no tar"):
        async for _ in passed_on(flow(b"no such thing" * BATCH_BYTES, 65536), copy):
            pass


async def test_leaving_early_ends_the_batch_that_is_under_way() -> None:
    data = archive([member("./a", b"z" * 4 * BATCH_BYTES)])
    copy = TarCopy(ROWS, ROWS)
    async with aclosing(passed_on(flow(data, BATCH_BYTES), copy)) as pieces:
        await anext(pieces)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "passing on"]


MODES = st.sampled_from([0o100644, 0o104755, 0o040755, 0o120777, 0o120755, 0o010640, 0o020600, 0o060600])
RAWS = st.builds(row, MODES, st.integers(0, 2), st.integers(0, 2), st.integers(0, 2), st.sampled_from(["-5", "0", "1"]))


@given(RAWS)
def test_the_quick_readings_of_a_row_say_what_the_whole_one_says(raw: bytes) -> None:
    whole = row_of(raw)
    assert kind_of(raw) == whole.kind
    assert head_of(raw) == (whole.kind, whole.mode, whole.uid, whole.gid, whole.mtime_ns)


CONTENTS = st.builds(
    content_facts,
    st.just("0"),
    st.sampled_from([b"", b"\1" * 32]),
    st.sampled_from([cast("Mapping[str, str]", {}), {"SCHILY.xattr.user.a": "b"}]),
    st.sampled_from(["", "target"]),
)
SIDES = st.dictionaries(st.sampled_from(["", "a", "b"]), st.tuples(RAWS, st.none() | CONTENTS))


def side(entries: Mapping[str, tuple[bytes, bytes | None]]) -> Side:
    listing = Listing({path: raw for path, (raw, _) in entries.items()})
    return Side(listing, {path: content for path, (_, content) in entries.items() if content is not None})


@given(SIDES, SIDES, SIDES, SIDES)
def test_two_sides_are_equal_exactly_where_all_facts_of_all_paths_are(
    first: Any, second: Any, third: Any, fourth: Any
) -> None:
    one, other = side(first), side(second)
    ledger = Ledger()
    ledger.enter(one, other)
    for old, source, target in (((one, other), one, other), ((one, other), side(third), side(fourth))):
        check = ledger.check("v", old, source, target)
        paths = source.listing.rows.keys() | target.listing.rows.keys()
        facts = [(facts_of(source, path, {}), facts_of(target, path, {})) for path in paths]
        assert check.equal == all(left is not None and left == right for left, right in facts)


class _Named:
    """An engine of which only these are asked."""

    def __init__(self, kind: EngineKind, endpoint: str) -> None:
        self.id = EngineId(kind, "x")
        self.endpoint = endpoint


def reading_by(kind: EngineKind, endpoint: str, count: int, size: int, *, gnu_tar: bool = False) -> Any:
    rows = {"": row(0o040755), **{f"f{number}": row(size=size) for number in range(1000)}}
    listing = Listing(rows, gnu_tar=gnu_tar)
    return reading_of(cast("Engine", _Named(kind, endpoint)), listing, ["", *list(rows)[1 : count + 1]])


def test_docker_is_asked_for_everything_where_that_is_sooner_than_one_by_one() -> None:
    docker, here, there = EngineKind.DOCKER, "unix:///run/docker.sock", "ssh://host"
    assert reading_by(docker, here, 100, 1000).whole
    assert not reading_by(docker, here, 3, 1000).whole, "three files of a thousand are fetched in 30 ms"
    assert not reading_by(docker, here, 100, 1 << 20).whole, "a gigabyte takes longer than a hundred files"
    assert not reading_by(docker, there, 100, 1000).whole, "all of it would have to come over the network"


def test_a_directory_is_read_only_where_a_listing_does_not_tell_all_of_it() -> None:
    for kind, gnu_tar, told in (
        (EngineKind.DOCKER, False, [""]),
        (EngineKind.DOCKER, True, []),
        (EngineKind.PODMAN, False, []),
    ):
        found = reading_by(kind, "unix:///x", 2, 5, gnu_tar=gnu_tar)
        assert list(found.told) == told
        assert [*found.told, *found.asked] == ["", "f0", "f1"]
        assert found.size_bytes == 10


def test_of_hard_links_the_first_that_is_wanted_is_read() -> None:
    rows = {"": row(0o040755), **{name: row(inode=5, links=3) for name in "cab"}, "x": row()}
    found = reading_of(cast("Engine", _Named(EngineKind.PODMAN, "unix:///x")), Listing(rows), ["b", "c", "x"])
    assert list(found.asked) == ["b", "x"]
    assert found.groups == {"b": "b", "c": "b"}
