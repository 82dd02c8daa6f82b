"""What the engines share when they deal with registries: streams, names, results, errors. Calls nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from backends.engines.registry_errors import retold
from backends.model.errors import BackendError, Conflict, Unsupported
from backends.model.ids import EngineId
from backends.model.reference import DEFAULT_DOMAIN, DEFAULT_TAG, parse_reference
from backends.model.transfer import FoundImage, Platform, Resolved, TransferEvent


@asynccontextmanager
async def opened(events: AsyncGenerator[TransferEvent, None]) -> AsyncIterator[AsyncIterator[TransferEvent]]:
    """A stream of events; leaving it closes what they are read from."""
    try:
        yield events
    finally:
        await events.aclose()


@contextmanager
def about(verb: str, name: str, host: str, engine: EngineId) -> Iterator[None]:
    """What fails within is told as what it means about a registry."""
    try:
        yield
    except BackendError as error:
        told = retold(error, verb=verb, name=name, host=host, engine=engine)
        if told is error:
            raise
        raise told from error


def names_registry(reference: str) -> bool:
    """Whether a reference says which registry it is of: "ghcr.io/a/b", "localhost/a"; not "python", "user/app"."""
    first, slash, _ = reference.partition("/")
    return bool(slash) and ("." in first or ":" in first or first == "localhost")


def full_name(reference: str, engine: EngineId) -> str:
    """A reference in full. Of one with a tag and a digest the digest counts, as with the engines. Raises Conflict."""
    try:
        parsed = parse_reference(reference.strip())
    except ValueError as error:
        raise Conflict("That is no image name", detail=str(error), engine=engine) from error
    return f"{parsed.name}@{parsed.digest}" if parsed.digest else f"{parsed.name}:{parsed.tag or DEFAULT_TAG}"


def tagged_name(reference: str, engine: EngineId) -> str:
    """A reference in full that can be pushed: by a digest there is none, and Docker would push all tags. Conflict."""
    full = full_name(reference, engine)
    if "@" in full:
        hint = "Give the image a tag, and push that."
        raise Conflict("An image is pushed by a tag, not by a digest", detail=full, hint=hint, engine=engine)
    return full


def resolved(reference: str, full: str) -> Resolved:
    """By Docker's rule."""
    if names_registry(reference):
        return Resolved(full)
    return Resolved(full, (full,), "Docker Hub, as no registry is named")


def search_host(term: str) -> str:
    """The registry that a term asks."""
    return term.partition("/")[0] if names_registry(term) else DEFAULT_DOMAIN


def unsearchable(host: str, error: BackendError, engine: EngineId) -> BackendError:
    """Why a search failed."""
    words = f"{error.title} {error.detail}"
    if any(f"status code {kind}" in words for kind in ("404", "403", "401", "405", "301")):
        hint = "Podman can list what some registries have; else look at the registry's own page."
        return Unsupported(f"{host} does not let itself be searched", detail=error.title, hint=hint, engine=engine)
    return retold(error, verb="search", name="it", host=host, engine=engine)


def found_images(results: Sequence[Mapping[str, Any]] | None, host: str) -> tuple[FoundImage, ...]:
    """Of Docker's answer (names without their registry) or Podman's (with it)."""
    found = []
    for one in results or ():
        name = str(one.get("name") or one.get("Name") or "")
        stars = one.get("star_count", one.get("Stars"))
        official = bool(one.get("is_official")) or one.get("Official") == "[OK]"
        if not names_registry(name):
            name = str(parse_reference(name).name) if host == DEFAULT_DOMAIN else f"{host}/{name}"
        about_it = str(one.get("description") or one.get("Description") or "")
        counted = stars if isinstance(stars, int) and host == DEFAULT_DOMAIN else None
        found.append(FoundImage(name, about_it, counted, official))
    return tuple(found)


def platforms_of(items: Sequence[Mapping[str, Any]] | None) -> tuple[Platform, ...]:
    """Of a list's platforms; the attestations that BuildKit puts beside them are none."""
    told = [
        Platform(str(one.get("os") or ""), str(one.get("architecture") or ""), str(one.get("variant") or ""))
        for one in items or ()
        if one.get("os") != "unknown"
    ]
    return tuple(dict.fromkeys(told))


__all__ = [
    "about",
    "found_images",
    "full_name",
    "names_registry",
    "opened",
    "platforms_of",
    "resolved",
    "search_host",
    "tagged_name",
    "unsearchable",
]
