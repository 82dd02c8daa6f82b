"""A layer's tar is rebuilt byte by byte, or refused: whatever its store's folders hold."""

from __future__ import annotations

import base64
import gzip
import json
import os
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.stores import StoredLayer, StoreError, rebuild, tar_bytes
from backends.stores.rebuild import PIECE_BYTES
from tests.unit.stores.folders import digest, file, layer_of, other, stored

LARGE = os.urandom(3 * PIECE_BYTES + 5)
ODD = "caf\udce9/\udcff"
"""Names that are not UTF-8, as Python writes them."""

ALL_KINDS = [
    other("./", tarfile.DIRTYPE),
    file("./etc/passwd", b"root:x:0:0"),
    file("opt/" + "deep/" * 60 + "file", b"a long name"),
    file("naïve/名前", b"utf-8"),
    file(ODD, b"not utf-8"),
    file("large", LARGE),
    file("empty", b""),
    file("capable", b"\x7fELF", SCHILY__xattr__user__x="1", mtime="1700000000.25"),
    other("hard", tarfile.LNKTYPE, "large"),
    other("soft", tarfile.SYMTYPE, "/etc/passwd"),
    other("dev/null", tarfile.CHRTYPE),
    other("pipe", tarfile.FIFOTYPE),
    file("gone/.wh.file", b""),
    file("gone/.wh..wh..opq", b""),
    file("block", b"x" * tarfile.BLOCKSIZE),
]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("end", [b"", b"\0" * 12345, b"what a builder left behind"])
def test_everything_that_a_layer_may_hold(tmp_path: Path, form: int, end: bytes) -> None:
    layer = layer_of(*ALL_KINDS, form=form) + end
    made = stored(layer, tmp_path)
    pieces = list(rebuild(made))
    assert b"".join(pieces) == layer
    assert max(map(len, pieces)) < 2 * PIECE_BYTES + tarfile.RECORDSIZE
    assert tar_bytes(made) == len(layer)


_PART = st.text("ab.é\udce9 ", min_size=1, max_size=3).filter(lambda part: part not in (".", ".."))
_NAMES = st.lists(_PART, min_size=1, max_size=4).map("/".join)


def _beside(names: dict[str, bytes]) -> bool:
    """No name is a folder of another."""
    return not any(f"{one}/" in f"{longer}/"[: len(one) + 1] for one in names for longer in names if one != longer)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.dictionaries(_NAMES, st.binary(max_size=1500), max_size=6).filter(_beside), st.booleans())
def test_any_layer_comes_back(files: dict[str, bytes], gnu: bool) -> None:
    layer = layer_of(
        *(file(name, data) for name, data in files.items()), form=tarfile.GNU_FORMAT if gnu else tarfile.PAX_FORMAT
    )
    with tempfile.TemporaryDirectory() as place:
        made = stored(layer, Path(place))
        assert b"".join(rebuild(made)) == layer
        assert tar_bytes(made) == len(layer)


def test_no_tar_at_all_is_a_layer_too(tmp_path: Path) -> None:
    split = tmp_path / "split"
    split.write_bytes(gzip.compress(b""))
    assert list(rebuild(StoredLayer(digest(b""), split, tmp_path))) == []


# -- stores that are not what they should be -------------------------------------------------------
SECRET = b"a secret of the host"


@pytest.fixture
def layer(tmp_path: Path) -> StoredLayer:
    """One file in a folder, as long as the secret beside the store."""
    (tmp_path / "secret").write_bytes(SECRET)
    return stored(layer_of(file("first", b"1"), file("in/file", b"f" * len(SECRET))), tmp_path / "store")


def refused(layer: StoredLayer) -> str:
    """Why it is refused; nothing of the secret, nor the whole, was given out."""
    given: list[bytes] = []
    with pytest.raises(StoreError) as error:
        given.extend(rebuild(layer))
    assert SECRET not in b"".join(given)
    return error.value.title


def _link(path: Path, to: Path) -> None:
    path.unlink()
    path.symlink_to(to)


def _folder_link(path: Path, to: Path) -> None:
    path.parent.rename(to.parent / "moved")
    (to.parent / "file").write_bytes(SECRET)
    path.parent.symlink_to(to.parent)


