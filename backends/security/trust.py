"""Whether Podman's signature policy takes an image: containers-policy.json(5), read and evaluated. Pure; opens no file.

Sources: containers-policy.json(5); github.com/containers/image, docker/policyconfiguration/naming.go (the order of
scopes) and signature/policy_config.go. Signatures themselves are not verified here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from backends.model.reference import DEFAULT_TAG, parse_reference

DOCKER = "docker"
"""The transport of registries."""


class TrustOutcome(StrEnum):
    """What the policy does with an image."""

    ACCEPTS = "accepts"  # whatever it is
    SIGNED = "signed"  # only with the signatures that it names
    REFUSES = "refuses"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement. kind: its "type". keys: where its keys are ("inline" for keys in the policy itself).

    more: fields beyond a key that a signature must satisfy too ("rekorPublicKeyPath", "signedIdentity").
    """

    kind: str
    keys: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImagePolicy:
    """A policy file. default: of what no scope names. transports: per transport, requirements by scope."""

    default: tuple[Requirement, ...]
    transports: Mapping[str, Mapping[str, tuple[Requirement, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrustVerdict:
    """scope: the one that decided, in the file's words ("default", "docker: registry.example.com/team")."""

    outcome: TrustOutcome
    scope: str
    requirements: tuple[Requirement, ...]

    @property
    def words(self) -> str:
        """For people: "signedBy /etc/pki/team.gpg and reject"."""
        return " and ".join(" ".join((one.kind, ", ".join(one.keys))).strip() for one in self.requirements)


_KNOWN = frozenset({"insecureAcceptAnything", "reject", "signedBy", "sigstoreSigned", "signedBaseLayer"})
_REFUSING = frozenset({"reject", "signedBaseLayer"})
"""signedBaseLayer is not implemented in containers/image: nothing satisfies it (prSignedBaseLayer)."""
_KEY_FIELDS = ("keyPath", "keyPaths", "keyData", "keyDatas", "fulcio", "pki")
_SAME_REPOSITORY = ("matchRepoDigestOrExact", "matchRepository")
"""What signedIdentity asks of an image named by its digest, where nothing else is said: the repository's name."""


def read_policy(text: str) -> ImagePolicy:
    """Read a policy file. Raises ValueError, with a message for people, where Podman would refuse it too."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON: {error}") from error
    if not isinstance(told, dict) or "default" not in told:
        raise ValueError("it has no default")
    unknown = sorted(set(told) - {"default", "transports"})
    if unknown:
        raise ValueError(f"it has an unknown key: {unknown[0]}")
    transports = told.get("transports") or {}
    if not isinstance(transports, dict) or not all(isinstance(scopes, dict) for scopes in transports.values()):
        raise ValueError("its transports are no objects")
    return ImagePolicy(
        _requirements(told["default"], "default"),
        {
            str(name): {str(scope): _requirements(those, f"{name}: {scope}") for scope, those in scopes.items()}
            for name, scopes in transports.items()
        },
    )


def _requirements(told: Any, where: str) -> tuple[Requirement, ...]:
    if not isinstance(told, list) or not told:
        raise ValueError(f"{where} has no list of requirements")
    return tuple(_requirement(one, where) for one in told)


def _requirement(told: Any, where: str) -> Requirement:
    kind = told.get("type") if isinstance(told, dict) else None
    if not isinstance(kind, str) or kind not in _KNOWN:
        raise ValueError(f"{where} has a requirement of an unknown type: {kind}")
    return Requirement(kind, tuple(_keys(told)), tuple(_more(told)))


def _more(told: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(set(told) - {"type", "keyType", *_KEY_FIELDS}):
        identity = told[name] if name == "signedIdentity" else None
        if not (isinstance(identity, dict) and identity.get("type") in _SAME_REPOSITORY):
            yield name


def _keys(told: Mapping[str, Any]) -> Iterator[str]:
    for name in _KEY_FIELDS:
        value = told.get(name)
        if value is None:
            continue
        if name == "keyPath":
            yield str(value)
        elif name == "keyPaths" and isinstance(value, list):
            yield from map(str, value)
        else:
            yield "inline" if name.startswith("keyData") else name


def scopes_of(reference: str) -> tuple[str, ...]:
    """The scopes of the transport docker that an image falls under, most specific first.

    Raises ValueError where the reference is no name.
    """
    read = parse_reference(reference)
    own = f"{read.name}@{read.digest}" if read.digest else f"{read.name}:{read.tag or DEFAULT_TAG}"
    found, name = [own], read.name
    while True:
        found.append(name)
        name, slash, _ = name.rpartition("/")
        if not slash:
            break
    host = read.domain.partition(":")[0]
    while "." in host:
        host = host.partition(".")[2]
        found.append(f"*.{host}")
    return tuple(found)


def judge(policy: ImagePolicy, reference: str) -> TrustVerdict:
    """What the policy does with an image of a registry. Raises ValueError where the reference is no name."""
    named = policy.transports.get(DOCKER, {})
    for scope in (*scopes_of(reference), ""):
        if scope in named:
            return _verdict(named[scope], f"{DOCKER}: {scope}" if scope else f"{DOCKER}: all others")
    return _verdict(policy.default, "default")


def judge_transport(policy: ImagePolicy, transport: str) -> TrustVerdict:
    """What it does with an image that comes another way ("docker-archive"), whatever its place."""
    named = policy.transports.get(transport, {})
    if "" in named:
        return _verdict(named[""], f"{transport}: all")
    return _verdict(policy.default, "default")


def _verdict(requirements: tuple[Requirement, ...], scope: str) -> TrustVerdict:
    """All of them must hold: one that refuses decides."""
    kinds = {one.kind for one in requirements}
    if kinds & _REFUSING:
        outcome = TrustOutcome.REFUSES
    else:
        outcome = TrustOutcome.ACCEPTS if kinds == {"insecureAcceptAnything"} else TrustOutcome.SIGNED
    return TrustVerdict(outcome, scope, requirements)


__all__ = [
    "ImagePolicy", "Requirement", "TrustOutcome", "TrustVerdict", "judge", "judge_transport", "read_policy",
    "scopes_of",
]  # fmt: skip
