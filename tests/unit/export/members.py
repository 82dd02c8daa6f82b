"""Containers to export, and random ones: recipes of everything that an engine has. No test."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from backends.export.exported import Member
from backends.model.container import MountKind, Port
from backends.model.ids import EngineKind
from backends.model.network import NetworkSpec, Subnet
from backends.model.settings import HealthSpec, NetworkAttachment, NetworkingSpec
from backends.model.workload import GpuRequest, MountSpec, VolumeSpec, WorkloadSpec
from tests.docker_recipes import recipes

HOSTILE = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
"""What a label or a variable may hold: line breaks, quotes, YAML's own signs, escapes."""

_TRAPS = st.sampled_from(
    [
        "y",
        "no",
        "1e3",
        "0o17",
        "1:30",
        "0x1F",
        "~",
        "null",
        ".inf",
        "=",
        "<<",
        "- a",
        "# c",
        "a: b",
        "${X}",
        "$$",
        "$(X)",
    ]
)
TEXTS = HOSTILE | _TRAPS


@st.composite
def members(draw: st.DrawFn) -> Member:
    """One container of either engine, with texts of every kind."""
    spec = draw(recipes(networks=["one", "two"], volumes=["data", "My_Data"], labels={"a": "b"}))
    env = draw(st.dictionaries(st.sampled_from(["A", "B", "MY_TOKEN", "PASSWORD", "a.b"]), TEXTS, max_size=4))
    labels = draw(st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=3))
    command = draw(st.none() | st.lists(TEXTS, min_size=1, max_size=3).map(tuple))
    name = draw(st.sampled_from(["web", "My_App.1", "9lives", "x" * 70]))
    spec = replace(spec, name=name, env=env, labels=labels, command=command)
    kind = draw(st.sampled_from([EngineKind.DOCKER, EngineKind.PODMAN]))
    networks = (NetworkSpec("one", subnets=(Subnet("10.9.0.0/24"),)), NetworkSpec("two", internal=True))
    return Member(spec, kind, (VolumeSpec("data", {"k": "v"}, {"type": "tmpfs"}),), networks)


def trainer(name: str = "train", **changes: object) -> Member:
    """A container as somebody trains with."""
    spec = WorkloadSpec(
        name,
        "docker.io/test/train:1",
        command=("python", "-c", "print('$HOME $(date) $$')"),
        env={"EPOCHS": "3", "HF_TOKEN": "hf_$1'2\"\\"},
        labels={"team": "vision", "note": "a: b"},
        user="1000:1000",
        ports=(Port(8000, "tcp", "", 18000), Port(9)),
        mounts=(
            MountSpec(MountKind.VOLUME, "My_Data", "/data"),
            MountSpec(MountKind.BIND, "/srv/models", "/models", read_only=True),
            MountSpec(MountKind.TMPFS, "", "/scratch", size_bytes=1 << 20),
        ),
        memory_bytes=2 << 30,
        cpus_nano=1_500_000_000,
        gpu=GpuRequest(cdi_devices=("nvidia.com/gpu=0", "nvidia.com/gpu=1")),
        network=NetworkingSpec("bridge", (NetworkAttachment("net", aliases=("trainer",), ipv4="10.9.0.7"),)),
        health=HealthSpec(("CMD-SHELL", "test -f /ready"), interval_ns=7_500_000_000, start_period_ns=10**10),
    )
    networks = (NetworkSpec("net", subnets=(Subnet("10.9.0.0/24"),)),)
    return Member(replace(spec, **changes), EngineKind.DOCKER, (VolumeSpec("My_Data"),), networks)  # type: ignore[arg-type]  # fields of the recipe
