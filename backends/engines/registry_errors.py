"""Pure: what went wrong between an engine and a registry, in words for people. Makes no calls.

Docker and Podman are written in the same libraries and say the same words; these were recorded from Docker 26.1 and
Podman 5.4 (tests/engines_registry), the rest is from the sources of distribution, containers/image and Go's net/http.
"""

from __future__ import annotations

import re

from backends.model.errors import (
    BackendError,
    Conflict,
    Denied,
    NotFound,
    Protocol,
    RateLimited,
    Refused,
    TimedOut,
    Unavailable,
    Unreachable,
    Unsupported,
    Untrusted,
)
from backends.model.ids import EngineId, EngineKind

_Rule = tuple[re.Pattern[str], type[BackendError], str, str]


def _rule(pattern: str, kind: type[BackendError], title: str, hint: str) -> _Rule:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL), kind, title, hint


_LOGIN = "Log in with `tranship login {host}`, and look whether the account may do this."
_NAME = "Look at the spelling of name and tag; `tranship search` and `tranship image platforms` ask the registry."

# First match wins. {host}: the registry; {name}: the reference within it; {full}: all of it; {insecure}, {certs}: how
# this engine is told to trust it; {kept}: what it keeps of a pull that failed.
_RULES: tuple[_Rule, ...] = (
    _rule(
        r"no space left on device|disk quota exceeded",
        Conflict,
        "The engine's disk is full",
        "Free space where it keeps its images (`tranship image prune`), then try again. {kept}",
    ),
    _rule(
        r"toomanyrequests|too many requests|\b429\b|rate limit",
        RateLimited,
        "{host} limits how often it is asked, and the limit is reached",
        "Wait a while. A login (`tranship login {host}`) mostly has a higher limit.",
    ),
    _rule(r"server gave HTTP response to HTTPS client", Untrusted, "{host} speaks plain HTTP, not HTTPS", "{insecure}"),
    _rule(
        r"x509:|certificate|tls: |malformed HTTP response|first record does not look like a TLS",
        Untrusted,
        "The certificate of {host} is not trusted",
        "{certs}",
    ),
    _rule(
        r"short-name .*enforced|cannot prompt without a TTY",
        Conflict,
        "{name} is a short name that could mean several images",
        "Write it in full, with its registry in front.",
    ),
    _rule(
        r"did not resolve to an alias and no unqualified-search registries",
        NotFound,
        "{name} is a short name, and Podman has no registry to look for it in",
        "Write it in full (docker.io/library/…), or name registries in registries.conf.",
    ),
    _rule(
        r"was found but does not match the specified platform",
        NotFound,
        "{host} has {name} for another platform only",
        "What came is kept; `tranship image rm` removes it where it is not wanted.",
    ),
    _rule(
        r"no matching manifest for|no image found in (?:manifest list|image index)",
        NotFound,
        "{host} has no {name} for this platform",
        "`tranship image platforms` lists those that it has; choose one with --platform.",
    ),
    _rule(
        r"pull access denied|repository does not exist or may require",
        Denied,
        "{name} is not there, or {host} does not show it without a login",
        _NAME + " Or: `tranship login {host}`.",
    ),
    _rule(
        r"manifest.{0,80}(?:unknown|not found)|name unknown|repository name not known|\b404\b|not found: manifest|"
        r"failed to resolve reference .*: not found",
        NotFound,
        "{host} has no {name}",
        _NAME,
    ),
    _rule(
        r"no basic auth credentials|unauthorized|authentication required|\b401\b|invalid username/password|"
        r"incorrect username or password",
        Denied,
        "{host} wants a login that is allowed to do this",
        _LOGIN,
    ),
    _rule(r"\bdenied\b|\b403\b|forbidden|insufficient_scope", Denied, "{host} refuses access to {name}", _LOGIN),
    _rule(
        r"does not match expected|verification failed|digest did not match|digest invalid|"
        r"unexpected (?:commit )?(?:digest|size)|"
        r"corrupt|filesystem layer verification",
        Untrusted,
        "What {host} sent is not what its manifest promises",
        "Try again. Where it stays so, the registry or a proxy on the way is broken: nothing of it was kept.",
    ),
    _rule(
        r"no such host|server misbehaving|dial tcp: lookup|lookup \S+ on ",
        Unavailable,
        "{host} is not found by the engine's name server",
        "Look at the name, and at the engine's network.",
    ),
    _rule(
        r"connection refused|no route to host|network is unreachable|i/o timeout|context deadline exceeded|"
        r"client.timeout|TLS handshake timeout",
        Unavailable,
        "{host} does not answer the engine",
        "Look whether the registry runs and can be reached from where the engine is (proxy, firewall).",
    ),
    _rule(
        r"\b50\d\b|internal server error|service unavailable|bad gateway|unexpected EOF|connection reset",
        Unavailable,
        "{host} has a failure of its own",
        "Try again later, or ask those who run it.",
    ),
    _rule(
        r"tag does not exist|no such image|image not known|does not exist",
        NotFound,
        "There is no image {full} on this engine",
        "`tranship images` lists all; `tranship image tag` names one.",
    ),
)

_INSECURE = {
    EngineKind.DOCKER: 'Name it under "insecure-registries" in Docker\'s daemon.json and reload Docker, '
    "or let it speak HTTPS.",
    EngineKind.PODMAN: "Say --insecure for this once, or name it in registries.conf with `insecure = true`, "
    "or let it speak HTTPS.",
}
_CERTS = {
    EngineKind.DOCKER: "Put its CA into /etc/docker/certs.d/{host}/ca.crt where the engine runs.",
    EngineKind.PODMAN: "Put its CA into /etc/containers/certs.d/{host}/ca.crt where the engine runs, "
    "or say --insecure for this once.",
}
_KEPT = {
    EngineKind.DOCKER: "What arrived is not kept.",
    EngineKind.PODMAN: "Layers that arrived whole are kept, and not brought again.",
}


def registry_error(words: str, *, verb: str, name: str, host: str, engine: EngineId) -> BackendError:
    """The error that an engine's words mean. verb: "pull", "push", … for what no rule knows. words: the detail."""
    hints = {
        "host": host,
        "name": name.removeprefix(f"{host}/"),
        "full": name,
        "insecure": _INSECURE.get(engine.kind, ""),
        "kept": _KEPT.get(engine.kind, ""),
        "certs": _CERTS.get(engine.kind, "").replace("{host}", host),
    }
    for pattern, kind, title, hint in _RULES:
        if pattern.search(words):
            if kind is Denied and verb == "login":
                title = "{host} refuses this user name and password"
                hint = "Check both; many registries want an access token in place of the password."
            return kind(title.format(**hints), detail=words, hint=hint.format(**hints), engine=engine)
    return Protocol(f"The {verb} of {name} failed", detail=words, engine=engine)


def retold(error: BackendError, *, verb: str, name: str, host: str, engine: EngineId) -> BackendError:
    """An error of the engine's answer as one about the registry, where it is one; else itself."""
    if isinstance(error, (Unreachable, TimedOut, Refused, Unsupported)):
        return error
    words = error.title if error.detail.startswith("HTTP status") or not error.detail else error.detail
    told = registry_error(words, verb=verb, name=name, host=host, engine=engine)
    return error if type(told) is Protocol else told


__all__ = ["registry_error", "retold"]
