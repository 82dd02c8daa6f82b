"""What the shell offers at Tab: containers, images, engines, projects, as they are now. Quiet, and done in a second.

An engine that hangs, and one that would have to be started, offers nothing: a shell must not wait, nor be written to.
Neither does a cluster, whose login program might open a browser; the names of contexts are read from the kubeconfig.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, split_arg_string

from tui.cli.session import Invocation
from tui.clusters import context_names
from tui.config import ConfigError, load
from widgets.text import inert

if TYPE_CHECKING:
    from backends.engine import Engine
    from backends.services.fleet import Fleet

LIMIT_S = 2.0
_CLOSE_S = 0.3

Offer: TypeAlias = tuple[str, str]
"""A word, and what is said beside it where the shell can."""
Ask: TypeAlias = "Callable[[Fleet], Awaitable[list[Offer]]]"


class ColonBash(BashComplete):
    """bash takes a word apart at colons (COMP_WORDBREAKS), as those of image names: put together again here."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # click's own
        self._before = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before, and the one that is typed."""
        words, at = split_arg_string(os.environ.get("COMP_WORDS", "")), int(os.environ.get("COMP_CWORD", "0"))
        whole, places = joined(words)
        here = places[at] if at < len(places) else len(whole)
        incomplete = whole[here] if here < len(whole) else ""
        typed = words[at] if at < len(words) else ""
        self._before = incomplete[: incomplete.rindex(":") + 1] if ":" in incomplete and typed != incomplete else ""
        return whole[1:here], incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """bash puts what it is given in place of what stands after the last colon."""
        return super().format_completion(CompletionItem(item.value.removeprefix(self._before), type=item.type))


def joined(words: list[str]) -> tuple[list[str], list[int]]:
    """The words as they were typed, and for each that bash gave, which of these it is part of."""
    whole: list[str] = []
    places: list[int] = []
    for index, word in enumerate(words):
        if whole and (word == ":" or words[index - 1] == ":") and index > 1:
            whole[-1] += word
        else:
            whole.append(word)
        places.append(len(whole) - 1)
    return whole, places


def install() -> None:
    """Answer bash by the class above."""
    add_completion_class(ColonBash)


def teach(command: click.Command) -> None:
    """Let a command's parameters, and those of its subcommands, offer what their metavar names."""
    for parameter in command.params:
        offers = _OFFERS.get(_meant(parameter))
        if _meant(parameter) == "CONTEXT":
            parameter.shell_complete = _complete_context  # type: ignore[method-assign]
        elif offers is not None:
            parameter.shell_complete = partial(_complete, offers, parameter)  # type: ignore[method-assign]
    for one in command.commands.values() if isinstance(command, click.Group) else ():
        teach(one)


def _meant(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Option) and parameter.name in {"engine", "project"}:
        return "ENGINE" if parameter.name == "engine" else "PROJECT" if parameter.metavar else ""
    word = (parameter.metavar or parameter.name or "").strip("[].").upper()
    return word.removesuffix("]").strip(".")


def _complete(offers: Ask, parameter: click.Parameter, context: click.Context, incomplete: str) -> list[CompletionItem]:
    logging.disable(logging.CRITICAL)  # not a line between the user's prompt and his words
    given = context.params.get(parameter.name or "") or ()
    taken = set(given) if isinstance(given, tuple) else set()
    found = _asked(context.find_root().ensure_object(Invocation), offers)
    return [
        CompletionItem(word, help=said)
        for word, said in sorted(dict(found).items())
        if word.startswith(incomplete) and word not in taken and inert(word) == word
    ]


def _complete_context(ctx: click.Context, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's
    """Contexts of the kubeconfig: its files are read, no cluster is asked."""
    names = context_names(os.environ)
    return [CompletionItem(name) for name in names if name.startswith(incomplete) and inert(name) == name]


def _asked(invocation: Invocation, offers: Ask) -> list[Offer]:
    try:
        settings = replace(load(invocation.config), demo=invocation.demo)
    except ConfigError:
        return []  # the command itself says what is wrong with the file
    from tui.bootstrap import open_fleet

    async def ask() -> list[Offer]:
        found: list[Offer] = []
        fleet: Fleet | None = None
        try:
            async with asyncio.timeout(LIMIT_S):
                fleet = await open_fleet(
                    settings, demo_if_none=False, sampling=False, recording=False, serving=False, clusters=False
                )
                await fleet.start()
                await fleet.ready(LIMIT_S * 0.7)
                found.extend(await offers(fleet))
        except TimeoutError:
            pass  # what there is by now is offered
        finally:
            if fleet is not None:
                try:
                    async with asyncio.timeout(_CLOSE_S):
                        await fleet.close()
                except TimeoutError:
                    pass  # the process ends, and its connections with it
        return found

    try:
        return asyncio.run(ask())
    except ConfigError:
        return []


async def _containers(fleet: Fleet) -> list[Offer]:
    rows = fleet.store.view.containers.values()
    return [(row.name, f"{row.state.value} on {row.key.engine}") for row in rows]


async def _engines(fleet: Fleet) -> list[Offer]:
    return [(view.id.name, view.connection.link.value) for view in fleet.store.view.engines.values()]


async def _projects(fleet: Fleet) -> list[Offer]:
    rows = fleet.store.view.containers.values()
    return [(name, "project or pod") for row in rows for name in (row.project, row.pod) if name]


async def _images(fleet: Fleet) -> list[Offer]:
    from backends.model.capabilities import Capability
    from backends.model.errors import BackendError
    from widgets.format import short_image

    async def of(engine: Engine) -> list[Offer]:
        try:
            images = await engine.list_images()
        except BackendError:
            return []  # nothing is offered of it; the command itself says why
        return [(short_image(tag), str(engine.id)) for image in images for tag in image.tags]

    known = fleet.store.view.engines
    there = [one for one in fleet.engines if known[one.id].offers(Capability.STORES)]
    return [offer for some in await asyncio.gather(*map(of, there)) for offer in some]


_OFFERS: dict[str, Ask] = {
    "CONTAINER": _containers,
    "ENGINE": _engines,
    "IMAGE": _images,
    "PROJECT": _projects,
}
