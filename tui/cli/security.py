"""`tranship security`: what is risky about containers and engines, with the fact and the remedy. Changes nothing."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from backends.model.capabilities import Capability
from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.fleet import FleetView
from backends.security.finding import ContainerReport, EngineReport, RootlessReport, SecurityFinding, Severity
from tui.cli import schema, schema_security
from tui.cli.exits import Exit
from tui.cli.options import common, engine_option, only
from tui.cli.output import answer, complain, data, rows
from tui.cli.pick import first_view, not_connected, the_container, the_engine, unreachable
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.table import Column
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

_COLUMNS = (
    Column("SEVERITY"),
    Column("WHERE", give=1),
    Column("FINDING", give=2),
    Column("REMEDY", give=3),
)

_ASKED = ("signature-", "scan-")
"""Findings of looks that were asked for by name: shown however harmless they are."""
_NAMED = 2
"""Containers that a line names; JSON has them all."""


@click.command()
@click.argument("names", metavar="[CONTAINER]...", nargs=-1)
@click.option(
    "--severity",
    type=click.Choice([level.value for level in Severity]),
    default=Severity.HIGH.value,
    show_default=True,
    help="From here up a finding makes the exit code 1.",
)
@click.option("--all", "everything", is_flag=True, help="Also what is merely worth knowing (info).")
@click.option("--signatures", is_flag=True, help="Also verify signatures by Podman's policy: asks the registries.")
@click.option("--scan", is_flag=True, help="Also scan each image by Trivy or Grype, layer by layer: takes minutes.")
@click.option("--rootless", is_flag=True, help="Also what a move to rootless Podman would change.")
@engine_option
@common
@pass_invocation
def security(
    invocation: Invocation,
    names: tuple[str, ...],
    severity: str,
    everything: bool,
    signatures: bool,
    scan: bool,
    rootless: bool,
    engine: str | None,
) -> None:
    """Say what is risky about containers and their engines: rights, namespaces, mounts, ports, secrets, images.

    Each finding has the fact that it was read from and the option that mends it. Without CONTAINER: all of them.
    Exits with 1 where a finding is as severe as --severity says, or worse, and with 3 where an engine does not answer.
    """
    level = Severity(severity)

    async def body(fleet: Fleet) -> Exit:
        view = await first_view(fleet)
        if engine is not None:
            the_engine(view, engine)
        chosen = _chosen(view, names, engine)
        containers, engines, errors = await _look(fleet, view, chosen, engine, names)
        containers = await _deeper(fleet, containers, signatures=signatures, scan=scan)
        moved = await _rootless(fleet, view, containers, errors) if rootless else []
        found = [*(one for report in containers for one in report.findings)]
        found += [one for report in engines for one in report.findings]
        reached = sum(one.severity.reaches(level) for one in found)
        if invocation.json:
            answer(
                severity=level.value,
                reached=reached,
                containers=[schema_security.container(report) for report in containers],
                engines=[schema_security.engine(report) for report in engines],
                rootless=[schema_security.rootless(report) for report in moved] if rootless else None,
                errors=[schema.error(error) for error in errors],
            )
        else:
            _show(containers, engines, Severity.INFO if everything else Severity.LOW)
            if moved:
                _tell(moved)
            data(inert(_sum(found, level, reached)))
        for error in errors:
            complain(error)
        return Exit.UNREACHABLE if errors else Exit.FAILED if reached else Exit.DONE

    run(invocation, body, only=only(engine))


def _chosen(view: FleetView, names: tuple[str, ...], engine: str | None) -> list[Container]:
    """Those named, else all but pods' own; by engine and name."""
    if names:
        named = (the_container(view, name, engine) for name in names)
        return list({container.key: container for container in named}.values())
    rows_ = (row for row in view.containers.values() if not row.infra)
    return sorted(rows_, key=lambda row: (row.key.engine.name, row.name))