def _pipe(path: Path, _to: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path, _to: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_link, "is none in its folder"),
        (_folder_link, "cannot be read"),
        (_pipe, "is none in its folder"),
        (_folder, "is none in its folder"),
        (lambda path, _to: path.unlink(), "is not in its folders"),
        (lambda path, _to: path.write_bytes(b"short"), "has 5 bytes"),
        (lambda path, to: path.write_bytes(to.read_bytes()), "not what its digest says"),
    ],
)
def test_what_is_no_file_of_the_layer_is_never_given_out(
    layer: StoredLayer, tmp_path: Path, spoil: Callable[[Path, Path], None], why: str
) -> None:
    spoil(layer.files / "in/file", tmp_path / "secret")
    assert why in refused(layer)


def test_a_device_is_not_even_opened(layer: StoredLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening one may do something: a watchdog starts to count, a tape rewinds."""
    path = layer.files / "in/file"
    path.unlink()
    os.mkfifo(path)
    opened: list[object] = []
    real = os.open

    def watching(path: str | bytes | Path, flags: int, *, dir_fd: int | None = None) -> int:
        opened.append(path)
        return real(path, flags, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", watching)
    refused(layer)
    assert b"in" in opened
    assert b"file" not in opened


@pytest.mark.parametrize("name", ["../secret", "in/../../secret", "..", "a/" * 600 + "b", "nul\0"])
def test_a_name_that_leads_out_is_refused(layer: StoredLayer, name: str) -> None:
    entry = {"type": 1, "name": name, "size": len(SECRET), "payload": ""}
    layer.split.write_bytes(gzip.compress(json.dumps(entry).encode()))
    assert "leads out" in refused(layer)


def test_an_absolute_name_is_one_of_the_layer(layer: StoredLayer) -> None:
    entry = {"type": 1, "name": "/in/file", "size": len(SECRET)}
    layer.split.write_bytes(gzip.compress(json.dumps(entry).encode()))
    made = StoredLayer(digest(b"f" * len(SECRET)), layer.split, layer.files)
    assert b"".join(rebuild(made)) == b"f" * len(SECRET)


DAMAGED = {
    "no gzip": b"no gzip",
    "cut short": gzip.compress(b'{"type":2,"payload":"AAAA"}\n' * 4000)[:-20],
    "another checksum": gzip.compress(b'{"type":2,"payload":"AAAA"}\n')[:-9] + b"12345678",
    "no JSON": gzip.compress(b"no json"),
    "no object": gzip.compress(b"[]"),
    "of an unknown type": gzip.compress(b'{"type":3}'),
    "no base64": gzip.compress(b'{"type":2,"payload":"*"}'),
    "no name": gzip.compress(b'{"type":1,"size":1}'),
    "size is text": gzip.compress(b'{"type":1,"name":"first","size":"1"}'),
    "raw name is no base64": gzip.compress(b'{"type":1,"name_raw":"?","size":1}'),
    "without end": gzip.compress(b'{"type":2,"payload":"' + b"A" * (4 * PIECE_BYTES)),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_list_of_parts_is_refused(layer: StoredLayer, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[rebuild.__module__], "LINE_LIMIT_BYTES", 3 * PIECE_BYTES)
    layer.split.write_bytes(DAMAGED[kind])
    assert refused(layer) == "the list of a layer's parts (tar-split) is damaged"


def test_parts_in_another_order_are_refused(layer: StoredLayer) -> None:
    lines = gzip.decompress(layer.split.read_bytes()).splitlines(keepends=True)
    layer.split.write_bytes(gzip.compress(b"".join([lines[1], lines[0], *lines[2:]])))
    assert "digest" in refused(layer)


def test_a_size_that_the_store_tells_and_is_not_so_is_found_out(layer: StoredLayer) -> None:
    assert list(rebuild(replace(layer, size_bytes=tar_bytes(layer))))
    assert "another size" in refused(replace(layer, size_bytes=tar_bytes(layer) - 1))


def test_a_layer_that_went_meanwhile_is_told_as_such(layer: StoredLayer) -> None:
    layer.split.unlink()
    assert "not in its folders" in refused(layer)


def test_raw_names_are_preferred(layer: StoredLayer) -> None:
    entry = {"type": 1, "name": "?", "name_raw": base64.b64encode(b"first").decode(), "size": 1}
    layer.split.write_bytes(gzip.compress(json.dumps(entry).encode()))
    assert list(rebuild(StoredLayer(digest(b"1"), layer.split, layer.files))) == [b"1"]
