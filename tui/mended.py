"""What is mended here of Textual, until it is there. Adds nothing of ours."""

from __future__ import annotations

from functools import lru_cache

from textual._styles_cache import StylesCache
from textual.app import App
from textual.notifications import Notifications
from textual.widgets._toast import Toast, ToastHolder, ToastRack

_show = ToastRack.show


class MendedApp(App[None]):
    """An app that lets go of what was drawn on a screen once that screen is gone, and of a toast with all its parts."""

    def __init__(self) -> None:
        super().__init__()
        # It caches by colours, and takes `cls`, but is no class method (textual 8.2): each of its 1024 results holds
        # the lines of a widget long after that is gone. 100,000 objects, 15 MB, a few minutes after the start.
        by_colours = lru_cache(1024)(StylesCache.get_inner_outer.__wrapped__)
        StylesCache.get_inner_outer = classmethod(by_colours)  # type: ignore[method-assign, assignment, arg-type]
        ToastRack.show = _shown  # type: ignore[method-assign, assignment]


def _shown(rack: ToastRack, notifications: Notifications) -> None:
    """Textual (8.2) removes a toast that has to go before its time, and leaves what held it, with a task, for ever."""
    for toast in rack.query(Toast):
        if toast._notification not in notifications and isinstance(toast.parent, ToastHolder):
            toast.parent.remove()
    _show(rack, notifications)


__all__ = ["MendedApp"]
