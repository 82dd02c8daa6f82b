"""The texts of amdgpu's files, one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.gpu import amd_files as files
from backends.model.values import Missing
from tests.unit.gpu.amd_tree import FDINFO, metrics


@pytest.mark.parametrize(
    ("text", "now", "most"),
    [
        ("0: 500Mhz\n1: 1200Mhz *\n2: 1700Mhz\n", 1200, 1700),
        ("S: 19Mhz *\n0: 615Mhz\n1: 2500MHz\n", 19, 2500),  # asleep between two frames (RX 7000)
        ("0: 500Mhz\n", files.NOT_TOLD, 500),
        ("", files.NOT_TOLD, files.NOT_TOLD),
    ],
)
def test_clock_levels(text: str, now: int | Missing, most: int | Missing) -> None:
    assert files.levels(text) == (now, most)


@pytest.mark.parametrize(
    ("bits", "why"),
    [
        (0, ()),
        (1 << 5, ("power limit",)),
        (1 << 16 | 1 << 23, ("current limit",)),
        (1 << 36 | 1 << 1, ("power limit", "too hot")),
        (1 << 57, ("limit of the firmware",)),
        (2**64 - 1, files.NOT_TOLD),
    ],
)
def test_why_it_is_slowed_down(bits: int, why: tuple[str, ...] | Missing) -> None:
    assert files.throttled(metrics(bits)) == why


def test_other_versions_of_the_metrics_tell_no_reason() -> None:
    assert files.throttled(metrics(1, content=4)) == files.NOT_TOLD
    assert files.throttled(metrics(1)[:60]) == files.NOT_TOLD


@pytest.mark.parametrize(
    ("text", "bytes_s"),
    [
        ("1000 2000 256\n", (256_000.0, 512_000.0)),
        ("1000 2000", (files.NOT_TOLD, files.NOT_TOLD)),
        ("a b c", (files.NOT_TOLD, files.NOT_TOLD)),
    ],
)
def test_packets_over_the_link(text: str, bytes_s: tuple[object, object]) -> None:
    assert files.link_bytes(text) == bytes_s


@pytest.mark.parametrize(
    ("line", "vram"),
    [
        ("drm-memory-vram:\t2048 KiB", 2 << 20),
        ("drm-resident-vram:\t3 MiB\ndrm-memory-vram:\t9 MiB", 3 << 20),
        ("drm-total-vram:\t4096", 4096),
        ("drm-memory-vram:\tmany KiB", Missing("this kernel does not tell a process's memory")),
        ("drm-memory-gtt:\t1 KiB", Missing("this kernel does not tell a process's memory")),
    ],
)
def test_memory_of_a_client_in_all_the_kernels_spellings(line: str, vram: int | Missing) -> None:
    client = files.drm_client(f"drm-driver:\tamdgpu\ndrm-client-id:\t7\n{line}\n")
    assert client is not None
    assert client.vram_bytes == vram


def test_a_whole_fdinfo() -> None:
    client = files.drm_client(FDINFO.format(client=42, pci="0000:03:00.0", kib=8, gfx=5, compute=6))
    assert client is not None
    assert (client.driver, client.pci, client.client_id, client.vram_bytes) == ("amdgpu", "0000:03:00.0", "42", 8192)
    assert client.engine_ns == {"gfx": 5, "compute": 6, "dma": 999_999_999_999}


def test_a_descriptor_that_is_no_gpu() -> None:
    assert files.drm_client("pos:\t0\nflags:\t02\nmnt_id:\t9\n") is None
    assert files.drm_client("drm-driver:\tamdgpu\n") is None


def test_a_number_and_why_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("12\n")
    (tmp_path / "words").write_text("n/a\n")
    assert files.read_number(tmp_path / "good") == 12
    assert files.read_number(tmp_path / "words") == Missing("the driver's answer is no number")
    assert files.read_number(tmp_path / "absent") == files.NOT_TOLD


@given(st.text(), st.binary(max_size=200))
def test_any_answer_is_understood_or_missing(text: str, raw: bytes) -> None:
    files.levels(text)
    files.error_counts(text)
    files.link_bytes(text)
    files.properties(text)
    files.drm_client(text)
    assert files.retired_pages(text) >= 0
    assert isinstance(files.throttled(raw), tuple | Missing)


@given(st.text(alphabet="drm-engiecapty-vo: 0123456789KMiB\t\nAé٣", max_size=300))
def test_any_fdinfo_is_a_client_with_numbers_or_none(text: str) -> None:
    client = files.drm_client(f"drm-driver:\ta\ndrm-client-id:\t1\n{text}")
    assert client is None or all(isinstance(number, int) for number in client.engine_ns.values())
