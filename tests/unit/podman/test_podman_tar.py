"""The end of a tar is found in any cuts, whatever it holds."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines.podman_tar import TarEnd

_FORMATS = [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT]


def _tar(contents: list[bytes], form: int, *, pax: bool = False) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=form) as tar:
        for at, content in enumerate(contents):
            info = tarfile.TarInfo(f"./{at}-" + "n" * (90 if at % 2 else 3))
            info.size = len(content)
            if pax and form == tarfile.PAX_FORMAT:
                info.pax_headers = {"SCHILY.xattr.user.k": "v" * 600, "size": str(len(content))}
            tar.addfile(info, io.BytesIO(content))
            for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE):
                other = tarfile.TarInfo(f"./{at}-{kind.decode()}")
                other.type, other.linkname = kind, f"./{at}" + "l" * (95 if at % 2 else 1)
                tar.addfile(other)
        end = tar.offset
    return data.getvalue()[: end + 1024]


def _trimmed(data: bytes, cuts: list[int]) -> bytes:
    end, out, at = TarEnd(), bytearray(), 0
    for cut in [*cuts, len(data)]:
        out += end.feed(data[at : at + cut])
        at += cut
    return bytes(out)


@given(
    st.lists(st.one_of(st.binary(max_size=1200), st.integers(0, 3000).map(bytes)), max_size=4),
    st.sampled_from(_FORMATS),
    st.booleans(),
    st.lists(st.integers(1, 3000), max_size=20),
    st.binary(max_size=12000),
)
def test_exactly_the_padding_goes(contents: list[bytes], form: int, pax: bool, cuts: list[int], after: bytes) -> None:
    archive = _tar(contents, form, pax=pax)
    assert _trimmed(archive + after, cuts) == archive


@pytest.mark.parametrize(
    ("kind", "size"), [(b"S", b"00000000001\0"), (b"0", b"no number!!!"), (b"0", b"-2000\0\0\0\0\0\0\0")]
)
def test_what_it_does_not_understand_is_passed_on(kind: bytes, size: bytes) -> None:
    header = bytearray(_tar([b"x"], tarfile.GNU_FORMAT))
    header[124:136], header[156:157] = size, kind
    data = bytes(header) + bytes(4096)
    assert _trimmed(data, [100]) == data


@given(st.binary(max_size=3000), st.lists(st.integers(1, 700), max_size=5))
def test_nothing_is_added_and_nothing_is_reordered(data: bytes, cuts: list[int]) -> None:
    assert data.startswith(_trimmed(data, cuts))


def test_a_big_file_in_base_256() -> None:
    info = tarfile.TarInfo("./big")
    info.size = 10 << 30
    end = TarEnd()
    assert end.feed(info.tobuf(tarfile.GNU_FORMAT))
    piece = bytes(1 << 20)
    assert all(len(end.feed(piece)) == len(piece) for _ in range(100))
