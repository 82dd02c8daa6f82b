"""Signatures made by real programs, GPG and sigstore, and looked at by skopeo, by podman, and by cosign's stand-in."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from backends.security.finding import Severity
from backends.security.places import read_places
from backends.security.trust import read_policy
from backends.services.deeper import signature_finding
from backends.services.signatures import SignatureOutcome, Verifier
from backends.services.signatures_cosign import ask_cosign
from tests.real import RealEngines

pytestmark = pytest.mark.engines

SOURCE = "containers-storage:docker.io/test/busybox:1"


@dataclass
class Signer:
    """Who signs images of one repository in the registry. place: of it, as host:port/repository."""

    real: RealEngines
    folder: Path
    place: str

    def beside(self, *argv: str) -> str:
        """Run beside the engines."""
        return self.real.cli("engines-exec", "env", f"GNUPGHOME={self.folder}/gpg", *argv)

    def policy(self, name: str, **requirement: str) -> Path:
        """A policy that asks this of the repository, and refuses all else."""
        path = self.folder / name
        told = {"default": [{"type": "reject"}], "transports": {"docker": {self.place: [requirement]}}}
        path.write_text(json.dumps(told))
        return path

    def registries(self, name: str, line: str) -> Path:
        """A folder registries.d, of a home of that name, that says one thing of the registry."""
        folder = self.folder / name / ".config/containers/registries.d"
        folder.mkdir(parents=True)
        (folder / "a.yaml").write_text(f"docker:\n  {self.place.partition('/')[0]}:\n    {line}\n")
        return folder

    def push(self, tag: str, registries: Path, *options: str) -> str:
        """Put an image there; returns its name with its digest."""
        accepting = self.folder / "open.json"
        accepting.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        told = self.folder / f"digest-{tag}"
        common = ("--policy", str(accepting), "--registries.d", str(registries))
        self.beside(
            "skopeo", *common, "copy", "--digestfile", str(told), *options, SOURCE, f"docker://{self.place}:{tag}"
        )
        return f"{self.place}@{told.read_text().strip()}"


async def test_gpg_and_sigstore(real_engines: RealEngines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by = Signer(real_engines, tmp_path, f"{real_engines.registry}/signed/{tmp_path.name}-{tmp_path.parent.name}")
    beside = str(real_engines.bin / "engines-exec")
    programs = [Verifier(name, (beside, name)) for name in ("skopeo", "podman")]
    (tmp_path / "gpg").mkdir(mode=0o700)
    for who in ("t", "other"):
        quick = ("--batch", "--quiet", "--passphrase", "", "--quick-gen-key", f"{who}@example.com", "ed25519", "sign")
        by.beside("gpg", *quick, "never")
        by.beside("gpg", "--output", str(tmp_path / f"{who}.gpg"), "--export", f"{who}@example.com")
    by.beside("gpgconf", "--kill", "all")
    (tmp_path / "words").write_text("secret words")
    words = str(tmp_path / "words")
    for who in ("t", "other"):
        made = ("--passphrase-file", words, "--output-prefix", str(tmp_path / who))
        by.beside("skopeo", "generate-sigstore-key", *made)

    aside = by.registries("aside", f"lookaside: file://{tmp_path}/signatures")
    there = by.registries("there", "use-sigstore-attachments: true")
    by_gpg, not_gpg = (
        by.policy(f"{who}-gpg.json", type="signedBy", keyType="GPGKeys", keyPath=str(tmp_path / f"{who}.gpg"))
        for who in ("t", "other")
    )
    by_pub, not_pub = (
        by.policy(f"{who}-pub.json", type="sigstoreSigned", keyPath=str(tmp_path / f"{who}.pub"))
        for who in ("t", "other")
    )
    cosign = Verifier("cosign", (sys.executable, str(Path(__file__).with_name("cosign_stand_in.py")), beside))

    async def by_stand_in(image: str, policy: Path, outcome: SignatureOutcome) -> None:
        place = read_places({"a.yaml": (there / "a.yaml").read_text()}).of(image)
        asked = read_policy(await asyncio.to_thread(policy.read_text)).transports["docker"][by.place]
        answer = await ask_cosign(image, asked, place, by=cosign)
        assert answer.outcome is outcome, answer

    async def look(image: str, policy: Path, registries: Path, id: str, fact: str) -> None:
        monkeypatch.setenv("HOME", str(registries.parents[2]))
        for program in programs:
            found = await signature_finding(image, policy, registries, "policy", program)
            assert (found.id, fact in found.fact) == (id, True), (program.name, found.fact)
            assert found.severity is (Severity.HIGH if id == "signature-rejected" else Severity.INFO)

    plain = by.push("plain", aside)
    await look(plain, by_gpg, aside, "signature-rejected", "no signature exists")
    await look(plain, by_pub, there, "signature-rejected", "no signature exists")
    await look(f"{by.place}@sha256:{'0' * 64}", by_gpg, aside, "signature-unknown", "manifest unknown")
    await by_stand_in(plain, by_pub, SignatureOutcome.REJECTED)
    signed = by.push("gpg", aside, "--sign-by", "t@example.com")
    by.beside("gpgconf", "--kill", "all")
    await look(signed, by_gpg, aside, "signature-holds", signed)
    await look(signed, not_gpg, aside, "signature-rejected", "nvalid GPG signature")
    options = ("--sign-by-sigstore-private-key", str(tmp_path / "t.private"), "--sign-passphrase-file", words)
    sealed = by.push("sealed", there, *options)
    await look(sealed, by_pub, there, "signature-holds", sealed)
    await look(sealed, not_pub, there, "signature-rejected", "cryptographic signature verification failed")
    await by_stand_in(sealed, by_pub, SignatureOutcome.HOLDS)
    await by_stand_in(sealed, not_pub, SignatureOutcome.REJECTED)

    # Our reading of registries.d is the programs': the signature lies where it says.
    place = read_places({"a.yaml": (aside / "a.yaml").read_text()}).of(signed)
    assert place.lookaside == f"file://{tmp_path}/signatures"
    assert list((tmp_path / "signatures").rglob("signature-1"))
