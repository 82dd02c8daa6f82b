"""`tranship export CONTAINER…`: containers as files for another program: a line, Quadlet, Compose, Kubernetes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backends.model.plan import Finding, Severity
from tui.cli import schema
from tui.cli.ask import agreed
from tui.cli.exits import Exit
from tui.cli.operate import named
from tui.cli.options import common, containers_argument, engine_option, only
from tui.cli.output import answer, can_ask, data, say
from tui.cli.pick import first_view
from tui.cli.session import Invocation, pass_invocation, run
from widgets.text import inert

if TYPE_CHECKING:
    from backends.export.exported import Exported
    from backends.services.fleet import Fleet

TARGETS = ("run", "quadlet", "compose", "kubernetes")
WORKLOADS = ("deployment", "job", "pod")


@click.command()
@containers_argument
@click.option(
    "--as", "target", type=click.Choice(TARGETS), default="run", show_default=True, help="What the files are for."
)
@click.option("--workload", type=click.Choice(WORKLOADS), default="deployment", help="Kubernetes: of which kind.")
@click.option("--play", is_flag=True, help="Kubernetes: for `podman kube play` instead of a cluster.")
@click.option("--external", is_flag=True, help="Compose: volumes and networks are there already, none is made.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write the files there.")
@click.option("--install", type=click.Choice(["user", "system"]), help="Quadlet: put them where systemd looks.")
@click.option("--force", is_flag=True, help="Over files of the same names.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before installing.")
@engine_option
@common
@pass_invocation
def export(
    invocation: Invocation,
    names: tuple[str, ...],
    project: str | None,
    target: str,
    workload: str,
    play: bool,
    external: bool,
    out: Path | None,
    install: str | None,
    force: bool,
    yes: bool,
    engine: str | None,
) -> None:
    """Write containers down for another program; of a project or pod all together.

    Prints the files, or writes them by --out. What a format cannot say is a comment in the file and a line on stderr.
    Values that look secret are in files of their own that only you can read, and that --out writes and nothing prints.
    """
    for said, option, needed in (
        (install, "--install", "quadlet"),
        (play, "--play", "kubernetes"),
        (external, "--external", "compose"),
    ):
        if said and target != needed:
            raise click.UsageError(f"{option} is for --as {needed}")
    if install and out:
        raise click.UsageError("--out and --install say two places")
    if install and not yes and not can_ask():
        raise click.UsageError("there is no terminal to ask on: say --yes to install")

    async def body(fleet: Fleet) -> Exit:
        from backends.services.exports import Target, export, read_members

        members = await read_members(fleet, named(await first_view(fleet), names, engine, project))
        made = export(Target(target), members, **_options(target, install, workload, play=play, external=external))
        if target == "quadlet":
            from backends.services.quadlet_check import checked

            made = await checked(made, user=install != "system")
        elif target == "kubernetes":
            from backends.export.kubernetes_check import validated

            made = await asyncio.to_thread(validated, made)
        written: Sequence[Path] = ()
        if not invocation.json:
            _tell(made.findings)
        if install:
            if not yes and not await agreed(_question(made, install)):
                say("nothing was installed")
                return Exit.FAILED
            written = await asyncio.to_thread(_install, made, install, force)
        elif out is not None:
            from backends.services.export_files import write_files

            written = await asyncio.to_thread(write_files, made.files, out, replace=force)
        show(made, written, as_json=invocation.json)
        return Exit.DONE

    run(invocation, body, only=only(engine))


def _options(target: str, install: str | None, workload: str, *, play: bool, external: bool) -> dict[str, object]:
    if target == "compose":
        return {"external": external}
    if target == "quadlet":
        from backends.export.quadlet import Scope

        return {"scope": Scope(install or "user")}
    if target == "kubernetes":
        from backends.export.kubernetes import Workload

        return {"workload": Workload(workload), "podman": play}
    return {}


def _install(made: Exported, scope: str, force: bool) -> tuple[Path, ...]:
    from backends.services.export_files import quadlet_folder, refuse_taken_names, write_files

    system = scope == "system"
    if not force:
        refuse_taken_names(made.files, system=system)
    return write_files(made.files, quadlet_folder(system=system), replace=force)


def _question(made: Exported, scope: str) -> str:
    from backends.services.export_files import quadlet_folder

    names = ", ".join(file.name for file in made.files)
    return f"Put {names} into {quadlet_folder(system=scope == 'system')}?"


def _tell(findings: Sequence[Finding]) -> None:
    for one in findings:
        mark = {Severity.BLOCK: "stop", Severity.WARN: "lost", Severity.NOTE: "note"}[one.severity]
        rest = " ".join(word for word in (one.detail, one.remedy) if word)
        say(f"{mark}: {one.title}" + (f". {rest}" if rest else ""))


def show(made: Exported, written: Sequence[Path], *, as_json: bool) -> None:
    """On stdout: the files, or the paths under which they were written; as JSON all of it."""
    if as_json:
        answer(**_plain(made, written))
        return
    if written:
        for path in written:
            data(inert(str(path)))
    else:
        for at, file in enumerate(made.files):
            if len(made.files) > 1:
                data(("" if at == 0 else "\n") + f"# ---- {inert(file.name)}")
            for line in file.shown.splitlines():
                data(inert(line))
    if written:
        for command in made.commands:
            say(f"next: {command}")


def _plain(made: Exported, written: Sequence[Path]) -> dict[str, Any]:
    return {
        "files": [{"name": file.name, "mode": f"{file.mode:04o}", "text": file.shown} for file in made.files],
        "written": [str(path) for path in written],
        "findings": [schema.finding(one) for one in made.findings],
        "commands": list(made.commands),
    }


__all__ = ["export", "show"]
