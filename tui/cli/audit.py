"""`tranship audit`: what was done, by whom, and the proof that nobody changed the record. Asks no engine."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from backends.model.errors import BackendError
from tui.cli import schema_audit
from tui.cli.exits import Exit
from tui.cli.options import common, read_moment
from tui.cli.output import answer, complain, data, rows, say
from tui.cli.session import Invocation, pass_invocation
from tui.cli.table import Column
from tui.moments import EXAMPLES
from widgets.text import inert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from backends.services.audit_query import Entry
    from backends.services.audit_read import Verified

COLUMNS = (
    Column("WHEN"),
    Column("WHO", give=2),
    Column("ENGINE", give=1),
    Column("ACTION"),
    Column("WHAT", give=3, cut="middle"),
    Column("OUTCOME", give=1),
)
DEPLOYED = (
    Column("WHEN"),
    Column("WHO", give=2),
    Column("ENGINE", give=1),
    Column("NAME", give=1),
    Column("IMAGE", give=3, cut="middle"),
    Column("DIGEST"),
    Column("RECORD"),
)


@click.command()
@click.option("--verify", is_flag=True, help="Only prove the chain; exit code 1 where something was changed.")
@click.option("--deployments", is_flag=True, help="Only what was brought to run, and from which digest.")
@click.option("--since", metavar="MOMENT", callback=read_moment, help=f"Only from then on: {EXAMPLES}.")
@click.option("--engine", "-e", metavar="NAME", default="", help="Only of this engine.")
@click.option("--container", metavar="NAME", default="", help="Only about this one: a name, or the beginning of an id.")
@click.option("--action", metavar="ACTION", default="", help="Only these: container.run, container, or run.")
@click.option("--tail", "-n", type=click.IntRange(min=1), metavar="LINES", help="Only the last lines.")
@common
@pass_invocation
def audit(
    invocation: Invocation,
    verify: bool,
    deployments: bool,
    since: datetime | None,
    engine: str,
    container: str,
    action: str,
    tail: int | None,
) -> None:
    """List what was done with Tranship on this account: when, by whom, to what, and how it ended.

    The record is a chain of hashes: --verify finds lines that were changed, moved, doubled or taken away.
    """
    from backends.services import audit_query
    from backends.services.audit import default_path
    from backends.services.audit_read import read

    if verify and (deployments or since or engine or container or action or tail):
        raise click.UsageError("--verify proves all of the trail: it takes no filter")
    wanted = audit_query.Wanted(since, engine, container, action)

    def matches(entry: Entry) -> bool:
        return wanted(entry) and (not deployments or bool(audit_query.deployments([entry])))

    path = default_path()
    try:
        entries, proof = read(path, (lambda _: False) if verify else matches, most=tail)
    except BackendError as error:
        complain(error, as_json=invocation.json)
        sys.exit(Exit.FAILED)
    if invocation.json:
        shown = schema_audit.deployment if deployments else schema_audit.entry
        content = {} if verify else {"deployments" if deployments else "entries": [shown(one) for one in entries]}
        answer(file=str(path), **content, chain=schema_audit.chain(proof))
    elif verify:
        _prove(proof, str(path))
    else:
        _list(entries, deployments=deployments)
        _state(proof)
    sys.exit(Exit.FAILED if verify and not proof.ok else Exit.DONE)


def _list(entries: Sequence[Entry], *, deployments: bool) -> None:
    from backends.services.audit_query import outcome, user, when

    if deployments:
        cells = [schema_audit.deployment(one) for one in entries]
        rows(
            DEPLOYED,
            [
                (
                    when(one),
                    user(one),
                    str(ran["engine"]),
                    str(ran["name"]),
                    str(ran["image"] or f"not known: {ran['unknown']}"),
                    _digest(ran),
                    str(ran["record"] or "")[:12],
                )
                for one, ran in zip(entries, cells, strict=True)
            ],
        )
        return
    rows(
        COLUMNS,
        [
            (
                when(one),
                user(one),
                str(one.get("engine") or ""),
                str(one.get("action") or ""),
                str(one.get("subject") or one.get("result") or ""),
                outcome(one),
            )
            for one in entries
        ],
    )


def _digest(ran: dict[str, Any]) -> str:
    """The registry's digest in short, else the image's id; --json has them whole."""
    digest = str(next(iter(ran["digests"]), "")).rpartition("@")[2]
    found = digest or f"image {ran['image_id'] or '?'}"
    return found[:19]


def _state(proof: Verified) -> None:
    if not proof.ok:
        count = len(proof.flaws) + proof.more
        say(f"tranship: the trail is not whole: {count} flaws; `tranship audit --verify` names them")
    for note in proof.notes:
        say(f"note: {note}")


def _prove(proof: Verified, path: str) -> None:
    for flaw in proof.flaws:
        data(inert(f"✕ {flaw}"))
    if proof.more:
        data(f"✕ and {proof.more} more")
    for note in proof.notes:
        data(inert(f"· {note}"))
    if not proof.ok:
        return
    if proof.last is None:
        data(inert(f"nothing is written down yet in {path}"))
        return
    files = f"{proof.files} file{'s' if proof.files > 1 else ''}"
    data(inert(f"✓ {proof.lines} lines in {files} are whole and in order, up to line {proof.last.seq}"))
    data(f"  the last has the hash {proof.last.hash}: kept elsewhere, it proves these lines for good")


__all__ = ["audit"]
