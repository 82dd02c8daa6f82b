"""Reads a secret: from standard input where asked to, else from the terminal without showing it. Keeps none."""

from __future__ import annotations

import asyncio
import sys
import termios

import click

from tui.cli.ask import typed_line
from tui.cli.output import can_ask
from widgets.text import inert

_LONGEST = 64 * 1024
"""Bytes: access tokens are long, but not without an end."""


async def secret_for(question: str, *, from_stdin: bool) -> str:
    """The secret, without the end of its line. Raises click.UsageError where there is none, or nobody to ask."""
    if from_stdin:
        text: str = await asyncio.to_thread(sys.stdin.read, _LONGEST)
    elif can_ask():
        text = await _typed(question)
    else:
        raise click.UsageError("there is no terminal to ask on: give the password by --password-stdin")
    secret = text.rstrip("\r\n")
    if not secret:
        raise click.UsageError("no password was given")
    return secret


async def _typed(question: str) -> str:
    """One line of the terminal, which does not show it. A signal interrupts this, and the terminal is as before."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    hidden = [*before]
    hidden[3] &= ~termios.ECHO
    click.echo(f"{inert(question)}: ", err=True, nl=False)
    termios.tcsetattr(descriptor, termios.TCSAFLUSH, hidden)
    try:
        return await typed_line()
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
        click.echo(err=True)


__all__ = ["secret_for"]
