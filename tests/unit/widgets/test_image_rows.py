"""Rows of images: what each cell says, which a filter lets through, in which order. Text from outside is inert."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backends.model.events import OperationUpdate, Phase
from backends.model.ids import ContainerKey, EngineId, EngineKind, ImageKey
from backends.model.image import Image
from backends.model.image_sharing import ImageShare, SharedLayer
from backends.model.values import Count, Missing
from widgets.container_sort import Sort
from widgets.image_rows import (
    SORTABLE,
    holders_text,
    image_columns,
    image_rows,
    in_order,
    layer_rows,
    layers_title,
    let_through,
)
from widgets.line import plain

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DOCKER, PODMAN = EngineId(EngineKind.DOCKER, "docker"), EngineId(EngineKind.PODMAN, "podman")
BADGES = {DOCKER: "DKR", PODMAN: "PDM"}
MIB = 2**20


def image(
    number: int,
    *tags: str,
    engine: EngineId = DOCKER,
    size: int = MIB,
    own: Count = 0,
    age_days: int = 1,
    containers: tuple[str, ...] = (),
) -> ImageShare:
    """An image of one layer."""
    seen = Image(ImageKey(engine, f"{number:x}" * 64), tags, size, NOW - timedelta(days=age_days))
    layer = SharedLayer("sha256:" + "1" * 64, "RUN make", size, own == size, (seen.key,))
    return ImageShare(seen, (layer,), size, own, 0, containers)


WEB = image(1, "docker.io/library/web:1", size=3 * MIB, own=MIB, containers=("front", "back"), age_days=9)
DB = image(
    2, "docker.io/team/db:2", "localhost/db:dev", engine=PODMAN, size=9 * MIB, own=Missing("garbled"), age_days=2
)
LONE = image(3, size=5 * MIB, own=5 * MIB, age_days=5)
ALL = (WEB, DB, LONE)


def cells(share: ImageShare, doing: OperationUpdate | None = None) -> list[str]:
    """What the row of an image says."""
    (row,) = image_rows([share], BADGES, NOW, {} if doing is None else {share.image.key: doing})
    return [plain(cell).strip() for cell in row.cells]


def test_a_row_has_a_cell_for_each_column() -> None:
    assert len(cells(WEB)) == len(image_columns(4))
    assert cells(WEB) == ["DKR", "web:1", "3.0 MiB", "1.0 MiB", "front, back", "1w", "1" * 12]
    assert cells(DB)[1:4] == ["team/db:2, db:dev", "9.0 MiB", "–"]
    assert cells(LONE)[1] == f"(no name) {'3' * 12}"


def test_what_is_done_to_an_image_stands_in_its_row() -> None:
    update = OperationUpdate(1, "image.copy", ContainerKey(DOCKER, "x"), "web", Phase.PROGRESS)
    assert cells(WEB, update)[4] == "copy …"
    half = OperationUpdate(
        1, "image.copy", ContainerKey(DOCKER, "x"), "web", Phase.PROGRESS, done_bytes=MIB, total_bytes=2 * MIB
    )
    assert cells(WEB, half)[4] == "copy 50% of 2.0 MiB"


@pytest.mark.parametrize(
    ("text", "fitting"),
    [
        ("", ALL),
        ("web", (WEB,)),
        ("podman", (DB,)),
        ("BACK", (WEB,)),
        ("is:unused", (DB, LONE)),
        ("is:nameless", (LONE,)),
        ("-web", (DB, LONE)),
        ("is:unused -is:nameless", (DB,)),
        ("3333", (LONE,)),
        ("333", ()),
        ("-", ALL),
        ("nothing", ()),
    ],
)
def test_the_filter(text: str, fitting: tuple[ImageShare, ...]) -> None:
    assert let_through(text, ALL) == list(fitting)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (Sort("name"), (DB, WEB, LONE)),
        (Sort("size", descending=True), (DB, LONE, WEB)),
        (Sort("own", descending=True), (LONE, WEB, DB)),
        (Sort("own"), (WEB, LONE, DB)),
        (Sort("used", descending=True), (WEB, DB, LONE)),
        (Sort("age"), (DB, LONE, WEB)),
        (Sort("engine"), (WEB, LONE, DB)),
    ],
)
def test_the_order(sort: Sort, order: tuple[ImageShare, ...]) -> None:
    assert in_order(ALL, sort) == list(order)


def test_every_column_that_is_offered_sorts() -> None:
    assert set(SORTABLE) <= {column.key for column in image_columns(4) if column.sortable}
    assert Sort("name").toggled("size") == Sort("size", descending=True)
    assert Sort("size", descending=True).toggled("size") == Sort("size", descending=False)
    assert Sort("engine").next(SORTABLE) == Sort("name") == Sort("age").next(SORTABLE)
    assert Sort("name").next(SORTABLE) == Sort("size", descending=True)


def test_who_has_a_layer_too() -> None:
    here, beside, there = WEB.image.key, LONE.image.key, DB.image.key

    def text(own: bool, *holders: ImageKey) -> str:
        return holders_text(here, SharedLayer("d", "RUN", 1, own, holders), BADGES)

    assert text(True, here) == "own"
    assert text(True, here, there) == "own, 1 PDM"
    assert text(False, here, beside, there) == "1 here, 1 PDM"


def test_the_title_says_what_a_copy_moves() -> None:
    share = ImageShare(WEB.image, WEB.layers, 3 * MIB, MIB, 0, (), DB.image.key, DB.name, {PODMAN: MIB})
    assert layers_title(share) == "web:1 · 3.0 MiB in 1 layer · on team/db:2 · podman: copy moves 1.0 MiB"


def test_hostile_text_is_data() -> None:
    evil = "\x1b[31mred\n[b]bold[/b]"
    layer = SharedLayer("d", evil, 1, True, ())
    share = ImageShare(Image(WEB.image.key, (evil,), 1, None), (layer,), 1, 1, 0, (evil,))
    shown = [*cells(share), *(plain(cell) for row in layer_rows(share, {}) for cell in row.cells), layers_title(share)]
    assert not any("\x1b" in text or "\n" in text for text in shown)
    assert any("[b]bold[/b]" in text for text in shown)
