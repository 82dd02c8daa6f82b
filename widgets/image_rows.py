"""Images and their layers as rows of tables: pure. Knows no terminal and no engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from backends.model.events import OperationUpdate
from backends.model.ids import EngineId, ImageKey
from backends.model.image_sharing import ImageShare, SharedLayer
from backends.model.values import Count, Missing
from widgets.container_sort import Sort
from widgets.engine_badge import badge_tone
from widgets.format import MISSING, age_text, bytes_text, short_image, value_cell
from widgets.line import Line, Tone, line
from widgets.table_layout import Column
from widgets.table_rows import LazyCells, Row
from widgets.text import inert

NAMELESS = "(no name)"
FIRST_SORT = Sort("name")
SORTABLE = ("name", "size", "own", "used", "age")

_COLUMNS = (
    Column("name", "IMAGE", 28, flex=6, most=70, cut="middle", fixed=True),
    Column("size", "SIZE", 8, align="right"),
    Column("own", "OWN", 8, align="right"),
    Column("used", "USED BY", 10, flex=3, most=50, priority=1),
    Column("age", "AGE", 4, align="right", priority=2),
    Column("id", "ID", 12, priority=3, sortable=False),
)
LAYER_COLUMNS = (
    Column("number", "#", 3, align="right", fixed=True, sortable=False),
    Column("size", "SIZE", 8, align="right", fixed=True, sortable=False),
    Column("with", "ALSO IN", 20, flex=1, most=40, sortable=False),
    Column("command", "MADE BY", 20, flex=6, sortable=False),
)


def image_columns(badge_width: int) -> tuple[Column, ...]:
    """The columns of images. badge_width: cells of the longest badge of an engine."""
    return (Column("engine", "ENG", max(4, badge_width), fixed=True), *_COLUMNS)


def shown_name(share: ImageShare) -> str:
    """What the image is called in a table or a sentence, inert: its tags, else a digest's name, else the id."""
    if share.image.tags:
        return ", ".join(short_image(tag) for tag in share.image.tags)
    return f"{NAMELESS} {share.image.key.short}" if share.dangling else short_image(share.name)


# -- which, and in which order -------------------------------------------------------------------
def _measured(value: Count) -> float | None:
    return None if isinstance(value, Missing) else float(value)


_VALUES: dict[str, Callable[[ImageShare], float | None]] = {
    "size": lambda share: float(share.image.size_bytes),
    "own": lambda share: _measured(share.unique_bytes),
    "used": lambda share: float(len(share.containers)),
    "age": lambda share: -share.image.created_at.timestamp() if share.image.created_at else None,
}


def _by_name(share: ImageShare) -> tuple[bool, str, str, str]:
    return not share.image.tags, shown_name(share).lower(), share.image.key.engine.name, share.image.key.id


def in_order(images: Iterable[ImageShare], sort: Sort) -> list[ImageShare]:
    """Sorted; equal ones by name, those without a value last either way."""
    named = sorted(images, key=_by_name)
    if sort.column == "engine":
        return sorted(named, key=lambda share: share.image.key.engine.name, reverse=sort.descending)
    value = _VALUES.get(sort.column)
    if value is None:
        return list(reversed(named)) if sort.descending else named
    known = [(worth, share) for share in named if (worth := value(share)) is not None]
    unknown = [share for share in named if value(share) is None]
    known.sort(key=lambda pair: pair[0], reverse=sort.descending)
    return [share for _, share in known] + unknown


def let_through(text: str, images: Iterable[ImageShare]) -> list[ImageShare]:
    """Those that every word fits: part of a name, an engine or a container, the beginning of an id, is:unused or
    is:nameless; "-word" is not to fit.
    """
    words = [(word.removeprefix("-"), word.startswith("-")) for word in text.lower().split() if word != "-"]
    return [share for share in images if all(_fits(word, share) is not negated for word, negated in words)]


def _fits(word: str, share: ImageShare) -> bool:
    if word == "is:unused":
        return not share.containers
    if word == "is:nameless":
        return share.dangling
    image = share.image
    texts = (*image.tags, *image.digests, image.key.engine.name, *share.containers)
    return any(word in text.lower() for text in texts) or (len(word) >= 4 and image.key.id.startswith(word))


