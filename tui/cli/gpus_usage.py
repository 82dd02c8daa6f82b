"""`tranship gpus --usage`: what containers took of GPUs over time, from what was written down. Asks no engine."""

from __future__ import annotations

import re
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import click

from tui.cli import schema_gpus
from tui.cli.exits import Exit
from tui.cli.output import answer, complain, data, rows
from tui.cli.session import Invocation
from tui.cli.table import Column
from tui.cli.users import user_names
from widgets.format import MISSING, short_image
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.gpu_usage_report import Line

BY = ("container", "image", "user", "engine")
_UNITS_S = {"h": 3600, "d": 86_400, "w": 604_800}
_SINCE = re.compile(r"([1-9]\d{0,4})([hdw])")
_NUMBERS = (
    Column("HELD h", align="right"),
    Column("BUSY h", align="right"),
    Column("MEMORY GiB·h", align="right"),
)
_NAMES = {
    "container": (Column("ENGINE", give=1), Column("CONTAINER", give=2, cut="middle"), Column("IMAGE", give=3)),
    "image": (Column("IMAGE", give=1, cut="middle"),),
    "user": (Column("USER", give=1),),
    "engine": (Column("ENGINE", give=1),),
}
_NOTHING = (
    "No GPU usage is written down{since}. It is while `tranship`, `tranship gpus --watch` or `tranship gpus --listen` "
    "runs and a container uses a GPU."
)
_DEMO = "No GPU usage is written down of the demo fleet."


def parse_since(text: str) -> float:
    """Seconds of "24h", "7d", "2w". Raises click.BadParameter."""
    match = _SINCE.fullmatch(text)
    if match is None:
        raise click.BadParameter(f"“{text}” is no time: write 24h, 7d or 2w")
    return float(int(match[1]) * _UNITS_S[match[2]])


def show_usage(invocation: Invocation, by: str, since_s: float | None) -> NoReturn:
    """Print the sums and exit; 1 where the file cannot be read. since_s: of how long, None = of all there is."""
    from backends.services.gpu_usage_file import UsageFileError, read_usage
    from backends.services.gpu_usage_recorder import default_path
    from backends.services.gpu_usage_report import By, report

    since = 0.0 if since_s is None else time.time() - since_s
    try:
        lines = [] if invocation.demo else report(read_usage(default_path(), since), By(by))
    except UsageFileError as error:
        complain(error, as_json=invocation.json)
        sys.exit(Exit.FAILED)
    users = user_names(line.user_id for line in lines if line.user_id is not None and line.user_id >= 0)
    if invocation.json:
        answer(by=by, demo=invocation.demo, usage=schema_gpus.usage(lines, users))
    elif lines:
        _print(lines, by, users)
    else:
        data(_DEMO if invocation.demo else _NOTHING.format(since="" if since_s is None else " of that time"))
    sys.exit(Exit.DONE)


def _print(lines: list[Line], by: str, users: dict[int, str]) -> None:
    rows((*_NAMES[by], *_NUMBERS), [(*_named(line, by, users), *_numbers(line)) for line in lines])
    begun = datetime.fromtimestamp(min(line.begun_at for line in lines), UTC).astimezone()
    data("")
    data(f"Since {begun:%Y-%m-%d %H:%M}. HELD: hours with a process on a GPU. BUSY: of them, weighted by SM use.")
    if any(line.busy_unknown_hours or line.memory_unknown_hours for line in lines):
        data("≥ and –: of a part of these hours, or of all, the driver does not tell it.")


def _named(line: Line, by: str, users: dict[int, str]) -> tuple[str, ...]:
    if by == "container":
        return line.engine, line.name, short_image(line.image)
    if by == "image":
        return (short_image(line.image),)
    if by == "engine":
        return (line.engine,)
    return (inert(users.get(line.user_id, "unknown") if line.user_id is not None else MISSING),)


def _numbers(line: Line) -> tuple[str, str, str]:
    return (
        _hours(line.held_hours, 0.0),
        _hours(line.busy_hours, line.busy_unknown_hours),
        _hours(line.memory_gib_hours, line.memory_unknown_hours),
    )


def _hours(amount: float | None, unknown: float) -> str:
    """Three decimals below a tenth, two below ten, one above; "≥" where a part is not known."""
    if amount is None:
        return MISSING
    text = f"{amount:.{3 if amount < 0.0995 else 2 if amount < 9.995 else 1}f}"
    return f"≥{text}" if unknown else text
