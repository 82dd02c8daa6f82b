"""The image of a container: how old it is, and whether its reference says which one it is. Pure; asks no registry."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from backends.model.reference import DEFAULT_TAG, Reference, is_image_id, parse_reference
from backends.security.facts import ContainerFacts, TrustSeen
from backends.security.finding import SecurityFinding, Severity
from backends.security.places import SignaturePlace
from backends.security.trust import TrustOutcome, TrustVerdict, judge

OLD_DAYS = 365
"""An image that old lacks a year of its distribution's security updates."""
_LOCAL = "localhost"


def image(facts: ContainerFacts) -> Iterator[SecurityFinding]:
    """All findings about it."""
    yield from _age(facts)
    yield from _moved(facts)
    yield from _trusted(facts)
    reference = _reference(facts.spec.image)
    if reference is None or reference.digest:
        return
    named = pinned(facts)
    if reference.tag in {"", DEFAULT_TAG}:
        yield SecurityFinding(
            "image-latest", Severity.LOW, f"its image is named by the tag {DEFAULT_TAG}", "Config.Image",
            facts.spec.image, "Which image that is changes from day to day; the same line makes another container.",
            "Name a version, or the digest.", named,
        )  # fmt: skip
    elif reference.domain != _LOCAL:
        yield SecurityFinding(
            "image-unpinned", Severity.INFO, "its image is named by a tag, not by its digest", "Config.Image",
            facts.spec.image, "Whoever can push there can move the tag to another image.",
            "Name the digest." if named else "Name the digest (the engine tells none: pull it once by its tag).",
            named,
        )  # fmt: skip


def _trusted(facts: ContainerFacts) -> Iterator[SecurityFinding]:
    """What its engine's policy would do if the image were pulled today."""
    trust = facts.trust
    reference = _reference(facts.spec.image)
    if trust is None or trust.policy is None or reference is None or reference.domain == _LOCAL:
        return
    verdict = judge(trust.policy, facts.spec.image)
    field = f"{trust.path}: {verdict.scope}"
    place = trust.places.of(facts.spec.image)
    if verdict.outcome is TrustOutcome.REFUSES:
        yield SecurityFinding(
            "image-refused", Severity.MEDIUM, "its engine's policy would refuse its image today", field, verdict.words,
            "It was pulled before the policy, or came another way; it cannot be pulled again.",
            "Use an image that the policy takes, or name this one in it.", "podman image trust show",
        )  # fmt: skip
    elif verdict.outcome is TrustOutcome.SIGNED:
        yield SecurityFinding(
            "image-signed", Severity.INFO, "its engine takes its image with a signature only", field, verdict.words,
            f"The signature is looked at when it is pulled, not afterwards; {place.words}.",
            "To look now: tranship security --signatures, or pull it again.", f"podman pull {quote(facts.spec.image)}",
        )  # fmt: skip
        yield from _nowhere(verdict, place, trust)
    else:
        yield SecurityFinding(
            "image-unsigned", Severity.INFO, "its engine takes its image without any signature", field, verdict.words,
            "Whoever can push there decides what runs here.", "Ask for a signature of those who build it.",
            f"podman image trust set -t signedBy -f KEY.gpg {quote(reference.name)}",
        )  # fmt: skip


def _nowhere(verdict: TrustVerdict, place: SignaturePlace, trust: TrustSeen) -> Iterator[SecurityFinding]:
    """A signature is asked for that is looked for nowhere: every pull fails."""
    if trust.places.problem:
        yield SecurityFinding(
            "image-signature-places", Severity.MEDIUM, "the files that say where signatures are cannot be read",
            trust.folder, trust.places.problem, "Podman refuses every image that needs a signature.", "Mend the file.",
        )  # fmt: skip
    elif any(one.kind == "sigstoreSigned" for one in verdict.requirements) and not place.attachments:
        yield SecurityFinding(
            "image-signature-nowhere", Severity.MEDIUM, "its engine asks for a sigstore signature, and reads none from "
            "the registry", f"{trust.folder or 'registries.d'}: {place.scope or 'default-docker'}",
            "use-sigstore-attachments is not true", "A pull fails, though the image is signed (cosign puts it there).",
            "Say in registries.d that signatures are beside the image.", "use-sigstore-attachments: true",
        )  # fmt: skip


def _reference(text: str) -> Reference | None:
    """None for an image that is named by its id, or by no valid name."""
    if not text or is_image_id(text):
        return None
    try:
        return parse_reference(text)
    except ValueError:  # made of an id that is shortened, or by a name of another grammar: nothing to say of it
        return None


def pinned(facts: ContainerFacts) -> str:
    """Its image by name and digest of its registry; "" where the engine tells none of that name."""
    reference = _reference(facts.spec.image)
    if reference is None:
        return ""
    fits = (one for one in facts.image.digests if one.partition("@")[0] in {reference.name, reference.path})
    digest = reference.digest or next(fits, "").partition("@")[2]
    return f"{reference.name}@{digest}" if digest else ""


def _age(facts: ContainerFacts) -> Iterator[SecurityFinding]:
    made = facts.image.created_at
    if made is None:
        return
    days = (facts.now - made).days
    if days >= OLD_DAYS:
        yield SecurityFinding(
            "image-old", Severity.LOW, f"its image is {days} days old", "image: Created", made.date().isoformat(),
            f"It lacks the security updates of {days} days.", "Pull a newer one, and make the container again.",
            f"tranship pull {quote(facts.spec.image)}",
        )  # fmt: skip


def _moved(facts: ContainerFacts) -> Iterator[SecurityFinding]:
    now, own = facts.image.named_now, facts.image_id
    if now and own and now != own:
        yield SecurityFinding(
            "image-outdated", Severity.LOW, "its image's name means another image by now", "Image, Config.Image",
            f"runs {own[:12]}, {facts.spec.image} is {now[:12]}",
            "The newer one, with its updates, is in the store and is not what runs.",
            "Make it again from the newer one.", f"tranship change {quote(facts.spec.name)}",
        )  # fmt: skip


__all__ = ["OLD_DAYS", "image"]
