"""`tranship web`: the screen in a browser of this machine, behind a token. Draws nothing itself."""

from __future__ import annotations

import asyncio
import signal
import sys

import click

from tui.cli import schema_watch
from tui.cli.exits import Exit
from tui.cli.options import common
from tui.cli.output import answer_line, data, say
from tui.cli.session import Invocation, pass_invocation
from tui.signals import handled

_LARGEST_PORT = 65_535


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, _LARGEST_PORT),
    default=0,
    help="Listen on this port of 127.0.0.1; without it, or 0: any that is free.",
)
@common
@pass_invocation
def web(invocation: Invocation, port: int) -> None:
    """Show the screen in a browser of this machine, until Ctrl+C.

    The address that is printed holds a token, made anew at each start; without it nobody comes in. Each tab is a
    Tranship of its own, with your rights, that ends with its tab. From another machine: an SSH tunnel (ssh -L).
    """
    invocation.settings()  # what is wrong in them is said here, not in each tab
    sys.exit(asyncio.run(_serve(tab_argv(invocation), port, as_json=invocation.json)))


def tab_argv(invocation: Invocation) -> list[str]:
    """The program of a tab: the screen's own, with the server's options; -P: nothing of the directory is imported."""
    argv = [sys.executable, "-P", "-m", "tui"]
    if invocation.config is not None:
        argv += ["--config", str(invocation.config)]
    for context in invocation.kube:
        argv += ["--kube", context]
    return argv + [f"--{option}" for option in ("demo", "readonly") if getattr(invocation, option)]


async def _serve(argv: list[str], port: int, *, as_json: bool) -> Exit:
    from tui.web.server import HOST, serve

    ended = asyncio.Event()

    def tell(address: str) -> None:
        if as_json:
            answer_line(web=schema_watch.web(address))
        else:
            data(address)
            say("tranship: open it in a browser of this machine; Ctrl+C ends it")
        sys.stdout.flush()

    with handled((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), lambda _: ended.set()):
        try:
            await serve(argv, port, ended, tell)
        except OSError as error:
            say(f"tranship: cannot listen on {HOST}:{port}: {error.strerror or error}. Next: another --port")
            return Exit.FAILED
    return Exit.DONE
