"""What Trivy and Grype found, by layer; a scanner on PATH is asked, and what it does wrong is said.

The documents are in the schemas that both document, written by hand: neither program could be had here.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines.demo import DemoEngine
from backends.model.ids import ContainerKey
from backends.model.image import Layer
from backends.security.finding import ContainerReport, Severity
from backends.security.scan import by_layer, read_grype, read_trivy
from backends.services import deeper
from backends.services.fleet import Fleet
from tests.unit.services.fleet_facts import ONE
from tests.unit.services.test_images import WEB, put

RECORDED = Path(__file__).parents[2] / "recorded/scanners"
A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
LAYERS = (
    Layer("ADD rootfs.tar /", A, 100, None),
    Layer("ENV A=1", "", 0, None),
    Layer("COPY . /app", B, 10, None),
)
REPORT = ContainerReport(ContainerKey(ONE, "c" * 64), "web", WEB, (), (), (), "")


def test_trivys_report_by_layer() -> None:
    base, app = by_layer(read_trivy((RECORDED / "trivy.json").read_text()), LAYERS, "trivy")
    assert (base.severity, base.title) == (Severity.CRITICAL, "layer 1 of 2: vulnerabilities 1 critical, 1 low")
    assert base.fact.startswith("CVE-2099-0001 (critical) in libexample1 1.0-1, fixed in 1.0-2; CVE-2099-0002")
    assert "1 of 2 have a fix" in base.remedy
    assert (app.severity, app.title) == (Severity.CRITICAL, "layer 2 of 2: vulnerabilities 1 info and 1 secret")
    assert app.fact.startswith("AWS Access Key ID (critical) in /app/.env:3")
    assert "COPY . /app" in app.field
    assert "Take the secret out" in app.remedy


def test_grypes_report_by_layer() -> None:
    base, app = by_layer(read_grype((RECORDED / "grype.json").read_text()), LAYERS, "grype")
    assert (base.title, base.severity) == ("layer 1 of 2: vulnerabilities 1 critical", Severity.CRITICAL)
    assert (app.title, app.severity) == ("layer 2 of 2: vulnerabilities 1 info", Severity.INFO)
    assert "No fix is known" in app.remedy


def test_a_layer_that_the_engine_does_not_know_is_the_image() -> None:
    (one,) = by_layer(read_trivy((RECORDED / "trivy.json").read_text())[:1], (), "trivy")
    assert one.title.startswith("its image: ")


def test_nothing_found_is_said() -> None:
    (one,) = by_layer(read_grype('{"matches": []}'), LAYERS, "grype")
    assert (one.id, one.severity) == ("scan-clean", Severity.INFO)


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["Results", "Vulnerabilities", "Secrets", "Layer", "DiffID", "Severity", "matches", "artifact", "fix",
                 "vulnerability", "locations", "layerID", "versions"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)  # fmt: skip


@given(_JSON)
def test_whatever_a_scanner_writes_is_read_or_refused_in_words(told: object) -> None:
    for read in (read_trivy, read_grype):
        try:
            found = read(json.dumps(told))
        except ValueError as error:
            said = str(error)
        else:
            said = next(by_layer(found, LAYERS, "it wrote no")).field
        assert "wrote no" in said


def _put_program(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


async def _scanned() -> list[tuple[str, str]]:
    engine = DemoEngine(ONE, look_s=0, act_s=0)
    put(engine, WEB, top="web")
    fleet = Fleet([engine])
    try:
        two = replace(REPORT, key=ContainerKey(ONE, "d" * 64))
        reports = await deeper.with_scans(fleet, [REPORT, two])
        assert reports[0].findings == reports[1].findings
        return [(one.id, f"{one.title} / {one.fact} / {one.remedy}") for one in reports[0].findings]
    finally:
        await fleet.close()


async def test_a_scanner_gets_the_archive_once_for_each_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f'echo "$@" >> {tmp_path}/asked; tar -tf "$8" > {tmp_path}/listed; cat {RECORDED}/trivy.json'
    _put_program(tmp_path / "bin", "trivy", script, monkeypatch)
    found = await _scanned()
    assert [id for id, _ in found] == ["scan-layer", "scan-layer"]
    (asked,) = (tmp_path / "asked").read_text().splitlines()
    assert asked.startswith("image --quiet --format json --scanners vuln,secret --input /")
    assert "manifest.json" in (tmp_path / "listed").read_text()
    assert not os.path.exists(asked.split()[-1])  # noqa: ASYNC240 - a test, and nothing else runs


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'no database' >&2; exit 1", "exit code 1 / no database / run grype by hand"),
        ("echo nonsense", "grype wrote no JSON"),
    ],
)
async def test_a_scanner_that_fails_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    _put_program(tmp_path / "bin", "grype", script, monkeypatch)
    ((id, text),) = await _scanned()
    assert id == "scan-failed"
    assert said in text


async def test_without_one_it_is_said_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ((id, text),) = await _scanned()
    assert id == "scan-none"
    assert "trivy.dev" in text


async def test_without_room_for_the_copy_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _put_program(tmp_path / "bin", "grype", "echo never", monkeypatch)
    monkeypatch.setattr("backends.services.scans.Path", lambda _folder: Path("/dev/full/no"))
    ((id, text),) = await _scanned()
    assert id == "scan-failed"
    assert "could not be written: Not a directory" in text
