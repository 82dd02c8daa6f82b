"""One path out of the tar of a whole root: names, owners and content as they were, hard links whole."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.engines.podman_export import Picker
from backends.model.errors import NotFound, Protocol, Unsupported
from backends.model.ids import EngineId, EngineKind

_ENGINE = EngineId(EngineKind.PODMAN, "p")
_LONG = "n" * 150


def _root() -> bytes:
    """As Go's archive/tar writes it: pax headers where ustar does not suffice."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:

        def add(name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"", link: str = "", uid: int = 7) -> None:
            head = tarfile.TarInfo(name)
            head.type, head.linkname, head.uid, head.gid = kind, link, uid, uid + 1
            head.mode, head.size, head.mtime = 0o4751, len(content), 1_700_000_000
            if name == "a/b/one":
                head.pax_headers = {"SCHILY.xattr.user.x": "välue"}
            tar.addfile(head, io.BytesIO(content))

        add("a/", tarfile.DIRTYPE)
        add("a/b/", tarfile.DIRTYPE, uid=3_000_000)
        add("a/b/one", content=b"1" * 700)
        add(f"a/b/{_LONG}", content=b"long", uid=3_000_000)
        add("a/b/same", tarfile.LNKTYPE, link="a/b/one")
        add("a/b/link", tarfile.SYMTYPE, link="/etc/passwd")
        add("a/bb", content=b"no")
        add("a/outside", tarfile.LNKTYPE, link="a/bb")
        add("dev/fifo", tarfile.FIFOTYPE)
    return out.getvalue()


async def _pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def _picked(path: str, data: bytes, size: int = 10_000) -> dict[str, tuple[object, ...]]:
    archive = b"".join([piece async for piece in Picker(path, _ENGINE).picked(_pieces(data, size))])
    found: dict[str, tuple[object, ...]] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for head in tar:
            file = tar.extractfile(head) if head.isreg() else None
            xattr = head.pax_headers.get("SCHILY.xattr.user.x", "")
            what = file.read() if file else head.linkname
            found[head.name] = (head.type, head.uid, head.gid, head.mode, int(head.mtime), what, xattr)
    return found


def _facts(kind: bytes, what: object, uid: int = 7, xattr: str = "") -> tuple[object, ...]:
    return (kind, uid, uid + 1, 0o4751, 1_700_000_000, what, xattr)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5000))
async def test_a_folder_comes_with_all_that_is_in_it(size: int) -> None:
    assert await _picked("/a/b", _root(), size) == {
        "b": _facts(tarfile.DIRTYPE, "", 3_000_000),
        "b/one": _facts(tarfile.REGTYPE, b"1" * 700, xattr="välue"),
        f"b/{_LONG}": _facts(tarfile.REGTYPE, b"long", 3_000_000),
        "b/same": _facts(tarfile.LNKTYPE, "b/one"),
        "b/link": _facts(tarfile.SYMTYPE, "/etc/passwd"),
    }


async def test_single_members() -> None:
    assert set(await _picked("/a/bb", _root())) == {"bb"}
    assert set(await _picked("/dev/fifo", _root())) == {"fifo"}
    assert len(await _picked("/", _root())) == 9


async def test_what_cannot_be_picked_is_said() -> None:
    with pytest.raises(NotFound):
        await _picked("/a/c", _root())
    with pytest.raises(Unsupported, match="hard link") as caught:
        await _picked("/a/outside", _root())
    assert caught.value.engine == _ENGINE


@pytest.mark.parametrize("cut", [100, 512, 700, 5000])
async def test_a_cut_archive_is_no_archive(cut: int) -> None:
    with pytest.raises(Protocol):
        await _picked("/a", _root()[:cut])


@settings(deadline=None)
@given(st.binary(max_size=3000))
async def test_noise_is_no_archive(noise: bytes) -> None:
    with pytest.raises((Protocol, NotFound)):
        await _picked("/a", noise)
