"""Layers on disk: taken as they were put, privately, within bounds, and read anew where a file is damaged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.layers.cache import LayerCache, packed, unpacked
from tests.unit.layers.images import diff_id, hard, layer, link, table

TAR = layer({"usr/bin/sh": b"#!" * 9, "usr/bin/ash": hard("usr/bin/sh"), "lib": link("usr/lib"), "d/.wh.gone": b""})
NAME = diff_id(TAR)


def test_a_layer_comes_back_as_it_was_put(tmp_path: Path) -> None:
    cache = LayerCache(tmp_path / "a" / "layers")
    assert cache.get(NAME) is None
    cache.put(table(TAR))
    assert cache.get(NAME) == table(TAR)


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "layers"
    LayerCache(folder).put(table(TAR))
    assert folder.stat().st_mode & 0o777 == 0o700
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


@given(st.data())
def test_any_damage_is_noticed(data: st.DataObject) -> None:
    whole = packed(table(TAR))
    at = data.draw(st.integers(0, len(whole) - 1))
    change = data.draw(st.one_of(st.none(), st.integers(1, 255)))
    damaged = whole[:at] if change is None else whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :]
    with pytest.raises(ValueError, match=r"checksum|cut"):
        unpacked(damaged)


def test_a_damaged_file_is_as_none_and_is_written_anew(tmp_path: Path) -> None:
    cache = LayerCache(tmp_path)
    cache.put(table(TAR))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    assert cache.get(NAME) is None
    assert not file.exists()
    cache.put(table(TAR))
    assert cache.get(NAME) == table(TAR)


def test_a_file_of_another_layer_is_not_believed(tmp_path: Path) -> None:
    cache = LayerCache(tmp_path)
    cache.put(table(TAR))
    (file,) = tmp_path.iterdir()
    other = "sha256:" + "0" * 64
    file.rename(tmp_path / ("0" * 64 + ".v1"))
    assert cache.get(other) is None


def test_those_longest_unused_go_first(tmp_path: Path) -> None:
    tars = [layer({f"f{number}": b"x"}) for number in range(4)]
    size = len(packed(table(tars[0])))
    cache = LayerCache(tmp_path, limit_bytes=3 * size + size // 2)
    for number, tar in enumerate(tars[:3]):
        cache.put(table(tar))
        os.utime(tmp_path / f"{diff_id(tar)[7:]}.v1", (number, number))
    assert cache.get(diff_id(tars[0])) is not None  # used: now the youngest
    cache.put(table(tars[3]))
    assert [cache.get(diff_id(tar)) is not None for tar in tars] == [True, False, True, True]


@pytest.mark.parametrize("name", ["", "sha256:../../etc/passwd", "sha512:" + "0" * 128, "sha256:" + "0" * 63])
def test_a_digest_that_is_no_file_name_is_never_one(tmp_path: Path, name: str) -> None:
    cache = LayerCache(tmp_path / "layers")
    strange = table(TAR)
    strange.diff_id = name
    cache.put(strange)
    assert cache.get(name) is None
    assert not (tmp_path / "layers").exists()


def test_where_nothing_can_be_written_all_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = LayerCache(tmp_path / "file" / "layers")
    cache.put(table(TAR))
    assert "could not be kept" in caplog.text
