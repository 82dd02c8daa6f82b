"""Files and texts with wrong parts: every parser gives a value or the error that it names, and nothing else."""

from __future__ import annotations

import asyncio
import io
import json
import os
import tarfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import HealthCheck, given, settings

from backends import cdi, containerfile, listening
from backends.cgroups import parse as cgroup
from backends.cgroups.processes import field_of
from backends.engines.discover_sources import Texts, candidates
from backends.engines.docker_translate_stores import loaded_images
from backends.engines.registry_store import CredentialStore
from backends.engines.transfer_messages import PodmanLines
from backends.layers.archive import ArchiveWalk
from backends.layers.table import LayerTable
from backends.migration import journal, manifest, oci
from backends.migration.backup_file import BackupWriter, Found, Member, read_members
from backends.migration.oci import ImageIntake
from backends.model.codec import from_json
from backends.model.errors import BackendError, Protocol
from backends.model.expression import BadPattern
from backends.model.ids import EngineId, EngineKind, ImageKey
from backends.model.image import ImageFacts
from backends.model.log_level import level_of
from backends.model.plan import Plan
from backends.model.reference import parse_reference
from backends.model.transfer import parse_platform
from backends.model.wish import read_wish
from backends.presets.read import PresetError, read_preset
from backends.registry.manifests import read_manifest
from backends.schedule.plan import read_mark
from backends.security.trust import read_policy
from backends.services import audit_chain
from backends.services.audit_read import read as read_audit
from backends.services.gpu_usage_file import read_usage
from backends.sweep.commands import from_lines, read_axis
from backends.wire.failures import message_of
from backends.wire.frames import json_lines, log_lines
from backends.wire.ssh_words import read_answer
from backends.wire.times import parse_time
from tests.unit.fuzz.mutants import EXAMPLES, bitten
from tui.cli.gpus_serve import parse_listen
from tui.cli.layers_limits import parse_share, parse_size
from tui.config import ConfigError, load
from tui.kept_columns import FILE as COLUMNS_FILE
from tui.kept_columns import read_columns
from tui.moments import moment_of
from tui.screens.move_choices import read_ports
from widgets.log_filter import pattern_of
from widgets.sgr import plain_text

ENGINE = EngineId(EngineKind.DOCKER, "docker")
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Parser:
    """read: the parser, given bytes. errors: what it may raise. seeds: what it is meant for."""

    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    seeds: list[bytes]


def text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    """A parser of text, given bytes that need not be any."""
    return lambda data: read(data.decode("utf-8", "replace"))


def _pieces(data: bytes) -> AsyncIterator[bytes]:
    async def give() -> AsyncIterator[bytes]:
        for at in range(0, len(data), 7):
            yield data[at : at + 7]

    return give()


def streamed(read: Callable[[AsyncIterator[bytes]], AsyncIterator[Any]]) -> Callable[[bytes], object]:
    """A parser of a stream, given its bytes in small pieces."""

    async def whole(data: bytes) -> list[Any]:
        return [item async for item in read(_pieces(data))]

    return lambda data: asyncio.run(whole(data))


