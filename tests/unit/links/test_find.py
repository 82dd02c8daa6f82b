"""Links are found where services say so, and a log that lies leads nowhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.links.find import links_of
from backends.links.reach import Ground, attach_address, ground_of, tunnel_line
from backends.model.container import Container, ContainerState, Port
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.service_link import ServiceLink

BOX = Container(
    ContainerKey(EngineId(EngineKind.DOCKER, "docker"), "a" * 64),
    "box",
    "app:1",
    "b" * 64,
    ContainerState.RUNNING,
    datetime(2026, 1, 1, tzinfo=UTC),
)


def box(*ports: Port, image: str = "app:1", command: str = "") -> Container:
    """A container."""
    return replace(BOX, image=image, command=tuple(command.split()), ports=ports)


SAYS = {
    "    http://127.0.0.1:8888/lab?token=0123456789abcdef": ("Jupyter", 8888, "http://localhost:9000/?token=••••"),
    "[C 10:00 NotebookApp] https://box:8888/?token=0123456789abcdef": (
        "Jupyter",
        8888,
        "https://localhost:9000/?token=••••",
    ),
    "TensorBoard 2.18.0 at http://box:6006/ (Press CTRL+C to quit)": ("TensorBoard", 6006, "http://localhost:9000/"),
    "INFO 01-01 Starting vLLM API server 0 on http://0.0.0.0:8000": ("vLLM", 8000, "http://localhost:9000/v1/models"),
    "I0101 10:00:00 http_server.cc:4692] Started HTTPService at 0.0.0.0:8000": (
        "Triton HTTP",
        8000,
        "http://localhost:9000/v2",
    ),
    "INFO:     Uvicorn running on http://0.0.0.0:8123 (Press CTRL+C to quit)": ("HTTP", 8123, "http://localhost:9000/"),
    "* Running on local URL:  http://127.0.0.1:7861": ("Gradio", 7861, "http://localhost:9000/"),
}


@pytest.mark.parametrize("line", SAYS)
def test_a_service_says_where_it_listens(line: str) -> None:
    title, port, address = SAYS[line]
    (found,) = links_of(box(Port(port, "tcp", "", 9000)), {}, ["starting", line, "started"])
    assert (found.title, found.masked, found.why) == (title, address, "printed in its log")
    assert "0123456789abcdef" not in found.masked


def test_images_commands_and_published_ports() -> None:
    triton = box(
        *(Port(n, "tcp", "127.0.0.1", n) for n in (8000, 8001, 8002)), image="nvcr.io/nvidia/tritonserver:24.08"
    )
    found = links_of(triton, {}, [])
    assert [(one.title, one.url) for one in found] == [
        ("Triton HTTP", "http://localhost:8000/v2"),
        ("Triton gRPC", ""),
        ("Triton metrics", "http://localhost:8002/metrics"),
    ]
    assert all(one.only_there for one in found)
    mlflow = links_of(box(Port(5000, "tcp", "", 32768), command="mlflow server"), {}, [], host="gpu01")
    assert [one.url for one in mlflow] == ["http://gpu01:32768/"]
    others = links_of(box(Port(5432, "tcp", "", 5432), Port(8443, "tcp", "", 1), Port(53, "udp", "", 53)), {}, [])
    assert [(one.masked, bool(one.url)) for one in others] == [
        ("localhost:5432", False),
        ("https://localhost:1/", True),
    ]
    host = replace(box(command="tensorboard --logdir /runs"), networks=("host",))
    assert [one.masked for one in links_of(host, {}, [])] == ["http://localhost:6006/"]


def test_a_service_that_is_not_published_says_what_to_do() -> None:
    (found,) = links_of(box(), {}, ["http://127.0.0.1:8888/lab?token=0123456789abcdef"])
    assert (found.url, found.secret) == ("", "")
    assert "-p 127.0.0.1:8888:8888" in found.note


def test_the_token_is_the_last_one_printed_or_that_of_the_environment() -> None:
    jupyter = box(Port(8888, "tcp", "", 8888), image="quay.io/jupyter/base-notebook")
    lines = [f"http://127.0.0.1:8888/lab?token={word * 16}" for word in "ab"]
    assert links_of(jupyter, {}, lines)[0].secret == "token=" + "b" * 16
    assert links_of(jupyter, {"JUPYTER_TOKEN": "letmein-please"}, [])[0].whole.endswith("?token=letmein-please")


HOSTILE = [
    "http://evil.example:8888/lab?token=0123456789abcdef",  # another host: only its port and token are taken
    "http://127.0.0.1:8888/lab?token=$(reboot)12345678",
    "http://127.0.0.1:8888/lab?token=\x1b]52;c;eA==\x07aaaaaaaa",
    "http://127.0.0.1:8888/lab?token=../../../../x%0d%0aHost:evil",
    "http://127.0.0.1:99999/lab?token=0123456789abcdef",
    "https://wandb.ai.evil.example/a/b/runs/c",
    "https://wandb.ai@evil.example/a/b/runs/c",
    "http://wandb.ai/a/b/runs/c",  # not by TLS
    "javascript:alert(1)//wandb.ai/a/b/runs/c",
    "https://wandb.ai/a/b/runs/c/../../../evil",
]


@pytest.mark.parametrize("line", HOSTILE)
def test_a_log_that_lies_leads_nowhere(line: str) -> None:
    for one in links_of(box(Port(8888, "tcp", "", 8888)), {}, [line]):
        assert one.url.startswith(("http://localhost:8888/", "https://wandb.ai/a/b/runs/")), one
        assert "evil" not in one.whole
        assert one.whole.isascii()
        assert one.whole.isprintable()
        assert not set("$()`;|&<> '\"\\") & set(one.whole)


@given(st.lists(st.text(), max_size=8), st.sampled_from(["", "http://127.0.0.1:8888/lab?token=", "https://wandb.ai/"]))
def test_whatever_a_log_says_addresses_are_harmless(lines: list[str], begins: str) -> None:
    for one in links_of(box(Port(8888, "tcp", "", 8888)), {}, [begins + line for line in lines]):
        assert one.url.startswith(("http://localhost:8888/", "https://localhost:8888/", "https://wandb.ai/"))
        assert one.whole.isascii()
        assert one.whole.isprintable()


def test_runs_on_the_web_are_those_of_the_host_that_the_container_uses() -> None:
    lines = ["wandb: View run x at: https://wandb.ai/lab/llm/runs/a1", "at: https://wandb.corp:8080/lab/llm/runs/b2"]
    assert [one.url for one in links_of(box(), {}, lines)] == ["https://wandb.ai/lab/llm/runs/a1"]
    own = links_of(box(), {"WANDB_BASE_URL": "https://wandb.corp:8080"}, lines)
    assert [one.url for one in own] == ["https://wandb.corp:8080/lab/llm/runs/b2", "https://wandb.ai/lab/llm/runs/a1"]


def test_the_way_there() -> None:
    link = ServiceLink("Jupyter", "http://x/", port=8888)
    here = ground_of("unix:///run/docker.sock", {}, user="me", machine="ws")
    assert tunnel_line(link, here) == ""
    over_ssh = ground_of("unix:///x", {"SSH_CONNECTION": "10.0.0.1 5000 10.0.0.2 22"}, user="me", machine="ws")
    assert tunnel_line(link, over_ssh) == "ssh -N -L 8888:127.0.0.1:8888 me@10.0.0.2"
    far = ground_of("ssh://ml@gpu01:2222/run/podman.sock", {}, user="me", machine="ws")
    assert (far.engine_host, tunnel_line(link, far)) == ("gpu01", "ssh -N -L 8888:127.0.0.1:8888 -p 2222 ml@gpu01")
    assert ground_of("tcp://[::1", {}, user="me", machine="ws") == Ground()
    address = attach_address("my box", "/work space", "unix:///run/docker.sock")
    authority, _, folder = address.removeprefix("vscode-remote://attached-container+").partition("/")
    assert b'"containerName":"/my box"' in bytes.fromhex(authority)
    assert folder == "work%20space"
