"""Hints: only where it is certain, with sizes and the command that helps."""

from __future__ import annotations

import pytest

from backends.layers import hints
from backends.layers.contents import ImageContents
from tests.unit.layers.images import Content, facts, tables

MB = bytes(1 << 20)


@pytest.fixture(autouse=True)
def _small_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no test has to make files of 64 MiB."""
    monkeypatch.setattr(hints, "WEIGHT_BYTES", 1 << 20)


def found(*layers: dict[str, Content]) -> list[tuple[str, str, int]]:
    return [(hint.title, hint.path, hint.size_bytes) for hint in ImageContents(facts([]), tables(*layers)).hints()]


@pytest.mark.parametrize(
    ("files", "title", "path"),
    [
        ({"root/.cache/pip/http/x": MB}, "pip's cache", "/root/.cache/pip"),
        ({"home/me/.cache/uv/x": MB}, "uv's cache", "/home/me/.cache/uv"),
        ({"var/lib/apt/lists/x": MB}, "apt's package lists", "/var/lib/apt/lists"),
        ({"var/cache/apt/archives/x.deb": MB}, "apt's cache", "/var/cache/apt"),
        ({"opt/conda/pkgs/x": MB, "opt/conda/conda-meta/h": b""}, "conda's package cache", "/opt/conda/pkgs"),
        ({"app/.git/HEAD": b"", "app/.git/objects/x": MB}, "a git repository's history", "/app/.git"),
        ({"app/model.safetensors": MB}, "model weights in the image", "/app/model.safetensors"),
        ({"app/pytorch_model-1.bin": MB}, "model weights in the image", "/app/pytorch_model-1.bin"),
    ],
)
def test_what_need_not_be_there(files: dict[str, Content], title: str, path: str) -> None:
    assert found(files) == [(title, path, 1 << 20)]


@pytest.mark.parametrize(
    "files",
    [
        {"root/.cache/pip/x": b"small"},
        {"srv/pkgs/x": MB},
        {"app/.git/x": MB},
        {"usr/lib/apt/x": MB},
        {"app/data.bin": MB},
        {"usr/local/cuda/lib64/libcublas.so.12": MB},
    ],
    ids=["small", "pkgs of no conda", "no repository", "apt itself", "some data", "CUDA once"],
)
def test_what_is_not_certain_is_not_told(files: dict[str, Content]) -> None:
    assert found(files) == []


def test_what_was_removed_again_is_waste_and_no_hint() -> None:
    assert found({"root/.cache/pip/x": MB}, {"root/.cache/.wh.pip": b""}) == []


def test_the_same_cuda_library_from_packages_and_from_wheels() -> None:
    files: dict[str, Content] = {
        "usr/local/cuda/lib64/libcublas.so.12.4.5": MB + b"x",
        "opt/venv/site-packages/nvidia/cublas/lib/libcublas.so.12": MB,
    }
    (hint,) = found(files)
    assert hint == ("libcublas.so in 2 folders", "/opt/venv/site-packages/nvidia/cublas/lib/libcublas.so.12", 1 << 20)


def test_a_chown_in_a_layer_of_its_own_holds_the_files_again() -> None:
    assert found({"app/x": MB}, {"app/x": MB}) == [("layer 2 holds files again that are the same below", "/", 1 << 20)]
    assert found({"app/x": MB}, {"app/x": MB[1:] + b"x"}) == []
