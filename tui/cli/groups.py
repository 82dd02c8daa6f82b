"""Groups of subcommands: each told in its whole sentence, and of a wrong word what was most likely meant. Runs none."""

from __future__ import annotations

from collections.abc import Mapping

import click

from tui.config import nearest
from widgets.text import inert

ELSEWHERE: Mapping[str, str] = {
    "compose": "export --as compose",
    "container": "ps",
    "containers": "ps",
    "create": "run",
    "delete": "rm",
    "history": "layers",
    "info": "engines",
    "inspect": "ps --json",
    "kube": "export --as kubernetes",
    "list": "ps",
    "load": "image load",
    "ls": "ps",
    "mv": "migrate",
    "nvidia-smi": "gpus",
    "port": "links",
    "quadlet": "export --as quadlet",
    "rmi": "image rm",
    "save": "image save",
    "sh": "shell",
    "stats": "ps --stats",
    "system": "doctor",
    "tag": "image tag",
    "top": "ps --stats",
    "update": "change",
    "verify": "migrate --verify",
    "version": "--version",
}
"""What other programs call it, and how it is said here, behind `tranship`."""


class Subcommands(click.Group):
    """A group that helps who mistypes. elsewhere: words of other programs, and what does the same here."""

    elsewhere: Mapping[str, str] = {}

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Click's own; where there is no such command, the one that is like it stands in the error."""
        word = args[0]
        if ctx.resilient_parsing or word.startswith("-") or self.get_command(ctx, word) is not None:
            return super().resolve_command(ctx, args)
        path = ctx.command_path
        meant = nearest(word, self.list_commands(ctx))
        if there := self.elsewhere.get(word):
            hint = f"here it is `{path} {there}`"
        else:
            hint = f"did you mean “{meant}”?" if meant else f"`{path} --help` lists all"
        raise click.UsageError(inert(f"there is no command “{word}” ({hint})"), ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Their names, each with the first sentence of its help: whole, where click's own cuts it to one line."""
        known = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(1000)) for name, one in known if one is not None])


__all__ = ["ELSEWHERE", "Subcommands"]
