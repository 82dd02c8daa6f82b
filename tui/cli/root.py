"""The command `tranship`: its global options, and its subcommands, each imported only when it is called."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path

import click

from tui.cli.examples import epilog
from tui.cli.exits import Exit
from tui.cli.groups import ELSEWHERE, Subcommands
from tui.cli.options import demo_option, json_option, kube_option, readonly_option
from tui.cli.output import say
from tui.cli.session import Invocation
from tui.config import ConfigError
from tui.opening import COMPLETE, has_screen, show_screen
from tui.signals import SIGNAL_BASE

COMMANDS: dict[str, tuple[str, str]] = {
    "advise": ("tui.cli.advise", "Say which engine serves a container, each statement with its fact."),
    "attach": ("tui.cli.talk", "Join the first process of a container."),
    "audit": ("tui.cli.audit", "List what was done, by whom, and prove that record."),
    "backup": ("tui.cli.backup", "Write a container with its data into one file."),
    "build": ("tui.cli.build", "Build an image of a folder."),
    "change": ("tui.cli.change", "Make a container again with other settings."),
    "cp": ("tui.cli.cp", "Copy files out of containers, into them, and between them."),
    "doctor": ("tui.cli.doctor", "Say what was found, what was not, and what to do."),
    "engines": ("tui.cli.engines", "List the engines, and why one is not there."),
    "events": ("tui.cli.events", "Print what happens on all engines."),
    "exec": ("tui.cli.talk", "Run a program in a container."),
    "export": ("tui.cli.export", "Write containers down: a line, Quadlet, Compose, Kubernetes."),
    "gpus": ("tui.cli.gpus", "List the GPUs, or say why none is seen."),
    "image": ("tui.cli.image", "Remove, name, prune, save, load and copy images; list their platforms."),
    "images": ("tui.cli.images", "List the images of all engines, and what they share."),
    "kill": ("tui.cli.kill", "Send containers a signal."),
    "layers": ("tui.cli.layers", "Show the layers of an image."),
    "links": ("tui.cli.links", "List where a container's services are reached."),
    "login": ("tui.cli.logins", "Log in to a registry, into the engine's own credential store."),
    "logout": ("tui.cli.logins", "Take a registry's login out of that store."),
    "logs": ("tui.cli.logs", "Print the logs of containers, filtered and merged."),
    "migrate": ("tui.cli.migrate", "Move a container to another engine."),
    "network": ("tui.cli.network", "List, inspect, make, remove and prune networks."),
    "pause": ("tui.cli.lifecycle", "Freeze all processes of containers."),
    "presets": ("tui.cli.presets", "List what kinds of containers can be run, or show one."),
    "ps": ("tui.cli.ps", "List the containers of all engines."),
    "pull": ("tui.cli.transfers", "Pull images from registries."),
    "push": ("tui.cli.transfers", "Push images to registries."),
    "rename": ("tui.cli.rename", "Give a container another name."),
    "restart": ("tui.cli.lifecycle", "Restart containers."),
    "restore": ("tui.cli.restore", "Make the container of a backup on an engine."),
    "rm": ("tui.cli.rm", "Remove containers."),
    "run": ("tui.cli.run", "Run a new container, from an image or a preset."),
    "schedule": ("tui.cli.schedule", "Make backups again and again, by systemd or cron."),
    "search": ("tui.cli.search", "Search registries for images."),
    "security": ("tui.cli.security", "Say what is risky about containers and engines, and what mends it."),
    "shell": ("tui.cli.talk", "Open a shell in a container."),
    "start": ("tui.cli.lifecycle", "Start containers."),
    "stop": ("tui.cli.stop", "Stop containers."),
    "sweep": ("tui.cli.sweep", "Run an image over a grid of parameters, so many at a time."),
    "trial": ("tui.cli.trial", "Measure one workload on several engines, and say what differs."),
    "unpause": ("tui.cli.lifecycle", "Thaw paused containers."),
    "verify-backup": ("tui.cli.verify_backup", "Read backups whole, and prove every byte."),
    "volume": ("tui.cli.volume", "List, inspect, make, remove, prune and browse volumes."),
    "web": ("tui.cli.web", "Show the screen in a browser of this machine."),
}
"""Each subcommand: the module that has it under its own name, and its line in the list of commands."""


class Root(Subcommands):
    """Subcommands by `COMMANDS`, imported when called: `tranship ps` pays for nothing else."""

    elsewhere = ELSEWHERE

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, sorted."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The subcommand of this name, None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        command.epilog = command.epilog or epilog(cmd_name)
        if COMPLETE in os.environ:
            importlib.import_module("tui.cli.completion").teach(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(
    cls=Root,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 failed (nothing lost), 2 bad usage or config, 3 an engine is unreachable, "
    "4 the plan has blocking findings.",
)
@click.option("--config", type=click.Path(path_type=Path), metavar="PATH", help="Another settings file.")
@demo_option
@readonly_option
@kube_option
@json_option
@click.version_option(package_name="tranship", prog_name="tranship", message="%(prog)s %(version)s")
@click.pass_context
def tranship(context: click.Context, config: Path | None) -> None:
    """Containers of Docker and Podman on one live screen, and the move between them.

    Without a command it opens the screen; with no terminal on stdout it prints one plain snapshot.
    """
    invocation = context.ensure_object(Invocation)
    invocation.config = config
    if context.invoked_subcommand is not None:
        return
    if invocation.json or not has_screen():
        from tui.cli.snapshot import snapshot

        snapshot(invocation)
    open_screen(invocation)


def open_screen(invocation: Invocation) -> None:
    """Run the UI until the user leaves it. Everything of Textual is imported here and not before."""
    settings = invocation.settings()
    try:
        code = show_screen(settings)
    except ConfigError as error:
        say(f"tranship: {error.title}")
        sys.exit(Exit.USAGE)
    sys.exit(code)


def run_command_line() -> int:
    """Read `sys.argv` and do what it says; returns the exit code where the command did not exit by itself.

    Differs from click's own way in Ctrl+C, which is 130 here as in a shell, not 1.
    """
    if COMPLETE in os.environ:
        importlib.import_module("tui.cli.completion").install()
    try:
        code = tranship.main(prog_name="tranship", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:  # click's word for KeyboardInterrupt
        return SIGNAL_BASE + signal.SIGINT
    return code if isinstance(code, int) else Exit.DONE
