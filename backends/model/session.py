"""What a program that somebody talks to is started with, and the terminal that it is shown on."""

from __future__ import annotations

from dataclasses import dataclass

DETACH_KEYS = "ctrl-p,ctrl-q"
"""As both engines write them; they are each engine's own default."""
DETACH_BYTES = b"\x10\x11"
"""What a terminal sends for them."""


@dataclass(frozen=True, slots=True)
class TerminalSize:
    """In character cells."""

    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class ExecSpec:
    """A program to run in a container, with somebody at its other end.

    tty: on a terminal of its own, of this size. stdin: it is given input. user: "" = the container's; workdir: "" = the
    container's. env: "NAME=value", laid over the container's.
    """

    argv: tuple[str, ...]
    tty: bool = False
    stdin: bool = True
    user: str = ""
    workdir: str = ""
    env: tuple[str, ...] = ()
    size: TerminalSize | None = None


__all__ = ["DETACH_BYTES", "DETACH_KEYS", "ExecSpec", "TerminalSize"]
