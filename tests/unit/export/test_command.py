"""Command lines of recipes: a shell reads them as they were meant, and secrets are not in them."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.export.command import run_command
from backends.model.container import MountKind, Port
from backends.model.ids import EngineKind
from backends.model.settings import SecuritySpec
from backends.model.workload import GpuRequest, MountSpec, WorkloadSpec
from tests.docker_recipes import recipes

KINDS = [EngineKind.DOCKER, EngineKind.PODMAN]
PLAIN = WorkloadSpec("web", "docker.io/test/web:1")


@settings(max_examples=100)
@given(recipes(networks=["one"], volumes=["data"], labels={"a": "b"}), st.sampled_from(KINDS))
def test_a_shell_reads_the_line_as_it_was_meant(spec: WorkloadSpec, kind: EngineKind) -> None:
    command = run_command(spec, kind, secret=lambda _: False)
    assert tuple(shlex.split(command.text)) == command.argv
    assert tuple(shlex.split(command.lines.replace(" \\\n  ", " "))) == command.argv
    assert all(word == "" or "\0" not in word for word in command.argv)
    for name, value in spec.env.items():
        assert f"{name}={value}" in command.argv


def test_a_real_shell_reads_the_lines_too() -> None:
    spec = replace(PLAIN, env={"A": "it's $HOME `x`\n\\"}, command=("sh", "-c", 'echo "a  b" && exit 1'))
    command = run_command(spec, EngineKind.DOCKER)
    script = f"docker() {{ printf '%s\\0' docker \"$@\"; }}\n{command.lines}\n"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True, timeout=20)
    assert tuple(done.stdout.split("\0")[:-1]) == command.argv


def test_a_whole_line() -> None:
    spec = replace(
        PLAIN,
        command=("serve", "two words"),
        ports=(Port(80, "tcp", "", 8080), Port(53, "udp", "::1", 0), Port(9)),
        mounts=(
            MountSpec(MountKind.BIND, "/data", "/data", read_only=True),
            MountSpec(MountKind.VOLUME, "cache", "/cache"),
            MountSpec(MountKind.TMPFS, "", "/run", size_bytes=1 << 20),
        ),
        memory_bytes=2 << 30,
        cpus_nano=1_500_000_000,
        gpu=GpuRequest(cdi_devices=("nvidia.com/gpu=0",)),
    )
    docker, podman = (run_command(spec, kind) for kind in KINDS)
    assert docker.text == (
        "docker run --detach --name web --device nvidia.com/gpu=0 --memory 2g --cpus 1.5 --publish 8080:80"
        " --publish '[::1]::53/udp' --expose 9/tcp --mount type=bind,source=/data,target=/data,readonly"
        " --volume cache:/cache --tmpfs /run:size=1048576 docker.io/test/web:1 serve 'two words'"
    )
    assert "--volume /data:/data:ro" in podman.text
    assert docker.unsaid == podman.unsaid == ()


@pytest.mark.parametrize(
    ("request_", "docker", "podman"),
    [
        (GpuRequest(count=-1, capabilities=(("gpu",),)), "--gpus all", "--device nvidia.com/gpu=all"),
        (GpuRequest(count=2, driver="nvidia"), "--gpus count=2,driver=nvidia", "--device nvidia.com/gpu=0"),
        (GpuRequest(device_ids=("0", "2")), "--gpus '\"device=0,2\"'", "--device nvidia.com/gpu=2"),
    ],
)
def test_gpus(request_: GpuRequest, docker: str, podman: str) -> None:
    spec = replace(PLAIN, gpu=request_)
    assert docker in run_command(spec, EngineKind.DOCKER).text
    assert podman in run_command(spec, EngineKind.PODMAN).text


def test_secrets_are_left_to_the_environment() -> None:
    command = run_command(replace(PLAIN, env={"HF_TOKEN": "hf_123", "MODE": "fast"}), EngineKind.DOCKER)
    assert "hf_123" not in command.text
    assert "--env HF_TOKEN --env MODE=fast" in command.text
    assert command.hidden == ("HF_TOKEN",)


def test_variables_of_a_file_are_not_repeated() -> None:
    spec = replace(PLAIN, env={"A": "1", "B": "other", "MY_KEY": "x"})
    given_by_file = {"A": "1", "B": "2", "MY_KEY": "x"}
    command = run_command(spec, EngineKind.PODMAN, env_files=["my.env"], file_variables=given_by_file)
    assert command.text.split(" --name web ")[1] == "--env-file my.env --env B=other docker.io/test/web:1"
    assert command.hidden == ()


def test_what_a_line_cannot_say_is_told() -> None:
    spec = replace(PLAIN, security=SecuritySpec(seccomp='{"defaultAction": "SCMP_ACT_ALLOW"}', mask=("/proc/x",)))
    assert len(run_command(spec, EngineKind.DOCKER).unsaid) == 2
    assert len(run_command(spec, EngineKind.PODMAN).unsaid) == 1
