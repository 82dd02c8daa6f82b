"""What leads from the images' screen elsewhere: to a build, to a file and back, to a comparison. Does none of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from backends.model.capabilities import Capability
from backends.model.fleet import FleetView
from backends.model.ids import EngineId
from backends.model.image_sharing import ImageList, ImageShare
from tui.here import here
from tui.workers import Reply
from widgets.format import bytes_text
from widgets.image_rows import shown_name
from widgets.text import inert

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from tui.app import TranshipApp
    from tui.screens.base import TranshipScreen
    from widgets.build_dialog import BuildAsked
    from widgets.dialogs import Choice

_UNSAFE = str.maketrans({"/": "-", ":": "_", "@": "_"})


class ImageDoors:
    """Doors of one images' screen. It remembers what was asked the last time."""

    def __init__(self, screen: TranshipScreen) -> None:
        self._screen = screen
        self._built: BuildAsked | None = None
        self._folder = ""

    @property
    def _app(self) -> TranshipApp:
        return self._screen.tranship

    def _engines(self, view: FleetView) -> list[EngineId]:
        found = view.offering(Capability.STORES)
        if not found:
            self._app.refuse("No engine is connected; Ctrl+R tries again.")
        return found

    # -- builds ----------------------------------------------------------------------------------
    def build(self, view: FleetView) -> None:
        """Ask what to build, then show it being built."""
        from tui.screens.build_question import build_question, wish_of
        from widgets.build_dialog import BuildAsked

        engines = self._engines(view)
        if not engines:
            return

        def do(asked: BuildAsked | None) -> None:
            if asked is not None:
                from tui.screens.build import BuildScreen

                self._built = asked
                self._app.push_screen(BuildScreen(engines[asked.engine], wish_of(asked)))

        self._app.push_screen(build_question(engines, self._built or BuildAsked()), do)

    # -- files -----------------------------------------------------------------------------------
    def write(self, share: ImageShare | None) -> None:
        """Ask for a file, then write the image to it."""
        from widgets.dialogs import InputDialog

        if share is None:
            self._app.refuse("No image is selected.")
            return
        name = f"{inert(shown_name(share)).translate(_UNSAFE)}.tar"
        title = f"Write {shown_name(share)} on {share.image.key.engine} to which file?"
        note = f"About {bytes_text(share.image.size_bytes)}, as the engine's own `save` has it."
        value = str(Path(self._folder) / name)

        def do(text: str | None) -> None:
            if text:
                self._flow(f"Writing {shown_name(share)} to {_path(text).name}", partial(self._writing, share, text))

        self._app.push_screen(InputDialog(title, value=value, note=note, validate=_wrong_to_write), do)

    def _writing(self, share: ImageShare, text: str, reply: Reply) -> Worker[None]:
        self._folder = str(_path(text).parent)
        return self._app.commands.image_files.write(share, _path(text), reply)

    def read(self, view: FleetView) -> None:
        """Ask for a file and an engine, then load the file's images."""
        from widgets.dialogs import InputDialog

        engines = self._engines(view)
        if not engines:
            return

        def do(text: str | None) -> None:
            if text:
                self._folder = str(_path(text).parent)
                self._into(_path(text), engines)

        value = self._folder + "/" if self._folder else ""
        note = "A file that `save` wrote; names in it leave the images that have them now."
        dialog = InputDialog(
            "Load images from which file?", value=value, placeholder="image.tar", note=note, validate=_wrong_to_read
        )
        self._app.push_screen(dialog, do)

    def _into(self, path: Path, engines: Sequence[EngineId]) -> None:
        from widgets.dialogs import Choice, ChoiceDialog

        def load(chosen: str | None) -> None:
            for engine in engines:
                if engine.name == chosen:
                    read = partial(self._app.commands.image_files.read, engine, path)
                    self._flow(f"Loading {path.name} into {engine}", read)

        if len(engines) == 1:
            load(engines[0].name)
        else:
            choices = [Choice(engine.name, engine.name) for engine in engines]
            self._app.push_screen(ChoiceDialog(f"Load {path.name} into which engine?", choices), load)

    def _flow(self, title: str, begin: Callable[[Reply], Worker[None]]) -> None:
        from widgets.flow_dialog import FlowDialog

        def said(result: str | None) -> None:
            if result:
                self._app.notify(inert(result), timeout=4, markup=False)

        self._app.push_screen(FlowDialog(title, begin), said)

    # -- comparisons -----------------------------------------------------------------------------
    def compare(self, seen: ImageList | None, marked: Sequence[ImageShare], cursor: ImageShare | None) -> None:
        """Two marked ones; a marked one with the one under the cursor; else ask with which."""
        if seen is None or cursor is None:
            self._app.refuse("No image is selected.")
            return
        if len(marked) > 2:
            self._app.refuse("Mark two images at most: two are compared.")
        elif len(marked) == 2:
            self._show(marked[0], marked[1])
        elif len(marked) == 1 and marked[0].image.key != cursor.image.key:
            self._show(marked[0], cursor)
        else:
            self._ask(seen, cursor)

    def _ask(self, seen: ImageList, first: ImageShare) -> None:
        from widgets.dialogs import ChoiceDialog

        others = candidates(seen, first)
        if not others:
            self._app.refuse("There is no other image.")
            return

        def do(chosen: str | None) -> None:
            if chosen is not None:
                self._show(first, others[int(chosen)])

        title = f"Compare {shown_name(first)} on {first.image.key.engine} with which?"
        self._app.push_screen(ChoiceDialog(title, _choices(others)), do)

    def _show(self, first: ImageShare, second: ImageShare) -> None:
        from tui.screens.compare import CompareScreen

        app: App[None] = self._app
        app.push_screen(CompareScreen((first.image.key, first.name), (second.image.key, second.name)))


def _path(text: str) -> Path:
    return here() / os.path.expanduser(text)


def _wrong_to_write(text: str) -> str:
    path = _path(text)
    if path.exists():
        return f"{path} exists already"
    return "" if path.parent.is_dir() else f"there is no folder {path.parent}"


def _wrong_to_read(text: str) -> str:
    return "" if not text or _path(text).is_file() else f"there is no file {_path(text)}"


def candidates(seen: ImageList, first: ImageShare) -> list[ImageShare]:
    """Others to compare with: the same name elsewhere, other tags of its repository, then all by name."""
    repositories = {_repository(tag) for tag in first.image.tags}

    def order(share: ImageShare) -> tuple[bool, bool, str, str]:
        same = bool(set(share.image.tags) & set(first.image.tags))
        near = bool(repositories & {_repository(tag) for tag in share.image.tags})
        return not same, not near, share.name, share.image.key.engine.name

    return sorted((share for share in seen.images if share.image.key != first.image.key), key=order)


def _repository(tag: str) -> str:
    return tag.rpartition(":")[0] or tag


def _choices(images: Sequence[ImageShare]) -> list[Choice]:
    from widgets.dialogs import Choice

    return [
        Choice(str(at), shown_name(share), f"on {share.image.key.engine}, {bytes_text(share.image.size_bytes)}")
        for at, share in enumerate(images)
    ]


__all__ = ["ImageDoors", "candidates"]
