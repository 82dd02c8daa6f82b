"""Where signatures are looked up, by registries.d: the most specific scope, what Podman refuses, and the findings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from backends.migration.trust import see_trust
from backends.model.ids import EngineId, EngineKind
from backends.security import image as rules
from backends.security.facts import TrustSeen
from backends.security.places import SignaturePlaces, read_places
from backends.security.trust import read_policy
from tests.unit.security.test_container_rules import CLEAN

DEFAULT = "default-docker:\n  lookaside: https://sigs.example.com\n"
TEAM = """
docker:
  registry.example.com:5000:
    use-sigstore-attachments: true
  registry.example.com:5000/team/app:
    sigstore: file:///srv/sigs
"""


@pytest.mark.parametrize(
    ("reference", "lookaside", "attachments", "scope"),
    [
        ("registry.example.com:5000/team/app:3", "file:///srv/sigs", None, "registry.example.com:5000/team/app"),
        ("registry.example.com:5000/team/apps", "", True, "registry.example.com:5000"),
        ("registry.example.com/team/app", "https://sigs.example.com", None, "default-docker"),
        ("alpine", "https://sigs.example.com", None, "default-docker"),
    ],
)
def test_the_most_specific_scope_decides(reference: str, lookaside: str, attachments: bool | None, scope: str) -> None:
    place = read_places({"b.yaml": TEAM, "a.yaml": DEFAULT}).of(reference)
    assert (place.lookaside, place.attachments, place.scope) == (lookaside, attachments, scope)
    assert scope in place.words


def test_without_a_file_the_engines_own_folder_is_said() -> None:
    assert "/var/lib/containers/sigstore" in read_places({"empty.yaml": ""}).of("alpine").words


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.yaml": DEFAULT, "b.yaml": DEFAULT}, "both have default-docker"),
        ({"a.yaml": TEAM, "b.yaml": TEAM}, "both have registry.example.com:5000"),
        ({"a.yaml": "docker: ["}, "no YAML"),
        ({"a.yaml": "docker: 2026-99-99"}, "no YAML"),
        ({"a.yaml": "- 1"}, "no registries.d"),
        ({"a.yaml": "docker: 3"}, "no registries.d"),
    ],
)
def test_what_podman_refuses_is_the_problem(files: dict[str, str], said: str) -> None:
    assert said in read_places(files).problem


def _found(places: SignaturePlaces, kind: str = "sigstoreSigned") -> dict[str, str]:
    policy = read_policy(json.dumps({"default": [{"type": kind, "keyType": "GPGKeys", "keyPath": "/k"}]}))
    trust = TrustSeen("/etc/containers/policy.json", policy, places=places)
    facts = replace(CLEAN, trust=trust, spec=replace(CLEAN.spec, image="registry.example.com:5000/team/other:1"))
    return {one.id: one.why for one in rules.image(facts)}


def test_a_signature_that_is_looked_for_nowhere_is_a_finding() -> None:
    assert "image-signature-nowhere" in _found(read_places({"a.yaml": DEFAULT}))
    found = _found(read_places({"a.yaml": TEAM}))
    assert "image-signature-nowhere" not in found
    assert "in the registry, beside the image" in found["image-signed"]
    assert "image-signature-nowhere" not in _found(read_places({"a.yaml": DEFAULT}), "signedBy")
    assert "image-signature-places" in _found(read_places({"a.yaml": "docker: ["}))


def test_the_files_are_read_as_the_engine_sees_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = tmp_path / "etc/containers"
    (system / "registries.d").mkdir(parents=True)
    (system / "policy.json").write_text('{"default": [{"type": "reject"}]}')
    (system / "registries.d/team.yaml").write_text(TEAM)
    monkeypatch.setattr("backends.migration.trust.files_seen", lambda _endpoint: ([tmp_path], ""))
    seen = see_trust(EngineId(EngineKind.PODMAN, "podman"), "unix:///run/podman/podman.sock")
    assert seen is not None
    assert (seen.folder, seen.here) == ("/etc/containers/registries.d", False)
    assert seen.places.of("registry.example.com:5000/team/app").lookaside == "file:///srv/sigs"
