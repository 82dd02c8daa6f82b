"""The options of a new container, as `docker run` and `podman run` name them. Reads them; makes nothing."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from backends.draft.draft import Draft, draft_of
from backends.model.wish import FORMS

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--image", metavar="IMAGE", help="With --preset or --like: another image than theirs."),
    click.option("--name", metavar="NAME", help="What it is called; default: made from the image or the preset."),
    click.option("--gpus", metavar="WISH", help=f"{FORMS}."),
    click.option("--publish", "-p", "ports", multiple=True, metavar="PORT", help="[ADDRESS:]HOST:CONTAINER[/udp]."),
    click.option(
        "--volume", "-v", "mounts", multiple=True, metavar="MOUNT", help="SOURCE:/INSIDE[:ro]; volume or path."
    ),
    click.option("--env", "-e", multiple=True, metavar="VAR", help="NAME=VALUE, or NAME for your own value."),
    click.option("--env-file", "env_files", multiple=True, metavar="FILE", help="A file of NAME=VALUE lines."),
    click.option("--user", "-u", metavar="USER", help="User inside, as UID:GID or names."),
    click.option("--workdir", "-w", metavar="FOLDER", help="Folder inside in which the command runs."),
    click.option("--memory", "-m", metavar="SIZE", help="Limit, as 16g."),
    click.option("--cpus", metavar="N", help="Limit, as 1.5."),
    click.option("--shm-size", metavar="SIZE", help="Size of /dev/shm, as 8g."),
    click.option("--ipc", metavar="MODE", help="private, host, shareable or container:NAME."),
    click.option("--ulimit", "ulimits", multiple=True, metavar="LIMIT", help="NAME=SOFT[:HARD], as memlock=-1."),
    click.option("--pids-limit", "pids", metavar="N", help="How many processes, -1 = no limit."),
    click.option("--restart", metavar="POLICY", help="no, on-failure[:N], always or unless-stopped."),
    click.option("--network", metavar="NETWORK", help="bridge, host, none, container:NAME, or a network's name."),
    click.option("--health-cmd", "health", metavar="COMMAND", help="Asked again and again; none switches it off."),
    click.option("--health-start-period", "health_start", metavar="TIME", help="Failures count after it, as 2m."),
)


def draft_options(command: F) -> F:
    """All options of this module; they come as keyword arguments for `said`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def said(options: dict[str, Any], command: Sequence[str]) -> Draft:
    """What was said on the command line. options: what click gave for this module's options."""
    texts = {key: value for key, value in options.items() if value}
    return draft_of(**texts, command=shlex.join(command) if command else "")


__all__ = ["draft_options", "said"]