def kept(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """A parser of a file, given what the file holds. name: of the file; read: given its folder."""

    def write_and_read(data: bytes) -> object:
        folder = Path(os.environ["HOME"])  # the test's own
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        return read(folder)

    return write_and_read


def _credentials(folder: Path) -> object:
    store = CredentialStore(ENGINE, (folder / "auth.json",))
    return store.logins(), store.header("docker.io"), store.entry("quay.io", "team/x")


def _texts(data: bytes) -> object:
    said = data.decode("utf-8", "replace")
    return candidates({}, Texts(said, said, said, (said,), (said,)))


def _walked(data: bytes) -> object:
    found: list[LayerTable] = []
    walk = ArchiveWalk({f"sha256:{sha256(TAR).hexdigest()}"}, set(), found.append, lambda: False)
    walk.feed(data)
    walk.close()
    return found


def _backup(folder: Path) -> object:
    descriptor = os.open(folder / "x.backup", os.O_RDONLY)
    try:
        return read_members(descriptor, lambda: False)
    finally:
        os.close(descriptor)


def _taken_in(folder: Path) -> None:
    """An engine's archive of an image, on its way into a backup."""
    writer = BackupWriter(folder / "y.backup")
    try:
        taking = ImageIntake(writer)
        taking.feed((folder / "archive").read_bytes())
        taking.finish(FACTS, "docker.io/library/a:1")
    finally:
        writer.close()


def _layout(place: int) -> Callable[[bytes], object]:
    """A reader of a backup's image, whose index, manifest or configuration (0, 1, 2) is what it is given."""

    def read(data: bytes) -> object:
        writer = BackupWriter(Path(os.environ["HOME"]) / "z.backup")
        try:
            config = _blob(writer, data if place == 2 else json.dumps({"rootfs": {"diff_ids": []}}).encode())
            manifest = _blob(writer, data if place == 1 else json.dumps({"config": config, "layers": []}).encode())
            index = writer.add(oci.INDEX, data if place == 0 else json.dumps({"manifests": [manifest]}).encode())
            layout = writer.add(oci.LAYOUT, b'{"imageLayoutVersion":"1.0.0"}')
            found = {member.name: Found(member, at) for member, at in _placed(writer)}
            assert {index.name, layout.name} <= found.keys()
            return oci.stored_image(writer._file.fileno(), found, replace(FACTS, diff_ids=()))
        finally:
            writer.close()

    return read


def _blob(writer: BackupWriter, content: bytes) -> dict[str, object]:
    digest = sha256(content).hexdigest()
    writer.add(oci.BLOBS + digest, content)
    return {"digest": f"sha256:{digest}", "size": len(content)}


def _placed(writer: BackupWriter) -> Iterator[tuple[Member, int]]:
    at = 0
    for member in writer.members:
        yield member, at + tarfile.BLOCKSIZE
        at += tarfile.BLOCKSIZE + member.size + -member.size % tarfile.BLOCKSIZE


def _lines_of_podman(said: str) -> object:
    lines = PodmanLines()
    return [lines.events(line) for line in said.splitlines()]


def _tar(files: Mapping[str, bytes] | None = None) -> bytes:
    files = files or {"manifest.json": b"[]", "a/" + "long" * 40: b"x" * 600, "link": b""}
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.pax_headers = {"SCHILY.xattr.user.a": "b", "mtime": "1.5"}
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


TAR = _tar()
ARCHIVE = _tar({"manifest.json": b"[]", "blobs/sha256/" + sha256(TAR).hexdigest(): TAR})
CONFIG = (
    b'theme = "dark"\nnotify = true\nidle_gpu_minutes = 5\n[keys]\n"app.quit" = "x"\n'
    b'[[engine]]\nname = "a"\nurl = "unix:///x"\n'
)
CONTEXT = b'{"Name": "x", "Endpoints": {"docker": {"Host": "ssh://a@b:22", "SkipTLSVerify": false}}}'
CONNECTIONS = (
    b'{"Connection": {"Default": "a", "Connections": {"a": {"URI": "ssh://a@b/run/x.sock", "Identity": "/k"}}}}'
)
OCI = (
    b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {"mediaType": "x", '
    b'"digest": "sha256:aa", "size": 3}, "layers": [{"mediaType": "y", "digest": "sha256:bb", "size": 4}]}'
)
IMAGE_CONFIG = b'{"config": {"User": "x"}, "rootfs": {"type": "layers", "diff_ids": ["sha256:ab"]}}'
FACTS = ImageFacts(ImageKey(ENGINE, "a" * 64), (), "", ("sha256:ab",), "amd64", "linux", 0)
POLICY = (
    b'{"default": [{"type": "reject"}], "transports": {"docker": {"docker.io": '
    b'[{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k"}]}}}'
)
CDI = (
    b'{"cdiVersion": "0.6.0", "kind": "nvidia.com/gpu", "devices": [{"name": "0", "containerEdits": '
    b'{"deviceNodes": [{"path": "/dev/nvidia0"}], "mounts": [], "env": ["A=b"]}}], "containerEdits": {}}'
)
CDI_YAML = (
    b'cdiVersion: "0.6.0"\nkind: nvidia.com/gpu\ndevices:\n- name: "0"\n'
    b"  containerEdits:\n    deviceNodes:\n    - path: /dev/nvidia0\n"
)
AUTH = b'{"auths": {"https://index.docker.io/v1/": {"auth": "YTpi"}, "quay.io": {"auth": "YTpi"}}, "credHelpers": {}}'
TCP = b"  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000\n"

PARSERS: Mapping[str, Parser] = {
    "reference": Parser(text(parse_reference), (ValueError,), [b"docker.io/a/b:1@sha256:" + b"a" * 64, b"x"]),
    "platform": Parser(text(parse_platform), (ValueError,), [b"linux/arm64/v8"]),
    "GPU wish": Parser(text(read_wish), (ValueError,), [b"0,1", b"all", b"GPU-aa", b"2", b"0:1"]),
    "kept plan": Parser(
        text(lambda said: from_json(Plan, said)), (Protocol,),
        [b'{"schema": 1, "kind": "Plan", "value": {}}'],
    ),
    "journal": Parser(
        text(journal.from_json), (Protocol,),
        [b'{"schema": 2, "id": "x", "entries": [{"effect": "volume"}]}'],
    ),
    "manifest of a tar": Parser(lambda data: asyncio.run(manifest.read_manifest(_pieces(data))), (Protocol,), [TAR]),
    "archive of an image": Parser(_walked, (BackendError,), [ARCHIVE, ARCHIVE[:2600]]),
    "backup": Parser(kept("x.backup", _backup), (Protocol,), [TAR]),
    "archive into a backup": Parser(
        kept("archive", _taken_in), (Protocol,),
        [_tar({"manifest.json": b'[{"Config": "c", "Layers": ["l.tar"]}]', "c": IMAGE_CONFIG, "l.tar": b"x"})],
    ),
    "OCI index of a backup": Parser(_layout(0), (Protocol,), [b'{"manifests": [{"digest": "sha256:aa", "size": 1}]}']),
    "OCI manifest of a backup": Parser(_layout(1), (Protocol,), [OCI]),
    "configuration in a backup": Parser(_layout(2), (Protocol,), [IMAGE_CONFIG]),
    "OCI manifest": Parser(lambda data: read_manifest(data, "x"), (ValueError,), [OCI]),
    "CDI in JSON": Parser(lambda data: cdi.parse(data, is_json=True), (ValueError,), [CDI]),
    "CDI in YAML": Parser(lambda data: cdi.parse(data, is_json=False), (ValueError,), [CDI_YAML]),
    "trust policy": Parser(text(read_policy), (ValueError,), [POLICY]),
    "schedule's mark": Parser(text(read_mark), (), [b'Schedule={"name": "x", "every": "daily"}', b"# x"]),
    "preset": Parser(
        text(lambda said: read_preset("x", said, "x.toml")), (PresetError,),
        [b'about = "x"\n[draft]\nimage = "y"\n'],
    ),
    "configuration": Parser(kept("c.toml", lambda folder: load(folder / "c.toml")), (ConfigError,), [CONFIG]),
    "kept columns": Parser(
        kept(COLUMNS_FILE, read_columns), (BackendError,),
        [b'{"schema": 1, "columns": ["name", "cpu"]}'],
    ),
    "audit line": Parser(audit_chain.parsed, (ValueError,), [b'{"schema":1,"seq":1,"hash":"x"}']),
    "audit head": Parser(audit_chain.read_head, (), [audit_chain.head_bytes(audit_chain.START)]),
    "audit trail": Parser(
        kept("audit.jsonl", lambda folder: read_audit(folder / "audit.jsonl", lambda _: True)), (BackendError,),
        [b'{"schema":1,"seq":1,"hash":"x","before":"y"}\n{"at": "2026-01-01"}\n'],
    ),
    "GPU usage": Parser(
        kept("gpu.sqlite", lambda folder: read_usage(folder / "gpu.sqlite")), (BackendError,),
        [b"SQLite format 3\x00" + b"\x10" * 90],
    ),
    "credentials": Parser(kept("auth.json", _credentials), (BackendError,), [AUTH]),
    "engines' own settings": Parser(_texts, (), [CONTEXT, CONNECTIONS, b'currentContext = "x"']),
    "answers of /images/load": Parser(
        lambda data: loaded_images(ENGINE, data), (BackendError,),
        [b'{"stream": "Loaded image: a:1\\n"}\n', b'[2]\n', b'{"error": "no space left on device"}'],
    ),
    "Podman's words of a pull": Parser(
        text(_lines_of_podman), (),
        [b"Copying blob aa done\nCopying config bb\nWriting manifest\n"],
    ),
    "error's body": Parser(message_of, (), [b'{"message": "x", "cause": "y"}']),
    "JSON lines": Parser(streamed(lambda pieces: json_lines(pieces)), (Protocol,), [b'{"a": 1}\n[2]\n\n"x"']),
    "log frames": Parser(
        streamed(lambda pieces: log_lines(pieces, tty=False, timestamps=True)), (Protocol,),
        [b"\x01\x00\x00\x00\x00\x00\x00!2026-11-28T00:00:00.000000001Z x\n", b"\x02\x00\x00\x00\x00\x00\x00\x02x\n"],
    ),
    "log of a terminal": Parser(
        streamed(lambda pieces: log_lines(pieces, tty=True, timestamps=True)), (),
        [b"2026-11-28T00:00:00Z x\r\n"],
    ),
    "time": Parser(text(parse_time), (), [b"2026-11-28T00:00:00.123456789+01:00", b"0001-01-01T00:00:00Z"]),
    "SSH's answer": Parser(text(read_answer), (), [b"socket=open\nuid=0\n"]),
    "Containerfile": Parser(
        text(lambda said: containerfile.line_of(said, "RUN x")), (),
        [b"# escape=`\nFROM a AS b\nRUN x \\\n  y\n"],
    ),
    "number of a cgroup": Parser(
        lambda data: (cgroup.number(data), cgroup.limit_bytes(data), cgroup.first_pid(data)), (),
        [b"123\n", b"max\n"],
    ),
    "keys of a cgroup": Parser(
        lambda data: (cgroup.keyed(data, b"usage_usec"), cgroup.working_set_bytes(5, data)), (),
        [b"usage_usec 12\ninactive_file 3\n"],
    ),
    "io.stat": Parser(
        lambda data: (cgroup.io_stat(data), cgroup.blkio_bytes(data)), (),
        [b"8:0 rbytes=1 wbytes=2 rios=3\n", b"8:0 Read 1\n8:0 Write 2\nTotal 3\n"],
    ),
    "/proc/net/dev": Parser(
        cgroup.net_dev, (),
        [b"Inter-| x\n face | y\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"],
    ),
    "/proc/meminfo": Parser(cgroup.mem_total_bytes, (), [b"MemTotal:  1234 kB\n"]),
    "/proc/PID/status": Parser(lambda data: field_of(data, b"NSpid"), (), [b"Name:\tsh\nNSpid:\t1\t2\n"]),
    "/proc/net/tcp": Parser(kept("tcp", listening.listened), (), [TCP]),
    "axis of a sweep": Parser(text(read_axis), (ValueError,), [b"lr=0.1,0.01", b"seed=1..10", b"n=0..100..25"]),
    "commands of a sweep": Parser(
        text(lambda said: from_lines("x", said.splitlines())), (ValueError,),
        [b"train --lr 1\n# no\n'a b' c\n"],
    ),
    "moment": Parser(text(lambda said: moment_of(said, NOW)), (ValueError,), [b"10m", b"14:30", b"2026-11-28 14:30"]),
    "ports of a move": Parser(text(read_ports), (ValueError,), [b"8080:8081, 80:81"]),
    "size": Parser(text(parse_size), (click.BadParameter,), [b"500", b"20MB", b"1GiB"]),
    "share": Parser(text(parse_share), (click.BadParameter,), [b"20%", b"0.2"]),
    "address to listen at": Parser(text(parse_listen), (click.BadParameter,), [b"127.0.0.1:9400", b"[::1]:9400"]),
    "pattern of a filter": Parser(text(pattern_of), (BadPattern,), [b"http|get", b"(a)\\1", b"[a-z]+"]),
    "level of a line": Parser(
        text(level_of), (),
        [b'{"level": "warn", "msg": "x"}', b"ERROR: x", b"I1128 12:00:00 x"],
    ),
    "colours of a line": Parser(text(plain_text), (), [b"\x1b[1;31mx\x1b[0m\r\ny\x1b]8;;http://x\x1b\\z"]),
}  # fmt: skip


@pytest.mark.parametrize("name", PARSERS)
def test_only_the_errors_that_it_names_come_out(name: str) -> None:
    parser = PARSERS[name]
    for seed in parser.seeds:
        quiet(parser, seed)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(bitten(parser.seeds))
    def fuzz(data: bytes) -> None:
        quiet(parser, data)

    fuzz()


def quiet(parser: Parser, data: bytes) -> None:
    """Give it that; anything but its own errors comes out."""
    try:
        parser.read(data)
    except parser.errors:
        return
