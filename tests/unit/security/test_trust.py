"""Podman's signature policy: how it is read, which scope decides, where it lies, and what a plan says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.migration import trust as seeing
from backends.migration.facts import TargetFacts
from backends.migration.trust import refused, see_trust
from backends.model.capabilities import EngineInfo
from backends.model.ids import EngineId, EngineKind, ImageKey
from backends.model.image import ImageFacts
from backends.model.plan import ImageAction, ImageMove, ImageWay, Severity
from backends.security.examine import examine_container, examine_engine
from backends.security.facts import EngineFacts, TrustSeen
from backends.security.trust import TrustOutcome, judge, judge_transport, read_policy, scopes_of
from tests.unit.security.test_container_rules import CLEAN, INFO, KEY

PODMAN = EngineId(EngineKind.PODMAN, "podman")
OPEN: list[dict[str, Any]] = [{"type": "insecureAcceptAnything"}]
REJECT: list[dict[str, Any]] = [{"type": "reject"}]
SIGNED: list[dict[str, Any]] = [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/etc/pki/team.gpg"}]
IMAGE = "registry.example.com:5000/team/app:2"


def policy(default: list[dict[str, Any]], **transports: Mapping[str, list[dict[str, Any]]]) -> str:
    """A policy file; docker_archive is the transport docker-archive."""
    named = {name.replace("_", "-"): scopes for name, scopes in transports.items()}
    return json.dumps({"default": default, "transports": named})


def test_scopes_from_the_image_to_its_domain() -> None:
    assert scopes_of(IMAGE) == (
        IMAGE,
        "registry.example.com:5000/team/app",
        "registry.example.com:5000/team",
        "registry.example.com:5000",
        "*.example.com",
        "*.com",
    )
    assert scopes_of("busybox")[:2] == ("docker.io/library/busybox:latest", "docker.io/library/busybox")
    digest = "sha256:" + "a" * 64
    assert scopes_of(f"quay.io/x/y:1@{digest}")[0] == f"quay.io/x/y@{digest}"
    assert scopes_of("localhost:5000/x")[-1] == "localhost:5000"


_ALL = {
    IMAGE: SIGNED,
    "registry.example.com:5000/team": REJECT,
    "registry.example.com:5000": OPEN,
    "*.example.com": SIGNED,
    "": REJECT,
}


@pytest.mark.parametrize(
    ("reference", "scope", "outcome"),
    [
        (IMAGE, f"docker: {IMAGE}", TrustOutcome.SIGNED),
        ("registry.example.com:5000/team/app:3", "docker: registry.example.com:5000/team", TrustOutcome.REFUSES),
        ("registry.example.com:5000/teams/app:3", "docker: registry.example.com:5000", TrustOutcome.ACCEPTS),
        ("other.example.com/app", "docker: *.example.com", TrustOutcome.SIGNED),
        ("example.com/app", "docker: all others", TrustOutcome.REFUSES),
    ],
)
def test_the_most_specific_scope_decides(reference: str, scope: str, outcome: TrustOutcome) -> None:
    verdict = judge(read_policy(policy(OPEN, docker=_ALL)), reference)
    assert (verdict.scope, verdict.outcome) == (scope, outcome)


def test_without_a_scope_the_default_decides_and_all_requirements_must_hold() -> None:
    read = read_policy(policy([*OPEN, *SIGNED], docker={"quay.io": [*OPEN, *REJECT]}, docker_archive={"": OPEN}))
    default = judge(read, "busybox")
    assert (default.scope, default.outcome) == ("default", TrustOutcome.SIGNED)
    assert default.words == "insecureAcceptAnything and signedBy /etc/pki/team.gpg"
    assert judge(read, "quay.io/a/b").outcome is TrustOutcome.REFUSES
    assert judge_transport(read, "docker-archive").outcome is TrustOutcome.ACCEPTS
    assert judge_transport(read, "oci-archive").outcome is TrustOutcome.SIGNED
    base = read_policy(policy([{"type": "signedBaseLayer"}]))
    assert judge(base, "busybox").outcome is TrustOutcome.REFUSES
    keyless = read_policy(policy([{"type": "sigstoreSigned", "keyData": "c2VjcmV0", "rekorPublicKeyPath": "/r"}]))
    assert keyless.default[0].keys == ("inline",)
    odd = read_policy(policy([{"type": "signedBy", "keyPath": "/k", "signedIdentity": {"type": []}}]))
    assert odd.default[0].kind == "signedBy"


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"default": []}', '{"default": [{"type": "trustMe"}]}', '{"default": [1]}',
        '{"default": [{"type": []}]}',
        '{"default": [{"type": "reject"}], "transport": {}}', '{"default": [{"type": "reject"}], "transports": 1}',
        '{"default": [{"type": "reject"}], "transports": {"docker": []}}',
        '{"default": [{"type": "reject"}], "transports": {"docker": {"x": []}}}',
    ],
)  # fmt: skip
def test_what_podman_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_policy(text)


_NAMES = st.sampled_from(["default", "transports", "type"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner),
    max_leaves=8,
)


@given(_JSON)
def test_any_json_is_read_or_refused_with_a_message(told: object) -> None:
    text = json.dumps(told)
    try:
        read = read_policy(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"\w+"):
            read_policy(text)
    else:
        assert judge(read, "busybox").requirements


def test_the_users_own_takes_the_place_of_the_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeing, "files_seen", lambda _endpoint: ([tmp_path / "none", tmp_path], "/home/ann"))
    assert see_trust(PODMAN, "unix:///p.sock") is None
    system, own = tmp_path / "etc/containers", tmp_path / "home/ann/.config/containers"
    for folder in (system / "registries.d", own):
        folder.mkdir(parents=True)
    (system / "policy.json").write_text(policy(OPEN))
    (system / "registries.d/default.yaml").write_text("default-docker: {}")
    seen = see_trust(PODMAN, "unix:///p.sock")
    assert seen is not None
    assert (seen.path, seen.registries) == (
        "/etc/containers/policy.json", ("/etc/containers/registries.d/default.yaml",),
    )  # fmt: skip
    (own / "policy.json").write_text("{")
    seen = see_trust(PODMAN, "unix:///p.sock")
    assert seen is not None
    assert seen.path == "/home/ann/.config/containers/policy.json"
    assert seen.policy is None
    assert "no JSON" in seen.problem
    assert see_trust(EngineId(EngineKind.DOCKER, "docker"), "unix:///d.sock") is None


def seen(text: str) -> TrustSeen:
    """A policy as it is found."""
    return TrustSeen("/etc/containers/policy.json", read_policy(text))


_IMAGE_FACTS = ImageFacts(ImageKey(PODMAN, "b" * 64), (), "", ("sha256:1",), "amd64", "linux", 1)
_SHIP = ImageMove(ImageAction.SHIP, _IMAGE_FACTS, IMAGE)
_TARGET = TargetFacts(PODMAN, EngineInfo("5.4", "1", rootless=False, local=True))


@pytest.mark.parametrize(
    ("text", "way", "severity"),
    [
        (policy(OPEN), ImageWay.REGISTRY, None),
        (policy(OPEN), ImageWay.ARCHIVE, None),
        (policy(REJECT), ImageWay.REGISTRY, Severity.BLOCK),
        (policy(SIGNED), ImageWay.ARCHIVE, Severity.BLOCK),
        (policy(REJECT, docker_archive={"": OPEN}), ImageWay.ARCHIVE, None),
        (policy(REJECT, docker_archive={"": OPEN}), ImageWay.STORE, Severity.NOTE),
        (policy(REJECT, docker={"*.0.0.1": OPEN}), ImageWay.STORE, None),
        (policy(REJECT, docker={"docker.io": OPEN}), ImageWay.REGISTRY, Severity.BLOCK),
    ],
)
def test_a_plan_says_where_the_target_would_refuse(text: str, way: ImageWay, severity: Severity | None) -> None:
    found = list(refused(replace(_SHIP, way=way), replace(_TARGET, trust=seen(text))))
    assert [one.severity for one in found] == ([severity] if severity else [])
    assert all("/etc/containers/policy.json" in one.detail for one in found)


def test_a_plan_says_nothing_where_nothing_travels_or_nothing_is_known() -> None:
    assert list(refused(replace(_SHIP, action=ImageAction.KEEP), replace(_TARGET, trust=seen(policy(REJECT))))) == []
    assert list(refused(_SHIP, _TARGET)) == []
    broken = replace(_TARGET, trust=TrustSeen("/p.json", None, "it is no JSON"))
    assert [one.severity for one in refused(_SHIP, broken)] == [Severity.BLOCK]


@pytest.mark.parametrize(
    ("text", "id"),
    [(policy(OPEN), "image-unsigned"), (policy(REJECT), "image-refused"), (policy(SIGNED), "image-signed")],
)
def test_security_tells_what_becomes_of_an_image(text: str, id: str) -> None:
    report = examine_container(KEY, replace(CLEAN, trust=seen(text)))
    assert [one.id for one in report.findings] == [id]
    local = replace(CLEAN, spec=replace(CLEAN.spec, image="localhost/mine:2"), trust=seen(text))
    assert examine_container(KEY, local).findings == ()


def test_security_tells_of_the_engines_policy() -> None:
    quiet = replace(INFO, rootless=True, policy=replace(INFO.policy, no_new_privileges=None, live_restore=None))
    facts = EngineFacts(PODMAN, "unix:///p.sock", quiet)
    for found, id in ((seen(policy(OPEN)), "engine-policy-open"), (TrustSeen("/p", None, "x"), "engine-policy-broken")):
        assert [one.id for one in examine_engine(replace(facts, trust=found)).findings] == [id]
    assert examine_engine(replace(facts, trust=seen(policy(REJECT)))).findings == ()
