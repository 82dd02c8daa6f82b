"""Compares two images of any two engines: reads what was never read of them, asks for their configuration."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from backends.engine import Engine
from backends.layers.cache import LayerCache
from backends.layers.contents import ImageContents
from backends.layers.pace import Pace, in_slices
from backends.layers.reading import read_image
from backends.model.image import Layer, LayerReport
from backends.model.image_comparison import ComparedImage, ImageComparison, LayerDifference
from backends.model.image_config import config_differences
from backends.model.image_files import Mark, ReadProgress


class Side(NamedTuple):
    """One of two images. reference: id, or name."""

    engine: Engine
    reference: str


async def compare_images(
    first: Side, second: Side, cache: LayerCache, progress: Callable[[ReadProgress], None]
) -> ImageComparison:
    """What the second has differently. Raises as read_image does. progress: of the image that is being read."""
    reports = [await side.engine.image_layers(side.reference) for side in (first, second)]
    configs = [await side.engine.image_config(side.reference) for side in (first, second)]
    contents = [await read_image(side.engine, side.reference, cache, progress) for side in (first, second)]
    tree, files = await in_slices(partial(contents[0].against, contents[1]))
    sides = [
        await in_slices(partial(_compared, report, content)) for report, content in zip(reports, contents, strict=True)
    ]
    return ImageComparison(
        sides[0],
        sides[1],
        tree,
        files,
        layer_differences(sides[0].layers, sides[1].layers),
        config_differences(configs[0], configs[1]),
    )


def _compared(report: LayerReport, contents: ImageContents, pace: Pace) -> ComparedImage:
    seen = contents.tree(pace=pace)
    layers = tuple(layer for layer in report.layers if not layer.empty)
    return ComparedImage(report.key, report.reference, layers, seen.size_bytes, seen.files)


def layer_differences(first: tuple[Layer, ...], second: tuple[Layer, ...]) -> tuple[LayerDifference, ...]:
    """The second's layers, base first, each with whether the first has it; then those of the first only. Pure."""
    here, there = {layer.diff_id for layer in first}, {layer.diff_id for layer in second}
    found = [LayerDifference(layer, Mark.SAME if layer.diff_id in here else Mark.ADDED) for layer in second]
    return (*found, *(LayerDifference(layer, Mark.REMOVED) for layer in first if layer.diff_id not in there))


__all__ = ["Side", "compare_images", "layer_differences"]
