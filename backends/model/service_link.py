"""An address at which a container's service is reached, and how to get there from here. Data only."""

from __future__ import annotations

from dataclasses import dataclass

MASK = "••••"


@dataclass(frozen=True, slots=True)
class ServiceLink:
    """A service that was found.

    title: what it is ("Jupyter"). url: without its secret; "" where it speaks no protocol of a browser. address: where
    it listens, "HOST:PORT", "" where it is somewhere else on the web. secret: to be added to the URL's query
    ("token=…"), never shown unasked. why: how it was found, for people. port: on the engine's host, None where it is
    not published there. only_there: the port answers on the engine's host only.
    """

    title: str
    url: str
    address: str = ""
    secret: str = ""
    why: str = ""
    note: str = ""
    port: int | None = None
    only_there: bool = False

    @property
    def masked(self) -> str:
        """For showing: the secret's name, not its value."""
        if not self.url or not self.secret:
            return self.url or self.address
        return f"{self.url}?{self.secret.partition('=')[0]}={MASK}"

    @property
    def whole(self) -> str:
        """For opening and copying, with its secret."""
        return f"{self.url}?{self.secret}" if self.url and self.secret else self.url or self.address


@dataclass(frozen=True, slots=True)
class LinkReport:
    """All that was found of one container. tunnel: `ssh -L` lines by port, for links that answer elsewhere only.

    attach: VS Code's address of the container itself, "" where it does not run. remarks: what could not be found out.
    """

    links: tuple[ServiceLink, ...] = ()
    tunnels: tuple[tuple[int, str], ...] = ()
    attach: str = ""
    remarks: tuple[str, ...] = ()

    def tunnel(self, link: ServiceLink) -> str:
        """The line that brings a link's port here, "" where none is needed."""
        return dict(self.tunnels).get(link.port or 0, "")
