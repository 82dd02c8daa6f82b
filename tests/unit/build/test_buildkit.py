"""What BuildKit's messages mean: recorded from Docker 26.1, made here, and what no engine should send."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.containerfile import base_images, beyond_classic, instructions, written
from backends.engines.buildkit_trace import Log, Part, Trace, Vertex, trace
from backends.engines.docker_buildkit import HELD_TEXTS, DockerBuildKit
from backends.model.build import BuildEvent, BuildSpec, ImageBuilt, OutputLine, StepBegun, StepCached
from backends.model.errors import BackendError, Conflict, Denied, NotFound, Protocol, Unsupported
from backends.model.ids import EngineId, EngineKind

ENGINE = EngineId(EngineKind.DOCKER, "docker")
RECORDED = json.loads((Path(__file__).parents[2] / "recorded/docker/buildkit.26.1.json").read_text())
DONE = """FROM docker.io/test/busybox:1 AS first
ARG WHO=nobody
RUN --mount=type=cache,target=/x echo hello $WHO && echo $WHO > /who
FROM test/busybox:1
COPY --from=first /who /who
RUN <<END
printf 'here doc, no end'
END
"""
FAILED = """FROM test/busybox:1 AS slow
RUN --mount=type=tmpfs,target=/y echo slow; sleep 30
FROM test/busybox:1 AS quick
RUN --mount=type=tmpfs,target=/y sleep 1; echo before; exit 3
FROM test/busybox:1
COPY --from=slow /bin/sh /sh1
COPY --from=quick /bin/sh /sh2
"""


def reader(text: str = "FROM a", **arguments: str) -> DockerBuildKit:
    texts = tuple(one.text for one in instructions(text))
    return DockerBuildKit(ENGINE, BuildSpec("f", arguments=arguments, instructions=texts))


def told(reading: DockerBuildKit, messages: Iterable[Any]) -> Iterator[BuildEvent]:
    for message in messages:
        yield from reading.read(message)


# -- made here -------------------------------------------------------------------------------------
def _part(number: int, value: str | bytes | int) -> bytes:
    if isinstance(value, int):
        return bytes([number << 3, value])
    data = value.encode() if isinstance(value, str) else value
    size = b""
    left = len(data)
    while left > 0x7F:
        size, left = size + bytes([left & 0x7F | 0x80]), left >> 7
    return bytes([number << 3 | 2]) + size + bytes([left]) + data


def vertex(name: str, *, ended: bool = False, cached: bool = False, error: str = "", begun: bool = True) -> bytes:
    """As a field of a StatusResponse; its digest is its name."""
    parts = [_part(1, name), _part(2, "sha256:what-it-needs"), _part(3, name)]
    parts += [_part(4, 1)] * cached + [_part(5, b"\x08\x01")] * begun + [_part(6, b"\x08\x02")] * ended
    return _part(1, b"".join(parts) + (_part(7, error) if error else b""))


def log(name: str, text: str) -> bytes:
    return _part(3, _part(1, name) + _part(2, b"\x08\x01") + _part(3, 1) + _part(4, text))


def part(name: str, id: str) -> bytes:
    return _part(2, _part(1, id) + _part(2, name) + b"\x20\x96\x01")  # current: 150, in two bytes


def message(*fields: bytes) -> dict[str, str]:
    return {"id": "moby.buildkit.trace", "aux": base64.b64encode(b"".join(fields)).decode()}


# -- the format ------------------------------------------------------------------------------------
def test_a_message_is_read_and_what_is_not_wanted_is_passed_over() -> None:
    status = part(name := "x" * 300, "a part")
    others = b"\x31" + bytes(8) + b"\x3d" + bytes(4)  # fixed64, fixed32
    assert trace(vertex(name, ended=True, error="no") + status + others + log(name, "said\n")) == Trace(
        [Vertex(name, name, False, True, True, "no")], [Part(name, "a part")], [Log(name, "said\n")]
    )
    assert trace(b"") == Trace()


@pytest.mark.parametrize(
    "data", [b"\x0a", b"\x0a\x05ab", b"\x08" + b"\xff" * 11, b"\x0b", b"\x08\x01", b"\x0a\x02\x0a\x05"]
)
def test_what_is_garbled_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut short|unknown kind|where a message should"):
        trace(data)
    with pytest.raises(Protocol, match="garbled"):
        list(reader().read({"id": "moby.buildkit.trace", "aux": base64.b64encode(data).decode()}))


@given(st.binary(max_size=200))
def test_no_bytes_are_a_crash(data: bytes) -> None:
    with suppress(Protocol):
        list(reader().read({"id": "moby.buildkit.trace", "aux": base64.b64encode(data).decode()}))


# -- recorded --------------------------------------------------------------------------------------
def test_steps_stages_output_and_image() -> None:
    reading = reader(DONE, WHO="hunter2")
    events = [*told(reading, RECORDED["done"]), *reading.close()]
    steps = [event.step for event in events if isinstance(event, StepBegun)]
    assert [(one.stage, one.number, one.count, one.instruction) for one in steps] == [
        (1, 1, 2, "FROM docker.io/test/busybox:1"),  # both stages'
        (1, 2, 2, "RUN --mount=type=cache,target=/x echo hello $WHO && echo $WHO > /who"),
        (2, 2, 3, "COPY --from=first /who /who"),
        (2, 3, 3, "RUN <<END"),
    ]
    lines = [event.text for event in events if isinstance(event, OutputLine)]
    assert lines[:4] == ["hello hunter2", "here doc, no end", "exporting to image", "exporting layers"]
    assert [line.split(":")[0] for line in lines[4:]] == ["writing image sha256"]
    assert isinstance(events[-1], ImageBuilt)
    assert len(events[-1].image) == 64

    again = list(told(reader(DONE, WHO="hunter2"), RECORDED["cached"]))
    assert sum(isinstance(event, StepCached) for event in again) == 3


def test_of_steps_that_ran_beside_each_other_the_one_that_failed_is_told_last() -> None:
    events: list[BuildEvent] = []

    def follow() -> None:
        for event in told(reader(FAILED), RECORDED["failed"]):
            events.append(event)

    with pytest.raises(Conflict, match="2 of stage 2 ended with code 3: RUN --mount=type=tmpfs,target=/y sl") as why:
        follow()
    assert why.value.detail.startswith("before\n")
    assert OutputLine("before") in events
    begun = [event.step for event in events if isinstance(event, StepBegun)]
    assert (begun[-1].stage, begun[-1].number) == (2, 2)


def test_another_steps_words_wait_until_it_is_its_turn() -> None:
    one, other = "[a 1/2] RUN one", "[b 1/1] RUN other"
    reading = reader("FROM x AS a\nFROM x AS b")
    messages = [
        message(vertex(one), vertex(other)),
        message(log(other, "second\n"), log(one, "first\n")),
        message(vertex(other, ended=True)),
        message(*[log(other, "late\n")] * (HELD_TEXTS + 5), log(one, "still")),
        message(part(one, "sha256:layer")),
        message(part(one, "sha256:layer"), vertex(one, ended=True)),
        message(part(one, "sha256:late")),
        message(vertex("exporting to image", ended=True)),
    ]
    events = list(told(reading, messages))
    begun = [event.step.instruction for event in events if isinstance(event, StepBegun)]
    assert begun == ["RUN one", "RUN other"]
    shown = [event.text if isinstance(event, OutputLine) else "step" for event in events]
    assert shown[:5] == ["step", "first", "still", "sha256:layer", "step"]
    assert shown[-2:] == ["sha256:late", "exporting to image"]
    assert shown.count("late") == HELD_TEXTS


@pytest.mark.parametrize(
    ("vertices", "words", "kind", "title"),
    [
        ([vertex("[2/2] RUN x", error="no active sessions")], "no active sessions", Unsupported, "secret"),
        (
            [vertex("[internal] load metadata for h/x:1", error="no active sessions")],
            "h/x:1: failed to resolve source metadata for h/x:1: no active sessions", Denied, "h/x:1 without a login",
        ),
        (
            [vertex("[internal] load remote build context", error="lookup")],
            'failed to load cache key: Get "http://build-context-c73p": dial tcp', Unsupported, "takes no folder",
        ),
        (
            [vertex("resolve image config for docker-image://docker.io/docker/dockerfile:1", error="dial tcp")],
            "dial tcp: lookup", NotFound, "docker.io/docker/dockerfile:1, which is to read",
        ),
        (
            [vertex("[internal] load metadata for h/x:1", error="h/x:1: not found")],
            "h/x:1: failed to resolve source metadata for h/x:1: h/x:1: not found", NotFound, "no base image h/x:1",
        ),
        (
            [vertex("[1/2] RUN a", error="context canceled"), vertex("[2/2] RUN b", error="exit code: 2")],
            'process "/bin/sh -c b" did not complete successfully: exit code: 2', Conflict, "code 2: RUN b",
        ),
        ([], "dockerfile parse error on line 2: unknown instruction: RUNN (did", Conflict, "Line 2 "),
    ],
)  # fmt: skip
def test_each_failure_has_its_own_words_and_a_remedy(
    vertices: list[bytes], words: str, kind: type[BackendError], title: str
) -> None:
    with pytest.raises(BackendError) as caught:
        list(told(reader(), [message(*vertices), {"error": words}]))
    assert type(caught.value) is kind
    assert title in caught.value.title
    assert caught.value.hint
    assert caught.value.engine == ENGINE


# -- which builder, and whose words ------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "newer"),
    [
        ("RUN --mount=type=cache,target=/x true", True),
        ("run --network=none true", True),
        ("COPY --chown=1 --chmod=600 a /", True),
        ("ADD --checksum=sha256:a https://x /", True),
        ("ARG A=1 TARGETARCH", True),
        ("ARG BUILDPLATFORM", True),
        ("RUN <<END\nEND", True),
        ("ARG MY_TARGETARCH", False),
        ("COPY --chown=1 --from=a a /", False),
        ("RUN echo --mount=x", False),
        ("FROM --platform=linux/arm64 a", False),
        ("RUN cat < a <<< b", False),
    ],
)
def test_the_builder_follows_from_the_instruction(text: str, newer: bool) -> None:
    assert beyond_classic(instructions(text)[0]) is newer


def test_base_images_are_told_without_stages_and_variables() -> None:
    text = "ARG B=c\nFROM --platform=linux/arm64 a/b:1 AS One\nFROM one AS two\nFROM $B\nFROM scratch\nfrom TWO\nFROM d"
    assert base_images(one.text for one in instructions(text)) == ("a/b:1", "d")


@pytest.mark.parametrize(
    ("texts", "shown", "found"),
    [
        (["RUN a", "RUN b"], "RUN  b", "RUN b"),
        (["RUN a $X b ${Y:-z} c"], "RUN a 1 b 2 c", "RUN a $X b ${Y:-z} c"),
        (["RUN $X"], "RUN ", None),
        (["RUN a$X$Xa"], "RUN aa", "RUN a$X$Xa"),
        (["RUN ab $X ab"], "RUN ab", None),
        (["RUN $A-$B"], "RUN x", None),
    ],
)
def test_a_step_is_found_in_the_containerfile_by_what_a_builder_shows(
    texts: list[str], shown: str, found: str | None
) -> None:
    assert written(texts, shown) == found


def test_values_that_are_shown_all_the_same_are_hidden() -> None:
    event = next(told(reader("FROM a", TOKEN="hunter2"), [message(vertex("[2/2] RUN curl hunter2"))]))
    assert isinstance(event, StepBegun)
    assert event.step.instruction == "RUN curl $TOKEN"
