"""Environment and files as candidates: pure."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from backends.engines.discover_sources import Candidate, Texts, candidates, context_directory, docker_context, paths
from backends.model.ids import EngineKind
from backends.wire.endpoint import Scheme, TlsFiles

_HOME = {"HOME": "/home/u"}


def _named(environ: dict[str, str], texts: Texts | None = None) -> dict[str, Candidate]:
    """Those that a person named."""
    return {one.source: one for one in candidates(_HOME | environ, texts or Texts()) if one.explicit}


def test_without_anything_the_default_sockets_are_looked_at() -> None:
    found = candidates(_HOME | {"XDG_RUNTIME_DIR": "/run/user/7"}, Texts())
    assert [(one.name, str(one.endpoint)) for one in found] == [
        ("docker", "unix:///var/run/docker.sock"),
        ("docker-rootless", "unix:///run/user/7/docker.sock"),
        ("podman", "unix:///run/podman/podman.sock"),
        ("podman-rootless", "unix:///run/user/7/podman/podman.sock"),
    ]
    assert not any(one.explicit for one in found)


def test_docker_host_with_certificates() -> None:
    found = _named({"DOCKER_HOST": "tcp://gpu:2376", "DOCKER_TLS_VERIFY": "1"})["DOCKER_HOST"]
    assert found.endpoint is not None
    folder = "/home/u/.docker"
    assert found.endpoint.tls == TlsFiles(f"{folder}/ca.pem", f"{folder}/cert.pem", f"{folder}/key.pem", True)
    plain = _named({"DOCKER_HOST": "tcp://gpu:2375"})["DOCKER_HOST"]
    assert plain.endpoint is not None
    assert plain.endpoint.tls is None


def test_the_current_docker_context() -> None:
    config = json.dumps({"currentContext": "gpu"})
    meta = json.dumps({"Name": "gpu", "Endpoints": {"docker": {"Host": "ssh://me@gpu", "SkipTLSVerify": False}}})
    assert docker_context(_HOME, config) == "gpu"
    assert docker_context(_HOME | {"DOCKER_CONTEXT": "default"}, config) == ""
    assert docker_context(_HOME | {"DOCKER_HOST": "unix:///x"}, config) == ""
    found = _named({}, Texts(docker_config=config, docker_context_meta=meta))["Docker context gpu"]
    assert found.endpoint is not None
    assert (found.endpoint.scheme, found.endpoint.address) == (Scheme.SSH, "me@gpu")


def test_a_context_over_tls_and_one_that_is_broken() -> None:
    config = json.dumps({"currentContext": "far"})
    meta = json.dumps({"Endpoints": {"docker": {"Host": "tcp://far:2376", "SkipTLSVerify": True}}})
    found = _named({}, Texts(config, meta))["Docker context far"]
    assert found.endpoint is not None
    assert found.endpoint.tls is not None
    assert not found.endpoint.tls.verify
    assert context_directory("far") in found.endpoint.tls.ca
    broken = _named({}, Texts(config, "{"))["Docker context far"]
    assert broken.endpoint is None
    assert "far" in broken.problem


def test_every_other_docker_context_is_an_engine_of_its_name() -> None:
    def meta(name: str, host: str) -> str:
        return json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}})

    config = json.dumps({"currentContext": "gpu"})
    hosts = {"gpu": "ssh://gpu", "lab": "ssh://lab", "desk": "unix:///gone/docker.sock"}
    texts = Texts(
        docker_config=config,
        docker_context_meta=meta("gpu", "ssh://gpu"),
        docker_contexts=(*(meta(name, host) for name, host in hosts.items()), "{", '{"Name": 3}'),
    )
    found = [one for one in candidates(_HOME, texts) if one.source.startswith("Docker context")]
    assert [(one.name, str(one.endpoint), one.explicit) for one in found] == [
        ("docker", "ssh://gpu/var/run/docker.sock", True),
        ("lab", "ssh://lab/var/run/docker.sock", True),
        ("desk", "unix:///gone/docker.sock", False),  # Docker Desktop's, say: not missed where it is not there
    ]


def test_podman_over_ssh_without_a_socket_is_asked_for_its_own() -> None:
    text = "p=podman+ssh://Me@Far,d=docker+ssh://Me@Far"
    named = {one.name: one.endpoint for one in candidates(_HOME | {"TRANSHIP_ENGINES": text}, Texts()) if one.explicit}
    assert (str(named["p"]), str(named["d"])) == ("ssh://Me@Far", "ssh://Me@Far/var/run/docker.sock")


def test_podmans_connections_of_both_files() -> None:
    conf = '[engine.service_destinations.old]\nuri = "ssh://a@old/run/podman/podman.sock"\nidentity = "/k"\n'
    connections = json.dumps({"Connection": {"Default": "new", "Connections": {"new": {"URI": "unix:///n.sock"}}}})
    texts = Texts(podman_connections=connections, containers_conf=("broken [", f"x = {'[' * 100_000}", conf))
    found = _named({}, texts)
    old, new = found["Podman connection old"], found["Podman connection new"]
    assert (old.name, new.name) == ("old", "new")
    assert old.endpoint is not None
    assert (old.endpoint.identity, old.endpoint.remote_socket) == ("/k", "/run/podman/podman.sock")
    assert new.endpoint is not None
    assert new.endpoint.address == "/n.sock"


def test_extra_engines_of_our_own_variable() -> None:
    text = "podman-rootless=podman+unix:///r.sock, gpu01=docker+tcp://gpu01:2375,nonsense,x=demo+unix:///y,"
    found = [one for one in candidates(_HOME | {"TRANSHIP_ENGINES": text}, Texts()) if one.explicit]
    assert [(one.kind, one.name, bool(one.problem)) for one in found] == [
        (EngineKind.PODMAN, "podman-rootless", False),
        (EngineKind.DOCKER, "gpu01", False),
        (EngineKind.DOCKER, "nonsense", True),
        (EngineKind.DOCKER, "x", True),
    ]


def test_a_bad_address_is_told_with_its_source() -> None:
    found = _named({"DOCKER_HOST": "gopher://x", "CONTAINER_HOST": "tcp://:x"})
    assert found["DOCKER_HOST"].endpoint is None
    assert found["DOCKER_HOST"].problem.startswith("DOCKER_HOST: ")
    assert found["CONTAINER_HOST"].problem.startswith("CONTAINER_HOST: ")


def test_container_host_with_its_key() -> None:
    found = _named({"CONTAINER_HOST": "ssh://me@far:22/run/p.sock", "CONTAINER_SSHKEY": "/key"})["CONTAINER_HOST"]
    assert found.endpoint is not None
    assert (found.endpoint.identity, found.endpoint.remote_socket) == ("/key", "/run/p.sock")


def test_paths_follow_the_environment() -> None:
    where = paths(_HOME | {"DOCKER_CONFIG": "/d", "XDG_CONFIG_HOME": "/c", "CONTAINERS_CONF": "/one.conf"})
    assert where.docker_config == "/d/config.json"
    assert where.podman_connections == "/c/containers/podman-connections.json"
    assert where.containers_conf == ("/one.conf",)


_TEXT = st.one_of(st.text(max_size=40), st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["currentContext", "Endpoints", "docker", "Host", "Connection", "Connections", "URI", "a"]),
            inner, max_size=3,
        ),
    ), max_leaves=12,
).map(json.dumps))  # fmt: skip
_VARIABLES = st.dictionaries(
    st.sampled_from(["DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "TRANSHIP_ENGINES", "XDG_RUNTIME_DIR"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30),
)


@given(_VARIABLES, _TEXT, _TEXT, _TEXT, _TEXT)
def test_no_text_of_any_file_breaks_it(environ: dict[str, str], one: str, two: str, three: str, four: str) -> None:
    for candidate in candidates(_HOME | environ, Texts(one, two, three, (four,), (two,))):
        assert (candidate.endpoint is None) == bool(candidate.problem)
