"""What the commands of `tranship image` share: progress, what is said before and after. Does nothing to an image."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from backends.model.events import Phase
from backends.model.image_sharing import ImageList, ImageShare
from backends.model.plan import Step, StepKind, StepProgress
from tui.cli.exits import Exit
from tui.cli.one_by_one import Subject, one_by_one
from tui.cli.output import answer, data, may_style
from tui.cli.progress import ProgressLines
from widgets.format import bytes_text, missing_reason
from widgets.text import inert

if TYPE_CHECKING:
    from backends.migration.progress import Flow


class Progress:
    """Progress of the one step of a command, on stderr, as long as its block runs."""

    def __init__(self, title: str, subject: str) -> None:
        self._step = Step(StepKind.IMAGE, title, subject)
        self.lines = ProgressLines(sys.stderr, living=may_style(sys.stderr))

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.lines.close()

    def flow(self, flow: Flow) -> None:
        """Bytes pass."""
        self.lines(
            StepProgress(
                0,
                1,
                self._step,
                Phase.PROGRESS,
                done_bytes=flow.done_bytes,
                total_bytes=flow.total_bytes,
                bytes_per_s=flow.bytes_per_s,
                eta_s=flow.eta_s,
            )
        )


def listed(images: Sequence[ImageShare]) -> str:
    """Each image by name and engine."""
    return ", ".join(f"{share.name} on {share.image.key.engine}" for share in images)


def frees(seen: ImageList, gone: Sequence[ImageShare], verb: str = "frees") -> str:
    """What removing them, all together, frees. verb: "freed" when they are gone."""
    from backends.services.image_sharing import freed_bytes

    freed = freed_bytes(seen.images, frozenset(share.image.key for share in gone))
    why = missing_reason(freed)
    return f"What that {verb} is not known: {why}." if why else f"That {verb} {bytes_text(freed)}."


async def each(
    action: str,
    images: Sequence[ImageShare],
    operation: Callable[[ImageShare], Awaitable[None]],
    done: str,
    *,
    as_json: bool,
) -> tuple[Exit, list[ImageShare]]:
    """Do it to those with the most layers first: images may be built on others of them. See `one_by_one`."""

    def subject(share: ImageShare) -> Subject:
        return Subject(f"{share.name} on {share.image.key.engine}", _plain(action, share))

    first = sorted(images, key=lambda share: -len(share.layers))
    return await one_by_one(first, operation, subject, done, as_json=as_json)


def told(action: str, share: ImageShare, words: str, *, as_json: bool, **more: Any) -> Exit:
    """Say that it is done. more: further facts, for JSON."""
    if as_json:
        answer(**_plain(action, share), **more, error=None)
    else:
        data(inert(f"{share.name} on {share.image.key.engine} {words}"))
    return Exit.DONE


def _plain(action: str, share: ImageShare) -> dict[str, Any]:
    return {
        "action": action,
        "engine": share.image.key.engine.name,
        "id": share.image.key.id,
        "name": share.name,
    }
