"""What is said of an image's signatures, by the policy of its engine; programs that speak as they do stand in.

Real signatures, the real skopeo and podman: tests/engines_podman/test_signatures.py. No real cosign could be had.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from backends.engines.demo import DemoEngine
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.security.facts import TrustSeen
from backends.security.finding import ContainerReport, SecurityFinding, Severity
from backends.security.places import read_places
from backends.security.trust import read_policy
from backends.services import deeper
from backends.services.fleet import Fleet
from backends.services.signatures import SignatureOutcome, Verifier, check_signatures

PODMAN = EngineId(EngineKind.PODMAN, "podman")
PINNED = f"registry.example.com/app@sha256:{'a' * 64}"
REPORT = ContainerReport(
    ContainerKey(PODMAN, "c" * 64), "web", "registry.example.com/app:1", (), (), (), "", pinned=PINNED
)
SIGNED = '{"default": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k"}]}'
OPEN = '{"default": [{"type": "insecureAcceptAnything"}]}'
LINE = 'time="2026-11-28T09:37:50Z" level=fatal msg="'


COSIGN_FLAGS = "--key --output --insecure-ignore-tlog=true"
COSIGN = """for word; do case "$word" in --*) case " $FLAGS " in *" $word "*) ;; *)
  echo "Error: unknown flag: ${word%%=*}" >&2; exit 1;; esac;; esac; done
echo "$@" >> "$HERE/asked"
case "$*" in "verify --key /good"*) cat "$HERE/said";;
  "verify --key /other"*) echo 'Error: no matching signatures: invalid signature' >&2; exit 12;;
  *) echo "Error: no route to host" >&2; exit 1;; esac"""


def program(folder: Path, script: str, name: str = "skopeo") -> str:
    """A skopeo of this test's own, or another one."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


async def said(
    monkeypatch: pytest.MonkeyPatch, trust: TrustSeen | None, report: ContainerReport = REPORT
) -> SecurityFinding:
    """The one finding."""
    engine = DemoEngine(report.key.engine, look_s=0, act_s=0)
    fleet = Fleet([engine])
    monkeypatch.setattr(deeper, "see_trust", lambda *_: trust)
    try:
        (made,) = await deeper.with_signatures(fleet, [report])
        (found,) = made.findings
        return found
    finally:
        await fleet.close()


def seen(text: str, *, here: bool = True) -> TrustSeen:
    """A policy of this machine."""
    return TrustSeen("/etc/containers/policy.json", read_policy(text), here=here)


async def test_where_nothing_is_to_be_verified_it_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    local = ContainerReport(REPORT.key, "web", "web:1", (), (), (), "")
    docker = ContainerReport(ContainerKey(EngineId(EngineKind.DOCKER, "d"), "c" * 64), "web", "web:1", (), (), (), "")
    assert (await said(monkeypatch, None)).id == "signature-no-policy"
    assert (await said(monkeypatch, TrustSeen("/p", None, "it is no JSON"))).fact == "it is no JSON"
    assert (await said(monkeypatch, seen(OPEN))).id == "signature-not-needed"
    assert (await said(monkeypatch, seen(SIGNED), local)).id == "signature-local"
    assert (await said(monkeypatch, seen(SIGNED), docker)).id == "signature-not-asked"
    assert (await said(monkeypatch, seen(SIGNED, here=False))).id == "signature-elsewhere"
    missing = await said(monkeypatch, seen(SIGNED))
    assert missing.id == "signature-no-tool"
    assert "apt install skopeo" in missing.remedy


async def test_what_skopeo_says_is_the_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program(tmp_path, f'echo "$@" > {tmp_path}/asked; echo "Getting image source signatures"; exec sleep 1000')
    assert (await said(monkeypatch, seen(SIGNED))).id == "signature-holds"
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith(f"--policy /etc/containers/policy.json copy docker://{PINNED} dir:")
    program(
        tmp_path, f"echo '{LINE}Source image rejected: A signature was required, but no signature exists\"'; exit 1"
    )
    rejected = await said(monkeypatch, seen(SIGNED))
    assert (rejected.id, rejected.severity) == ("signature-rejected", Severity.HIGH)
    assert rejected.fact == f"{PINNED}: A signature was required, but no signature exists"
    program(tmp_path, f"echo '{LINE}pinging container registry: dial tcp: no route to host\"'; exit 1")
    unknown = await said(monkeypatch, seen(SIGNED))
    assert (unknown.id, unknown.fact) == (
        "signature-unknown", "pinging container registry: dial tcp: no route to host",
    )  # fmt: skip


