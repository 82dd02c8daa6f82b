"""The chain of the audit trail: written by several, closed and begun again, and each change of it found."""

from __future__ import annotations

import json
import os
import random
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from backends.model.errors import Denied
from backends.services import audit_file
from backends.services.audit_chain import Head, canonical, head_bytes, parsed, read_head
from backends.services.audit_file import AuditFiles, closed_files, head_path, locked
from backends.services.audit_read import read, verify

CORRUPTIONS = 1_000
_SEED = 20261128


def _write(path: Path, count: int, *, max_bytes: int = 1 << 20, start: int = 0) -> AuditFiles:
    files = AuditFiles(path, max_bytes=max_bytes)
    for number in range(start, start + count):
        files.append({"action": "container.stop", "subject": f"web{number} ünïcode", "at": "2026-11-28T06:00:00+00:00"})
    return files


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A trail of three files."""
    path = tmp_path / "trail" / "audit.jsonl"
    _write(path, 12, max_bytes=1_200)
    assert len(closed_files(path)) >= 2
    assert verify(path).ok
    return path


def test_a_trail_that_nobody_touched_is_whole(log: Path) -> None:
    proof = verify(log)
    assert proof.ok
    assert not proof.notes
    assert proof.last is not None
    assert proof.last.seq == proof.lines
    entries, _ = read(log, lambda entry: entry["action"] == "container.stop")
    assert [entry["subject"].split()[0] for entry in entries] == [f"web{number}" for number in range(12)]
    assert [entry["subject"].split()[0] for entry in read(log, most=2)[0]] == ["web10", "web11"]


def _flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def _of_lines(change: Callable[[list[bytes], random.Random], None]) -> Callable[[Path, random.Random], None]:
    def corrupt(path: Path, rng: random.Random) -> None:
        lines = _lines(path)
        change(lines, rng)
        path.write_bytes(b"".join(lines))

    return corrupt


def _delete(lines: list[bytes], rng: random.Random) -> None:
    del lines[rng.randrange(len(lines))]


def _double(lines: list[bytes], rng: random.Random) -> None:
    place = rng.randrange(len(lines))
    lines.insert(rng.randrange(len(lines) + 1), lines[place])


def _swap(lines: list[bytes], rng: random.Random) -> None:
    one, other = rng.sample(range(len(lines)), 2) if len(lines) > 1 else (0, 0)
    if one == other:
        lines.clear()
    lines[one:] = [lines[other], *lines[one + 1 :]] if lines else []


def _forge(lines: list[bytes], rng: random.Random) -> None:
    """Another content under a hash that fits it: only the next line, or the head, can tell."""
    place = rng.randrange(len(lines))
    entry = json.loads(lines[place])
    entry["subject"] = "somebody else"
    from backends.services.audit_chain import digest

    entry["hash"] = digest(entry)
    lines[place] = canonical(entry) + b"\n"


def _cut(path: Path, rng: random.Random) -> None:
    os.truncate(path, rng.randrange(path.stat().st_size))


_WAYS: dict[str, Callable[[Path, random.Random], None]] = {
    "a bit": _flip,
    "a line less": _of_lines(_delete),
    "a line twice": _of_lines(_double),
    "a line in another's place": _of_lines(_swap),
    "another content, hashed anew": _of_lines(_forge),
    "cut short": _cut,
    "a file less": lambda path, _: path.unlink(),
}


def test_a_thousand_corruptions_are_all_found(log: Path) -> None:
    rng = random.Random(_SEED)
    files = [*(path for _, path in closed_files(log)), log]
    kept = {path: path.read_bytes() for path in [*files, head_path(log)]}
    missed = []
    for number in range(CORRUPTIONS):
        way = list(_WAYS)[number % len(_WAYS)]
        target = rng.choice([*files, head_path(log)] if way in {"a bit", "cut short", "a file less"} else files)
        _WAYS[way](target, rng)
        if target.exists() and target.read_bytes() == kept[target]:
            pytest.fail(f"{way} changed nothing")
        proof = verify(log)
        if proof.ok:
            missed.append((number, way, target.name))
        target.write_bytes(kept[target])
    assert not missed
    assert verify(log).ok


def test_what_is_wrong_is_said_with_its_file_and_line(log: Path) -> None:
    lines = _lines(log)
    log.write_bytes(b"".join([*lines[:1], lines[1].replace(b"web", b"wob"), *lines[2:]]))
    first = verify(log).flaws[0]
    assert (first.file, first.line) == ("audit.jsonl", 2)
    assert "was changed" in first.what
    assert str(first).startswith("audit.jsonl, line 2: ")


def test_a_cut_is_found_also_after_somebody_wrote_on(log: Path) -> None:
    lines = _lines(log)
    log.write_bytes(b"".join(lines[:-1]))
    assert "it was cut" in str(verify(log).flaws[0])
    said = AuditFiles(log).append({"action": "container.start"})
    assert "should end with line" in said[0]
    proof = verify(log)
    assert any("missing before it" in flaw.what for flaw in proof.flaws)
    assert AuditFiles(log).append({"action": "container.start"}) == []  # said once


def test_a_head_that_is_gone_is_found_and_stays_found(log: Path) -> None:
    head_path(log).unlink()
    assert "head is missing" in verify(log).flaws[0].what
    assert "head of the trail was missing" in AuditFiles(log).append({"action": "x"})[0]
    assert any("written down then" in flaw.what for flaw in verify(log).flaws)


def test_a_line_that_a_writer_could_not_finish_is_left_as_it_is(log: Path) -> None:
    torn = log.read_bytes()[:-20]
    log.write_bytes(torn)
    AuditFiles(log).append({"action": "x"})
    assert closed_files(log)[-1][1].read_bytes() == torn
    assert any("cut off" in flaw.what for flaw in verify(log).flaws)


def test_a_writer_cut_off_before_the_head_is_no_flaw(log: Path) -> None:
    lines = _lines(log)
    before = parsed(lines[-2][:-1])
    head_path(log).write_bytes(head_bytes(Head(before["seq"], before["hash"])))
    proof = verify(log)
    assert proof.ok
    assert "not in the head" in proof.notes[0]
    assert AuditFiles(log).append({"action": "x"}) == []
    assert verify(log).ok
    assert not verify(log).notes


def test_the_log_of_before_is_kept_and_watched(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text('{"schema": 1, "action": "container.start", "at": "2026-11-01T00:00:00.000+00:00"}\n')
    before, proof = read(path)
    assert [entry["action"] for entry in before] == ["container.start"]
    assert proof.notes
    _write(path, 2)
    assert verify(path).ok
    old = tmp_path / "audit-old-1.jsonl"
    assert json.loads(old.read_text())["action"] == "container.start"
    old.write_text(old.read_text().replace("start", "stop"))
    assert verify(path).flaws[0].file == old.name
    old.unlink()
    assert "cannot be read" in verify(path).flaws[0].what


def test_files_that_others_could_read_are_closed_to_them_and_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    files = _write(path, 1)
    path.chmod(0o644)
    assert "0644" in verify(path).notes[0]
    assert "0644" in files.append({"action": "x"})[0]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry["action"] for entry in read(path)[0]] == ["container.stop", "audit.mode", "x"]
    assert verify(path).ok
    assert not verify(path).notes


def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    code = (
        "import sys; from pathlib import Path; from backends.services.audit_file import AuditFiles\n"
        "files = AuditFiles(Path(sys.argv[1]), max_bytes=4000)\n"
        "for number in range(30): files.append({'action': 'x', 'who': sys.argv[2], 'number': number})"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in "abc"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    entries, proof = read(path, lambda entry: entry["action"] == "x")
    assert proof.ok
    for name in "abc":
        assert [entry["number"] for entry in entries if entry["who"] == name] == list(range(30))


def test_a_disk_that_is_full_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "audit.jsonl"
    files = _write(path, 2)
    content, real = path.read_bytes(), os.write
    room = iter([20])

    def full(descriptor: int, data: bytes) -> int:
        left = next(room, None)
        if left is None:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:left])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        files.append({"action": "x"})
    monkeypatch.undo()
    assert path.read_bytes() == content
    files.append({"action": "x"})
    assert verify(path).ok


def test_nothing_there_is_no_flaw_and_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    assert verify(tmp_path / "audit.jsonl").ok
    (tmp_path / "audit.jsonl").symlink_to("/etc/passwd")
    with pytest.raises(Denied, match="cannot be read"):
        verify(tmp_path / "audit.jsonl")


def test_all_files_gone_but_the_head_are_missed(log: Path) -> None:
    for _, file in closed_files(log):
        file.unlink()
    log.unlink()
    assert "it was cut" in verify(log).flaws[0].what
    shutil.rmtree(log.parent)
    assert verify(log).ok  # what this cannot prove: somebody took all of it, head too


def test_the_head_has_one_spelling() -> None:
    head = Head(12, "a" * 64)
    assert read_head(head_bytes(head)) == head
    for content in (b"", b"2 12 x", head_bytes(head)[:-1], head_bytes(head).replace(b"2", b"3", 1), b"\xff" * 90):
        assert read_head(content) is None


def test_a_lock_that_is_never_given_back_stops_nobody_for_ever(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_file, "LOCK_TIMEOUT_S", 0.01)
    with locked(log):
        with pytest.raises(TimeoutError, match="holds the audit trail"):
            AuditFiles(log).append({"action": "x"})
        with pytest.raises(Denied, match="cannot be read"):
            verify(log)
