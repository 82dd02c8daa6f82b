"""Runs a program of this machine to its end, within a time. May not ask a shell."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence


async def run_program(
    argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None
) -> tuple[int, bytes, bytes]:
    """Its exit code, and what it wrote to stdout and to stderr. It reads nothing. env: None = our own.

    Raises TimeoutError where it takes longer. It never outlives the call, whatever ends that; OSError where it cannot
    be started.
    """
    child = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=env
    )
    try:
        async with asyncio.timeout(timeout_s):
            out, err = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return child.returncode or 0, out, err


__all__ = ["run_program"]
