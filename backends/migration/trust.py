"""Finds the signature policy of a Podman of this machine, as that engine sees its files; what it refuses of a move.

Reads files only, and changes nothing: call `see_trust` in a thread. Sources: containers-policy.json(5),
containers-registries.d(5). Measured on Podman 5.4: pulls go by the transport docker, loads by docker-archive or
oci-archive, commits by none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from backends.migration.facts import TargetFacts
from backends.model.ids import EngineId, EngineKind
from backends.model.plan import Finding, ImageAction, ImageMove, ImageWay, Severity
from backends.security.facts import TrustSeen
from backends.security.places import read_places
from backends.security.trust import TrustOutcome, judge, judge_transport, read_policy
from backends.stores.find import files_seen

_SYSTEM = "etc/containers"
_OWN = ".config/containers"
_FILE = "policy.json"
_ARCHIVES = ("docker-archive", "oci-archive")
_MOVES = "127.0.0.1:1"
"""Where the registry of a move is: on any port, so that a policy can name it by its wildcard (*.0.0.1) only."""
_ANY_NAME = "tranship:move"
_LIMIT_BYTES = 4 << 20


def see_trust(engine: EngineId, endpoint: str) -> TrustSeen | None:
    """The policy that a Podman goes by; None where there is none, or it is not to be seen from here."""
    if engine.kind is not EngineKind.PODMAN:
        return None
    roots, home = files_seen(endpoint)
    for root in roots:
        seen = next(_found(root, home), None)
        if seen is not None:
            return seen
    return None


def _found(root: Path, home: str) -> Iterator[TrustSeen]:
    """The user's own takes the place of the system's."""
    folders = [f"{home.strip('/')}/{_OWN}"] if home else []
    for folder in (*folders, _SYSTEM):
        path = root / folder / _FILE
        try:
            with path.open("rb") as file:
                text = file.read(_LIMIT_BYTES).decode("utf-8")
        except (OSError, ValueError):
            continue  # not there, or not for us: then the next one is looked for, as the engine itself does
        named = f"/{folder}/{_FILE}"
        place, texts = _registries(root, (*folders, _SYSTEM))
        seen = TrustSeen(
            named,
            None,
            registries=tuple(f"{place}/{name}" for name in texts),
            folder=place,
            places=read_places(texts),
            here=root.samefile("/"),
        )
        try:
            yield replace(seen, policy=read_policy(text))
        except ValueError as error:
            yield replace(seen, problem=str(error))


def _registries(root: Path, folders: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """The folder of files that say where signatures are, and their texts: the user's alone, where it is there."""
    for folder in folders:
        place = root / folder / "registries.d"
        try:
            paths = sorted(file for file in place.iterdir() if file.suffix == ".yaml")
        except OSError:
            continue
        return f"/{folder}/registries.d", {path.name: _text(path) for path in paths}
    return "", {}


def _text(path: Path) -> str:
    """Of one of them; "" where it is not for us: the engine says so itself when it needs it."""
    try:
        with path.open("rb") as file:
            return file.read(_LIMIT_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def refused(move: ImageMove, target: TargetFacts) -> Iterator[Finding]:
    """Whether the target's policy keeps the image out, by the way that it is to travel. No signature travels along."""
    trust = target.trust
    if trust is None or move.action is not ImageAction.SHIP:
        return
    title = f"{target.engine}'s signature policy"
    if trust.policy is None:
        why = f"{trust.path}: {trust.problem}"
        yield Finding(Severity.BLOCK, f"{title} cannot be read: it refuses every image", why, "mend the file")
        return
    archives = [judge_transport(trust.policy, transport) for transport in _ARCHIVES]
    layers = judge(trust.policy, f"{_MOVES}/{_ANY_NAME}")
    whole = next((one for one in archives if one.outcome is TrustOutcome.ACCEPTS), None)
    by_layers = move.way in {ImageWay.REGISTRY, ImageWay.STORE}
    if by_layers and layers.outcome is TrustOutcome.ACCEPTS:
        return
    hint = f"let the transport docker-archive in, in {trust.path}; or pull the image there before the move"
    if whole is None:
        verdict = layers if by_layers else archives[0]
        why = f"{trust.path}, {verdict.scope}: {verdict.words}; no signature travels with it."
        yield Finding(Severity.BLOCK, f"{title} would refuse the image", why, hint)
    elif by_layers:
        why = f"{trust.path}, {layers.scope}: {layers.words}; archives are taken by {whole.scope}."
        yield Finding(Severity.NOTE, f"{title} takes the image whole only, in one stream", why)


__all__ = ["refused", "see_trust"]
