"""`tranship shell`, `attach` and `exec`: the caller's terminal joined to a program in a container.

Of exec's exit codes 125 means that Tranship or the engine failed; all others are the program's own.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.secrets import masked_command
from backends.model.session import ExecSpec
from tui.cli.exits import Exit
from tui.cli.options import common, container_argument, engine_option, only
from tui.cli.output import answer, complain, say
from tui.cli.pick import first_view, the_container
from tui.cli.session import Invocation, pass_invocation, run

if TYPE_CHECKING:
    from backends.engine import Engine, SessionContext
    from backends.services.fleet import Fleet

FAILED = 125
"""Of exec: it never came to the program. As `docker exec` and `podman exec` have it."""


@click.command()
@container_argument
@click.option("--user", "-u", metavar="USER", default="", help="Another user than the container's.")
@click.option("--workdir", "-w", metavar="PATH", default="", help="Where to begin.")
@engine_option
@common
@pass_invocation
def shell(invocation: Invocation, name: str, user: str, workdir: str, engine: str | None) -> None:
    """Open a shell in a running container: bash, zsh, fish, ash or sh, whichever it has first.

    Ctrl-P Ctrl-Q leaves it running. The exit code is the shell's own.
    """
    _check_plain(invocation)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("a shell needs a terminal; to run one command without, use `tranship exec`")

    async def body(fleet: Fleet) -> int:
        from backends.services.shells import Shells
        from tui.console import terminal_size

        row = the_container(await first_view(fleet), name, engine)
        with fleet.operations.beside("container.shell", row.key, row.name):
            found = await Shells().shell_of(fleet.engine(row.key.engine), row)
            spec = ExecSpec((found,), tty=True, user=user, workdir=workdir, size=terminal_size(1))
            return await _joined(row, fleet.engine(row.key.engine).open_exec(row.key.id, spec))

    run(invocation, body, only=only(engine))


@click.command()
@container_argument
@click.option("--no-stdin", is_flag=True, help="Only listen: type nothing to it.")
@engine_option
@common
@pass_invocation
def attach(invocation: Invocation, name: str, no_stdin: bool, engine: str | None) -> None:
    """Join the first process of a running container, from now on.

    Ctrl-P Ctrl-Q leaves it where it has a terminal. Ctrl-C reaches the process where it has one; else it ends this
    command alone. The exit code is the process's own, 0 when it was left.
    """
    _check_plain(invocation)

    async def body(fleet: Fleet) -> int:
        from tui.console import terminal_size

        row = the_container(await first_view(fleet), name, engine)
        with fleet.operations.beside("container.attach", row.key, row.name):
            context = fleet.engine(row.key.engine).open_attach(row.key.id, stdin=not no_stdin, size=terminal_size(1))
            return await _joined(row, context, stdin=not no_stdin)

    run(invocation, body, only=only(engine))


@click.command(name="exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@container_argument
@click.argument("argv", metavar="COMMAND [ARG]...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--interactive", "-i", is_flag=True, help="Give it this command's input, also by a pipe.")
@click.option("--tty", "-t", is_flag=True, help="Give it a terminal; needs one here.")
@click.option("--user", "-u", metavar="USER", default="", help="Another user than the container's.")
@click.option("--workdir", "-w", metavar="PATH", default="", help="Where to run it.")
@click.option(
    "--env", "-e", "env", metavar="NAME[=VALUE]", multiple=True, help="Set it; without a value, as it is here."
)
@click.option("--engine", metavar="NAME", help="Only this engine, as `tranship engines` names it.")
@common
@pass_invocation
def exec_(
    invocation: Invocation,
    name: str,
    argv: tuple[str, ...],
    interactive: bool,
    tty: bool,
    user: str,
    workdir: str,
    env: tuple[str, ...],
    engine: str | None,
) -> None:
    """Run a program in a running container; options come before its name.

    The exit code is the program's own: 126 it cannot be run, 127 there is none; 125 is a failure of the engine or of
    Tranship. With --json the answer holds code and output, and the exit code is 0.
    """
    if tty and (invocation.json or not (sys.stdin.isatty() and sys.stdout.isatty())):
        raise click.UsageError("--tty needs a terminal on input and output, and no --json")
    if interactive and invocation.json:
        raise click.UsageError("--json gives the program no input: leave --interactive out")
    argv = argv[1:] if argv[0] == "--" else argv  # as kubectl has it; no program is called so
    if not argv:
        raise click.UsageError("say which program is to be run")
    given = tuple(_set(pair) for pair in env if "=" in pair or pair in os.environ)

    async def body(fleet: Fleet) -> int:
        from tui.console import terminal_size

        try:
            row = the_container(await first_view(fleet), name, engine)
            reached = fleet.engine(row.key.engine)
            spec = ExecSpec(argv, tty, interactive, user, workdir, given, terminal_size(1) if tty else None)
            plan = {"command": masked_command(argv), "user": user or None, "workdir": workdir or None}
            with fleet.operations.beside("container.exec", row.key, row.name, plan=plan):
                if invocation.json:
                    return await _answered(reached, row, spec)
                return await _joined(row, reached.open_exec(row.key.id, spec), stdin=interactive)
        except BackendError as error:
            complain(error, as_json=invocation.json)
            return FAILED

    run(invocation, body, only=only(engine))


async def _joined(row: Container, context: SessionContext, *, stdin: bool = True) -> int:
    from tui.console import converse

    async with context as session:
        code = await converse(session, stdin=0 if stdin else None)
    if code is None:
        say(f"detached from {row.name} on {row.key.engine}; it runs on")
        return Exit.DONE
    return code


async def _answered(engine: Engine, row: Container, spec: ExecSpec) -> int:
    from backends.services.programs import heard

    async with engine.open_exec(row.key.id, spec) as session:
        done = await heard(session)
    answer(
        action="container.exec",
        engine=row.key.engine.name,
        id=row.key.id,
        name=row.name,
        command=list(spec.argv),
        exit_code=done.exit_code,
        stdout=done.stdout.decode("utf-8", "replace"),
        stderr=done.stderr.decode("utf-8", "replace"),
        error=None,
    )
    return Exit.DONE


def _set(pair: str) -> str:
    return pair if "=" in pair else f"{pair}={os.environ[pair]}"


def _check_plain(invocation: Invocation) -> None:
    if invocation.json:
        raise click.UsageError("a session on a terminal has no answer in JSON; `tranship exec --json` runs one command")


exec = exec_
"""Under the name that the root looks for."""

__all__ = ["attach", "exec", "shell"]
