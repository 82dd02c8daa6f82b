"""What stands between a key of the image screen and what it does: questions, with what an answer costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from backends.model.capabilities import Capability
from backends.model.errors import Refused
from backends.model.fleet import FleetView
from backends.model.ids import EngineId
from backends.model.image_sharing import ImageList, ImageShare
from backends.model.values import Count, Missing
from widgets.format import bytes_text, missing_reason, short_image
from widgets.image_rows import shown_name
from widgets.line import BLANK, Line, Tone, line
from widgets.text import inert

if TYPE_CHECKING:
    from widgets.dialogs import Choice, ChoiceDialog, ConfirmDialog, InputDialog

_NAMED = 8  # images named in a question
NAMELESS, UNUSED = "nameless", "unused"


def stored_words(seen: ImageList) -> list[str]:
    """What the images of each engine take together: "docker 23 GiB"."""
    return [
        f"{inert(engine.name)} {bytes_text(size)}"
        for engine, size in sorted(seen.stored.items())
        if not isinstance(size, Missing)
    ]


def used_words(share: ImageShare) -> str:
    """Why an image is not removed."""
    some = ", ".join(share.containers[:3]) + (", …" if len(share.containers) > 3 else "")
    return f"{shown_name(share)} is used by {inert(some)}: remove the containers first."


def _named(images: Sequence[ImageShare]) -> list[Line]:
    named = [
        line(
            shown_name(share),
            (f" on {inert(share.image.key.engine.name)}  {bytes_text(share.image.size_bytes)}", Tone.DIM),
        )
        for share in images[:_NAMED]
    ]
    return [*named, line((f"and {len(images) - _NAMED} more", Tone.DIM))] if len(images) > _NAMED else named


def _freed(seen: ImageList, images: Sequence[ImageShare]) -> Count:
    from backends.services.image_sharing import freed_bytes

    return freed_bytes(seen.images, frozenset(share.image.key for share in images))


def _freed_words(freed: Count) -> str:
    why = missing_reason(freed)
    return f"How much that frees is not known: {why}." if why else f"That frees {bytes_text(freed)}."


def removal(seen: ImageList, images: Sequence[ImageShare]) -> ConfirmDialog:
    """Whether these are to go."""
    from widgets.dialogs import ConfirmDialog

    one = images[0]
    question = (
        f"Remove {shown_name(one)} on {one.image.key.engine}?" if len(images) == 1 else f"Remove {len(images)} images?"
    )
    freed = line((inert(_freed_words(_freed(seen, images))), Tone.STRONG))
    return ConfirmDialog(question, [*_named(images), BLANK, freed], yes="Remove", no="Keep", destructive=True)


def pruned(seen: ImageList, which: str) -> list[ImageShare]:
    """The images that a pruning takes."""
    from backends.services.images import removable

    return list(removable(seen.images, named=which == UNUSED))


def prunings(seen: ImageList) -> list[Choice]:
    """The prunings that would take something, with what each frees."""
    from widgets.dialogs import Choice

    titles = {NAMELESS: "Those without a name", UNUSED: "All that no container uses"}
    offers = []
    for which, title in titles.items():
        images = pruned(seen, which)
        if images:
            freed = bytes_text(_freed(seen, images))
            offers.append(Choice(which, title, f"{len(images)} image{'' if len(images) == 1 else 's'}, {freed}"))
    return offers


def choice(title: str, choices: Sequence[Choice]) -> ChoiceDialog:
    """One of several."""
    from widgets.dialogs import ChoiceDialog

    return ChoiceDialog(title, choices)


def naming(seen: ImageList, share: ImageShare) -> InputDialog:
    """Which name it is to get; one of another image of the engine is refused while it is typed."""
    from backends.services.images import full_name
    from widgets.dialogs import InputDialog

    engine = share.image.key.engine
    taken = {
        tag: other
        for other in seen.images
        if other.image.key.engine == engine and other.image.key != share.image.key
        for tag in other.image.tags
    }

    def wrong(text: str) -> str:
        if not text:
            return ""
        try:
            full = full_name(text, engine)
        except Refused as refusal:
            return f"{refusal.title}: {refusal.hint}"
        if full in taken:
            return f"{short_image(full)} is the name of another image on {engine}"
        return ""

    title = f"One more name for {shown_name(share)} on {engine}"
    return InputDialog(title, placeholder="repository:tag", validate=wrong)


def which_name(share: ImageShare) -> ChoiceDialog:
    """Which of its names is to go."""
    from widgets.dialogs import Choice, ChoiceDialog

    title = f"Take which name of {share.image.key.short} on {share.image.key.engine} away?"
    return ChoiceDialog(title, [Choice(tag, short_image(tag)) for tag in share.image.tags])


def copy_targets(view: FleetView, images: Sequence[ImageShare]) -> list[EngineId]:
    """Engines that all of the images can be copied to: connected, and not their own."""
    own = {share.image.key.engine for share in images}
    return [id for id in view.offering(Capability.STORES) if id not in own]


def _moves(images: Sequence[ImageShare], engine: EngineId) -> str:
    sizes = [share.travels.get(engine) for share in images]
    known = [size for size in sizes if isinstance(size, int)]
    if len(known) < len(sizes):
        return "How much travels is not known beforehand"
    return f"About {bytes_text(sum(known))} travel" if sum(known) else "Nothing travels: the layers are there"


def copy_choices(images: Sequence[ImageShare], engines: Sequence[EngineId]) -> list[Choice]:
    """The engines, with what travels to each."""
    from widgets.dialogs import Choice

    return [Choice(engine.name, engine.name, _moves(images, engine)) for engine in engines]


def copying(images: Sequence[ImageShare], engine: EngineId) -> ConfirmDialog:
    """Whether these are to be copied there."""
    from widgets.dialogs import ConfirmDialog

    what = shown_name(images[0]) if len(images) == 1 else f"{len(images)} images"
    words = line((f"{_moves(images, engine)}.", Tone.DIM))
    return ConfirmDialog(f"Copy {what} to {engine}?", [*_named(images), BLANK, words], yes="Copy", no="Leave")


__all__ = [
    "choice",
    "copy_choices",
    "copy_targets",
    "copying",
    "naming",
    "pruned",
    "prunings",
    "removal",
    "stored_words",
    "used_words",
    "which_name",
]
