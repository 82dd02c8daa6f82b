"""What a person may decide about a migration, in one or two lines with the key that turns each. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from backends.model.plan import Choices, ImageWay, LayerChoice, VolumeChoice
from backends.model.wish import wish_words
from widgets.line import Tone
from widgets.move_parts import ports_words, volumes_words
from widgets.palette import palette_of
from widgets.text import inert, width_of

_GAP = "   "


class Option(NamedTuple):
    """One choice as it is shown. action: its id in the registry. asked: it is not what a move does by itself."""

    action: str
    label: str
    value: str
    asked: bool


_LAYER = {LayerChoice.DISCARD: "left", LayerChoice.COMMIT: "in a new image", LayerChoice.CHANGES: "copied"}
_WAY = {
    ImageWay.AUTO: "as fits",
    ImageWay.STORE: "from the store",
    ImageWay.REGISTRY: "by registry",
    ImageWay.ARCHIVE: "archive",
}


def options(
    choices: Choices,
    *,
    has_volumes: bool = True,
    has_ports: bool = True,
    has_gpus: bool = True,
    running: bool = True,
) -> tuple[Option, ...]:
    """The choices that matter for this container. running: the source has processes now."""
    usual = Choices()
    found = [
        Option("migrate.layer", "changed files", _LAYER[choices.layer], choices.layer is not usual.layer),
        Option(
            "migrate.defaults",
            "defaults",
            "the target's" if choices.native_defaults else "as before",
            choices.native_defaults,
        ),
        Option("migrate.way", "image", _WAY[choices.image_way], choices.image_way is not usual.image_way),
    ]
    if has_volumes:
        otherwise = choices.volume is not usual.volume or bool(choices.volumes)
        found.insert(1, Option("migrate.volumes", "volumes", volumes_words(choices), otherwise))
    if has_ports:
        found.insert(-2, Option("migrate.ports", "ports", ports_words(choices), choices.port != usual.port))
    if has_gpus:
        found.insert(-2, Option("migrate.gpus", "GPUs", inert(wish_words(choices.gpus)), not choices.gpus.keeps))
    if running:
        source = "stopped" if choices.stop_source else "runs on"
        found.append(Option("migrate.source", "source", source, not choices.stop_source))
    copied = VolumeChoice.COPY in {choices.volume, *choices.volumes.values()}
    if running and has_volumes and choices.stop_source and copied:
        live = "before the stop too" if choices.live_copy else "after the stop only"
        found.append(Option("migrate.live", "copying", live, not choices.live_copy))
    return tuple(found)


def rows(shown: Sequence[Option], keys: Mapping[str, str], width: int) -> list[list[Option]]:
    """The options in lines of at most width cells."""
    lines: list[list[Option]] = [[]]
    used = 0
    for option in shown:
        cells = width_of(f"{keys[option.action]} {option.label} {option.value}{_GAP}")
        if used and used + cells > width:
            lines.append([])
            used = 0
        lines[-1].append(option)
        used += cells
    return lines


class ChoiceBar(Widget):
    """keys: per action id, the key as it is written."""

    DEFAULT_CSS = "ChoiceBar { height: auto; padding: 0 2; }"

    def __init__(self, keys: Mapping[str, str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys = keys
        self._options: tuple[Option, ...] = ()

    def show_options(self, shown: tuple[Option, ...]) -> None:
        """Show these."""
        if shown != self._options:
            self._options = shown
            self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:  # noqa: ARG002 - Textual's
        """As many lines as the options take."""
        return len(rows(self._options, self._keys, width)) if self._options else 0

    def render(self) -> Text:
        """The lines."""
        palette = palette_of(self)
        text = Text(no_wrap=True, end="")
        for number, row in enumerate(rows(self._options, self._keys, self.size.width)):
            if number:
                text.append("\n")
            for option in row:
                text.append(self._keys[option.action], palette[Tone.INFO] + Style(bold=True))
                text.append(f" {option.label} ", palette[Tone.DIM])
                text.append(option.value, palette[Tone.ACCENT] + Style(bold=True) if option.asked else Style())
                text.append(_GAP)
        return text