async def test_podman_asks_with_a_store_of_its_own_that_is_gone_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CONTAINER_HOST", "unix:///another")
    begins = 'mkdir -p "$2/layers"; echo "Getting image source signatures"; exec sleep 1000'
    program(
        tmp_path, f'echo "$@" > {tmp_path}/asked; echo "${{CONTAINER_HOST-none}}" > {tmp_path}/host; {begins}', "podman"
    )
    assert (await said(monkeypatch, seen(SIGNED))).id == "signature-holds"
    words = (tmp_path / "asked").read_text().split()
    assert words[0::2][:3] == ["--root", "--runroot", "--tmpdir"]
    assert words[-6:] == ["pull", "--signature-policy", "/etc/containers/policy.json", "--retry", "0", PINNED]
    assert not Path(words[1]).parent.exists()
    assert (tmp_path / "host").read_text() == "none\n"

    # A registry's own words, with a line end in them, are not podman's.
    program(tmp_path, "printf 'Error: unauthorized: so\\nGetting image source signatures\\n'; exit 125", "podman")
    assert (await said(monkeypatch, seen(SIGNED))).id == "signature-unknown"
    platforms = "copying system image from manifest list: Source image rejected: no signature exists"
    program(tmp_path, f"echo 'Error: {platforms}'; exit 125", "podman")
    rejected = await said(monkeypatch, seen(SIGNED))
    assert (rejected.id, rejected.fact) == ("signature-rejected", f"{PINNED}: no signature exists")

    # It has no option for registries.d: where its own are others than the engine's, it is not asked.
    (tmp_path / ".config/containers/registries.d").mkdir(parents=True)
    elsewhere = await said(monkeypatch, seen(SIGNED))
    assert elsewhere.id == "signature-unknown"
    assert "skopeo can be told" in elsewhere.fact


@pytest.mark.parametrize(
    ("asks", "names", "id", "fact"),
    [
        ({"keyPath": "/good"}, "", "signature-holds", PINNED),
        ({"keyPaths": ["/other", "/good"]}, "", "signature-holds", PINNED),
        ({"keyPath": "/good"}, "registry.example.com/else", "signature-rejected", "of registry.example.com/else@"),
        ({"keyPath": "/other"}, "", "signature-rejected", "no matching signatures: invalid signature"),
        ({"keyPaths": ["/away", "/other"]}, "", "signature-unknown", "no route to host"),
        ({"keyPath": "/good", "rekorPublicKeyPath": "/r"}, "", "signature-unknown", "rekorPublicKeyPath"),
        ({"keyData": "eA=="}, "", "signature-unknown", "its keys are no files (inline)"),
        ({"type": "signedBy", "keyPath": "/good"}, "", "signature-unknown", "the policy asks for signedBy"),
    ],
)  # fmt: skip
async def test_cosign_is_asked_for_the_keys_of_the_policy(
    asks: dict[str, str], names: str, id: str, fact: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program(tmp_path, f'HERE={tmp_path} FLAGS="{COSIGN_FLAGS}"\n{COSIGN}', "cosign")
    name, _, digest = PINNED.partition("@")
    identity = {"docker-reference": names or name}
    payload = {"critical": {"identity": identity, "image": {"docker-manifest-digest": digest}}, "optional": None}
    (tmp_path / "said").write_text(json.dumps([payload]))
    policy = json.dumps({"default": [{"type": "sigstoreSigned", **asks}]})
    beside = read_places({"a.yaml": "default-docker:\n  use-sigstore-attachments: true\n"})
    found = await said(monkeypatch, replace(seen(policy), places=beside))
    assert (found.id, fact in found.fact) == (id, True), found.fact
    if id == "signature-holds":  # an option that this cosign does not know is left out
        asked = (tmp_path / "asked").read_text().splitlines()[-1]
        assert asked == f"verify --key /good --insecure-ignore-tlog=true --output json {PINNED}"
        unread = await said(monkeypatch, seen(policy))
        assert (unread.id, "use-sigstore-attachments" in unread.fact) == ("signature-rejected", True)


async def test_a_program_that_says_nothing_is_ended(tmp_path: Path) -> None:
    by = Verifier("skopeo", (program(tmp_path, "exec sleep 1000"),))
    told = await check_signatures(PINNED, tmp_path, None, by=by, timeout_s=0.2)
    assert told.outcome is SignatureOutcome.UNKNOWN
    assert "did not answer" in told.said


async def test_a_line_without_an_end_is_not_read(tmp_path: Path) -> None:
    by = Verifier("skopeo", (program(tmp_path, "exec head -c 5000000 /dev/zero"),))
    told = await check_signatures(PINNED, tmp_path, None, by=by)
    assert (told.outcome, told.said) == (SignatureOutcome.UNKNOWN, "a line of skopeo is too long to be read")
