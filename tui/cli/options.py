"""Options that commands share. Adds them to click commands; does nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from tui.cli.session import Invocation
from tui.moments import moment_of

F = TypeVar("F", bound=Callable[..., Any])


def _note(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    """Lay an option that was given over the invocation; at the group or at the command, either counts."""
    if value and parameter.name:
        setattr(context.ensure_object(Invocation), parameter.name, True)


def _note_contexts(context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> None:
    """Those said at the group and at the command count together."""
    invocation = context.ensure_object(Invocation)
    if not all(one.partition("=")[0] for one in value):
        raise click.BadParameter("say the name of a context, as `kubectl config get-contexts` lists them")
    invocation.kube = (*invocation.kube, *value)


def kube_option(command: F) -> F:
    """--kube CONTEXT[=NAMESPACE]."""
    text = "The Pods of this kubeconfig context too (=NAMESPACE, =* for all); may be said several times."
    return click.option(
        "--kube", metavar="CONTEXT", multiple=True, expose_value=False, callback=_note_contexts, help=text
    )(command)


def demo_option(command: F) -> F:
    """--demo."""
    text = "Use the demo fleet, touch no real engine."
    return click.option("--demo", is_flag=True, expose_value=False, callback=_note, help=text)(command)


def readonly_option(command: F) -> F:
    """--readonly."""
    text = "Refuse every change."
    return click.option("--readonly", is_flag=True, expose_value=False, callback=_note, help=text)(command)


def json_option(command: F) -> F:
    """--json."""
    text = "Answer in JSON (with its schema's number)."
    return click.option("--json", is_flag=True, expose_value=False, callback=_note, help=text)(command)


def common(command: F) -> F:
    """What every command takes: --json, --demo, --readonly, --kube."""
    return json_option(demo_option(readonly_option(kube_option(command))))


def engine_option(command: F) -> F:
    """--engine NAME."""
    text = "Only this engine, as `tranship engines` names it."
    return click.option("--engine", "-e", metavar="NAME", help=text)(command)


def containers_argument(command: F) -> F:
    """CONTAINER..., and --project NAME for those of a group."""
    text = "All containers of this Compose project or pod too, what others need first."
    argument = click.argument("names", metavar="[CONTAINER]...", nargs=-1)
    return argument(click.option("--project", metavar="NAME", help=text)(command))


def container_argument(command: F) -> F:
    """One NAME."""
    return click.argument("name", metavar="CONTAINER")(command)


def yes_option(command: F) -> F:
    """--yes."""
    text = "Do not ask; needed where there is no terminal to ask on."
    return click.option("--yes", "-y", is_flag=True, help=text)(command)


def only(engine: str | None) -> frozenset[str]:
    """The engines to connect to for --engine: that one, or all."""
    return frozenset({engine}) if engine else frozenset()


def read_moment(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    """The callback of an option that is a moment, as `tui.moments` reads it."""
    try:
        return moment_of(value, datetime.now().astimezone()) if value else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
