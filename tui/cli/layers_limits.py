"""Thresholds of `tranship layers` for CI: read from words, held against what was found. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import click

from backends.model.image_files import WasteReport
from widgets.format import bytes_text

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Bytes: "500", "20MB" (10^6), "1GiB" (2^30). Raises click.BadParameter for what is none."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or (found[3] and not found[2]):
        raise click.BadParameter(f"{text!r} is no size, as 500, 20MB or 1GiB are")
    power = " kmgt".index(found[2].lower() or " ")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** power)


def parse_share(text: str) -> float:
    """A part of the whole, 0.0 to 1.0: "0.95", "95%". Raises click.BadParameter for what is none."""
    number = text.strip()
    try:
        share = float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise click.BadParameter(f"{text!r} is no part of a whole, as 0.95 or 95% are")
    return share


@dataclass(frozen=True, slots=True)
class Limits:
    """What must hold; None = nothing is asked."""

    min_efficiency: float | None = None
    max_wasted_bytes: int | None = None
    max_wasted_share: float | None = None

    @property
    def any(self) -> bool:
        """Whether anything is asked."""
        return (self.min_efficiency, self.max_wasted_bytes, self.max_wasted_share) != (None, None, None)


def broken(limits: Limits, waste: WasteReport) -> tuple[str, ...]:
    """A sentence for each threshold that is not kept."""
    found = []
    if limits.min_efficiency is not None and waste.efficiency < limits.min_efficiency:
        found.append(f"efficiency is {waste.efficiency:.4f}, below {limits.min_efficiency:g}")
    if limits.max_wasted_bytes is not None and waste.wasted_bytes > limits.max_wasted_bytes:
        found.append(f"{bytes_text(waste.wasted_bytes)} are wasted, more than {bytes_text(limits.max_wasted_bytes)}")
    if limits.max_wasted_share is not None and waste.wasted_share > limits.max_wasted_share:
        found.append(f"{waste.wasted_share:.2%} of the image is wasted, more than {limits.max_wasted_share:.2%}")
    return tuple(found)


__all__ = ["Limits", "broken", "parse_share", "parse_size"]
