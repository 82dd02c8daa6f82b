"""A yes-or-no question on the terminal that a signal can interrupt. Knows nothing of what it asks about."""

from __future__ import annotations

import asyncio
import sys

import click

from tui.cli.output import can_ask
from widgets.text import inert


async def agreed(question: str) -> bool:
    """Ask on stderr, read one line of stdin; only "y" and "yes" agree. The caller made sure that it is a terminal."""
    click.echo(f"{inert(question)} [y/N] ", err=True, nl=False)
    answer = await typed_line()
    if not answer.endswith("\n"):
        click.echo(err=True)  # the end of input leaves the cursor behind the question
    return answer.strip().lower() in {"y", "yes"}


async def typed_line() -> str:
    """One line of stdin, which is a terminal; "" where it ends, goes away, or what is typed is no text."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()
    descriptor = sys.stdin.fileno()

    def read() -> None:
        if typed.done():
            return
        try:
            # A terminal in its usual mode is readable when a whole line is there: this does not block.
            typed.set_result(sys.stdin.readline())
        except (OSError, UnicodeDecodeError):
            typed.set_result("")

    loop.add_reader(descriptor, read)
    try:
        return await typed
    finally:
        loop.remove_reader(descriptor)


def check_can_ask(yes: bool) -> None:
    """Raises click.UsageError where a question is needed and nobody is there to answer it."""
    if not yes and not can_ask():
        raise click.UsageError("there is no terminal to ask on: say --yes to remove")
