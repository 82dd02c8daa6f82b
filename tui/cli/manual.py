"""The manual page, made from the commands themselves: `python -m tui.cli.manual` (make docs). Runs no command."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import click

from tui.cli.examples import EXAMPLES
from tui.cli.exits import Exit
from tui.cli.root import COMMANDS, tranship

_EXITS = {
    Exit.DONE: "Done.",
    Exit.FAILED: "Failed; nothing is lost.",
    Exit.USAGE: "Bad usage or settings.",
    Exit.UNREACHABLE: "An engine is unreachable.",
    Exit.BLOCKED: "The plan has blocking findings.",
}
VARIABLES = (
    ("TRANSHIP_ENGINES", "More engines: NAME=KIND+URL, several with commas between them."),
    ("TRANSHIP_KUBE", "More clusters: contexts of the kubeconfig as for --kube, with commas between them."),
    ("KUBECONFIG", "As for kubectl."),
    ("DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG, CONTAINER_HOST", "As for Docker and Podman themselves."),
    ("TRANSHIP_ASCII", "Set: borders and signs in ASCII."),
    ("NO_COLOR", "Set: no colour."),
    ("TRANSHIP_DEMO_GPUS", "How many GPUs the demo fleet has."),
)
_COMMON = {"--json", "--demo", "--readonly", "--help"}
FILES = (
    ("~/.config/tranship/config.toml", "Settings."),
    ("~/.config/tranship/presets/*.toml", "Presets of your own."),
    ("~/.local/state/tranship/", "The audit trail, journals and reports of migrations, logs, crash logs."),
)


def manual() -> str:
    """The whole page as roff, for man(1), with a newline at its end."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    context = click.Context(tranship, info_name="tranship", **tranship.context_settings)
    yield ".TH TRANSHIP 1"
    yield ".SH NAME"
    yield rf"tranship \- {_text('one screen for the containers of Docker and Podman, and the move between them')}"
    yield ".SH SYNOPSIS"
    yield r".B tranship"
    yield r"[\fIOPTIONS\fR] [\fICOMMAND\fR [\fIARGUMENTS\fR]]"
    yield ".SH DESCRIPTION"
    yield from _paragraphs(tranship.help or "")
    for parameter in tranship.get_params(context):
        yield from _option(parameter, context)
    yield ".SH COMMANDS"
    yield rf"Each takes {', '.join(_text(name) for name in sorted(_COMMON))} too."
    for name in COMMANDS:
        command = tranship.get_command(context, name)
        assert command is not None
        yield from _command(command, click.Context(command, info_name=name, parent=context), name)
    yield ".SH EXIT STATUS"
    for code, said in _EXITS.items():
        yield from _term(str(code.value), said)
    yield from _term("128 + n", "Ended by signal n.")
    for title, terms in (("ENVIRONMENT", VARIABLES), ("FILES", FILES)):
        yield f".SH {title}"
        for term, said in terms:
            yield from _term(term, said)
    yield ".SH SEE ALSO"
    yield r".BR docker (1),"
    yield r".BR podman (1),"
    yield r".BR podman-systemd.unit (5)"


def _command(command: click.Command, context: click.Context, name: str) -> Iterator[str]:
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f'.SS "{_text(f"tranship {name} {pieces}").replace(chr(34), "")}"'
    yield from _paragraphs(command.help or command.short_help or "")
    yield from _options(command, context)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            one = command.get_command(context, below)
            assert one is not None
            yield from _command(one, click.Context(one, info_name=below, parent=context), f"{name} {below}")
    examples = EXAMPLES.get(name)
    if examples:
        yield ".PP"
        yield "Examples:"
        for line, said in examples:
            yield from _term(f"tranship {line}", said)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    """All but those that every command takes."""
    for parameter in command.get_params(context):
        if not _COMMON & {*parameter.opts}:
            yield from _option(parameter, context)


def _option(parameter: click.Parameter, context: click.Context) -> Iterator[str]:
    record = parameter.get_help_record(context)
    if record is not None and record[1]:
        yield from _term(*record)


def _term(term: str, said: str) -> Iterator[str]:
    yield ".TP"
    yield rf"\fB{_text(term)}\fR"
    yield _text(said) or r"\&"


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        yield ".PP"
        yield _text(" ".join(paragraph.replace("\b", "").split()))


def _text(said: str) -> str:
    """Words as roff shows them unchanged: a backslash, a hyphen that may be copied, no dot or quote that commands."""
    escaped = " ".join(said.split()).replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    return rf"\&{escaped}" if escaped.startswith(".") else escaped


if __name__ == "__main__":
    sys.stdout.write(manual())
