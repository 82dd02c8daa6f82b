"""The choices of a move as options of the command line. Reads them; decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from backends.model.plan import Choices, ImageWay, LayerChoice, PortChoice, VolumeChoice
from backends.model.typed import read_ports
from backends.model.wish import FORMS, GpuWish, WishKind, read_wish

F = TypeVar("F", bound=Callable[..., Any])

gpu_option = click.option(
    "--gpus",
    "gpu_wish",
    default=WishKind.KEEP.value,
    show_default=True,
    metavar="WISH",
    help=f"The copy's GPUs: {FORMS}. Of a project: of its containers that have GPUs.",
)
"""Which GPUs the copy is given; keyword argument `gpu_wish`."""

_OPTIONS = (
    click.option(
        "--layer",
        type=click.Choice([choice.value for choice in LayerChoice]),
        default=LayerChoice.DISCARD.value,
        show_default=True,
        help="Files changed outside volumes: left behind, made into an image, or copied into the copy.",
    ),
    click.option(
        "--volumes",
        type=click.Choice([choice.value for choice in VolumeChoice]),
        default=VolumeChoice.COPY.value,
        show_default=True,
        help="All volumes: copied, the source's own mounted (same host), or empty ones.",
    ),
    click.option(
        "--volume",
        "single",
        multiple=True,
        metavar="NAME=CHOICE",
        help="One volume otherwise: copy, share or skip. May be given again.",
    ),
    click.option("--random-ports", is_flag=True, help="The engine chooses the host's ports."),
    click.option(
        "--port",
        "port_pairs",
        multiple=True,
        metavar="OLD:NEW",
        help="Another host port, 0 for any free one. May be given again.",
    ),
    click.option("--keep-running", is_flag=True, help="Do not stop the source; volumes are copied as it writes them."),
    click.option(
        "--live-copy",
        type=click.Choice(["on", "off"]),
        default="on",
        show_default=True,
        help="Copy volumes before the stop, and after it only what has changed.",
    ),
    click.option("--native-defaults", is_flag=True, help="Where the engines' defaults differ, take the target's."),
    click.option(
        "--image-way",
        type=click.Choice([way.value for way in ImageWay]),
        default=ImageWay.AUTO.value,
        show_default=True,
        help="The whole image in one stream; or only missing layers, by a registry on 127.0.0.1 or from the store.",
    ),
    gpu_option,
)


def choice_options(command: F) -> F:
    """All options of this module; they come as keyword arguments for `read`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _single(pairs: Iterable[str]) -> dict[str, VolumeChoice]:
    found: dict[str, VolumeChoice] = {}
    for pair in pairs:
        name, _, choice = pair.rpartition("=")
        if not name or choice not in list(VolumeChoice):
            raise click.UsageError(f"--volume {pair!r} is not NAME=copy, NAME=share or NAME=skip")
        found[name] = VolumeChoice(choice)
    return found


def _ports(pairs: Iterable[str]) -> dict[int, int]:
    try:
        return read_ports(pairs)
    except ValueError as error:
        raise click.UsageError(f"--port: {error}") from error


def _gpus(text: str) -> GpuWish:
    try:
        return read_wish(text)
    except ValueError as error:
        raise click.UsageError(f"--gpus: {error}") from error


def read(name: str | None, options: dict[str, Any]) -> Choices:
    """The choices. options: what click gave for this module's options. Raises click.UsageError where they are wrong."""
    port_map = _ports(options["port_pairs"])
    if port_map and options["random_ports"]:
        raise click.UsageError("--port and --random-ports exclude each other")
    port = PortChoice.REMAP if port_map else PortChoice.RANDOM if options["random_ports"] else PortChoice.SAME
    return Choices(
        name=name,
        layer=LayerChoice(options["layer"]),
        volume=VolumeChoice(options["volumes"]),
        volumes=_single(options["single"]),
        port=port,
        port_map=port_map,
        stop_source=not options["keep_running"],
        live_copy=options["live_copy"] == "on",
        native_defaults=options["native_defaults"],
        image_way=ImageWay(options["image_way"]),
        gpus=_gpus(options["gpu_wish"]),
    )
