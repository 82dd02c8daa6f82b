"""Whether an image's signatures satisfy Podman's policy: asked of skopeo, which evaluates it as Podman does at a pull.

Nothing is kept: skopeo is stopped as soon as it begins to copy, which it does only when the policy is satisfied
(github.com/containers/image, copy/single.go: the policy is checked before anything else of the image is read).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

TIMEOUT_S = 60.0
_LONGEST_LINE_BYTES = 1 << 20
_BEGINS = b"Getting image source signatures"
_REJECTED = "Source image rejected: "


class SignatureOutcome(StrEnum):
    """What came of it."""

    HOLDS = "holds"  # the policy is satisfied
    REJECTED = "rejected"
    UNKNOWN = "unknown"  # the registry does not answer, say


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """said: skopeo's words, "" where it holds."""

    outcome: SignatureOutcome
    said: str = ""


def verifier() -> tuple[str, ...]:
    """skopeo of this machine as the beginning of a command line, () where there is none."""
    found = shutil.which("skopeo")
    return (found,) if found else ()


async def check_signatures(
    reference: str, policy: Path, registries: Path | None, *, program: Sequence[str], timeout_s: float = TIMEOUT_S
) -> SignatureCheck:
    """Evaluate the policy for an image of a registry. reference: with its digest. registries: a folder registries.d.

    Asks the registry, with the credentials that skopeo finds (as Podman's).
    """
    with tempfile.TemporaryDirectory(prefix="tranship-signatures-") as folder:
        more = ("--registries.d", str(registries)) if registries is not None else ()
        child = await asyncio.create_subprocess_exec(
            *program, "--policy", str(policy), *more, "copy", f"docker://{reference}", f"dir:{folder}/copy",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C"}, start_new_session=True, limit=_LONGEST_LINE_BYTES,
        )  # fmt: skip
        try:
            async with asyncio.timeout(timeout_s):
                return await _told(child)
        except ValueError:  # of a registry that answers with a book
            return SignatureCheck(SignatureOutcome.UNKNOWN, "a line of skopeo is too long to be read")
        except TimeoutError:
            return SignatureCheck(SignatureOutcome.UNKNOWN, f"skopeo did not answer within {timeout_s:g} s")
        finally:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, 9)
            await child.wait()


async def _told(child: asyncio.subprocess.Process) -> SignatureCheck:
    assert child.stdout is not None
    lines: list[str] = []
    async for line in child.stdout:
        if line.startswith(_BEGINS):
            return SignatureCheck(SignatureOutcome.HOLDS)
        lines.append(_message(line.decode("utf-8", "replace")))
    said = next((text for text in lines if text.startswith(_REJECTED)), "")
    if said:
        return SignatureCheck(SignatureOutcome.REJECTED, said.removeprefix(_REJECTED))
    await child.wait()
    return SignatureCheck(SignatureOutcome.UNKNOWN, lines[-1] if lines else f"skopeo ended with {child.returncode}")


def _message(line: str) -> str:
    """Of a line of its log, time="…" level=fatal msg="…", the message."""
    text = line.strip().partition(' msg="')[2]
    return text.removesuffix('"').replace('\\"', '"') if text else line.strip()


__all__ = ["SignatureCheck", "SignatureOutcome", "check_signatures", "verifier"]
