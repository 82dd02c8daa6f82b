"""What the commands of `tranship image` share: progress, what is said before and after. Does nothing to an image."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from backends.model.errors import BackendError, NotFound
from backends.model.events import Phase
from backends.model.ids import EngineId
from backends.model.image_sharing import ImageList, ImageShare
from backends.model.plan import Step, StepKind, StepProgress
from tui.cli import schema
from tui.cli.exits import Exit, exit_of, worst
from tui.cli.output import answer, can_ask, complain, data, may_style
from tui.cli.pick import first_view, not_connected, the_engine
from tui.cli.progress import ProgressLines
from widgets.format import bytes_text, missing_reason
from widgets.text import inert

if TYPE_CHECKING:
    from backends.migration.progress import Flow
    from backends.services.fleet import Fleet


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


def check_can_ask(yes: bool) -> None:
    """Raises click.UsageError where a question is needed and nobody is there to answer it."""
    if not yes and not can_ask():
        raise click.UsageError("there is no terminal to ask on: say --yes to remove")


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
    """Do it to one after the other, those with the most layers first: images may be built on others of them.

    One that fails does not keep the rest. Returns the exit code of all together, and those to which it was done.
    """
    results: list[dict[str, Any]] = []
    codes: list[Exit] = []
    succeeded: list[ImageShare] = []
    for share in sorted(images, key=lambda share: -len(share.layers)):
        failure: BackendError | None = None
        try:
            await operation(share)
        except BackendError as error:
            failure = error
            complain(error)
        else:
            succeeded.append(share)
            if not as_json:
                data(inert(f"{share.name} on {share.image.key.engine}: {done}"))
        codes.append(Exit.DONE if failure is None else exit_of(failure))
        results.append({**_plain(action, share), "done": failure is None, "error": schema.error(failure)})
    if as_json:
        answer(results=results)
    return worst(codes), succeeded


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


async def one_engine(fleet: Fleet, name: str | None) -> EngineId:
    """The engine of this name, or the only one that answers. Raises click.UsageError where several do."""
    view = await first_view(fleet)
    if name is not None:
        return the_engine(view, name).id
    connected = sorted(known.id.name for known in view.engines.values() if not known.stale)
    if len(connected) > 1:
        raise click.UsageError(inert(f"say into which engine with --engine: {', '.join(connected)}"))
    if not connected:
        known = next(iter(view.engines.values()), None)
        raise not_connected(known) if known else NotFound("there is no engine")
    return the_engine(view, connected[0]).id
