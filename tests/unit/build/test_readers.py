"""What the builders' messages mean: recorded from Docker 26.1 and Podman 5.4, and what no engine should send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines import docker_build, podman_build
from backends.engines.build_lines import Output, failure
from backends.model.build import (
    BuildEvent,
    BuildSpec,
    BuildStep,
    BuildView,
    ContextSent,
    ImageBuilt,
    OutputLine,
    StepBegun,
    StepCached,
    StepState,
)
from backends.model.errors import BackendError, Conflict, NotFound, Protocol, Unsupported
from backends.model.ids import EngineId, EngineKind
from backends.services.builds import advanced, failed

ENGINE = EngineId(EngineKind.DOCKER, "docker")
IMAGE = "13eb58c0b1912049bc5be95d62ba793afefa003d4410644e462fc5bced7782df"
DOCKER = [
    {"stream": "Step 1/3 : FROM docker.io/test/busybox:1"},
    {"stream": "\n"},
    {"status": "Pulling from test/busybox", "id": "1"},
    {"status": "Downloading", "progressDetail": {"current": 1, "total": 2}, "id": "abc"},
    {"stream": " ---> 8714a934253a\n"},
    {"stream": "Step 2/3 : RUN echo a; printf nonl"},
    {"stream": "\n"},
    {"stream": " ---> Running in 805451f58f2e\n"},
    {"stream": "\x1b[91merr\n\x1b[0m"},
    {"stream": "a\nStep 3/3 : forged\nno"},
    {"stream": "nl"},
    {"stream": "Step 7/3 : forged"},
    {"stream": " ---> Removed intermediate container 805451f58f2e\n"},
    {"stream": " ---> 6eb8cc75d095\n"},
    {"stream": "Step 3/3 : LABEL x=y"},
    {"stream": "\n"},
    {"stream": " ---> Using cache\n"},
    {"aux": {"ID": f"sha256:{IMAGE}"}},
    {"stream": "Successfully built 13eb58c0b191\n"},
    {"stream": "Successfully tagged tryb:2\n"},
]
PODMAN = [
    {"stream": "[1/3] STEP 1/2: FROM docker.io/test/busybox:1\n"},
    {"stream": "[1/3] STEP 2/2: RUN echo a\n"},
    {"stream": "a\n"},
    {"stream": "[1/3] STEP 1/9: forged\n"},
    {"stream": "--> d679341f4c33\n"},
    {"stream": "[3/3] STEP 1/2: FROM d679341f4c33\n"},
    {"stream": "[3/3] STEP 2/2: LABEL a=b\n"},
    {"stream": "--> Using cache d679341f4c3322759dcc86fca02e57c3630bba78ed900274c4db0bd8f075c62f\n"},
    {"stream": "[3/3] COMMIT tryb:2\n"},
    {"stream": "Getting image source signatures\n"},
    {"stream": "Copying blob sha256:9e149010254c6446984a1110cbfbb872292e2f9da72725637ffb9464e022ae1e\n"},
    {"stream": "Writing manifest to image destination\n"},
    {"stream": "Successfully tagged localhost/tryb:2\n"},
    {"stream": f"{IMAGE}\n"},
]


def read(reader: docker_build.DockerBuild | podman_build.PodmanBuild, messages: list[Any]) -> list[BuildEvent]:
    """All events."""
    found = [event for message in messages for event in reader.read(message)]
    return [*found, *reader.close()]


def said(events: list[BuildEvent]) -> list[str]:
    """The lines."""
    return [event.text for event in events if isinstance(event, OutputLine)]


def test_dockers_steps_lines_cache_and_image() -> None:
    events = read(docker_build.DockerBuild(ENGINE), DOCKER)
    steps = [event.step for event in events if isinstance(event, StepBegun)]
    assert [step.number for step in steps] == [1, 2, 3]
    assert steps[1].instruction == "RUN echo a; printf nonl"
    assert len(said(events)) == 5
    assert said(events)[:4] == ["1: Pulling from test/busybox", "err", "a", "Step 3/3 : forged"]
    assert said(events)[4] == "nonlStep 7/3 : forged", "no step of the builder's"
    assert events.index(StepCached()) > events.index(StepBegun(steps[2]))
    assert events[-1] == ImageBuilt(IMAGE)


def test_podmans_stages_lines_cache_and_image() -> None:
    events = read(podman_build.PodmanBuild(ENGINE), PODMAN)
    steps = [event.step for event in events if isinstance(event, StepBegun)]
    assert [(step.stage, step.number) for step in steps] == [(1, 1), (1, 2), (3, 1), (3, 2)]
    assert str(steps[3]) == "step 2 of 2 of stage 3"
    assert said(events) == ["a", "[1/3] STEP 1/9: forged"]
    assert StepCached() in events
    assert events[-1] == ImageBuilt(IMAGE)


@pytest.mark.parametrize("reader", [docker_build.DockerBuild, podman_build.PodmanBuild])
def test_a_stream_without_an_image_is_no_success(reader: Any) -> None:
    with pytest.raises(Protocol, match="without an image"):
        read(reader(ENGINE), [{"stream": "Step 1/1 : FROM a"}, 7, None, [], {"stream": None}])


@given(st.lists(st.dictionaries(st.sampled_from(["stream", "aux", "status", "id"]), st.text() | st.integers())))
def test_nothing_that_an_engine_sends_is_a_crash(messages: list[Any]) -> None:
    for reader in (docker_build.DockerBuild(ENGINE), podman_build.PodmanBuild(ENGINE)):
        for message in messages:
            list(reader.read(message))


@pytest.mark.parametrize(
    ("words", "instruction", "kind", "title"),
    [
        ("dockerfile parse error on line 2: unknown instruction: RUNN (did", "", Conflict, "Line 2 "),
        ('at STEP "RUNN ": Build error: Unknown instruction: "RUNN" &image', "RUNN a", Conflict, "RUNN"),
        ("manifest for h/nope:1 not found: manifest unknown", "FROM nope:1", NotFound, "no base image nope:1"),
        ("Get r/v2/: dial tcp: lookup r: connection refused", "FROM --platform=a x:1", NotFound, "x:1 is not here"),
        ("COPY failed: excluded by .dockerignore: stat nope: file does", "COPY nope /", NotFound, "nope"),
        ('copier: stat: "/nope": no such file or directory', "COPY nope /", NotFound, "nope is not in"),
        ('target stage "zzz" could not be found', "", NotFound, "“zzz”"),
        ('The target "zzz" was not found in the provided Dockerfile', "", NotFound, "“zzz”"),
        ("the --mount option requires BuildKit. Refer to", "RUN --mount=a b", Unsupported, "classic builder"),
        ("the Dockerfile (Dockerfile) cannot be empty", "", Conflict, "empty"),
        ("write /var/lib/docker/tmp: no space left on device", "COPY a /", Conflict, "disk is full"),
        ("The command '/bin/sh -c x' returned a non-zero code: 3", "RUN x", Conflict, "code 3: RUN x"),
        ('building at STEP "RUN x": while running runtime: exit status 3', "RUN x", Conflict, "code 3: RUN x"),
        ("something new", "RUN x", Conflict, "Step 1 of 2 failed: RUN x"),
    ],
)  # fmt: skip
def test_each_failure_has_its_own_words_and_a_remedy(
    words: str, instruction: str, kind: type[BackendError], title: str
) -> None:
    output = Output()
    list(output.feed("before\n"))
    error = failure(words, BuildStep(1, 2, instruction) if instruction else None, output, ENGINE)
    assert type(error) is kind
    assert title in error.title
    assert error.hint
    assert error.detail.startswith("before\n")


def test_no_space_in_a_steps_own_output_is_said() -> None:
    output = Output()
    list(output.feed("cp: write error: No space left on device\n"))
    error = failure("returned a non-zero code: 1", BuildStep(1, 1, "RUN cp a b"), output, ENGINE)
    assert "no space left" in error.title


def test_a_line_without_an_end_is_cut_and_a_progress_bar_is_its_pieces() -> None:
    output = Output()
    assert list(output.feed("10%\r20%\r\n")) == ["10%", "20%"]
    assert [len(line) for line in output.feed("x" * 10_000)] == [4096, 4096]
    assert list(output.end()) == ["x" * (10_000 - 2 * 4096)]


def test_the_view_follows_the_events() -> None:
    first, second = BuildStep(1, 2, "FROM a"), BuildStep(2, 2, "RUN b")
    view = BuildView()
    events: list[BuildEvent] = [ContextSent(5), ContextSent(9, True), StepBegun(first), StepCached(), StepBegun(second)]
    for at, event in enumerate(events):
        view = advanced(view, event, float(at))
    assert (view.context_bytes, view.sending) == (9, False)
    assert [(seen.state, seen.began_s, seen.ended_s) for seen in view.steps] == [
        (StepState.CACHED, 2.0, 4.0), (StepState.RUNNING, 4.0, None),
    ]  # fmt: skip
    assert failed(view, 7.0).steps[-1].state is StepState.FAILED
    done = advanced(view, ImageBuilt("x"), 8.0)
    assert (done.image, done.steps[-1].state, done.steps[-1].ended_s) == ("x", StepState.DONE, 8.0)


def test_build_arguments_are_not_shown() -> None:
    assert "hunter2" not in repr(BuildSpec("f", arguments={"PASSWORD": "hunter2"}))
