"""Drafts: laid over each other, read into recipes, and nothing of a recipe lost on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from backends.draft.draft import Draft, draft_from, draft_of, laid_over
from backends.draft.spec import Around, read_draft
from backends.model.container import MountKind, Port
from backends.model.settings import HealthSpec, NetworkAttachment, NetworkingSpec
from backends.model.wish import ALL, KEEP
from backends.model.workload import MountSpec, WorkloadSpec
from tests.docker_recipes import recipes
from tui.around import around_of

SMALL = draft_of(image="python:3.11", name="web")


def read(draft: Draft, around: Around | None = None, base: WorkloadSpec | None = None) -> WorkloadSpec:
    """The recipe of a draft with nothing wrong."""
    found = read_draft(draft, around or Around(), base)
    assert found.wrong == {}
    return found.spec


def test_a_small_one() -> None:
    assert read(SMALL) == WorkloadSpec("web", "docker.io/library/python:3.11")


def test_all_fields() -> None:
    draft = draft_of(
        image="python:3.11",
        name="web",
        command="python -c 'print(1)'",
        gpus="all",
        shm_size="8g",
        ipc="private",
        ulimits=["memlock=-1"],
        memory="2g",
        cpus="1.5",
        pids="100",
        ports=["8080:80", "127.0.0.1:8443:443"],
        network="backend",
        mounts=["~/data:/data:ro", "./here:/here", "cache:/cache"],
        env=["A=1", "MINE"],
        env_files=["file"],
        user="1000:1000",
        workdir="/work",
        restart="always",
        health="curl -f localhost",
        health_start="2m",
    )
    around = Around({"MINE": "yours"}, {"file": "B=2\nA=0"}.__getitem__, "/home/me", "/now")
    spec = read(draft, around)
    assert spec.command == ("python", "-c", "print(1)")
    assert dict(spec.env) == {"A": "1", "MINE": "yours", "B": "2"}
    assert [mount.source for mount in spec.mounts] == ["/home/me/data", "/now/here", "cache"]
    assert spec.mounts[0].read_only
    assert spec.network == NetworkingSpec("bridge", (NetworkAttachment("backend"),))
    assert spec.ports == (Port(80, "tcp", "", 8080), Port(443, "tcp", "127.0.0.1", 8443))
    assert spec.health == HealthSpec(("CMD-SHELL", "curl -f localhost"), start_period_ns=120 * 10**9)
    assert (spec.memory_bytes, spec.cpus_nano, spec.resources.pids_limit) == (2 << 30, 1_500_000_000, 100)
    assert read_draft(draft, around).gpus == ALL


def test_what_is_wrong_stands_at_its_place() -> None:
    draft = draft_of(
        image="UPPER CASE", name="x", ports=["80:80", "no"], mounts=["aa:/a", "bb:/a"], shm_size="1g", ipc="host",
        gpus="some", command="'open",
    )  # fmt: skip
    wrong = read_draft(draft, Around()).wrong
    assert set(wrong) == {
        *(("image", 0), ("name", 0), ("ports", 1), ("mounts", 1), ("shm_size", 0), ("gpus", 0), ("command", 0)),
    }
    assert "said twice" in wrong[("mounts", 1)]


def test_a_home_of_nobody_is_a_file_that_is_not_there() -> None:
    """As while "~some" is typed."""
    draft = draft_of(image="x", name="web", env_files=["~nobody-of-this-name/env"])
    assert ("env_files", 0) in read_draft(draft, around_of(None)).wrong


def test_nothing_said_is_wrong_too() -> None:
    assert set(read_draft(Draft(), Around()).wrong) == {("image", 0), ("name", 0)}


def test_a_variable_without_a_value_is_noted() -> None:
    found = read_draft(laid_over(SMALL, draft_of(env=["HF_TOKEN"])), Around())
    assert found.spec.env == {}
    assert "HF_TOKEN" in found.notes[0]


def test_a_file_that_is_not_there_is_wrong() -> None:
    def absent(path: str) -> str:
        raise FileNotFoundError(2, "No such file or directory", path)

    found = read_draft(laid_over(SMALL, draft_of(env_files=["x.env"])), Around(read_file=absent))
    assert found.wrong == {("env_files", 0): "x.env cannot be read: No such file or directory"}


def test_paths_of_ones_own_are_refused_for_another_machine() -> None:
    wrong = read_draft(laid_over(SMALL, draft_of(mounts=["~/data:/data"])), Around()).wrong
    assert "another machine" in wrong[("mounts", 0)]


def test_what_is_said_above_counts() -> None:
    below = draft_of(
        image="a",
        ports=["8888:8888", "1:1"],
        mounts=["old:/data", "kept:/b"],
        env=["A=1", "B=2"],
        ulimits=["memlock=-1"],
    )
    above = draft_of(image="b", ports=["9999:8888"], mounts=["/host:/data"], env=["A=9"], ulimits=["nofile=9"])
    both = laid_over(below, above)
    assert both.one("image") == "b"
    assert both.all("ports") == ("1:1", "9999:8888")
    assert both.all("mounts") == ("kept:/b", "/host:/data")
    assert both.all("env") == ("B=2", "A=9")
    assert both.all("ulimits") == ("memlock=-1", "nofile=9")


def test_a_field_that_there_is_not() -> None:
    with pytest.raises(KeyError):
        draft_of(nonsense="1")


@settings(max_examples=150)
@given(recipes(networks=["one", "two"], volumes=["data"], labels={}))
def test_a_recipe_goes_through_a_draft_unchanged(spec: WorkloadSpec) -> None:
    """What the draft cannot say stays as the base has it."""
    spec = replace(spec, name="copy")
    found = read_draft(draft_from(spec), Around(), spec)
    assert found.wrong == {}
    assert found.spec == spec
    assert found.gpus == KEEP


def test_a_secret_is_masked_and_stays() -> None:
    base = WorkloadSpec("web", "docker.io/a/b:1", env={"DB_PASSWORD": "hunter2", "MODE": "x", "EMPTY_KEY": ""})
    draft = draft_from(base)
    assert draft.all("env") == ("DB_PASSWORD=********", "MODE=x", "EMPTY_KEY=")
    assert read(draft, base=base) == base
    changed = laid_over(draft, draft_of(env=["DB_PASSWORD=new"]))
    assert read(changed, base=base).env["DB_PASSWORD"] == "new"


def test_one_field_changes_and_the_rest_stays() -> None:
    base = WorkloadSpec(
        "web", "docker.io/a/b:1", command=(), ports=(Port(80, "tcp", "", 8080), Port(90)),
        mounts=(MountSpec(MountKind.VOLUME, "v", "/v", subpath="x"), MountSpec(MountKind.BIND, "/a", "/a")),
        health=HealthSpec(("CMD", "a", "b c"), retries=7),
    )  # fmt: skip
    draft = laid_over(draft_from(base), draft_of(ports=["9090:80"], mounts=["/other:/a"], health_start="9s"))
    spec = read(draft, base=base)
    assert spec.command == ()
    assert spec.ports == (Port(80, "tcp", "", 9090), Port(90))
    assert spec.mounts == (base.mounts[0], MountSpec(MountKind.BIND, "/other", "/a"))
    assert spec.health == HealthSpec(("CMD", "a", "b c"), retries=7, start_period_ns=9 * 10**9)
