"""Engine addresses are read as people and the engines' own files write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.wire.endpoint import Endpoint, Scheme, TlsFiles


@pytest.mark.parametrize(
    ("url", "scheme", "address", "shown"),
    [
        ("unix:///run/docker.sock", Scheme.UNIX, "/run/docker.sock", "unix:///run/docker.sock"),
        ("/run/docker.sock", Scheme.UNIX, "/run/docker.sock", "unix:///run/docker.sock"),
        ("unix://run/x.sock", Scheme.UNIX, "/run/x.sock", "unix:///run/x.sock"),
        ("tcp://gpu01", Scheme.TCP, "gpu01:2375", "tcp://gpu01:2375"),
        ("tcp://gpu01:4000", Scheme.TCP, "gpu01:4000", "tcp://gpu01:4000"),
        ("tcp://[::1]:4000", Scheme.TCP, "[::1]:4000", "tcp://[::1]:4000"),
        ("https://gpu01", Scheme.TCP, "gpu01:2376", "https://gpu01:2376"),
        ("ssh://me@gpu01", Scheme.SSH, "me@gpu01", "ssh://me@gpu01/var/run/docker.sock"),
        ("ssh://me@gpu01:2222/run/p.sock", Scheme.SSH, "me@gpu01:2222", "ssh://me@gpu01:2222/run/p.sock"),
    ],
)
def test_read(url: str, scheme: Scheme, address: str, shown: str) -> None:
    endpoint = Endpoint.parse(url)
    assert (endpoint.scheme, endpoint.address, str(endpoint)) == (scheme, address, shown)
    assert endpoint.local is (scheme is Scheme.UNIX)


def test_tls_changes_the_port() -> None:
    endpoint = Endpoint.parse("tcp://gpu01", TlsFiles(ca="/c/ca.pem"))
    assert str(endpoint) == "https://gpu01:2376"


@pytest.mark.parametrize(
    "url",
    [
        *("", "unix://", "ftp://x", "tcp://", "tcp://x:99999", "ssh://-oProxyCommand=x", "ssh://-l@host"),
        *("npipe:////x", "/a\0b", "unix:///a%00b", "ssh://host/a%00b"),
    ],
)
def test_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"no |is no|a NUL"):
        Endpoint.parse(url)


@given(st.text(max_size=60))
def test_any_text_is_an_endpoint_or_a_value_error(text: str) -> None:
    try:
        endpoint = Endpoint.parse(text)
    except ValueError:
        return
    assert endpoint.address
    assert not endpoint.address.startswith("-")
