"""What engines say while they pull and push, as recorded from Docker 26.1 and Podman 5.4."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines.transfer_messages import DockerMessages, PodmanLines, failure_of
from backends.model.transfer import LayerPhase, LayerProgress, Said, TransferEvent

DOCKER = """
{"status":"Pulling from reg-try/many","id":"1"}
{"status":"Pulling fs layer","progressDetail":{},"id":"c91b2c210299"}
{"status":"Waiting","progressDetail":{},"id":"c91b2c210299"}
{"status":"Downloading","progressDetail":{"current":36445,"total":3001137},"progress":"[>   ]","id":"c91b2c210299"}
{"status":"Verifying Checksum","progressDetail":{},"id":"c91b2c210299"}
{"status":"Download complete","progressDetail":{},"id":"c91b2c210299"}
{"status":"Extracting","progressDetail":{"current":32768,"total":3001137},"progress":"[>   ]","id":"c91b2c210299"}
{"status":"Pull complete","progressDetail":{},"id":"c91b2c210299"}
{"status":"Already exists","progressDetail":{},"id":"8cb1bed5ba0a"}
{"status":"Digest: sha256:d7ea0518544f41f341f79abc7d6de943f8a3205f14fdaa61fe304d30076cb932"}
{"status":"Status: Downloaded newer image for 127.0.0.1:5000/reg-try/many:1"}
"""
PUSH = """
{"status":"The push refers to repository [127.0.0.1:5000/reg-try/box]"}
{"status":"Preparing","progressDetail":{},"id":"cf23698828c1"}
{"status":"Pushing","progressDetail":{"current":512,"total":26},"progress":"[==>]","id":"cf23698828c1"}
{"status":"Pushed","progressDetail":{},"id":"cf23698828c1"}
{"status":"Mounted from test/web","progressDetail":{},"id":"575c941fb6a0"}
{"status":"Retrying in 4 seconds","progressDetail":{},"id":"9e149010254c"}
{"status":"1: digest: sha256:91fb9a158fd5b6edcd4d6726d8ee8e1034ba463f20e27e8700e69e34fa4e2871 size: 943"}
{"progressDetail":{},"aux":{"Tag":"1","Digest":"sha256:91fb9a158fd5b6edcd4d6726d8ee8e1034ba463f20e27e8700e69e34fa4e2871"}}
"""
LINES = (
    'Resolved "alpine" as an alias (/etc/containers/registries.conf.d/shortnames.conf)\n',
    "Trying to pull docker.io/library/alpine:latest...\n",
    "Getting image source signatures\n",
    "Copying blob sha256:557078a3a0cd02004486a08a7f9edad94ffa4974c998cfc55dbe83a37131f110\n",
    "Copying blob 8cb1bed5ba0aae04c86a2dce436990088e664a6f391850dda80902c56729a5ab skipped: already exists\n",
    "Copying config sha256:6b535efbc8630a1a2f6841cfbf5b25a2671fa4fdf5884a62880c63a46d493a1b\n",
)


def told(messages: DockerMessages, text: str) -> list[TransferEvent]:
    events = (messages.event(json.loads(line)) for line in text.strip().splitlines())
    return [event for event in events if event is not None]


def test_a_pull_of_dockers() -> None:
    messages = DockerMessages()
    layer = "c91b2c210299"
    assert told(messages, DOCKER) == [
        LayerProgress(layer, LayerPhase.WAITING),
        LayerProgress(layer, LayerPhase.WAITING),
        LayerProgress(layer, LayerPhase.DOWNLOADING, 36445, 3001137),
        LayerProgress(layer, LayerPhase.VERIFYING),
        LayerProgress(layer, LayerPhase.DOWNLOADED),
        LayerProgress(layer, LayerPhase.EXTRACTING, 32768, 3001137),
        LayerProgress(layer, LayerPhase.DONE),
        LayerProgress("8cb1bed5ba0a", LayerPhase.PRESENT),
        Said("Status: Downloaded newer image for 127.0.0.1:5000/reg-try/many:1"),
    ]
    assert messages.digest.startswith("sha256:d7ea05")
    assert messages.changed


def test_podman_unpacks_while_it_downloads() -> None:
    message = {"status": "Download complete", "progressDetail": {}, "id": "c91b2c210299"}
    assert DockerMessages(unpacks=False).event(message) == LayerProgress("c91b2c210299", LayerPhase.DONE)


def test_a_push_of_dockers() -> None:
    messages = DockerMessages()
    phases = [event.phase for event in told(messages, PUSH) if isinstance(event, LayerProgress)]
    assert phases == [
        LayerPhase.WAITING,
        LayerPhase.UPLOADING,
        LayerPhase.DONE,
        LayerPhase.PRESENT,
        LayerPhase.RETRYING,
    ]
    assert messages.digest.startswith("sha256:91fb9a")


def test_an_image_that_is_there_already() -> None:
    messages = DockerMessages()
    messages.event({"status": "Status: Image is up to date for x:1"})
    assert not messages.changed


def test_podmans_lines() -> None:
    lines = PodmanLines()
    events = [event for line in LINES for event in lines.events(line) if isinstance(event, LayerProgress)]
    assert events == [
        LayerProgress("557078a3a0cd", LayerPhase.COPYING),
        LayerProgress("8cb1bed5ba0a", LayerPhase.PRESENT),
        LayerProgress("557078a3a0cd", LayerPhase.DONE),
    ]
    assert lines.candidates == ["docker.io/library/alpine:latest"]
    assert lines.why == "an alias of /etc/containers/registries.conf.d/shortnames.conf"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"error": "boom"}, "boom"),
        ({"errorDetail": {"message": "boom"}}, "boom"),
        ({"status": "Waiting", "id": "a"}, ""),
        ({"errorDetail": "odd"}, ""),
    ],
)
def test_failures(message: dict[str, object], words: str) -> None:
    assert failure_of(message) == words


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda part: st.lists(part), max_leaves=4
)


@given(st.dictionaries(st.sampled_from(["status", "id", "progressDetail", "aux", "error", "errorDetail"]), _JSON))
def test_whatever_an_engine_says_is_no_crash(message: dict[str, object]) -> None:
    failure_of(message)
    DockerMessages().event(message)
    PodmanLines().events(str(message.get("status")))
