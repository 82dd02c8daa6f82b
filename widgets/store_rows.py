"""Volumes and networks as rows of a table, and as facts: pure. Knows no terminal and no engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from backends.model.events import OperationUpdate
from backends.model.ids import EngineId
from backends.model.secrets import masked_option, masked_value
from backends.model.stores import NetworkRow, StoreKey, VolumeRow
from backends.model.values import Missing
from widgets.container_sort import Sort
from widgets.engine_badge import badge_tone
from widgets.format import MISSING, age_text, bytes_text, missing_reason, value_cell
from widgets.line import Line, Tone, line
from widgets.table_layout import Column
from widgets.table_rows import Row
from widgets.text import inert

AnyRow = VolumeRow | NetworkRow
R = TypeVar("R", bound=AnyRow)

FIRST_SORT = Sort("name")
SORTABLE = ("name", "size", "used", "age")

_VOLUME_COLUMNS = (
    Column("name", "VOLUME", 20, flex=5, most=68, cut="middle", fixed=True),
    Column("size", "SIZE", 8, align="right"),
    Column("used", "USED BY", 16, flex=4, most=60, priority=1),
    Column("driver", "DRIVER", 8, priority=3, sortable=False),
    Column("age", "AGE", 4, align="right", priority=2),
)
_NETWORK_COLUMNS = (
    Column("name", "NETWORK", 20, flex=4, most=48, cut="middle", fixed=True),
    Column("driver", "DRIVER", 8, priority=2, sortable=False),
    Column("ranges", "ADDRESSES", 18, flex=3, most=44, sortable=False),
    Column("used", "USED BY", 12, flex=4, most=60, priority=1),
    Column("age", "AGE", 4, align="right", priority=3),
)


def volume_columns(badge_width: int) -> tuple[Column, ...]:
    """The columns of volumes. badge_width: cells of the longest badge of an engine."""
    return (Column("engine", "ENG", max(4, badge_width), fixed=True), *_VOLUME_COLUMNS)


def network_columns(badge_width: int) -> tuple[Column, ...]:
    """The columns of networks."""
    return (Column("engine", "ENG", max(4, badge_width), fixed=True), *_NETWORK_COLUMNS)


def _value(row: AnyRow, column: str) -> float | None:
    if column == "size":
        size = row.size_bytes if isinstance(row, VolumeRow) else None
        return None if size is None or isinstance(size, Missing) else float(size)
    if column == "used":
        return float(len(row.users))
    return -row.created_at.timestamp() if row.created_at is not None else None


def in_order(rows: Iterable[R], sort: Sort) -> list[R]:
    """Sorted; equal ones as they came, those without a value last either way."""
    listed = list(rows)
    if sort.column == "engine":
        return sorted(listed, key=lambda row: row.key.engine.name, reverse=sort.descending)
    if sort.column == "name":
        return list(reversed(listed)) if sort.descending else listed
    known = [row for row in listed if _value(row, sort.column) is not None]
    known.sort(key=lambda row: _value(row, sort.column) or 0.0, reverse=sort.descending)
    return known + [row for row in listed if _value(row, sort.column) is None]


def let_through(text: str, rows: Iterable[R]) -> list[R]:
    """Those that every word fits: part of a name, engine, driver or container, or is:unused; "-word" is not to fit."""
    words = [(word.removeprefix("-"), word.startswith("-")) for word in text.lower().split() if word != "-"]
    return [row for row in rows if all(_fits(word, row) is not negated for word, negated in words)]


def _fits(word: str, row: AnyRow) -> bool:
    if word == "is:unused":
        return row.removable
    return any(word in text.lower() for text in (row.key.name, row.key.engine.name, _driver(row), *row.users))


def _driver(row: AnyRow) -> str:
    return row.volume.driver if isinstance(row, VolumeRow) else row.network.spec.driver


def rows_of(
    rows: Sequence[AnyRow],
    badges: Mapping[EngineId, str],
    now: datetime,
    doing: Mapping[StoreKey, OperationUpdate],
) -> list[Row]:
    """A row for each; keys are StoreKeys. doing: what is done to which just now."""
    return [Row(row.key, _cells(row, badges, now, doing.get(row.key))) for row in rows]


def _cells(
    row: AnyRow, badges: Mapping[EngineId, str], now: datetime, doing: OperationUpdate | None
) -> tuple[Line, ...]:
    engine = row.key.engine
    badge = line((badges.get(engine) or inert(engine.name), badge_tone(engine)))
    verb = f"{doing.action.rpartition('.')[2]} …" if doing is not None else ""
    used = line((verb, Tone.INFO)) if verb else value_cell(inert(", ".join(row.users)) or MISSING, tone=Tone.DIM)
    age = value_cell(age_text(row.created_at, now), tone=Tone.DIM)
    driver = value_cell(inert(_driver(row)), tone=Tone.DIM)
    if isinstance(row, VolumeRow):
        name = _name(row, row.volume.why, plain=not row.volume.anonymous)
        return badge, name, value_cell(bytes_text(row.size_bytes)), used, driver, age
    ranges = inert(", ".join(one.subnet for one in row.network.spec.subnets)) or MISSING
    name = _name(row, row.network.why, plain=not row.network.default)
    return badge, name, driver, value_cell(ranges), used, age


def _name(row: AnyRow, why: str, *, plain: bool) -> Line:
    name = (inert(row.key.name), Tone.PLAIN if plain else Tone.DIM)
    return line(("? ", Tone.WARN), name) if why else line(name)


# -- facts ---------------------------------------------------------------------------------------
def volume_facts(row: VolumeRow, now: datetime) -> list[tuple[str, str]]:
    """All that is known of a volume, by title; inert."""
    why = missing_reason(row.size_bytes)
    volume = row.volume
    facts = [
        ("Engine", row.key.engine.name),
        ("Name", row.key.name + (" (nobody named it)" if volume.anonymous else "")),
        ("Size", why or bytes_text(row.size_bytes)),
        ("Used by", ", ".join(row.users) or "nobody"),
        ("Driver", volume.driver),
        *([("Why", volume.why)] if volume.why else []),
        ("Created", _when(row.created_at, now)),
        ("On host", volume.mountpoint or MISSING),
        *(("Label", f"{name}={masked_value(name, value)}") for name, value in sorted(volume.labels.items())),
        *(("Option", f"{name}={masked_option(name, value)}") for name, value in sorted(volume.driver_options.items())),
    ]
    return [(title, inert(text)) for title, text in facts]


def network_facts(row: NetworkRow, now: datetime) -> list[tuple[str, str]]:
    """All that is known of a network, by title; inert."""
    spec = row.network.spec
    yes_no = {True: "yes", False: "no"}
    facts = [
        ("Engine", row.key.engine.name),
        ("Name", row.key.name + (" (the engine's own)" if row.network.default else "")),
        ("Used by", ", ".join(row.users) or "nobody"),
        *([("Why", row.network.why)] if row.network.why else []),
        ("Driver", spec.driver),
        *(("Addresses", _range(one.subnet, one.gateway, one.ip_range)) for one in spec.subnets),
        ("Way out", yes_no[not spec.internal]),
        ("DNS names", yes_no[spec.dns]),
        ("IPv6", yes_no[spec.ipv6]),
        ("Created", _when(row.created_at, now)),
        ("Id", row.network.id),
        *(("Label", f"{name}={masked_value(name, value)}") for name, value in sorted(spec.labels.items())),
        *(("Option", f"{name}={masked_option(name, value)}") for name, value in sorted(spec.options.items())),
    ]
    return [(title, inert(text)) for title, text in facts]


def _range(subnet: str, gateway: str, ip_range: str) -> str:
    return subnet + (f", gateway {gateway}" if gateway else "") + (f", given out of {ip_range}" if ip_range else "")


def _when(at: datetime | None, now: datetime) -> str:
    return MISSING if at is None else f"{at:%Y-%m-%d %H:%M} UTC, {age_text(at, now)} ago"


__all__ = [
    "FIRST_SORT",
    "SORTABLE",
    "AnyRow",
    "in_order",
    "let_through",
    "network_columns",
    "network_facts",
    "rows_of",
    "volume_columns",
    "volume_facts",
]
