"""Container ids in cgroup paths of every engine, driver and version."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.cgroups.paths import container_id_in, container_ids_in, id_in_directory

A = "2ef3ec82ba12288c1bcc2bccad2102b2d42fa1d2af1bb8d52ac91147ca3fd8f2"
B = "01f5654d80662a240858e0f4e0a271ab3fc0edbb58c4d457a628c60618531ca1"
POD = "f" * 64
POD_UID = "8d1bbd4c_6f2c_4a2b_9c55_0a4d2f7a8f11"

LAYOUTS = {
    "docker cgroupfs v1": f"9:name=systemd:/docker/{A}\n4:memory:/docker/{A}\n0::/docker/{A}",
    "docker cgroupfs v2": f"0::/docker/{A}",
    "docker systemd v1": f"11:memory:/system.slice/docker-{A}.scope\n0::/system.slice/docker-{A}.scope",
    "docker systemd v2": f"0::/system.slice/docker-{A}.scope",
    "docker systemd v2, systemd inside": f"0::/system.slice/docker-{A}.scope/init.scope",
    "docker rootless systemd v2": f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{A}.scope",
    "docker in a cgroup namespace": f"0::/../../system.slice/docker-{A}.scope",
    "podman cgroupfs v1": f"9:name=systemd:/libpod_parent/libpod-{A}\n3:cpuset:/libpod_parent/libpod-{A}",
    "podman systemd v2": f"0::/machine.slice/libpod-{A}.scope/container",
    "podman in a pod": f"0::/machine.slice/machine-libpod_pod_{POD}.slice/libpod-{A}.scope",
    "podman in a pod, cgroupfs": f"0::/libpod_parent/libpod_pod_{POD}/libpod-{A}",
    "podman rootless systemd v2": (
        f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{A}.scope/container"
    ),
    "podman split": f"0::/system.slice/web.service/libpod-payload-{A}",
    "kubernetes v1 cgroupfs": f"11:memory:/kubepods/burstable/pod{POD_UID}/{A}\n1:cpu:/kubepods/besteffort/{A}",
    "kubernetes v2 systemd": (
        f"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{POD_UID}.slice/cri-containerd-{A}.scope"
    ),
    "kubernetes hybrid, only v1 filled": f"5:memory:/kubepods/besteffort/pod{POD_UID}/{A}\n0::/",
    "kubernetes crio": f"0::/kubepods.slice/kubepods-pod{POD_UID}.slice/crio-{A}.scope/container",
    "docker in docker": f"0::/docker/{B}/docker/{A}",
    "docker in docker, systemd": f"0::/system.slice/docker-{B}.scope/system.slice/docker-{A}.scope/init.scope",
    "docker in docker v1": f"4:memory:/docker/{B}/docker/{A}\n1:name=systemd:/docker/{B}/docker/{A}\n0::/",
    "podman in docker": f"0::/docker/{B}/libpod_parent/libpod-{A}",
    "docker rootless cgroupfs": f"0::/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service/docker/{A}",
    "podman rootless, no delegation, v1": f"4:memory:/\n1:name=systemd:/user.slice/user-0.slice/session-1.scope/{A}",
    "podman rootless quadlet": (
        f"0::/user.slice/user-1000.slice/user@1000.service/app.slice/train.service/libpod-payload-{A}"
    ),
    "podman cgroup parent of a user": f"0::/my.slice/my-ml.slice/libpod-{A}.scope/container",
    "kubernetes v2 cgroupfs": f"0::/kubepods/burstable/pod{POD_UID}/{A}",
    "kubernetes v1 docker shim": f"3:cpu:/kubepods.slice/kubepods-pod{POD_UID}.slice/docker-{A}.scope",
    "kubernetes crio v1": f"3:cpu:/kubepods.slice/kubepods-pod{POD_UID}.slice/crio-{A}.scope",
    "containerd without kubernetes": f"0::/default/{A}",
    "nerdctl rootless": f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/nerdctl-{A}.scope",
    "hybrid, only v2 filled": f"4:memory:/\n1:name=systemd:/\n0::/system.slice/docker-{A}.scope",
    "kind node": f"0::/docker/{B}/kubelet/kubepods/pod{POD_UID}/{A}",
}

NO_CONTAINER = {
    "host v2": "0::/user.slice/user-1000.slice/session-1.scope",
    "host v1": "9:name=systemd:/\n4:memory:/process_api/329588b49b6b421090350777a77c2e02\n0::/",
    "podman's conmon": f"0::/libpod_parent/libpod-conmon-{A}",
    "podman's conmon, systemd": f"0::/machine.slice/libpod-conmon-{A}.scope",
    "crio's conmon": f"0::/kubepods.slice/crio-conmon-{A}.scope",
    "a pod's slice": f"0::/machine.slice/machine-libpod_pod_{POD}.slice",
    "65 digits": f"0::/docker/{A}0",
    "upper case": f"0::/docker/{A.upper()}",
    "buildkit": "0::/docker/buildkit/p3k1",
    "nothing": "",
    "noise": "\x00\xff::::\n:::",
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_finds_the_container_in_every_layout(text: str) -> None:
    assert container_id_in(text) == A


@pytest.mark.parametrize("text", NO_CONTAINER.values(), ids=NO_CONTAINER.keys())
def test_no_container_where_there_is_none(text: str) -> None:
    assert container_id_in(text) == ""


def test_of_nested_containers_the_innermost_known_one_is_taken() -> None:
    text = f"0::/docker/{B}/docker/{A}"
    assert container_ids_in(text) == (B, A)
    assert container_id_in(text, known={B}) == B
    assert container_id_in(text, known={A, B}) == A
    assert container_id_in(text, known=set()) == A


def test_a_hierarchy_that_leaves_the_process_at_the_root_does_not_hide_the_others() -> None:
    assert container_id_in(f"8:pids:/\n4:memory:/docker/{A}\n0::/") == A


hex_ids = st.text("0123456789abcdef", min_size=64, max_size=64)
prefixes = st.sampled_from(["", "docker-", "libpod-", "crio-", "cri-containerd-", "libpod-payload-"])
parents = st.lists(
    st.sampled_from(["docker", "user.slice", "user@1000.service", "kubepods", "a:b", "x.slice"]), max_size=5
)


@given(hex_ids, prefixes, st.sampled_from(["", ".scope"]), parents, parents)
def test_an_id_is_found_wherever_it_stands(
    id_: str, prefix: str, suffix: str, above: list[str], below: list[str]
) -> None:
    path = "/".join(["", *above, f"{prefix}{id_}{suffix}", *below])
    assert container_id_in(f"12:pids:/\n3:cpu,cpuacct:{path}\n0::/") == id_


@given(st.text())
def test_any_text_is_read_without_an_error_and_gives_an_id_or_nothing(text: str) -> None:
    found = container_id_in(text)
    assert found == "" or (len(found) == 64 and found in text)


@given(hex_ids, st.sampled_from(["libpod-conmon-", "crio-conmon-", "machine-libpod_pod_", "libpod_pod_"]))
def test_monitors_and_pods_are_never_containers(id_: str, prefix: str) -> None:
    assert id_in_directory(f"{prefix}{id_}.scope") == ""
