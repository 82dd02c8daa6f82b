"""The rows of the GPU picker: what stands in them, and that they fit."""

from __future__ import annotations

import pytest

from backends.model.gpu import GpuDevice, GpuProcess, GpuReading, GpuSnapshot, MigInstance, MigReading
from backends.model.values import Missing
from backends.model.wish import ALL, KEEP, GpuWish, first, read_wish, these
from widgets.gpu_offer import GpuOffer, PickRow, pick_rows
from widgets.line import plain
from widgets.text import line_width

GIB = 1 << 30
MIG = (MigInstance(0, "MIG-a", "1g.10gb", memory_total_bytes=10 * GIB), MigInstance(1, "MIG-b", "2g.20gb"))
REFUSED = Missing("Not Supported")


def reading(
    index: int, vendor: str = "NVIDIA", *processes: GpuProcess, mig: tuple[MigInstance, ...] = ()
) -> GpuReading:
    """A device of 80 GiB, 20 of them taken."""
    total = 80 * GIB
    device = GpuDevice(index, f"GPU-{vendor}{index}", f"{vendor} H100", vendor, memory_total_bytes=total, mig=mig)
    return GpuReading(
        device, 0.0, gpu_percent=42.0, memory_used_bytes=20 * GIB, processes=processes,
        mig=(MigReading("MIG-a", 3 * GIB),),
    )  # fmt: skip


def process(pid: int, container: str = "", gib: int = 1, mig: str = "", name: str = "") -> GpuProcess:
    """A process that holds memory."""
    return GpuProcess(pid, "GPU-NVIDIA0", gib * GIB, 0.0, container, mig, name)


def rows(offer: GpuOffer, chosen: GpuWish = KEEP, width: int = 67) -> dict[str, PickRow]:
    """The rows by their keys."""
    return {row.key: row for row in pick_rows(offer, chosen, 2, width)}


def test_wishes_come_first_and_what_is_chosen_is_marked_by_a_shape() -> None:
    found = rows(GpuOffer("nvidia.com/gpu=0", GpuSnapshot((reading(0), reading(1)))), first(2))
    assert list(found) == ["keep", "all", "first", "none", "devices", "0", "1"]
    assert plain(found["keep"].text) == "( ) As they are nvidia.com/gpu=0"
    assert plain(found["first"].text).startswith("(•) The first   [ 2 ]  of 2")
    assert (found["all"].wish, found["first"].wish) == (ALL, first(2))
    assert found["devices"].idle
    assert found["1"].device == "1"


def test_nothing_is_kept_where_nothing_stands_yet() -> None:
    assert "keep" not in rows(GpuOffer(None))


def test_a_device_tells_its_room_its_use_and_who_holds_it() -> None:
    held = (process(1, "c" * 64, 5), process(2, "d" * 64, 9), process(3, name="Xorg"), process(4, "e" * 64), process(5))
    offer = GpuOffer("", GpuSnapshot((reading(0, "NVIDIA", *held),)), holders={"c" * 64: "web", "d" * 64: "train"})
    text = plain(rows(offer, these(["0"]), 140)["0"].text)
    assert text.startswith("[x] 0     H100")
    assert "60 GiB of 80 GiB   42%  train, web, Xorg, eeeeeeeeeeee, pid 5" in text
    assert plain(rows(GpuOffer("", GpuSnapshot((reading(0),))))["0"].text).endswith("nobody")


def test_instances_stand_below_their_device_with_holders_of_their_own() -> None:
    held = (process(1, "c" * 64, mig="MIG-b"), process(2, name="Xorg"))
    offer = GpuOffer("", GpuSnapshot((reading(0, "NVIDIA", *held, mig=MIG),)), holders={"c" * 64: "web"})
    found = rows(offer, these(["0:1"]))
    assert [key for key in found if key.startswith("0")] == ["0", "0:0", "0:1"]
    assert "└ 1g.10gb" in plain(found["0:0"].text)
    assert "7.0 GiB of 10 GiB" in plain(found["0:0"].text)
    assert plain(found["0:1"].text).startswith("[x] 0:1")
    assert plain(found["0:1"].text).endswith("web")
    assert "–" in plain(found["0:1"].text)
    assert plain(found["0"].text).endswith("Xorg")


def test_what_a_driver_refuses_is_a_dash_and_never_zero() -> None:
    device = GpuDevice(0, "GPU-x", "NVIDIA T", "NVIDIA", memory_total_bytes=8 * GIB)
    silent = GpuReading(device, 0.0, REFUSED, REFUSED, REFUSED, processes_refused="no rights")
    text = plain(rows(GpuOffer("", GpuSnapshot((silent,))))["0"].text)
    assert "– of 8.0 GiB" in text
    assert text.endswith("not told")
    assert "0%" not in text


def test_a_device_that_is_lost_says_so_in_its_row() -> None:
    device = GpuDevice(3, "GPU-x", "NVIDIA T", "NVIDIA")
    lost = GpuReading(device, 0.0, condition="the GPU is lost: Xid 79")
    assert "✕ the GPU is lost: Xid 79" in plain(rows(GpuOffer("", GpuSnapshot((lost,))))["3"].text)


def test_devices_of_two_vendors_are_named_so_that_they_can_be_told_apart() -> None:
    both = GpuSnapshot((reading(0), reading(0, "AMD")))
    words = [row.device for row in rows(GpuOffer("", both)).values() if row.device]
    assert len(set(words)) == 2


def test_names_of_another_machine_are_listed_as_they_are() -> None:
    offer = GpuOffer("", names=("nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=all"))
    found = rows(offer, these(["nvidia.com/gpu=1"]))
    assert [row.device for row in found.values() if row.device] == ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]
    assert plain(found["nvidia.com/gpu=1"].text).startswith("[x] nvidia.com/gpu=1")
    assert offer.most == 2


@pytest.mark.parametrize("width", [40, 67, 100, 160])
def test_rows_of_devices_fit_the_width_whatever_their_names_are(width: int) -> None:
    device = GpuDevice(0, "GPU-x", "NVIDIA " + "名" * 90, "NVIDIA", memory_total_bytes=1023 * GIB, mig=MIG)
    held = tuple(process(pid, name="名前\x1b[31m" * 9) for pid in range(9))
    full = GpuReading(device, 0.0, 100.0, 0.0, 0, processes=held)
    lost = GpuReading(device, 0.0, condition="lost " * 60)
    for one in (full, lost):
        for row in pick_rows(GpuOffer("nvidia.com/gpu=0, " * 9, GpuSnapshot((one,))), KEEP, 1, width):
            assert line_width(row.text) <= width
            assert "\x1b" not in plain(row.text)


def test_every_word_of_a_row_is_one_that_the_command_line_reads() -> None:
    offer = GpuOffer("", GpuSnapshot((reading(0, mig=MIG), reading(1))))
    for row in rows(offer).values():
        if row.device:
            assert read_wish(f"device={row.device}") == these([row.device])
