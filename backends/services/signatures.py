"""Whether an image's signatures satisfy Podman's policy: asked of skopeo or podman, which evaluate it as at a pull.

Nothing is kept: they are stopped as soon as they begin to copy, which they do only when the policy is satisfied
(github.com/containers/image, copy/single.go: the policy is checked before anything else of the image is read). podman
gets a store of its own for it, which is removed. Where neither is there, `signatures_cosign.py`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

TIMEOUT_S = 60.0
_LONGEST_LINE_BYTES = 1 << 20
_BEGINS = b"Getting image source signatures"
_FAILED = b"Error: "
"""What follows is a registry's words too, with line ends of its own: none of them is podman's."""
_REJECTED = "Source image rejected: "
_ELSEWHERE = ("CONTAINER_HOST", "CONTAINER_CONNECTION")
"""With one of these podman asks a service, which has policies and stores of its own."""


class SignatureOutcome(StrEnum):
    """What came of it."""

    HOLDS = "holds"  # the policy is satisfied
    REJECTED = "rejected"
    UNKNOWN = "unknown"  # the registry does not answer, say


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """said: the program's words, "" where it holds."""

    outcome: SignatureOutcome
    said: str = ""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A program that verifies. name: "skopeo", "podman" or "cosign". program: the beginning of its command line."""

    name: str
    program: tuple[str, ...]


VERIFIERS = ("skopeo", "podman", "cosign")
"""The first that is there: skopeo needs no store; cosign knows no policy."""


def verifier() -> Verifier | None:
    """The one of this machine, None where there is none."""
    for name in VERIFIERS:
        found = shutil.which(name)
        if found:
            return Verifier(name, (found,))
    return None


async def check_signatures(
    reference: str, policy: Path, registries: Path | None, *, by: Verifier, timeout_s: float = TIMEOUT_S
) -> SignatureCheck:
    """Evaluate the policy for an image of a registry. reference: with its digest. registries: a folder registries.d.

    by: skopeo or podman. Asks the registry, with the credentials that the program finds (Podman's).
    """
    if by.name == "podman":
        own = _own_registries()
        if own != registries:
            said = f"podman here looks signatures up by {own or 'no file'}, the engine by {registries or 'no file'}"
            return SignatureCheck(SignatureOutcome.UNKNOWN, f"{said}; skopeo can be told")
    with _folder() as folder:
        if by.name == "podman":
            asked = _pull(reference, policy, folder)
        else:
            more = ("--registries.d", str(registries)) if registries is not None else ()
            asked = ("--policy", str(policy), *more, "copy", f"docker://{reference}", f"dir:{folder}/copy")
        try:
            return await _asked((*by.program, *asked), by.name, folder, timeout_s)
        finally:
            if by.name == "podman":
                await _emptied(folder, by.program)


@contextmanager
def _folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="tranship-signatures-") as folder:
        yield folder


def _own_registries() -> Path | None:
    """The folder registries.d that a podman of ours takes (containers-registries.d(5)); it has no option for it."""
    for folder in (Path.home() / ".config/containers/registries.d", Path("/etc/containers/registries.d")):
        if folder.is_dir():
            return folder
    return None


def _pull(reference: str, policy: Path, folder: str) -> tuple[str, ...]:
    """Into a store in that folder, so that nothing of the user's own is touched. --signature-policy is in no help of
    podman's, and in all its versions since 1.0."""
    store = ("--root", f"{folder}/root", "--runroot", f"{folder}/run", "--tmpdir", f"{folder}/tmp")
    quiet = ("--storage-driver", "vfs", "--events-backend", "none")
    return (*store, *quiet, "pull", "--signature-policy", str(policy), "--retry", "0", reference)


async def _emptied(folder: str, program: Sequence[str]) -> None:
    """Remove what lies there. What a rootless podman unpacked before it was stopped can belong to its own users, whom
    only podman can act for."""
    try:
        await asyncio.to_thread(shutil.rmtree, f"{folder}/root")
    except FileNotFoundError:  # it ended before it made any
        return
    except PermissionError:
        child = await asyncio.create_subprocess_exec(
            *program, "unshare", "rm", "-rf", "--", f"{folder}/root", env=_environ(folder)
        )
        await child.wait()


def _environ(folder: str) -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return environ | {"LC_ALL": "C", "TMPDIR": folder}


async def _asked(argv: Sequence[str], name: str, folder: str, timeout_s: float) -> SignatureCheck:
    child = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env=_environ(folder), start_new_session=True, limit=_LONGEST_LINE_BYTES,
    )  # fmt: skip
    try:
        async with asyncio.timeout(timeout_s):
            return await _told(child, name)
    except ValueError:  # of a registry that answers with a book
        return SignatureCheck(SignatureOutcome.UNKNOWN, f"a line of {name} is too long to be read")
    except TimeoutError:
        return SignatureCheck(SignatureOutcome.UNKNOWN, f"{name} did not answer within {timeout_s:g} s")
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, 9)
        await child.wait()


async def _told(child: asyncio.subprocess.Process, name: str) -> SignatureCheck:
    assert child.stdout is not None
    lines: list[str] = []
    failed = False
    async for line in child.stdout:
        failed = failed or line.startswith(_FAILED)
        if line.startswith(_BEGINS) and not failed:
            return SignatureCheck(SignatureOutcome.HOLDS)
        lines.append(_message(line.decode("utf-8", "replace")))
    said = next((text.partition(_REJECTED)[2] for text in lines if _REJECTED in text), "")
    if said:  # of an image for several platforms it says first that it is copying one of them
        return SignatureCheck(SignatureOutcome.REJECTED, said)
    await child.wait()
    return SignatureCheck(SignatureOutcome.UNKNOWN, lines[-1] if lines else f"{name} ended with {child.returncode}")


def _message(line: str) -> str:
    """Of a line of its log, time="…" level=fatal msg="…", or "Error: …", the message."""
    text = line.strip().partition(' msg="')[2]
    return text.removesuffix('"').replace('\\"', '"') if text else line.strip().removeprefix("Error: ")


__all__ = ["VERIFIERS", "SignatureCheck", "SignatureOutcome", "Verifier", "check_signatures", "verifier"]
