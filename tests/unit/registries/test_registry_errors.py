"""Each failure of a registry has a class, words of its own and a next step. The words are the engines' (recorded)."""

from __future__ import annotations

import pytest

from backends.engines.registry_errors import registry_error, retold
from backends.model.errors import (
    BackendError,
    Conflict,
    Denied,
    NotFound,
    Protocol,
    RateLimited,
    Unavailable,
    Unreachable,
    Untrusted,
)
from backends.model.ids import EngineId, EngineKind

DOCKER, PODMAN = EngineId(EngineKind.DOCKER, "docker"), EngineId(EngineKind.PODMAN, "podman")

KNOWN: list[tuple[str, type[BackendError], str]] = [
    ("manifest for 127.0.0.1:5000/x:1 not found: manifest unknown: manifest unknown", NotFound, "has no"),
    ("reading manifest 1 in 127.0.0.1:5000/x: name unknown: repository name not known to registry", NotFound, "has no"),
    ("pull access denied for x, repository does not exist or may require 'docker login': denied", Denied, "not there"),
    ('Head "http://h/v2/box/manifests/1": no basic auth credentials', Denied, "wants a login"),
    ("unauthorized: authentication required", Denied, "wants a login"),
    ("denied: requested access to the resource is denied", Denied, "refuses access"),
    ("toomanyrequests: You have reached your pull rate limit", RateLimited, "limit"),
    ("received unexpected HTTP status: 429 Too Many Requests", RateLimited, "limit"),
    ("received unexpected HTTP status: 503 Service Unavailable", Unavailable, "failure of its own"),
    ('Get "https://h/v2/": http: server gave HTTP response to HTTPS client', Untrusted, "plain HTTP"),
    (
        'Get "https://h/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
        Untrusted,
        "certificate",
    ),
    ("dial tcp: lookup no.such.host on 127.0.0.1:53: no such host", Unavailable, "not found by"),
    ('Get "http://127.0.0.1:5001/v2/": dial tcp 127.0.0.1:5001: connect: connection refused', Unavailable, "answer"),
    ('Get "https://h/v2/": net/http: TLS handshake timeout', Unavailable, "answer"),
    ('Failed to resolve reference "h/box:1": h/box:1: not found', NotFound, "has no"),
    ("failed to register layer: write /usr/lib/x: no space left on device", Conflict, "disk is full"),
    ("Download config.json digest sha256:a8 does not match expected sha256:d3", Untrusted, "promises"),
    ("commit failed: unexpected commit digest sha256:a8, expected sha256:fd: failed", Untrusted, "promises"),
    ("image config verification failed for digest sha256:d3fd", Untrusted, "promises"),
    ("no matching manifest for linux/riscv64 in the manifest list entries", NotFound, "platform"),
    ('no image found in manifest list for architecture "riscv64", variant "", OS "linux"', NotFound, "platform"),
    ("image with reference x was found but does not match the specified platform: wanted a", NotFound, "another"),
    ('short-name "x" did not resolve to an alias and no unqualified-search registries are defined', NotFound, "short"),
    ("short-name resolution enforced but cannot prompt without a TTY", Conflict, "several"),
    ("An image does not exist locally with the tag: 127.0.0.1:5000/x", NotFound, "on this engine"),
]


@pytest.mark.parametrize("engine", [DOCKER, PODMAN], ids=str)
@pytest.mark.parametrize(("words", "kind", "title"), KNOWN)
def test_known_words(words: str, kind: type[BackendError], title: str, engine: EngineId) -> None:
    error = registry_error(words, verb="pull", name="h/x:1", host="h", engine=engine)
    assert type(error) is kind
    assert title in error.title
    assert error.hint
    assert "{" not in error.title + error.hint
    assert (error.detail, error.engine) == (words, engine)


def test_unknown_words_are_told_as_they_are() -> None:
    error = registry_error("the moon is full", verb="push", name="h/x:1", host="h", engine=PODMAN)
    assert (type(error), error.title, error.detail) == (Protocol, "The push of h/x:1 failed", "the moon is full")


def test_a_login_that_is_refused_is_about_the_password() -> None:
    error = registry_error("401 Unauthorized", verb="login", name="h", host="h", engine=DOCKER)
    assert isinstance(error, Denied)
    assert "user name and password" in error.title


def test_names_with_braces_are_no_formats() -> None:
    assert "{x}" in registry_error("manifest unknown", verb="pull", name="{x}", host="h", engine=DOCKER).title


def test_an_engine_that_is_lost_stays_one() -> None:
    lost = Unreachable("The connection broke off", detail="connection refused", engine=DOCKER)
    assert retold(lost, verb="pull", name="h/x", host="h", engine=DOCKER) is lost
    plain = Protocol("Received unexpected HTTP status: 503", detail="HTTP status 500", engine=DOCKER)
    assert isinstance(retold(plain, verb="pull", name="h/x", host="h", engine=DOCKER), Unavailable)
    unknown = Protocol("Odd", detail="HTTP status 500", engine=DOCKER)
    assert retold(unknown, verb="pull", name="h/x", host="h", engine=DOCKER) is unknown
