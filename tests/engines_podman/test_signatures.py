"""Signatures made and looked at by real programs: GPG and sigstore, signed and not, by skopeo beside the engines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from backends.security.finding import Severity
from backends.security.places import read_places
from backends.services.deeper import signature_finding
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
        """A folder registries.d that says one thing of the registry."""
        folder = self.folder / name
        folder.mkdir()
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


async def test_gpg_and_sigstore(real_engines: RealEngines, tmp_path: Path) -> None:
    by = Signer(real_engines, tmp_path, f"{real_engines.registry}/signed/{tmp_path.name}-{tmp_path.parent.name}")
    program = (str(real_engines.bin / "engines-exec"), "skopeo")
    (tmp_path / "gpg").mkdir(mode=0o700)
    quick = ("--batch", "--quiet", "--passphrase", "", "--quick-gen-key", "t@example.com", "ed25519", "sign", "never")
    by.beside("gpg", *quick)
    by.beside("gpg", "--output", str(tmp_path / "key.gpg"), "--export")
    by.beside("gpgconf", "--kill", "all")
    (tmp_path / "words").write_text("secret words")
    words = str(tmp_path / "words")
    by.beside(
        "skopeo", "generate-sigstore-key", "--passphrase-file", words, "--output-prefix", str(tmp_path / "cosign")
    )

    aside = by.registries("aside", f"lookaside: file://{tmp_path}/signatures")
    there = by.registries("there", "use-sigstore-attachments: true")
    by_gpg = by.policy("gpg.json", type="signedBy", keyType="GPGKeys", keyPath=str(tmp_path / "key.gpg"))
    by_cosign = by.policy("cosign.json", type="sigstoreSigned", keyPath=str(tmp_path / "cosign.pub"))

    plain = by.push("plain", aside)
    for policy, registries in ((by_gpg, aside), (by_cosign, there)):
        found = await signature_finding(plain, policy, registries, "policy", program)
        assert (found.id, found.severity) == ("signature-rejected", Severity.HIGH)
        assert "no signature exists" in found.fact
    signed = by.push("gpg", aside, "--sign-by", "t@example.com")
    by.beside("gpgconf", "--kill", "all")
    assert (await signature_finding(signed, by_gpg, aside, "policy", program)).id == "signature-holds"
    options = ("--sign-by-sigstore-private-key", str(tmp_path / "cosign.private"), "--sign-passphrase-file", words)
    sealed = by.push("cosign", there, *options)
    assert (await signature_finding(sealed, by_cosign, there, "policy", program)).id == "signature-holds"

    # Our reading of registries.d is the program's: the signature lies where it says.
    place = read_places({"a.yaml": (aside / "a.yaml").read_text()}).of(signed)
    assert place.lookaside == f"file://{tmp_path}/signatures"
    assert list((tmp_path / "signatures").rglob("signature-1"))

    absent = await signature_finding(f"{by.place}@sha256:{'0' * 64}", by_gpg, aside, "policy", program)
    assert absent.id == "signature-unknown"
    assert "manifest unknown" in absent.fact
