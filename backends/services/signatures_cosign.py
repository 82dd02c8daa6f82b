"""Sigstore signatures of an image, verified by cosign against the keys that Podman's policy names; no more is told.

cosign knows no policy: what it cannot be asked (GPG, Rekor, certificates, identities) is told, not guessed. Sources:
github.com/sigstore/cosign, doc/cosign_verify.md and doc/cosign_exit_codes.md. No real cosign has been tried.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from backends.model.reference import parse_reference
from backends.security.places import SignaturePlace
from backends.security.trust import Requirement
from backends.services.local_program import run_program
from backends.services.signatures import TIMEOUT_S, SignatureCheck, SignatureOutcome, Verifier

_TAKES_ALL = "insecureAcceptAnything"
_NO_SIGNATURE, _NO_MATCH = 10, 12
_NEWER = ("--insecure-ignore-tlog=true", "--new-bundle-format=false")
"""The policy asks for no transparency log where it names no key of one; Podman reads signatures of the older kind,
which lie beside the image under a tag. A cosign that does not know one of these behaves so by itself."""
_UNKNOWN_FLAG = "unknown flag: "


async def ask_cosign(
    reference: str,
    requirements: Sequence[Requirement],
    place: SignaturePlace,
    *,
    by: Verifier,
    timeout_s: float = TIMEOUT_S,
) -> SignatureCheck:
    """Whether all the requirements hold of an image with its digest. place: where its engine looks signatures up."""
    asked = [one for one in requirements if one.kind != _TAKES_ALL]
    for one in asked:
        why = _beyond(one)
        if why:
            return SignatureCheck(SignatureOutcome.UNKNOWN, f"{why}: cosign alone cannot tell")
    if not place.attachments:
        said = "its engine reads no signature from the registry: use-sigstore-attachments is not true"
        return SignatureCheck(SignatureOutcome.REJECTED, said)
    for one in asked:
        made = await _any_key(reference, one.keys, by.program, timeout_s)
        if made.outcome is not SignatureOutcome.HOLDS:
            return made
    return SignatureCheck(SignatureOutcome.HOLDS)


def _beyond(one: Requirement) -> str:
    if one.kind != "sigstoreSigned":
        return f"the policy asks for {one.kind}"
    if one.more:
        return f"the policy has {', '.join(one.more)}"
    unread = [key for key in one.keys if not key.startswith("/")]
    return f"its keys are no files ({', '.join(unread)})" if unread or not one.keys else ""


async def _any_key(reference: str, keys: Sequence[str], program: Sequence[str], timeout_s: float) -> SignatureCheck:
    """One of the keys is enough; the last one's answer where none is."""
    made = SignatureCheck(SignatureOutcome.UNKNOWN)
    unknown: SignatureCheck | None = None
    for key in keys:
        made = await _verified(reference, key, program, timeout_s)
        if made.outcome is SignatureOutcome.HOLDS:
            return made
        if made.outcome is SignatureOutcome.UNKNOWN:
            unknown = unknown or made
    return unknown or made


async def _verified(reference: str, key: str, program: Sequence[str], timeout_s: float) -> SignatureCheck:
    options = list(_NEWER)
    while True:
        argv = [*program, "verify", "--key", key, *options, "--output", "json", reference]
        try:
            code, out, err = await run_program(argv, timeout_s=timeout_s)
        except TimeoutError:
            return SignatureCheck(SignatureOutcome.UNKNOWN, f"cosign did not answer within {timeout_s:g} s")
        said = err.decode("utf-8", "replace")
        known = [option for option in options if f"{_UNKNOWN_FLAG}{option.partition('=')[0]}" not in said]
        if not code or known == options:
            break
        options = known
    if code:
        lines = [line for line in said.splitlines() if line.strip()]
        outcome = SignatureOutcome.REJECTED if code in {_NO_SIGNATURE, _NO_MATCH} else SignatureOutcome.UNKNOWN
        return SignatureCheck(outcome, lines[-1].removeprefix("Error: ") if lines else f"cosign ended with {code}")
    return _of_this(reference, out)


def _of_this(reference: str, out: bytes) -> SignatureCheck:
    """A signature is of this image where it names its digest and, as Podman asks, its repository."""
    try:
        told = json.loads(out)
        signed = [_names(one) for one in told]
    except (ValueError, TypeError, KeyError, RecursionError):
        return SignatureCheck(SignatureOutcome.UNKNOWN, "cosign's answer is not to be read")
    own = parse_reference(reference)
    if (own.name, own.digest) in signed:
        return SignatureCheck(SignatureOutcome.HOLDS)
    others = ", ".join(sorted(f"{name}@{digest}" for name, digest in signed)) or "nothing"
    return SignatureCheck(SignatureOutcome.REJECTED, f"its signatures are of {others}")


def _names(told: Any) -> tuple[str, str]:
    critical = told["critical"]
    return parse_reference(critical["identity"]["docker-reference"]).name, critical["image"]["docker-manifest-digest"]


__all__ = ["ask_cosign"]
