"""`tranship export CONTAINER…`: containers as files for another program: a line, Quadlet, Compose, Kubernetes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backends.model.plan import Finding, Severity
from tui.cli import schema
from tui.cli.ask import agreed
from tui.cli.exits import Exit
from tui.cli.export_apply import applied, apply_wish, pushed
from tui.cli.operate import named
from tui.cli.options import common, containers_argument, engine_option, only
from tui.cli.output import answer, can_ask, data, say
from tui.cli.pick import first_view
from tui.cli.session import Invocation, pass_invocation, run
from widgets.text import inert

if TYPE_CHECKING:
    from backends.export.exported import Exported, Member
    from backends.model.container import Container
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
@click.option("--push", metavar="REGISTRY/PREFIX", help="Push the images there first; files name them by digest.")
@click.option("--insecure", is_flag=True, help="With --push: without TLS, or a certificate nobody vouches for.")
@click.option("--apply", is_flag=True, help="Kubernetes: apply it to a cluster (checked there first, asks).")
@click.option("--context", metavar="CONTEXT", default="", help="With --apply: of the kubeconfig.")
@click.option("--namespace", metavar="NAME", default="", help="With --apply: else the context's.")
@click.option("--dry-run", is_flag=True, help="With --apply: only have the cluster check it.")
@click.option("--force-conflicts", is_flag=True, help="With --apply: take over fields that others manage.")
@click.option("--external", is_flag=True, help="Compose: volumes and networks are there already, none is made.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write the files there.")
@click.option("--install", type=click.Choice(["user", "system"]), help="Quadlet: put them where systemd looks.")
@click.option("--force", is_flag=True, help="Over files of the same names.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before installing or applying.")
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
    push: str | None,
    insecure: bool,
    apply: bool,
    context: str,
    namespace: str,
    dry_run: bool,
    force_conflicts: bool,
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
    wish = apply_wish(target, apply, context, namespace, dry_run, force_conflicts, yes, play=play)
    _check(target, install, out, play=play, external=external, yes=yes, insecure=insecure and not push)
    if wish is not None:
        invocation.kube = (*invocation.kube, wish.context)

    async def body(fleet: Fleet) -> Exit:
        from backends.services.exports import read_members

        containers = named(await first_view(fleet), names, engine, project)
        members = await read_members(fleet, containers)
        if push:
            members = await pushed(fleet, members, push, insecure=insecure, dry_run=dry_run)
        made = await _made(target, members, install, _options(target, install, workload, play=play, external=external))
        if not invocation.json:
            _tell(made.findings)
        if install and not yes and not await agreed(_question(made, install)):
            say("nothing was installed")
            return Exit.FAILED
        with _installing(fleet, containers, made, install):
            written = await asyncio.to_thread(_written, made, install, out, force)
        done = await applied(fleet, made, members, wish) if wish is not None else None
        if wish is not None and done is None:
            return Exit.FAILED
        if wish is None or invocation.json or written:
            show(made, written, as_json=invocation.json, applied=done)
        return Exit.DONE

    run(invocation, body, only=only(engine) | ({wish.engine} if engine and wish is not None else frozenset()))


def _check(
    target: str, install: str | None, out: Path | None, *, play: bool, external: bool, yes: bool, insecure: bool
) -> None:
    """Raises click.UsageError for options that do not go together."""
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
    if insecure:
        raise click.UsageError("--insecure is for --push")


async def _made(target: str, members: Sequence[Member], install: str | None, options: Mapping[str, object]) -> Exported:
    """The export, with what its own tool says of it."""
    from backends.services.exports import Target, export

    made = export(Target(target), members, **options)
    if target == "quadlet":
        from backends.services.quadlet_check import checked

        return await checked(made, user=install != "system")
    if target == "kubernetes":
        from backends.export.kubernetes_check import validated

        return await asyncio.to_thread(validated, made)
    return made


def _written(made: Exported, install: str | None, out: Path | None, force: bool) -> Sequence[Path]:
    """Writes the files where they are to be; returns their paths."""
    if install:
        return _install(made, install, force)
    if out is None:
        return ()
    from backends.services.export_files import write_files

    return write_files(made.files, out, replace=force)


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


def _installing(
    fleet: Fleet, containers: Sequence[Container], made: Exported, install: str | None
) -> AbstractContextManager[None]:
    if install is None:
        return nullcontext()
    from backends.services.export_files import quadlet_folder
    from backends.services.unit_installs import installing

    return installing(fleet, containers, made.files, quadlet_folder(system=install == "system"))


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


def show(made: Exported, written: Sequence[Path], *, as_json: bool, applied: Mapping[str, Any] | None = None) -> None:
    """On stdout: the files, or the paths under which they were written; as JSON all of it, and what was applied."""
    if as_json:
        answer(**_plain(made, written), applied=applied)
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
        for command in _next(made, written):
            say(f"next: {inert(command)}")


def _next(made: Exported, written: Sequence[Path]) -> tuple[str, ...]:
    from backends.services.export_files import next_steps

    return next_steps(made, written)


def _plain(made: Exported, written: Sequence[Path]) -> dict[str, Any]:
    return {
        "files": [{"name": file.name, "mode": f"{file.mode:04o}", "text": file.shown} for file in made.files],
        "written": [str(path) for path in written],
        "findings": [schema.finding(one) for one in made.findings],
        "commands": list(_next(made, written) if written else made.commands),
    }


__all__ = ["export", "show"]
