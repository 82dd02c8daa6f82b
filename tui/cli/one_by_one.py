"""Do one thing to several things, one after the other; one that fails does not keep the rest. Names no kind of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from backends.model.errors import BackendError
from tui.cli import schema
from tui.cli.exits import Exit, exit_of, worst
from tui.cli.output import answer, complain, data
from widgets.text import inert

T = TypeVar("T")


class Subject(NamedTuple):
    """Who it is done to. words: for people, "web:1 on docker". plain: for JSON."""

    words: str
    plain: dict[str, Any]


async def one_by_one(
    things: Iterable[T],
    operation: Callable[[T], Awaitable[None]],
    subject: Callable[[T], Subject],
    done: str,
    *,
    as_json: bool,
) -> tuple[Exit, list[T]]:
    """Returns the exit code of all together, and those to which it was done. done: the word for that."""
    results: list[dict[str, Any]] = []
    codes: list[Exit] = []
    succeeded: list[T] = []
    for thing in things:
        named = subject(thing)
        failure: BackendError | None = None
        try:
            await operation(thing)
        except BackendError as error:
            failure = error
            complain(error)
        else:
            succeeded.append(thing)
            if not as_json:
                data(inert(f"{named.words}: {done}"))
        codes.append(Exit.DONE if failure is None else exit_of(failure))
        results.append({**named.plain, "done": failure is None, "error": schema.error(failure)})
    if as_json:
        answer(results=results)
    return worst(codes), succeeded