async def _look(
    fleet: Fleet, view: FleetView, chosen: Sequence[Container], engine: str | None, names: tuple[str, ...]
) -> tuple[list[ContainerReport], list[EngineReport], list[BackendError]]:
    """Reports of the containers and of their engines, and why some could not be made."""
    from backends.services.security import look_at_all

    all_engines = {
        one.id for one in view.engines.values() if one.offers(Capability.RECIPES) and engine in {None, one.id.name}
    }
    live = [row for row in chosen if not view.engines[row.key.engine].stale]
    if not names:  # a cluster's Pods have no recipe here: who names one is told so
        live = [row for row in live if view.engines[row.key.engine].offers(Capability.RECIPES)]
    lost = [] if names else unreachable(view)
    lost += [not_connected(view.engines[row.key.engine]) for row in chosen if names and row not in live]
    reports, engines, errors = await look_at_all(fleet, live, engines=() if names else all_engines)
    return reports, engines, [*lost, *errors]


async def _deeper(
    fleet: Fleet, reports: list[ContainerReport], *, signatures: bool, scan: bool
) -> list[ContainerReport]:
    """With what the slow looks found, where they are asked for."""
    if signatures or scan:
        from backends.services.deeper import with_scans, with_signatures

        if signatures:
            reports = await with_signatures(fleet, reports)
        if scan:
            reports = await with_scans(fleet, reports)
    return reports


async def _rootless(
    fleet: Fleet, view: FleetView, containers: Sequence[ContainerReport], errors: list[BackendError]
) -> list[RootlessReport]:
    """Of each container; errors: grows by why one could not be told."""
    from backends.services.rootless import rootless_report

    made = []
    for report in containers:
        try:
            engine = fleet.engine(report.key.engine)
            made.append(await rootless_report(engine, report.key.id, view.engines.values(), os.environ))
        except BackendError as error:
            errors.append(error)
    return made


def _tell(reports: Iterable[RootlessReport]) -> None:
    for report in reports:
        data("")
        if report.already:
            data(inert(f"{report.name} is on rootless Podman already ({report.target})"))
            continue
        data(inert(f"{report.name} on {report.target} (judged by {report.basis}):"))
        for one in report.changes:
            data(inert(f"  {one.verdict:9}  {one.what}" + (f" ({one.detail})" if one.detail else "")))
            if one.remedy:
                data(inert(f"  {'':9}  → {one.remedy}"))
        if not report.changes:
            data("  nothing would change")
    data("")


def _show(containers: Iterable[ContainerReport], engines: Iterable[EngineReport], least: Severity) -> None:
    """One line for each finding, worst first; those that several containers share are one."""
    found: dict[tuple[int, str, str, str], list[str]] = {}
    places = [(f"{report.name} ({report.key.engine})", report.findings) for report in containers]
    places += [(f"engine {report.engine}", report.findings) for report in engines]
    for where, findings in places:
        for one in findings:
            if one.severity.reaches(least) or one.id.startswith(_ASKED):
                key = (one.severity.rank, one.id, one.title, one.flags or one.remedy)
                found.setdefault(key, []).append(where)
    if found:
        lines = sorted(found.items())
        rows(_COLUMNS, [[list(Severity)[rank].value, _named(at), title, cure] for (rank, _, title, cure), at in lines])


def _named(places: Sequence[str]) -> str:
    shown = ", ".join(places[:_NAMED])
    return shown if len(places) <= _NAMED else f"{shown} and {len(places) - _NAMED} more"


def _sum(found: Sequence[SecurityFinding], level: Severity, reached: int) -> str:
    counts = Counter(one.severity for one in found)
    said = ", ".join(f"{counts[one]} {one.value}" for one in Severity if counts[one]) or "nothing found"
    return f"{said}; {reached} at {level.value} or above" if level is not Severity.CRITICAL else f"{said}"


__all__ = ["security"]
