"""What is said of an image's signatures, by the policy of its engine; a program that speaks as skopeo does stands in.

Real signatures, and the real program: tests/engines_podman/test_signatures.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.engines.demo import DemoEngine
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.security.facts import TrustSeen
from backends.security.finding import ContainerReport, SecurityFinding, Severity
from backends.security.trust import read_policy
from backends.services import deeper
from backends.services.fleet import Fleet
from backends.services.signatures import SignatureOutcome, check_signatures

PODMAN = EngineId(EngineKind.PODMAN, "podman")
PINNED = f"registry.example.com/app@sha256:{'a' * 64}"
REPORT = ContainerReport(
    ContainerKey(PODMAN, "c" * 64), "web", "registry.example.com/app:1", (), (), (), "", pinned=PINNED
)
SIGNED = '{"default": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k"}]}'
OPEN = '{"default": [{"type": "insecureAcceptAnything"}]}'
LINE = 'time="2026-11-28T09:37:50Z" level=fatal msg="'


def program(folder: Path, script: str) -> str:
    """A skopeo of this test's own."""
    path = folder / "skopeo"
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


async def test_a_program_that_says_nothing_is_ended(tmp_path: Path) -> None:
    argv = (program(tmp_path, "exec sleep 1000"),)
    told = await check_signatures(PINNED, tmp_path, None, program=argv, timeout_s=0.2)
    assert told.outcome is SignatureOutcome.UNKNOWN
    assert "did not answer" in told.said


async def test_a_line_without_an_end_is_not_read(tmp_path: Path) -> None:
    argv = (program(tmp_path, "exec head -c 5000000 /dev/zero"),)
    told = await check_signatures(PINNED, tmp_path, None, program=argv)
    assert (told.outcome, told.said) == (SignatureOutcome.UNKNOWN, "a line of skopeo is too long to be read")
