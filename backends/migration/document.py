"""docs/migration.md: what moves, is converted, or cannot, made from the rows that a move itself goes by. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backends.migration.defaults import DEFAULTS, OTHER
from backends.migration.rows import BY_PATH, GROUPS
from backends.migration.table import Row

_HEAD = """\
# What a migration moves

<!-- Made by `make docs` from backends/migration: plans, copies and proofs are made from the rows below. -->

Tranship reads a container into a recipe that knows no engine, and writes that recipe to the other engine. Every field
that somebody has set is in the plan, as **same**, **converted**, or **dropped** with the reason; what the image already
says is left out, so that its defaults are not frozen into the copy. What Tranship does not know at all is in the plan
too, as dropped, with its value.

After the move the copy's recipe is read back from its engine and compared with the plan, field by field.

## How it goes

1. The plan is shown first. A blocking finding (name, port or volume taken, no room, wrong architecture, GPU missing…)
   stops it there, with its remedy.
2. While the source still runs, the image travels: only the layers that the target lacks, read from the source's own
   store where that may be read here (as root), else by a small registry that Tranship serves on 127.0.0.1 meanwhile,
   else in one stream; and the volumes are copied.
3. The source is stopped, its restart policy switched off. What has changed in the volumes since is copied; the copy is
   created, started, and waited for until it is healthy. The time without service is reported.
4. Image layers, volume contents (owners, modes, times, contents, attributes), the whole recipe, GPU nodes inside and
   the state are compared, engine against engine. The report is kept; `--verify` repeats it.
5. If any of this fails, what was made on the target is removed and the source runs as before.
6. The source stays, stopped, until `--confirm` accepts the move or `--undo` takes it back; on the screen `c` and `u`,
   and `M` lists what waits, from earlier sessions too. Only `--move` removes it, after the proof and a question of its
   own.

Every step stands in a journal before it is done: after a power cut or `kill -9`, `tranship doctor` names the move,
`--resume` finishes it and `--undo` brings the source back; so do `r` and `u` on the screen that `M` opens. Each volume
and each port is chosen by itself with `o` (`--volume`, `--port`), a Compose project or a pod moves whole with `P`
(`--project`). Of files in volumes, ACLs and sockets are not carried. Podman
reads a volume by the `tar` of the workload's own image, or of another image in its store.
"""

_MORE = """\
## Images

An image travels by its id, so that a tag that has moved on does no harm, and is compared afterwards by its
configuration's digest, its ordered diff-IDs and its platform. A name that another image of the target has is never
taken from it: then the copy is made from the image's id. Untagged images and images known by digest only work.

| way | what travels | when |
|---|---|---|
| store | only the layers that the target lacks, read from the source's own folders | the source's store is overlay on \
this machine and may be read (by root; a rootless one by its user, as far as its files allow); as for registry |
| registry | only the layers that the target lacks, pushed by the source | both engines reach 127.0.0.1 of this \
machine |
| archive | the whole image in one stream, no temporary file | another host, Docker's containerd store as the target |

From the store, each layer's tar is rebuilt from its files and the list of its parts that both engines keep (tar-split),
and proved by its digest before its last byte goes out; nothing of it lies on disk on its way, and the source reads,
compresses and sends nothing. The registry is Tranship's own, on 127.0.0.1, and lives as long as the move. Which way is
taken stands in the plan with its reason, and why the store is not read; where a way fails the next one is taken, and
that is said. `--image-way` forces one.

## Volumes

Content, names with any bytes, numeric owners, modes, times, symbolic and hard links, pipes, devices, empty directories
and extended attributes are carried where the images' `tar` tells them; the volume's own root too. While the source runs
everything is copied once; after it has stopped only what has changed since. Both sides are digested and compared, entry
by entry. Not carried: sockets (their servers make them) and ACLs.

Nothing is ever written into a volume that was there before. On a rootless target owners are those inside the container:
they are found again there as the same numbers, and stand in the host's files as subordinate ids.

## Networks

A network that the copy joins is made where it is missing, with its address range where that is free on the target's
host, its options in the target's words. Aliases and addresses that were asked for are kept; those that the engine chose
are not frozen.

## GPUs

What the source has is carried as it is, or as the target understands it. `--gpus` (the key g on the screen) gives the
copy others: `all`, a number, devices (`0,1`, `device=0`, a MIG instance `0:1`, a UUID, a CDI name), or `none`.

| engine | how it is asked | when |
|---|---|---|
| Docker | by CDI name | its CDI feature is on, and it lists the name |
| Docker | by its nvidia driver | the nvidia runtime is registered, and CDI is off or the name is not listed |
| Podman | by CDI name | 4.1 and later |
| both | AMD's nodes, all of them | this machine has AMD's GPUs alone, and no CDI name of theirs is listed |

Where an engine supports none of these, the plan is blocked, with the reason and what to do. An engine that does not
tell its CDI names (a remote one, an old Docker) is asked by the names that the vendors' tools write, with a warning.
Of a project `--gpus` means the containers that have GPUs. The proof compares the request that the target reads back,
and looks for the device nodes inside; with `none`, that there are none.

## Several containers

`--project` moves all containers of a Compose project or of a pod together: who is needed first, volumes that they share
once, all or none. A pod becomes containers that share the namespaces of the first, on either engine. Alone, a container
whose namespace is another's, or that is in a pod, is refused.

## What never moves

Old logs, the exit code and times of the source, the state of running processes (a move is a cold start), swarm services
and secrets, checkpoints, the storage behind a volume's driver.
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ") or " "


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _code(text: str) -> str:
    return text if text in {"-", "everything else"} or text.startswith("(") else f"`{text}`"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield _line(heads)
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield _line(row)


def _rows(row: Row) -> Iterator[tuple[str, str, str, str]]:
    yield f"`{row.path}`", _code(row.docker), _code(row.podman), row.said or "the same"
    for name, (docker, podman, remark) in row.subs.items():
        yield f"`{row.path}` / {name}", docker, podman, remark or "as above"


def _own(path: str, value: object) -> str:
    return BY_PATH[path].show(path, value)


def markdown() -> str:
    """The whole document, with a newline at its end."""
    lines = [_HEAD, "## Every field", ""]
    for title, rows in GROUPS.items():
        lines += [f"### {title}", ""]
        lines += _table(
            ("field", "Docker", "Podman", "what becomes of it"), [one for row in rows for one in _rows(row)]
        )
        lines.append("")
    lines += ["## What the engines do by themselves, and differently", ""]
    lines.append(
        "What the source left to its engine is written out for the target, so that the copy behaves as the source did;"
    )
    lines += ["each is in the plan as converted. `--native-defaults` leaves the target its own.", ""]
    own = [(f"`{one.path}`", _own(one.path, one.docker), _own(one.path, one.podman), one.said) for one in DEFAULTS] + [
        (name, docker, podman, said) for name, (docker, podman, said) in OTHER.items()
    ]
    lines += _table(("setting", "Docker's own", "Podman's own", ""), own)
    return "\n".join([*lines, "", _MORE])


def main() -> None:
    """Write the document to stdout."""
    import sys

    sys.stdout.write(markdown())


if __name__ == "__main__":
    main()
