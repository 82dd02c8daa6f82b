"""What the plan says of the image: how many layers travel, how much that is, and what lies there already."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backends.migration.planned_steps import layers_words
from backends.migration.ways import choose_way
from backends.model.ids import EngineId, ImageKey
from backends.model.image import Image, Layer
from backends.model.plan import ImageAction, ImageMove, ImageWay
from backends.services.image_sharing import StoredImage, Target, analysed
from tests.unit.migration.test_ways import DOCKER, GB, IMAGE, LAYERS, PODMAN, source, target


def move(stored: tuple[tuple[str, ...], ...], wish: ImageWay = ImageWay.AUTO) -> str:
    """What the plan says where the target has these images."""
    way, why, missing = choose_way(source(), target(*stored), wish)
    planned = ImageMove(ImageAction.SHIP, IMAGE, "a:1", way, why, missing_bytes=missing)
    return layers_words(planned, source(), target(*stored))


def test_what_travels_and_what_is_there() -> None:
    assert move((LAYERS[:3],)) == "1 of 4 layers travels, about 238.4 MiB; 3 (715.3 MiB) are there already"
    assert move(()) == "4 of 4 layers travel, about 953.7 MiB"


def test_an_archive_brings_all_whatever_is_there() -> None:
    said = move((LAYERS[:3],), ImageWay.ARCHIVE)
    assert said == "4 of 4 layers travel, about 953.7 MiB; 3 (715.3 MiB) are there already"


@given(st.lists(st.lists(st.sampled_from([*LAYERS, "sha256:x"]), unique=True, max_size=5), max_size=4))
def test_the_images_screen_and_the_plan_count_the_same(stored: list[list[str]]) -> None:
    def image(engine: EngineId, number: int, layers: list[str]) -> StoredImage:
        key = ImageKey(engine, f"{number:064x}")
        told = tuple(Layer("RUN x", diff_id, GB // 4, None) for diff_id in layers)
        return StoredImage(Image(key, (), GB, None), told)

    mine = image(DOCKER, 0, list(LAYERS))
    there = [image(PODMAN, number, layers) for number, layers in enumerate(stored, 1)]
    shares = analysed([mine, *there], [Target(PODMAN)])
    _, _, missing = choose_way(source(), target(*map(tuple, stored)), ImageWay.REGISTRY)
    assert shares[0].travels[PODMAN] == missing
