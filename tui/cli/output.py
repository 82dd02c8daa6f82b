"""What the command line writes: data on stdout, words on stderr. Text from outside is made inert, JSON is escaped."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, TextIO

import click

from backends.model.errors import BackendError
from backends.model.ids import EngineId
from backends.model.values import NOT_ALL_READ
from tui.cli import schema
from tui.cli.table import Column, table
from widgets.text import inert

_PIECES = 10_000


def data(line: str) -> None:
    """One line of the answer. The caller made it inert."""
    click.echo(line)


def answer(**content: Any) -> None:
    """The whole answer as one JSON document; control characters and anything beyond ASCII are escaped."""
    import json  # the screen does without

    pieces = json.JSONEncoder(indent=2).iterencode(schema.document(**content))
    while written := "".join(islice(pieces, _PIECES)):  # the files of a large image are 50 MB as one text
        click.echo(written, nl=False)
    click.echo()


def answer_line(**content: Any) -> None:
    """One JSON document on one line, for answers that go on."""
    import json  # as above

    click.echo(json.dumps(schema.document(**content)))


def rows(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> None:
    """A table on stdout, as wide as the terminal; its header is bold on one that shows it."""
    header, *lines = table(columns, cells, terminal_width(sys.stdout))
    click.echo(click.style(header, bold=True) if may_style(sys.stdout) else header)
    for line in lines:
        click.echo(line)


def say(text: str) -> None:
    """A message for people, on stderr; where its terminal went away there is nobody to tell."""
    with suppress(OSError):
        click.echo(inert(text), err=True)


def doubt(rows: Iterable[tuple[EngineId, str, str]]) -> None:
    """A line on stderr for each row of which not all could be read. rows: engine, what it is called, why."""
    for engine, name, why in rows:
        if why.startswith(NOT_ALL_READ):
            say(f"tranship: {engine}: {name} is {why}")


def complain(error: BackendError, *, as_json: bool = False) -> None:
    """One line on stderr: engine, what happened, what to do; with as_json also a JSON document on stdout."""
    say(f"tranship: {sentence(error)}")
    if as_json:
        answer(error=schema.error(error))


def sentence(error: BackendError) -> str:
    """A failure as one line of text, inert."""
    hint = f". Next: {error.hint}" if error.hint else ""
    return inert(f"{error}{hint}")


def terminal_width(stream: TextIO) -> int | None:
    """Cells of the terminal behind a stream, None where it is no terminal."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def may_style(stream: TextIO) -> bool:
    """Whether bold and the like may be used: a terminal that is not dumb, and no NO_COLOR (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def can_ask() -> bool:
    """Whether there is somebody to ask: questions go to stderr, answers come from stdin."""
    return sys.stdin.isatty() and sys.stderr.isatty()
