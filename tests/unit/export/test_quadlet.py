"""Quadlet files say what a recipe says, and no text of a recipe becomes a line of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backends.export.exported import Exported, ExportFile, Member
from backends.export.quadlet import Scope, quadlet
from backends.export.quadlet_text import bare, comment, word, words
from backends.model.container import MountKind
from backends.model.errors import Conflict, Refused
from backends.model.ids import EngineKind
from backends.model.settings import HealthSpec, ProcessSpec, ResourceSpec, SecuritySpec
from backends.model.workload import (
    GpuRequest,
    MountSpec,
    RestartName,
    RestartPolicy,
    UnmappedField,
    VolumeSpec,
    WorkloadSpec,
)
from backends.services.export_files import quadlet_folder, refuse_taken_names, write_files
from backends.services.quadlet_check import check
from tests.docker_recipes import recipes
from tests.systemd_words import command_words

PLAIN = WorkloadSpec("web", "docker.io/test/web:1")
ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def lines(out: Exported, name: str) -> list[str]:
    """Of one file, without comments."""
    (file,) = [one for one in out.files if one.name == name]
    return [line for line in file.text.splitlines() if line and not line.startswith("#")]


def of(spec: WorkloadSpec, scope: Scope = Scope.USER, **more: object) -> Exported:
    return quadlet([Member(spec, EngineKind.DOCKER, **more)], scope=scope)  # type: ignore[arg-type]


@given(st.lists(ANY, max_size=4))
@example(["$HOME", "${X}", "$$", "%t", 'a"b', "c\\d", "e\nf", "", " g ", "'h'", "\x01", "\u2028"])
def test_words_come_back_as_systemd_reads_them(texts: list[str]) -> None:
    line = words(texts)
    assert "\n" not in line
    assert command_words(line) == texts


@given(ANY)
def test_a_comment_is_one_line(text: str) -> None:
    assert len(comment(text).splitlines()) == 1


@given(ANY)
def test_a_bare_value_is_one_line_without_escapes(text: str) -> None:
    assert not bare(text) or (len(text.splitlines()) == 1 and "\\" not in text)


@given(recipes(networks=("n\n[Service]", "m"), volumes=("v", "w"), labels={"a\nExecStart=": "b\n\n[Install]"}))
def test_no_text_of_a_recipe_becomes_a_line_of_its_own(spec: WorkloadSpec) -> None:
    for file in of(replace(spec, name="web", image="a\n[Service]\nExecStart=/bin/x"), volumes=(VolumeSpec("v"),)).files:
        if file.name.endswith(".env"):
            continue
        sections = [line for line in file.text.split("\n") if line.startswith("[")]
        assert sections == [
            one for one in ("[Unit]", "[Container]", "[Service]", "[Install]", "[Volume]") if one in sections
        ]
        assert "ExecStart" not in {line.partition("=")[0] for line in file.text.split("\n")}


def test_keys_where_there_are_keys_and_arguments_where_there_are_none() -> None:
    spec = replace(
        PLAIN,
        gpu=GpuRequest(count=2),
        memory_bytes=64 << 20,
        mounts=(MountSpec(MountKind.VOLUME, "data", "/data", read_only=True),),
        health=HealthSpec(("CMD", "test", "-d", "/tmp")),
        security=SecuritySpec(cap_add=("CAP_NET_RAW",), no_new_privileges=True, read_only_rootfs=True),
        resources=ResourceSpec(sysctls={"net.core.somaxconn": "9"}),
        restart=RestartPolicy(RestartName.UNLESS_STOPPED),
        process=ProcessSpec(init=True, stop_timeout_s=300),
        command=("sh", "-c", 'echo "$HOME" 100%'),
    )
    out = of(spec, volumes=(VolumeSpec("data", driver_options={"type": "tmpfs", "device": "tmpfs", "x": "y z"}),))
    assert set(lines(out, "web.container")) == {
        "[Unit]", "Description=The container web",
        "[Container]", "Image=docker.io/test/web:1", "ContainerName=web",
        "AddDevice=nvidia.com/gpu=0", "AddDevice=nvidia.com/gpu=1", "PodmanArgs=--memory 64m",
        "Volume=data.volume:/data:ro", "RunInit=true", "StopTimeout=300",
        "AddCapability=CAP_NET_RAW", "NoNewPrivileges=true", "ReadOnly=true",
        'HealthCmd=["test", "-d", "/tmp"]', "Sysctl=net.core.somaxconn=9",
        'Exec=sh -c "echo \\"$$HOME\\" 100%%"',
        "[Service]", "Restart=always", "TimeoutStartSec=900", "TimeoutStopSec=310",
        "[Install]", "WantedBy=default.target",
    }  # fmt: skip
    assert lines(out, "data.volume") == [
        "[Volume]", "VolumeName=data", "Type=tmpfs", "Device=tmpfs", 'PodmanArgs=--opt "x=y z"',
    ]  # fmt: skip


def test_a_volume_that_the_engine_named_gets_a_name_again() -> None:
    own = replace(PLAIN, mounts=(MountSpec(MountKind.VOLUME, "e" * 64, "/own", anonymous=True),))
    assert "Volume=/own" in lines(of(own), "web.container")


def test_one_name_on_two_engines_is_two_units() -> None:
    made = quadlet([Member(PLAIN, EngineKind.DOCKER), Member(replace(PLAIN, image="x/y:1"), EngineKind.PODMAN)])
    assert "Image=docker.io/test/web:1" in lines(made, "web.container")
    assert {"Image=x/y:1", "ContainerName=web-2"} <= set(lines(made, "web-2.container"))
    assert made.findings[0].title == "web: another is called so too: this one is called web-2"
    assert made.commands[1] == "systemctl --user start web.service web-2.service"


def test_what_others_need_runs_first() -> None:
    members = [
        Member(replace(PLAIN, name="db"), EngineKind.DOCKER),
        Member(replace(PLAIN, name="own"), EngineKind.PODMAN, pod="p"),
        Member(PLAIN, EngineKind.DOCKER, needs=("db", "elsewhere")),
        Member(replace(PLAIN, name="side"), EngineKind.PODMAN, pod="p", needs=("own", "db")),
    ]
    made = quadlet(members)
    for name in ("web", "side"):
        unit = lines(made, f"{name}.container")
        assert unit[1:4] == [f"Description=The container {name}", "Requires=db.service", "After=db.service"]
    assert "Requires" not in "".join(lines(made, "db.container") + lines(made, "own.container"))


def test_what_looks_secret_lies_beside_for_ones_own_eyes() -> None:
    out = of(replace(PLAIN, env={"API_TOKEN": "hush $x", "PLAIN": "p", "DB_PASSWORD": "two\nlines"}))
    files = {file.name: file for file in out.files}
    assert (files["web.env"].text, files["web.env"].mode) == ("API_TOKEN=hush $x\n", 0o600)
    assert files["web.container"].mode == 0o600, "a file of the environment has no lines within a value"
    assert 'Environment="DB_PASSWORD=two\\nlines"' in files["web.container"].text
    assert "hush" not in files["web.container"].text
    assert of(PLAIN).files[0].mode == 0o644


def test_who_starts_it() -> None:
    always = replace(PLAIN, restart=RestartPolicy(RestartName.ALWAYS))
    assert "WantedBy=multi-user.target default.target" in lines(of(always, Scope.SYSTEM), "web.container")
    assert "[Install]" not in lines(of(PLAIN), "web.container")
    assert of(always).commands == (
        "systemctl --user daemon-reload", "systemctl --user start web.service", "loginctl enable-linger",
    )  # fmt: skip


def test_what_is_not_said_is_said_so_in_the_file_too() -> None:
    out = of(replace(PLAIN, unmapped=(UnmappedField("HostConfig.Odd", "1", "nobody knows"),)))
    (lost,) = [one.title for one in out.findings if "cannot say" in one.title]
    assert lost == "web: Quadlet cannot say HostConfig.Odd"
    assert f"# {lost}. nobody knows" in out.files[0].text.splitlines()


def test_files_are_written_whole_with_their_modes_and_over_none(tmp_path: Path) -> None:
    files = (ExportFile("a.env", "A=1\n", 0o600), ExportFile("b.container", "[Container]\n"))
    (one, two) = write_files(files, tmp_path / "deep/er")
    assert (one.read_text(), one.stat().st_mode & 0o777, two.read_text()) == ("A=1\n", 0o600, "[Container]\n")
    with pytest.raises(Conflict):
        write_files((ExportFile("c", "x"), ExportFile("a.env", "A=2\n")), one.parent)
    assert sorted(path.name for path in one.parent.iterdir()) == ["a.env", "b.container"]
    write_files((ExportFile("a.env", "A=2\n", 0o600),), one.parent, replace=True)
    assert one.read_text() == "A=2\n"


def test_a_service_of_the_machine_is_not_taken_the_place_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.services.export_files.SYSTEM_UNITS", (tmp_path,))
    (tmp_path / "ssh.service").touch()
    refuse_taken_names((ExportFile("web.container", ""), ExportFile("ssh.volume", "")), system=True)
    with pytest.raises(Refused, match=r"ssh\.service is there already"):
        refuse_taken_names((ExportFile("ssh.container", ""),), system=True)


def test_where_units_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/x")
    assert quadlet_folder(system=False) == Path("/x/containers/systemd")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert quadlet_folder(system=False) == Path("/home/me/.config/containers/systemd")
    assert quadlet_folder(system=True) == Path("/etc/containers/systemd")


async def test_the_generator_is_asked_or_it_is_said_that_it_was_not() -> None:
    (none, services) = await check(of(PLAIN).files, user=True, program=())
    assert ("not checked" in none[0].title, services) == (True, "")
    told = "for word in 'Loading source unit file x' 'bad key'; do echo \"quadlet-generator[1]: $word\" >&2; done"
    said = f"{told}; ls $QUADLET_UNIT_DIRS"
    found, services = await check(of(PLAIN).files, user=True, program=["sh", "-c", said])
    assert ([one.title for one in found], services) == (["Podman's generator: bad key"], "web.container\n")


def test_plain_words_have_no_quotes() -> None:
    assert (word("a=b"), word("a b"), word("")) == ("a=b", '"a b"', '""')


def test_empty_words_end_no_list() -> None:
    out = of(replace(PLAIN, entrypoint=(), hostname="", command=("printf", "", "x")))
    assert {"PodmanArgs=--entrypoint=", "PodmanArgs=--hostname="} <= set(lines(out, "web.container"))
    assert "web: Quadlet cannot say an empty word of the command, nor what is behind it" in [
        one.title for one in out.findings
    ]