# -- rows ----------------------------------------------------------------------------------------
class _ImageFacts(NamedTuple):
    share: ImageShare
    badge: str
    age: str
    doing: str


def image_rows(
    images: Sequence[ImageShare],
    badges: Mapping[EngineId, str],
    now: datetime,
    doing: Mapping[ImageKey, OperationUpdate],
) -> list[Row]:
    """A row for each; keys are ImageKeys. doing: what is done to which image just now."""
    return [
        Row(
            share.image.key,
            LazyCells(
                _image_cells,
                _ImageFacts(
                    share,
                    badges.get(share.image.key.engine) or inert(share.image.key.engine.name),
                    age_text(share.image.created_at, now),
                    doing_text(doing.get(share.image.key)),
                ),
            ),
        )
        for share in images
    ]


def doing_text(update: OperationUpdate | None) -> str:
    """ "copy 42% of 1.2 GiB", "" where nothing is done."""
    if update is None:
        return ""
    verb = update.action.rpartition(".")[2]
    if update.done_bytes is None:
        return f"{verb} …"
    if update.total_bytes:
        return f"{verb} {min(99, update.done_bytes * 100 // update.total_bytes)}% of {bytes_text(update.total_bytes)}"
    return f"{verb} {bytes_text(update.done_bytes)}"


def _image_cells(facts: _ImageFacts) -> tuple[Line, ...]:
    share = facts.share
    image = share.image
    used = inert(", ".join(share.containers)) or MISSING
    return (
        line((facts.badge, badge_tone(image.key.engine))),
        line(("? " if image.why else "", Tone.WARN), (shown_name(share), Tone.PLAIN if image.tags else Tone.DIM)),
        value_cell(bytes_text(image.size_bytes)),
        value_cell(bytes_text(share.unique_bytes)),
        line((facts.doing, Tone.INFO)) if facts.doing else value_cell(used, tone=Tone.DIM),
        value_cell(facts.age, tone=Tone.DIM),
        value_cell(image.key.short, tone=Tone.DIM),
    )


def layer_rows(share: ImageShare, badges: Mapping[EngineId, str]) -> list[Row]:
    """The layers of an image, base first; keys are their places."""
    here = share.image.key
    return [
        Row(
            place,
            (
                value_cell(str(place), tone=Tone.DIM),
                value_cell(bytes_text(layer.size_bytes)),
                line((holders_text(here, layer, badges), Tone.DIM)),
                line(inert(layer.command) or MISSING),
            ),
        )
        for place, layer in enumerate(share.layers, start=1)
    ]


def holders_text(here: ImageKey, layer: SharedLayer, badges: Mapping[EngineId, str]) -> str:
    """Who else has the layer: "own", "3 here", "3 here, 4 PDM"."""
    counts: dict[EngineId, int] = {}
    for key in layer.holders:
        if key != here:
            counts[key.engine] = counts.get(key.engine, 0) + 1
    beside = counts.pop(here.engine, 0)
    parts = ["own"] if layer.own else [f"{beside} here"] if beside else []
    parts += [f"{count} {badges.get(engine) or inert(engine.name)}" for engine, count in sorted(counts.items())]
    return ", ".join(parts)


def layers_title(share: ImageShare) -> str:
    """What the layers of an image come to, in one line."""
    count = len(share.layers)
    parts = [inert(share.image.why)] if share.image.why else []
    parts += [f"{shown_name(share)} · {bytes_text(share.total_bytes)} in {count} layer{'' if count == 1 else 's'}"]
    if share.base_name:
        parts.append(f"on {short_image(share.base_name)}")
    for engine, size in sorted(share.travels.items()):
        moves = "is there" if size == 0 else f"copy moves {bytes_text(size)}"
        parts.append(f"{inert(engine.name)}: {moves}")
    return " · ".join(parts)


__all__ = [
    "FIRST_SORT",
    "LAYER_COLUMNS",
    "SORTABLE",
    "doing_text",
    "holders_text",
    "image_columns",
    "image_rows",
    "in_order",
    "layer_rows",
    "layers_title",
    "let_through",
    "shown_name",
]
