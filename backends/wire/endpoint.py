"""Where an engine listens, parsed from the URLs that people and the engines' own files write. Makes no connection."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

DOCKER_PORT = 2375  # IANA "docker", plain; source: docker CLI, opts.DefaultHTTPPort
DOCKER_TLS_PORT = 2376  # IANA "docker-s"; source: docker CLI, opts.DefaultTLSHTTPPort
REMOTE_DOCKER_SOCKET = "/var/run/docker.sock"


class Scheme(StrEnum):
    """The ways to an engine."""

    UNIX = "unix"
    TCP = "tcp"
    SSH = "ssh"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of one TLS identity. ca, cert, key: paths, "" where not given. verify: check the server's name."""

    ca: str = ""
    cert: str = ""
    key: str = ""
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of an engine.

    address: socket path (unix), "host:port" (tcp), "[user@]host[:port]" (ssh).
    remote_socket: the socket at the far end (ssh only), "" = its user's own.
    identity: a private key file for ssh, "" = ssh's own choice.
    """

    scheme: Scheme
    address: str
    tls: TlsFiles | None = None
    remote_socket: str = ""
    identity: str = ""

    @classmethod
    def parse(
        cls, url: str, tls: TlsFiles | None = None, *, identity: str = "", far_socket: str = REMOTE_DOCKER_SOCKET
    ) -> Endpoint:
        """Read "unix:///path", "/path", "tcp://host[:port]", "http(s)://...", "ssh://[user@]host[:port][/socket]".

        far_socket: the remote socket where the URL names none; "" = the far machine is asked for its user's (Podman).
        Raises ValueError, with a message for people, for anything else.
        """
        text = url.strip()
        if "\0" in unquote(text):
            raise ValueError(f"a NUL in {url!r}")
        if text.startswith("/"):
            return cls(Scheme.UNIX, text)
        parts = urlsplit(text)
        scheme = parts.scheme.lower()
        if scheme == "unix":
            path = unquote(parts.netloc + parts.path)
            if not path:
                raise ValueError(f"no socket path in {url!r}")
            return cls(Scheme.UNIX, path if path.startswith("/") else f"/{path}")
        if scheme not in {"tcp", "http", "https", "ssh"}:
            raise ValueError(f"{url!r} is no engine address (unix://, tcp://, https:// or ssh://)")
        try:
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ValueError(f"no valid port in {url!r}") from error
        if not host or host.startswith("-"):
            raise ValueError(f"no host in {url!r}")
        if scheme == "ssh":
            at = parts.netloc.lower().rindex(host)
            host = parts.netloc[at : at + len(host)]  # names in ~/.ssh/config know capitals, which urlsplit lowers
            path = unquote(parts.path) if parts.path.strip("/") else far_socket
            return cls._ssh(parts.username, host, port, path, identity, url)
        if scheme == "https" and tls is None:
            tls = TlsFiles()
        shown = f"[{host}]" if ":" in host else host
        return cls(Scheme.TCP, f"{shown}:{port or (DOCKER_TLS_PORT if tls else DOCKER_PORT)}", tls)

    @classmethod
    def _ssh(cls, user: str | None, host: str, port: int | None, path: str, identity: str, url: str) -> Endpoint:
        if user is not None and (not user or user.startswith("-")):
            raise ValueError(f"no valid user in {url!r}")
        name = f"[{host}]" if ":" in host else host
        address = (f"{unquote(user)}@" if user else "") + name + (f":{port}" if port else "")
        return cls(Scheme.SSH, address, None, path, identity)

    @property
    def local(self) -> bool:
        """On this machine: its containers share our kernel."""
        return self.scheme is Scheme.UNIX

    def __str__(self) -> str:
        if self.scheme is Scheme.UNIX:
            return f"unix://{self.address}"
        if self.scheme is Scheme.SSH:
            return f"ssh://{self.address}{self.remote_socket}"
        return f"{'https' if self.tls else 'tcp'}://{self.address}"


__all__ = ["Endpoint", "Scheme", "TlsFiles"]
