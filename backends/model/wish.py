"""Which GPUs a person wants for a container, and the short text that says it on a command line.

Pure: reads and writes the text; knows no engine and no device, so it cannot say whether a wish can be met.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from backends.model.workload import MOST_GPUS

FORMS = "all, none, keep, a number, or devices: 0,1  device=0  0:1  GPU-…  MIG-…  nvidia.com/gpu=0"
"""What `read_wish` takes, for help texts and errors."""

_INDEX = re.compile(r"[0-9]{1,4}")
_DEVICE = re.compile(
    r"[0-9]{1,4}(?::[0-9]{1,4})?"  # a device, or a MIG instance of one
    r"|(?:GPU|MIG)-[0-9A-Za-z][0-9A-Za-z/-]{0,119}"
    # Source: the CDI specification, SPEC.md: vendor and class begin with a letter, a name with a letter or digit.
    r"|[A-Za-z][A-Za-z0-9._-]{0,63}/[A-Za-z][A-Za-z0-9_-]{0,63}=[A-Za-z0-9][A-Za-z0-9_.:-]{0,119}"
)
_ALONE = "device="
"""Before a single index, which would be read as a number of GPUs. Source: `docker run --gpus device=1`."""


class WishKind(StrEnum):
    """What is wanted."""

    KEEP = "keep"  # as it is: nothing is asked for anew
    ALL = "all"
    FIRST = "first"  # the first n
    DEVICES = "devices"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class GpuWish:
    """The GPUs that are wanted. count: for FIRST. devices: for DEVICES, in the order in which they were named.

    A device is an index ("0"), a MIG instance by indexes ("0:1"), a UUID ("GPU-…", "MIG-…") or a CDI name
    ("nvidia.com/gpu=0").
    """

    kind: WishKind = WishKind.KEEP
    count: int = 0
    devices: tuple[str, ...] = ()

    @property
    def keeps(self) -> bool:
        """Nothing is asked for anew."""
        return self.kind is WishKind.KEEP


KEEP = GpuWish()
ALL = GpuWish(WishKind.ALL)
NONE = GpuWish(WishKind.NONE)


def first(count: int) -> GpuWish:
    """The first so many."""
    return GpuWish(WishKind.FIRST, count)


def these(devices: Iterable[str]) -> GpuWish:
    """These devices; none at all where there are none."""
    named = tuple(devices)
    return GpuWish(WishKind.DEVICES, devices=named) if named else NONE


def read_wish(text: str) -> GpuWish:
    """The wish of a text as `wish_text` writes it. Raises ValueError, with a sentence, where it is none."""
    said = text.strip().strip("\"'")
    word = said.lower()
    if word in {WishKind.KEEP, WishKind.ALL, WishKind.NONE}:
        return GpuWish(WishKind(word))
    if said.isascii() and said.isdecimal():
        return _number(said)
    devices = tuple(part.strip() for part in said.removeprefix(_ALONE).split(","))
    for device in devices:
        if not _DEVICE.fullmatch(device):
            named = repr(device[:80]) if device else "an empty name"
            raise ValueError(f"{named} is no GPU; say {FORMS}")
    names = [_plain(device) for device in devices]
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise ValueError(f"{twice} is named twice")
    return GpuWish(WishKind.DEVICES, devices=tuple(names))


def _number(digits: str) -> GpuWish:
    count = int(digits[:9])
    if count == 0:
        raise ValueError("0 is no number of GPUs; say none for no GPU, device=0 for the first one")
    if count > MOST_GPUS:
        raise ValueError(f"{digits[:9]} is more GPUs than any machine has ({MOST_GPUS} are counted)")
    return first(count)


def _plain(device: str) -> str:
    """Indexes without leading zeros: "00" is device 0."""
    parts = device.split(":")
    return ":".join(str(int(part)) for part in parts) if all(map(_INDEX.fullmatch, parts)) else device


def wish_text(wish: GpuWish) -> str:
    """The text that `read_wish` reads as this wish."""
    if wish.kind is WishKind.FIRST:
        return str(wish.count)
    if wish.kind is not WishKind.DEVICES:
        return wish.kind.value
    text = ",".join(wish.devices)
    return f"{_ALONE}{text}" if _INDEX.fullmatch(text) else text


def wish_words(wish: GpuWish) -> str:
    """The wish for people: "as they are", "all", "the first 2", "0, 1"."""
    if wish.kind is WishKind.KEEP:
        return "as they are"
    if wish.kind is WishKind.FIRST:
        return f"the first {wish.count}" if wish.count > 1 else "the first one"
    return ", ".join(wish.devices) if wish.kind is WishKind.DEVICES else wish.kind.value
