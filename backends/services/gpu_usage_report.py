"""GPU usage added up by container, image, user or engine. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from backends.model.reference import full_reference
from backends.services.gpu_usage import Spent
from backends.services.gpu_usage_file import Usage

_HOUR_S = 3600.0
_GIB = float(1 << 30)


class By(StrEnum):
    """What usage is added up by."""

    CONTAINER = "container"
    IMAGE = "image"
    USER = "user"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Line:
    """One sum. What it was not added up by is "" (user_id: None).

    begun_at, ended_at: Unix seconds around all hours that it is of. held_hours, busy_hours, memory_gib_hours: the units
    of `gpu_usage`; None where the driver told nothing of it at all. …_unknown_hours: the held hours without it.
    """

    begun_at: int
    ended_at: int
    held_hours: float
    busy_hours: float | None
    busy_unknown_hours: float
    memory_gib_hours: float | None
    memory_unknown_hours: float
    engine: str = ""
    container: str = ""
    name: str = ""
    image: str = ""
    user_id: int | None = None


def report(rows: Iterable[Usage], by: By) -> list[Line]:
    """The sums, the most held first. Names are the last ones known."""
    groups: dict[tuple[object, ...], list[Usage]] = {}
    for row in rows:
        groups.setdefault(_group(row, by), []).append(row)
    return sorted((_line(group, by) for group in groups.values()), key=lambda one: -one.held_hours)


def _group(row: Usage, by: By) -> tuple[object, ...]:
    who = row.spender
    match by:
        case By.CONTAINER:
            return who.engine, who.container
        case By.IMAGE:
            return (_image(row),)
        case By.USER:
            return (who.user_id,)
        case By.ENGINE:
            return (who.engine,)


def _line(group: list[Usage], by: By) -> Line:
    total = sum((row.spent for row in group), Spent())
    last = max(group, key=lambda row: row.hour)
    one = by is By.CONTAINER
    return Line(
        begun_at=min(row.hour for row in group),
        ended_at=last.hour + int(_HOUR_S),
        held_hours=total.held_s / _HOUR_S,
        busy_hours=_known(total.busy_s, total.busy_unknown_s, total.held_s, _HOUR_S),
        busy_unknown_hours=total.busy_unknown_s / _HOUR_S,
        memory_gib_hours=_known(total.memory_byte_s, total.memory_unknown_s, total.held_s, _HOUR_S * _GIB),
        memory_unknown_hours=total.memory_unknown_s / _HOUR_S,
        engine=last.spender.engine if one or by is By.ENGINE else "",
        container=last.spender.container if one else "",
        name=last.name if one else "",
        image=_image(last) if one or by is By.IMAGE else "",
        user_id=last.spender.user_id if by is By.USER else None,
    )


def _image(row: Usage) -> str:
    """The image's full name: engines write one image in several ways. As it was told where that is no name."""
    try:
        return full_reference(row.image)
    except ValueError:
        return row.image


def _known(amount: float, unknown_s: float, held_s: float, unit: float) -> float | None:
    return None if held_s and unknown_s >= held_s * (1 - 1e-9) and not amount else amount / unit
